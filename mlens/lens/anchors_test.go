package lens

import (
	"math"
	"testing"
)

// Values agreed on by independent methods to the digits given; the fourth
// and later ones are those of MulensModel's and pyLIMA's own tests, solved
// anew to high precision (pyLIMA asserts 4.396362 for the sixth, which is
// wrong by 1.5e-3).
func TestAnchors(t *testing.T) {
	for _, c := range []struct{ s, q, x, y, rho, want float64 }{
		{0.8, 0.1, 0.01, 0.01, 0, 18.1854483599758},
		{0.8, 0.1, 0.01, 0.01, 0.01, 18.2833820123},
		{0.8, 1e-3, 1e-3, 1e-3, 1e-3, 687.803257262},
		{1.1, 5e-3, 1e-4, 1e-4, 1e-3, 235.128956525},
		{1.28, 0.05, 0.28, 0.0056, 0.05, 4.36242507640},
		{1.23, 0.034, 0.28, 0.02, 0.056, 4.40303166821},
		{1.8, 1e-8, 1.2444444444444445, 0, 0, 3.68642884488},
		{1, 1, 0, 0, 0, 13.0 / 3},
	} {
		r := Binary{c.s, c.q}.Magnification(c.x, c.y, c.rho, Options{AbsTol: 1e-9, RelTol: 1e-9})
		if e := math.Abs(r.Magnification/c.want - 1); e > 3e-11 && !(c.rho == 0 && e < 1e-11) {
			t.Errorf("%+v: %.13g, relative error %.1e", c, r.Magnification, e)
		}
	}
}

func TestMulensModelIssue36(t *testing.T) {
	b := Binary{1.5, 0.5}
	tr := Trajectory{U0: 1, Alpha: 90, T0: 0, TE: 9}
	want := []float64{1.5061014, 1.49363359, 1.13738425}
	got, err := b.LightCurve(nil, []float64{0, 1, 10}, tr, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-7 {
			t.Errorf("epoch %d: %.9g, want %.9g", i, got[i], want[i])
		}
	}
}

// Circles about a lens miss images here, which the integral over the limb, late
// at the smallest of these tolerances, must not give way to: the magnification
// at radii around this one is smooth.
func TestCirclesThatMiss(t *testing.T) {
	b := Binary{3.580201700422813, 0.039819297191377674}.Prepare()
	for _, tol := range []float64{1e-3, 1e-5, 1e-6, 1e-7} {
		at := func(x float64) Result {
			return b.Magnification(-0.13064524734460703, -6.619207658081583e-05, 0.00015695751576173995*math.Sqrt(1-x*x), Options{AbsTol: tol, RelTol: tol})
		}
		got, want := at(0.28), 0.5*(at(0.26).Magnification+at(0.3).Magnification)
		if !close64(got.Magnification, want, 1e-4) || math.Abs(got.Magnification-1498.9355) > 1e-3+got.Error {
			t.Errorf("tolerance %g: %.8g ± %.1g by %v, but %.8g between its neighbours", tol, got.Magnification, got.Error, got.Method, want)
		}
	}
}
