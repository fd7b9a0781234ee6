package lens

import "math"

// advance moves the images by ds in τ and returns the node there. near is
// the distance to the caustics, if known, else −1. ok is false if the images
// cannot be followed or the source is not to be treated by an expansion there.
func (f *tracker) advance(ds, near float64) (n node, ok bool) {
	f.tau += ds
	x, y := f.where(f.tau)
	eta, _ := f.e.g.source(x, y)
	if near < 0 {
		near = f.e.clear(eta)
		f.seen = near
	}
	f.near = near
	if near <= nearest*f.rho || !f.leap(eta, ds) {
		return n, false
	}
	return f.node(f.e.g.onAxis(eta, f.rho))
}

// leap moves the images to the source at eta: a predictor of third order and
// Newton's method on the lens equation.
func (f *tracker) leap(eta complex128, ds float64) bool {
	s, m1, m2 := f.e.g.s, f.e.g.m1, f.e.g.m2
	for i := range f.im.n {
		move := scale(ds, f.v[i]+scale(ds, f.w2[i]+scale(ds, f.w3[i])))
		w := f.im.w[i] + move
		limit := 0.09*norm(move) + 1e-24*norm(w)
		for it := 0; ; it++ {
			i1 := inv(complex(real(w)+s, imag(w)))
			i2 := inv(w)
			t1, t2 := scale(m1, i1), scale(m2, i2)
			r := eta - w + conj(t1+t2)
			h := t1*i1 + t2*i2
			d := scale(1/(1-norm(h)), r-conj(h*r))
			d2 := norm(d)
			if !(d2 <= limit) || it == 6 {
				return false
			}
			w += d
			// Newton's method squares what is left.
			if d2 <= 1e-14*norm(w) {
				break
			}
			limit = 0.25 * d2
		}
		f.im.w[i] = w
	}
	return true
}

// node computes magnification and derivatives of the images where they are.
// ok is false where the expansion in the source radius does not suffice.
func (f *tracker) node(axis bool) (n node, ok bool) {
	g, im := &f.e.g, &f.im
	n.tau = f.tau
	parity := 0
	var j1 [5]float64
	for i := range im.n {
		h, h1, h2 := g.shears(im.w[i])
		j := 1 - norm(h)
		inv := 1 / j
		v := scale(inv, f.dir-conj(h*f.dir))
		v2 := v * v
		r := conj(h1 * v2)
		a := scale(-inv, r-conj(h*r)) // w″
		r = conj(v * (scale(3, h1*a) + h2*v2))
		b := scale(-inv, r-conj(h*r)) // w‴
		im.h[i], im.j[i] = h, j
		f.bend[i] = math.Abs(inv) * abs(h1)
		f.v[i], f.w2[i], f.w3[i] = v, scale(0.5, a), scale(1./6, b)
		f.dv[i] = f.w2[i]
		// J' and J″ along the path.
		hd := h1 * v
		jd := -2 * dot(h, hd)
		jdd := -2 * (norm(hd) + dot(h, h2*v2+h1*a))
		j1[i] = jd
		if j > 0 {
			parity++
		} else {
			parity--
			inv, jd, jdd = -inv, -jd, -jdd
		}
		n.a += inv
		n.a1 -= jd * inv * inv
		n.a2 += (2*jd*jd*inv - jdd) * inv * inv
	}
	im.a = n.a
	if parity != -1 || !(n.a >= 1-1e-9) {
		return n, false
	}
	if f.rho == 0 {
		return n, true
	}
	q, err, _ := g.quadrupole(im, f.rho, f.near, axis)
	q *= f.opt.spread()
	if !(err <= f.opt.target(n.a)) {
		return n, false
	}
	n.q, n.err = q, err
	least := 1e-3 * f.opt.target(n.a)
	if f.opt.Interpolate > 0 {
		least = math.Min(least, 1e-2*f.opt.Interpolate*n.a)
	}
	if math.Abs(q) > least {
		ds := 1e-4 * f.near
		t := *im
		for i := range t.n {
			t.w[i] += scale(ds, f.v[i]+scale(ds, f.w2[i]))
			t.j[i] += ds * j1[i]
		}
		moved, _, _ := g.quadrupole(&t, f.rho, f.near, axis)
		n.q1 = (f.opt.spread()*moved - q) / ds
	}
	return n, true
}
