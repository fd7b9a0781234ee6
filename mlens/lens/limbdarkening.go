package lens

import (
	"errors"
	"math"
)

// LimbDarkening returns the Γ of Options for the coefficient u, 0 … 1, of the
// law I(r) ∝ 1 − u(1 − √(1−r²)) that tables of stellar atmospheres give:
//
//	Γ = 2u/(3 − u)
//
// (An et al. 2002, ApJ 572, 521). u depends on the band.
func LimbDarkening(u float64) float64 { return 2 * u / (3 - u) }

// Check returns an error that names the first option that cannot be: a limb
// darkening outside 0 … 1. Functions that return errors return this one, the
// others panic with it.
func (o Options) Check() error {
	if !(o.LimbDarkening >= 0 && o.LimbDarkening <= 1) {
		return errors.New("lens: limb darkening Γ = " + show(o.LimbDarkening) + ", but it must be between 0 and 1")
	}
	return nil
}

func (o Options) must() {
	if err := o.Check(); err != nil {
		panic(err.Error())
	}
}

// spread is the part of the uniform disc's term of order ρ² that a darkened
// one has, the ratio of their mean r² (see annuli.go).
func (o Options) spread() float64 { return 1 - o.LimbDarkening/5 }

// extended is disc for a source that may be darkened.
func (e *engine) extended(eta, beta complex128, rho float64, opt Options, r Result) Result {
	if opt.LimbDarkening == 0 {
		return e.disc(eta, beta, rho, opt, r)
	}
	return e.darkened(eta, beta, rho, opt, r)
}

// darkened integrates over uniform discs. They share 0.4 of the tolerance,
// which the weights of the integral, positive and with a sum of 1, hand on to
// the result; the integral gets what is left.
func (e *engine) darkened(eta, beta complex128, rho float64, opt Options, r Result) Result {
	part := opt
	part.LimbDarkening = 0
	part.AbsTol *= 0.4
	part.RelTol *= 0.4
	e.c.g = &e.g
	d := distance(e.folds, eta, 1e3*(rho+1))
	// The centre's images serve the smallest discs.
	var roots [5]complex128
	var im images
	sure := e.g.solve(eta, beta, &roots, false, 0, &im) && im.sure
	r.Method = Quadrupole
	ann := &e.ann
	ann.m = 1
	ann.disc = func(t, w float64) (v, err column) {
		p := rho * t
		if sure && d > nearest*p {
			if q, miss, _ := e.g.quadrupole(&im, p, d, e.g.onAxis(eta, p)); miss <= part.target(im.a+q) {
				v[0] = math.Max(im.a+q, 1)
				err[0] = math.Max(miss, 1e-12*v[0]*v[0])
				return v, err
			}
		}
		r.Method = max(r.Method, Contour)
		if t < 1 {
			if a, miss, ok := e.annulus(eta, beta, p, w, part); ok {
				v[0], err[0] = math.Max(a, 1), math.Max(miss, 2e-8*a)
				return v, err
			}
		}
		one := e.disc(eta, beta, p, part, Result{})
		r.Method = max(r.Method, one.Method)
		v[0], err[0] = one.Magnification, one.Error
		return v, err
	}
	merge := math.Min(1e-3, 0.5*opt.target(1))
	ann.begin(e.kinks(eta, rho, d), merge)
	v, err := ann.integrate(opt.LimbDarkening, func(v *column) column {
		return column{opt.target(v[0])}
	})
	ann.disc = nil
	r.Magnification, r.Error = math.Max(v[0], 1), math.Max(err[0], 2e-8*v[0])
	return r
}

// annulus is disc for one disc of many, which need not be what disc insists
// on where its weight w is small, as next to kinks: there another radius does,
// a part of that weight away, A being a continuous function of it (see disc).
func (e *engine) annulus(eta, beta complex128, rho, w float64, opt Options) (a, err float64, ok bool) {
	step := 0.0
	for range 4 {
		a, err, ok = e.c.integrate(e.folds, eta, beta, rho*(1+step), opt)
		err += 10 * step * a
		want := opt.target(a)
		if finite(a) && a >= 1-2*opt.target(1) && !e.c.vague && (ok || err*w <= 0.05*want || err <= 2*want) {
			return a, err, true
		}
		if !(a >= 0.5) {
			return a, err, false
		}
		step = math.Max(4*step, math.Min(1e-3, math.Max(1e-6, 1e-3*want/(a*w))))
	}
	// Circles about a lens may miss images; an error that is known is better.
	return a, err, !e.c.vague && err <= 1e-3*a
}

// kinks finds the radii of annuli.kinks for a source at the distance d from the
// caustics. It returns whether there are none. A ridge of magnification beyond a
// cusp, or on the axis of a light companion (limb.ridges), is as good as a kink.
func (e *engine) kinks(eta complex128, rho, d float64) (smooth bool) {
	ks := e.ann.kinks[:0]
	if smooth = d >= rho; !smooth {
		x := &e.c.limb
		x.g, x.centre, x.rho = &e.g, eta, rho
		for i := range e.folds {
			f := &e.folds[i]
			if in := rho + f.radius; norm(f.centre-eta) < in*in {
				ks = x.touches(f, ks, 12)
			}
		}
	}
	for i := range e.folds {
		f := &e.folds[i]
		if p := eta - f.a; f.cusp0 && norm(p) < 900*rho*rho {
			dir := tangent(f.phi0)
			if dot(dir, f.b-f.a) > 0 { // away from the caustic
				dir = -dir
			}
			if t := math.Abs(cross(dir, p)) / rho; t < 1 && dot(dir, p) > 0 {
				ks = append(ks, t)
			}
		}
	}
	if t := math.Abs(imag(eta)) / rho; e.g.q < 0.1 && t < 1 {
		ks = append(ks, t)
	}
	e.ann.kinks = ks
	return smooth && len(ks) == 0
}
