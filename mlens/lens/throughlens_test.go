package lens

import (
	"math"
	"testing"
)

// A limb that passes exactly through a lens, where one root of the lens equation is
// infinitely far away, magnifies as one beside it.
func TestLimbThroughLens(t *testing.T) {
	for _, c := range []struct {
		b      Binary
		x, rho float64
	}{
		{Binary{S: 0.3563656033173283, Q: 0.007757636545542227}, -0.38662356124170644, 0.74024589104999416},
		{Binary{S: 0.6147105114906859, Q: 1.3030693711909075e-09}, 0.051158036125426354, 0.56355247456424906},
		{Binary{S: 0.6976288446936525, Q: 1e-09}, 1.8180932177168882e-05, 1.8181629806012878e-05},
	} {
		for _, opt := range []Options{{}, {AbsTol: 1e-5, RelTol: 1e-5}, {LimbDarkening: 0.5}} {
			if opt.LimbDarkening > 0 && c.rho < 1e-3 {
				continue // slow
			}
			at, beside := c.b.Magnification(c.x, 0, c.rho, opt), c.b.Magnification(c.x, 0, c.rho*(1+1e-12), opt)
			if d := math.Abs(at.Magnification - beside.Magnification); !(d <= at.Error+beside.Error+1e-9*beside.Magnification) || math.IsInf(at.Error, 0) {
				t.Errorf("%+v at %g, rho %g, %+v: %+v, but beside it %+v", c.b, c.x, c.rho, opt, at, beside)
			}
			curve, err := c.b.LightCurve(nil, []float64{0}, Trajectory{U0: 0, Alpha: 0, T0: -c.x, TE: 1}, c.rho, opt)
			if err != nil || math.Abs(curve[0]-beside.Magnification) > 2*(1e-3+1e-3*beside.Magnification) {
				t.Errorf("the light curve has %v, %v instead of %v", curve, err, beside.Magnification)
			}
		}
	}
}
