package lens

import (
	"errors"
	"math"
	"strconv"
)

// Curve is a light curve that knows how good it is.
type Curve struct {
	A     []float64 // magnification
	Bound []float64 // of its absolute error, an estimate from above
	Late  int       // epochs whose bound is above their tolerance
}

// BoundedLightCurve is LightCurve with an absolute tolerance for every epoch
// and a bound of the error of every value. It fills c, whose slices are
// reused if they are long enough.
//
// tol may be nil: then the tolerances are those of opt. Otherwise it takes the
// place of AbsTol and RelTol, and interpolation, where opt.Interpolate allows
// it, is kept below a part of it as well. For a likelihood of a flux
// F = F_s·A + F_b with errors σ choose 0.02·σ/F_s: at 7,200 epochs and S/N 230
// ln L is then right to some hundredths.
//
// Epochs that do not reach their tolerance are no error; they are counted in
// c.Late, and c.Bound says which they are.
func (b Binary) BoundedLightCurve(c *Curve, times, tol []float64, tr Trajectory, rho float64, opt Options) error {
	if tol != nil && len(tol) != len(times) {
		return errors.New("lens: there are " + strconv.Itoa(len(tol)) + " tolerances, but " + strconv.Itoa(len(times)) + " times")
	}
	for i, v := range tol {
		if !(v > 0) {
			return errors.New("lens: tol[" + strconv.Itoa(i) + "] = " + show(v) + ", but a tolerance must be above 0")
		}
	}
	c.A, c.Bound, c.Late = resize(c.A, len(times)), resize(c.Bound, len(times)), 0
	f := tracker{tr: tr, tol: tol, bound: c.Bound}
	if err := f.run(b, c.A, times, rho, opt); err != nil {
		return err
	}
	opt = opt.withDefaults()
	for i, a := range c.A {
		most := math.Max(opt.AbsTol, opt.RelTol*a) + opt.Interpolate*a
		if tol != nil {
			most = tol[i]
		}
		if !(c.Bound[i] <= most) {
			c.Late++
		}
	}
	return nil
}

func resize(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}

// require sets the tolerance to the least of the epochs from i to j.
func (f *tracker) require(i, j int) {
	if f.tol == nil {
		return
	}
	least := math.Inf(1)
	for _, v := range f.tol[i:j] {
		least = math.Min(least, v)
	}
	f.opt.AbsTol, f.opt.RelTol = least, 0
}

// until is the first epoch from i on after tau.
func (f *tracker) until(times []float64, i int, tau float64) int {
	for i < len(times) && f.when(times[i]) <= tau {
		i++
	}
	return i
}
