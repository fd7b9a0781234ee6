package lens

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The bounds of a light curve hold against a much finer one, whether the
// tolerances are those of the noise or of the options, and none is late.
func TestBoundedLightCurve(t *testing.T) {
	times := cadence()
	var c Curve
	tol, want := make([]float64, len(times)), make([]float64, len(times))
	var worst [4]float64
	var most float64
	late, where := 0, [4]string{}
	for i := range stressSize(60) {
		r := rand.New(rand.NewPCG(61, uint64(i)))
		b, tr, rho := priorDraw(r)
		if i%2 == 1 {
			tr.U0 *= 0.05
		}
		if _, err := b.LightCurve(want, times, tr, rho, Options{AbsTol: 1e-7, RelTol: 1e-7}); err != nil {
			t.Fatal(err)
		}
		for k, a := range want {
			tol[k] = 0.02 * math.Sqrt(a) / 230
		}
		for m := range 4 {
			opt := Options{Interpolate: 1e-4 * float64(m%2)}
			limit := tol
			if m >= 2 {
				limit = nil
			}
			if err := b.BoundedLightCurve(&c, times, limit, tr, rho, opt); err != nil {
				t.Fatal(err)
			}
			if late += c.Late; c.Late > 0 {
				for k, a := range c.A {
					if m < 2 && c.Bound[k] > tol[k] {
						t.Logf("late: curve %d, mode %d: A %g, bound %g", i, m, a, c.Bound[k])
						break
					}
				}
			}
			for k, a := range c.A {
				e := math.Abs(a - want[k])
				if x := e / (c.Bound[k] + 1e-7*a); !(x <= worst[m]) {
					worst[m] = x
					where[m] = fmt.Sprintf("curve %d, mode %d: %+v %+v rho %g at %g: A %g for %g, bound %g", i, m, b, tr, rho, times[k], a, want[k], c.Bound[k])
				}
				if m < 2 {
					most = math.Max(most, e/tol[k])
				}
			}
		}
	}
	for m, v := range worst {
		t.Logf("worst error %.3g of the bound: %s", v, where[m])
	}
	t.Logf("worst error %.3g of a tolerance of 0.02 σ; %d late", most, late)
	if !(slices.Max(worst[:]) <= 1) || !(most <= 1) || late > 0 {
		t.Error("bounds do not hold")
	}
}

func TestBoundedLightCurveErrors(t *testing.T) {
	var c Curve
	b, tr, times := Binary{1, 0.1}, Trajectory{U0: 0.1, TE: 10}, []float64{1, 2}
	if b.BoundedLightCurve(&c, times, []float64{1e-3}, tr, 0, Options{}) == nil {
		t.Error("one tolerance for two times")
	}
	if b.BoundedLightCurve(&c, times, []float64{1e-3, 0}, tr, 0, Options{}) == nil {
		t.Error("a tolerance of 0")
	}
}
