package lens

import "math"

// Gradient is a magnification and its derivatives with respect to the seven
// parameters of an event, in this order:
//
//	0  s     per θ_E
//	1  q     per unit
//	2  α     per degree
//	3  u0    per θ_E
//	4  t0    per day
//	5  tE    per day
//	6  ρ     per θ_E, 0 for a point source
type Gradient struct {
	A   float64
	D   [7]float64
	Err [7]float64 // estimates of the absolute errors of D
}

// Gradients is LightCurve with derivatives. dst must be nil (allocates) or as
// long as times. A is what LightCurve promises; opt.Interpolate has no effect.
//
// No derivative is a difference of magnifications. That of a point source is a
// sum over its images, that of a disc an integral over the limb (slopes.go),
// each exact to its Err. Of the limb integral a part of max(AbsTol, RelTol·A)/A
// is aimed at, relative to the same integral over the modulus of its integrand:
// a derivative with respect to the position of the source is right to about
// 2·max(AbsTol, RelTol·A)/ρ.
//
// A point source has no derivative on a caustic; inside, it grows like the
// distance to the power −3/2, and Err with it. A disc has a derivative everywhere
// but where its limb touches a caustic. On the way over such a place it steps,
// or has a logarithm, and no difference of magnifications comes near it; on the
// very place D is that of one side and Err a tenth of what it may be, or more.
// D is never NaN; where it cannot be had it is 0 and Err is +Inf.
//
// An error names a parameter that no light curve can have.
func (b Binary) Gradients(dst []Gradient, times []float64, tr Trajectory, rho float64, opt Options) ([]Gradient, error) {
	if dst == nil {
		dst = make([]Gradient, len(times))
	}
	f := tracker{tr: tr}
	if _, err := f.ready(b, len(dst), times, rho, opt); err != nil {
		return nil, err
	}
	for i, t := range times {
		f.gradient(&dst[i], t)
	}
	return dst, nil
}

// gradient fills d for the time t.
func (f *tracker) gradient(d *Gradient, t float64) {
	tau := f.when(t)
	x, y := f.where(tau)
	a := f.epoch(x, y, tau)
	v, err := f.slopes(x, y, a)
	g := &f.e.g
	for k := range v {
		if !(math.Abs(v[k]) <= math.MaxFloat64) || !(err[k] <= math.MaxFloat64) {
			v[k], err[k] = 0, math.Inf(1)
		}
	}
	// From the frame of geom to the public one: labels exchanged turn the plane
	// and make 1/q of q.
	v[colX] *= g.sign
	v[colY] *= g.sign
	if g.sign < 0 {
		v[colQ] *= -g.q * g.q
		err[colQ] *= g.q * g.q
	}
	// x = τ cos α − u0 sin α, y = τ sin α + u0 cos α.
	chain := func(k int, dx, dy float64) {
		d.D[k] = dx*v[colX] + dy*v[colY]
		d.Err[k] = 0
		if dx != 0 {
			d.Err[k] += math.Abs(dx) * err[colX]
		}
		if dy != 0 {
			d.Err[k] += math.Abs(dy) * err[colY]
		}
	}
	te := f.tr.TE
	d.A = a
	d.D[0], d.Err[0] = v[colS], err[colS]
	d.D[1], d.Err[1] = v[colQ], err[colQ]
	chain(2, -y*math.Pi/180, x*math.Pi/180)
	chain(3, -f.sn, f.cs)
	chain(4, -f.cs/te, -f.sn/te)
	chain(5, -tau*f.cs/te, -tau*f.sn/te)
	d.D[6], d.Err[6] = v[colRho], err[colRho]
}

// The columns of slopes: the magnification and its derivatives in the frame
// of geom.
const (
	colA = iota
	colX
	colY
	colS
	colQ
	colRho
)

// slopes returns the derivatives where epoch has just found a for the source at
// (x, y).
func (f *follower) slopes(x, y, a float64) (v, err column) {
	e, opt := &f.e, f.opt
	eta, beta := e.g.source(x, y)
	if f.rho == 0 || f.near > nearest*f.rho {
		if f.near < 0.9*f.seen && f.rho > 0 {
			f.near = e.clear(eta)
			f.seen = f.near
		}
		// The images are where epoch left them.
		var ok bool
		if v, err, ok = e.flat(&f.im, eta, f.rho, f.near, opt); ok {
			return v, err
		}
	}
	if opt.LimbDarkening == 0 {
		v, err = e.limbSlopes(eta, beta, f.rho, opt)
	} else {
		v, err = e.darkSlopes(eta, beta, f.rho, opt)
	}
	// The magnification itself is known in a more careful way.
	if off := math.Abs(v[colA]-a) - err[colA] - f.err; off > 0 || off != off {
		for k := range err {
			err[k] += off / a * math.Max(math.Abs(v[k]), 2*a/f.rho)
		}
	}
	return v, err
}

