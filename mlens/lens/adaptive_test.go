package lens

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Interpolation must add no more than its bound. LENS_STRESS=10000 compares
// ten thousand curves of the prior, half of them aimed at a caustic.
func TestLightCurveInterpolated(t *testing.T) {
	curves := stressSize(200)
	times := cadence()
	fine := Options{AbsTol: 1e-5, RelTol: 1e-5}
	rough := fine
	rough.Interpolate = 1e-4
	got, want := make([]float64, len(times)), make([]float64, len(times))
	worst, sigma, where := 0.0, 0.0, ""
	for i := range curves {
		r := rand.New(rand.NewPCG(31, uint64(i)))
		b, tr, rho := priorDraw(r)
		if i%2 == 1 { // through the central or a planetary caustic, or beside it
			c := b.CentralCaustic()
			if r.IntN(2) == 0 {
				c = b.PlanetaryCaustic()
			}
			tr.U0 = 4 * math.Sqrt(b.Q) * (2*r.Float64() - 1)
			tr.T0 += 20 * (2*r.Float64() - 1)
			tr = tr.Shift(-c)
		}
		if _, err := b.LightCurve(want, times, tr, rho, fine); err != nil {
			t.Fatal(err)
		}
		if _, err := b.LightCurve(got, times, tr, rho, rough); err != nil {
			t.Fatal(err)
		}
		e, at := 0.0, 0
		for k := range got {
			d := math.Abs(got[k] - want[k])
			// Flux S²A with photon noise: σ = S√A at S/N 230 and no blend.
			sigma = math.Max(sigma, 230*d/math.Sqrt(want[k]))
			if d /= want[k]; !(d <= e) {
				e, at = d, k
			}
		}
		if !(e <= worst) {
			worst = e
			where = fmt.Sprintf("curve %d: %+v %+v rho %g at %g: A %g, interpolated %g", i, b, tr, rho, times[at], want[at], got[at])
		}
		if !(e <= 1e-4) {
			t.Errorf("curve %d: %.3g", i, e)
		}
	}
	t.Logf("%d curves: worst %.3g of A, %.3g σ at S/N 230; %s", curves, worst, sigma, where)
}
