package lens

import "math"

// Distance returns the distance of (x, y) from the nearest caustic, in θ_E, a lower
// bound that is right to a hundredth of itself. It panics if x or y is not within
// ±[MaxPosition].
func (p *Prepared) Distance(x, y float64) float64 {
	checkSource(x, y, 0)
	eta, _ := p.g.source(x, y)
	best := math.Inf(1)
	for i := range p.folds {
		best = p.g.refined(&p.folds[i], eta, best, 40)
	}
	return best
}

// refined is the distance from z to the arc f, or best if that is less. The arc
// is divided until the width of its triangle no longer matters.
func (g *geom) refined(f *fold, z complex128, best float64, depth int) float64 {
	d := f.distance(z)
	if d >= best {
		return best
	}
	if width := abs(f.t - 0.5*(f.a+f.b)); width <= 0.01*d || width <= 1e-14 || depth == 0 {
		return d
	}
	near, far := g.halves(f)
	if far.distance(z) < near.distance(z) {
		near, far = far, near
	}
	return g.refined(&far, z, g.refined(&near, z, best, depth-1), depth-1)
}

// MagnificationBy is Magnification by one method alone, whether or not it
// suffices: for comparisons, and Radial as a check that shares nothing with the
// others but the images of some points of the limb. Result.Error is that
// method's estimate, which for a PointSource is what the size of the source adds.
//
// Radial knows uniform discs only: it panics if opt.LimbDarkening is set.
func (p *Prepared) MagnificationBy(m Method, x, y, rho float64, opt Options) Result {
	checkSource(x, y, rho)
	opt.must()
	opt = opt.withDefaults()
	e := engine{g: p.g, folds: p.folds}
	e.g.point(x, y, &e.im)
	r := Result{Magnification: math.Max(e.im.a, 1), Images: e.im.n, Method: m}
	eta, beta := e.g.source(x, y)
	switch {
	case rho == 0:
		r.Method, r.Error = PointSource, 1e-12*r.Magnification*r.Magnification
	case m == Contour:
		r = e.extended(eta, beta, rho, opt, r)
	case m == Radial:
		if opt.LimbDarkening != 0 {
			panic("lens: circles about a lens are for uniform discs, but LimbDarkening is " + show(opt.LimbDarkening))
		}
		r.Magnification, r.Error = e.g.radial(eta, beta, rho, opt.target(r.Magnification)/r.Magnification, 1024)
	default:
		q, err, _ := e.g.quadrupole(&e.im, rho, distance(e.folds, eta, 1e3*(rho+1)), e.g.onAxis(eta, rho))
		q *= opt.spread()
		if m == PointSource {
			r.Error = math.Abs(q) + err
		} else {
			r.Magnification, r.Error = math.Max(e.im.a+q, 1), err
		}
	}
	r.Late = !(r.Error <= math.Max(opt.AbsTol, opt.RelTol*r.Magnification))
	return r
}
