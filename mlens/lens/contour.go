package lens

import "math"

// A contour integrates the magnification of a uniform disc over its limb
// (see the package comment).
type contour struct {
	limb
	beta  complex128 // centre relative to the heavier body
	roots [5]complex128
	warm  bool
	bad   int // limb points whose images are not as many as they should be
	lost  int // limb points without a solution
	evals int
	im    images
	live  bool       // im holds the images at at0
	at0   complex128 // the last limb point, from the centre
	mid   *images    // of the centre, if known and no caustic is near, else nil
}

// value is the integrand at angle th, from a full solution. want is the number of
// images there, or 0 if unknown.
func (c *contour) value(th float64, want int) float64 {
	sn, cs := math.Sincos(th)
	d := complex(c.rho*cs, c.rho*sn)
	c.evals++
	c.at0 = d
	eta, beta := c.centre+d, c.beta+d
	if !c.g.solve(eta, beta, &c.roots, c.warm, 0, &c.im) {
		c.warm, c.live = false, false
		c.lost++
		return 0
	}
	c.warm = true
	if want != 0 && c.im.n != want {
		if c.im.sure {
			c.bad++
		} else {
			c.g.solve(eta, beta, &c.roots, true, want, &c.im)
		}
	}
	c.live = true
	return c.sum(cs, sn)
}

// sum is the integrand for the images in im.
func (c *contour) sum(cs, sn float64) float64 {
	e2 := complex(cs*cs-sn*sn, 2*sn*cs)
	sum := 0.0
	for i := range c.im.n {
		sum += (1 + real(c.im.h[i]*e2)) / math.Abs(c.im.j[i])
	}
	return sum
}

// next is value where no caustic lies between th and the angle of the call
// before: the images are then followed, and solved for anew only where one
// of them is not where it was expected.
func (c *contour) next(th float64, want int) float64 {
	if !c.live || c.im.n != want {
		return c.value(th, want)
	}
	sn, cs := math.Sincos(th)
	d := complex(c.rho*cs, c.rho*sn)
	if !c.g.shift(c.centre+d, d-c.at0, &c.im) {
		return c.value(th, want)
	}
	c.evals++
	c.at0 = d
	return c.sum(cs, sn)
}

// count is the number of images in the middle of an interval of the limb.
func (c *contour) count(lo, hi float64) int {
	votes := 0
	for _, t := range [...]float64{0.5, 0.38, 0.63} {
		c.value(lo+t*(hi-lo), 0)
		if c.im.sure {
			return c.im.n
		}
		votes += c.im.n - 4
	}
	if votes > 0 {
		return 5
	}
	return 3
}

// integrate returns magnification and error of the disc of radius rho whose
// centre is at eta from the lighter and beta from the heavier body. ok is
// false if the result should not be trusted.
func (c *contour) integrate(folds []fold, eta, beta complex128, rho float64, opt Options) (a, err float64, ok bool) {
	c.centre, c.beta, c.rho = eta, beta, rho
	// The roots of the disc before, if any, are a good start for this one.
	c.live, c.bad, c.lost, c.evals = false, 0, 0, 0
	c.find(folds)
	if c.over {
		return c.blind(opt)
	}
	if c.nCross == 0 && c.n == 0 {
		if a, err, ok = c.periodic(folds, opt); ok && finite(a) {
			return a, err, true
		}
	}
	var ps [maxPanels]panel
	n := c.divide(&ps)
	a, err = c.adapt(&ps, n, opt)
	if c.lost > 0 || c.bad > 2+c.evals/100 || !finite(a) {
		return c.blind(opt)
	}
	return a, err, err <= opt.target(a) && !c.vague
}

// blind integrates without knowledge of the caustics.
func (c *contour) blind(opt Options) (a, err float64, ok bool) {
	c.bad, c.lost = 0, 0
	var ps [maxPanels]panel
	for i := range 16 {
		ps[i] = panel{lo: math.Pi / 8 * float64(i), hi: math.Pi / 8 * float64(i+1)}
	}
	a, err = c.adapt(&ps, 16, opt)
	return a, err, c.lost == 0 && finite(a) && err <= opt.target(a)
}

// finite is false where a limb passes exactly through a lens and a node of the
// integral lies there: one root is infinitely far away then.
func finite(a float64) bool { return !math.IsInf(a, 0) && !math.IsNaN(a) }