// flat returns the derivatives of a source far from all caustics. ok is
// false where the expansion in its radius does not suffice.
func (e *engine) flat(im *images, eta complex128, rho, near float64, opt Options) (v, err column, ok bool) {
	g := &e.g
	var moves [4][5]complex128 // of the images for x, y, s and q
	most := g.pointSlopes(im, &v, &err, &moves)
	if rho == 0 {
		return v, err, true
	}
	axis := g.onAxis(eta, rho)
	q, miss, _ := g.quadrupole(im, rho, near, axis)
	target := opt.target(im.a)
	if !(miss <= 0.6*target) {
		return v, err, false
	}
	spread := opt.spread()
	v[colA] = im.a + spread*q
	err[colA] += miss
	v[colRho] = 2 * spread * q / rho
	err[colRho] = 4*miss/rho + 1e-12*math.Abs(v[colRho])
	if small := math.Abs(q) + miss; small < 1e-2*target { // its derivatives are below the error aimed at
		miss = small
	} else {
		for k := range moves {
			// Central differences; what the images are off by cancels.
			step := 1e-3 * near / most[k]
			switch k {
			case 2:
				step = math.Min(step, 1e-3*g.s)
			case 3:
				step = math.Min(step, 1e-3*g.q)
			}
			at := func(ds float64) float64 {
				h := geom{s: g.s, m1: g.m1, m2: g.m2, q: g.q}
				switch k {
				case 2:
					h.s += ds
				case 3:
					h.q += ds
					h.m1, h.m2 = 1/(1+h.q), h.q/(1+h.q)
				}
				t := *im
				for i := range t.n {
					t.w[i] += scale(ds, moves[k][i])
					t.j[i] = 1 - norm(h.shear(t.w[i]))
				}
				moved, _, _ := h.quadrupole(&t, rho, near, axis)
				return moved
			}
			d := spread * (at(step) - at(-step)) / (2 * step)
			v[colX+k] += d
			err[colX+k] += 1e-4 * math.Abs(d)
		}
	}
	// What is neglected is a power of the distance to a caustic as well, and a
	// part of it depends on s and q alone.
	for k := range moves {
		err[colX+k] += 6 * miss * most[k] / near
	}
	err[colS] += miss / g.s
	err[colQ] += miss / g.q
	return v, err, true
}

// darkSlopes are the derivatives of a darkened disc, whose columns have the same
// weights as its magnification (annuli.go); that with respect to ρ is
// t·∂A/∂ρ of the disc of radius tρ.
func (e *engine) darkSlopes(eta, beta complex128, rho float64, opt Options) (v, err column) {
	part := opt
	part.LimbDarkening = 0
	part.AbsTol *= 0.4
	part.RelTol *= 0.4
	d := distance(e.folds, eta, 1e3*(rho+1))
	var roots [5]complex128
	var im images
	sure := e.g.solve(eta, beta, &roots, false, 0, &im) && im.sure
	ann := &e.ann
	ann.m = columns
	ann.disc = func(t, _ float64) (v, err column) {
		p, ok := rho*t, false
		if sure && d > nearest*p {
			v, err, ok = e.flat(&im, eta, p, d, part)
		}
		if !ok {
			v, err = e.limbSlopes(eta, beta, p, part)
		}
		v[colRho] *= t
		err[colRho] *= t
		return v, err
	}
	ann.begin(e.kinks(eta, rho, d), 1e-4)
	v, err = ann.integrate(opt.LimbDarkening, func(v *column) (want column) {
		rel := opt.target(v[colA]) / v[colA]
		want[colA] = rel * v[colA]
		for k := colX; k < columns; k++ {
			want[k] = rel * math.Max(2*v[colA]/rho, math.Abs(v[k]))
		}
		return want
	})
	ann.disc = nil
	return v, err
}
