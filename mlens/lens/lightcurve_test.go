package lens

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The light curve must agree with epochs computed one by one.
func TestLightCurveAgainstEpochs(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	times := cadence()
	curves := 60
	bad := 0
	worst := 0.0
	for range curves {
		b, tr, rho := priorDraw(r)
		if r.Float64() < 0.3 {
			tr.U0 *= 0.05
		}
		got, err := b.LightCurve(nil, times, tr, rho, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(times); i++ {
			x, y := tr.At(times[i])
			p, _ := b.PointSource(x, y)
			if i%20 != 0 && math.Abs(got[i]-p) < 1e-3 {
				continue
			}
			want := b.Magnification(x, y, rho, Options{AbsTol: 1e-5, RelTol: 1e-5})
			e := math.Abs(got[i]-want.Magnification) / math.Max(1e-3, 1e-3*want.Magnification)
			worst = math.Max(worst, e)
			if e > 1 {
				bad++
				if bad < 10 {
					t.Errorf("%+v %+v rho %g t %g: %.8g, alone %.8g (point %.8g)", b, tr, rho, times[i], got[i], want.Magnification, p)
				}
			}
		}
	}
	t.Logf("worst error over target %.3g, %d epochs beyond", worst, bad)
}
