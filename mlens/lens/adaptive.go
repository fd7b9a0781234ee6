package lens

import "math"

// A node is a point of the path at which the magnification is known with its
// derivatives: a, a1 and a2 of a point source in τ, q and q1 of what the
// size of the source adds.
type node struct {
	tau, a, a1, a2, q, q1 float64
	err                   float64 // of the orders in the source radius beyond q
}

// A hop joins two nodes by a polynomial: the quintic with the values and the
// first two derivatives of a at both ends, plus the cubic of q.
type hop struct {
	tau, inv float64 // start, 1/length
	c        [6]float64
}

func newHop(a, b *node) hop {
	l := b.tau - a.tau
	d0, s0 := l*a.a1, 0.5*l*l*a.a2
	d1, s1 := l*b.a1, 0.5*l*l*b.a2
	r0 := b.a - a.a - d0 - s0
	r1 := d1 - d0 - 2*s0
	r2 := s1 - s0
	e0, e1 := l*a.q1, l*b.q1
	g := b.q - a.q
	return hop{a.tau, 1 / l, [6]float64{
		a.a + a.q, d0 + e0, s0 + 3*g - 2*e0 - e1,
		10*r0 - 4*r1 + r2 + e0 + e1 - 2*g, 7*r1 - 15*r0 - 2*r2, 6*r0 - 3*r1 + r2,
	}}
}

func (h *hop) at(tau float64) float64 {
	u := (tau - h.tau) * h.inv
	u2 := u * u
	return h.c[0] + u*h.c[1] + u2*(h.c[2]+u*h.c[3]+u2*(h.c[4]+u*h.c[5]))
}

// slope is the derivative of at.
func (h *hop) slope(tau float64) float64 {
	u := (tau - h.tau) * h.inv
	return h.inv * (h.c[1] + u*(2*h.c[2]+u*(3*h.c[3]+u*(4*h.c[4]+u*5*h.c[5]))))
}

// A tracker walks along the path in hops.
type tracker struct {
	follower
	tr     Trajectory
	cs, sn float64    // of α
	here   node       // the node at tau, if there is one
	bend   [5]float64 // |h'/J| of the images
	step   float64    // length that the next pair of hops may have
	arcs   arcs
	batch  batch

	tol   []float64 // of every epoch, or nil: opt for all
	bound []float64 // nil or to be filled
}

// A pair of hops is at most this part of the distance to the nearest caustic.
// Twice followable: the images are followed by one hop at a time.
const reach = 2 * followable

// fewest is the number of epochs from which a pair of hops is worth while.
const fewest = 6

// accept is how far, in units of the bound, the polynomial over a pair may be
// off in its middle. Its halves are 64 times better.
const accept = 2

// margin is the part of the target that the expansion in the source radius may
// take at a node, so that three times that and the interpolation stay within the
// tolerance in between.
const margin = 0.5

// walk fills dst by hops wherever at least fewest epochs fall on
// a pair of hops, and epoch by epoch elsewhere: next to caustics, where the
// source cannot be treated by an expansion, and where the times are sparse.
//
// The time derivatives of a point source's magnification are exact: with
// ζ' = w' + conj(h·w') and ζ″ = 0
//
//	w' = (e − conj(h·e))/J,  w″ = (r − conj(h·r))/J,  r = −conj(h'·w'²),
//
// so that a hop of length l between two nodes has an error of at most
// l⁶·max|A⁽⁶⁾|/46080. Hops come in pairs of equal length. The quintic over the
// whole pair, whose error is 64 times that of its halves, must agree with
// the node in the middle in value and slope. No caustic, however small, can
// hide between nodes, because a pair is never longer than 0.4 of the
// distance to the nearest, for which the triangles of fold.go are a rigorous
// bound.
func (f *tracker) walk(dst, times []float64) {
	n := len(times)
	f.step = math.Inf(1)
	f.here.tau = math.NaN()
	for i := 0; i < n; {
		if f.on && f.near > nearest*f.rho {
			k := min(i+fewest, n) - 1
			if f.when(times[k])-f.tau <= math.Min(f.step, reach*f.near) {
				if j := f.pair(dst, times, i); j > i {
					i = j
					continue
				}
			}
		}
		f.one(dst, times, i)
		if f.step < f.near {
			f.step *= 1.3
		}
		i++
	}
}

func (f *tracker) when(t float64) float64 { return (t - f.tr.T0) / f.tr.TE }

func (f *tracker) where(tau float64) (x, y float64) {
	return tau*f.cs - f.tr.U0*f.sn, tau*f.sn + f.tr.U0*f.cs
}

// pair makes two hops from where the images are, fills the epochs from i on
// that lie on them, and returns the first that does not. It returns i, the
// images being where they were, if too few do.
func (f *tracker) pair(dst, times []float64, i int) int {
	a := f.here
	if a.tau != f.tau {
		x, y := f.where(f.tau)
		eta, _ := f.e.g.source(x, y)
		f.near = f.e.clear(eta)
		f.seen = f.near
		var ok bool
		if a, ok = f.node(f.e.g.onAxis(eta, f.rho)); !ok {
			f.step = 0.2 * f.near
			return i
		}
	}
	n := len(times)
	least, most := f.when(times[min(i+fewest, n)-1])-a.tau, f.when(times[n-1])-a.tau
	l := math.Min(math.Min(f.step, reach*f.near), most)
	if f.tol != nil {
		f.require(i, f.until(times, i, a.tau+l))
	}
	if a.err > margin*f.opt.target(a.a) {
		f.here = a
		f.step = 0.2 * f.near
		return i
	}
	from, begin := f.motion, f.end()
	for ; l >= least && l > 0; l *= 0.5 {
		if m, ok := f.advance(0.5*l, from.near-0.5*l); ok {
			middle, bend := f.end(), f.bend
			if b, ok := f.advance(0.5*l, -1); ok && math.Max(m.err, b.err) <= margin*f.opt.target(m.a) {
				finish := f.end()
				var part, size float64
				if f.opt.Interpolate > 0 {
					size = missed(&a, &m, &b)
					most := f.opt.Interpolate * (m.a + m.q)
					if f.tol != nil {
						most = math.Min(most, 0.15*f.opt.AbsTol)
					}
					part = size / (accept * most)
					size = 0.5 * math.Max(size, most)
				} else {
					part, size = f.unsettled(&a, &m, &b, &begin, &middle, &finish, &bend)
				}
				if part <= 1 {
					f.here = b
					f.step = l * math.Max(0.5, math.Min(2, 0.9*math.Pow(part+1e-9, -1./6)))
					f.free = 0
					// What neglected orders add changes little along a hop, whose
					// length is bounded by the distance to the caustics.
					f.err = 3*math.Max(a.err, math.Max(m.err, b.err)) + size
					if f.opt.Interpolate > 0 {
						i = f.fill(dst, times, i, &a, &m)
						return f.fill(dst, times, i, &m, &b)
					}
					i = f.solve(dst, times, i, &a, &m, &begin, &middle)
					return f.solve(dst, times, i, &m, &b, &middle, &finish)
				}
			}
		}
		f.motion = from
	}
	f.here = a
	f.step = l
	return i
}

// missed is the error in m of the polynomial through a and b.
func missed(a, m, b *node) float64 {
	whole := newHop(a, b)
	return math.Abs(whole.at(m.tau)-m.a-m.q) + 0.25*(b.tau-a.tau)*math.Abs(whole.slope(m.tau)-m.a1-m.q1)
}

// fill evaluates the polynomial from a to b.
func (f *tracker) fill(dst, times []float64, i int, a, b *node) int {
	h := newHop(a, b)
	// u = (t − t_a)/(t_b − t_a) without τ.
	start, end := f.tr.T0+a.tau*f.tr.TE, f.tr.T0+b.tau*f.tr.TE
	n := i
	for step := 16; n < len(times) && times[n] <= end; { // strides, then single steps
		if n+step < len(times) && times[n+step] <= end {
			n += step
		} else if step > 1 {
			step /= 4
		} else {
			n++
		}
	}
	h.inv /= f.tr.TE
	h.tau = start
	h.evaluate(dst[i:n], times[i:n])
	if f.bound != nil {
		for k := i; k < n; k++ {
			f.bound[k] = f.err + pointError(dst[k])
		}
	}
	return n
}

// evaluatePlain fills dst with the polynomial, but at least 1. It is the
// twin of the vector kernel.
func (h *hop) evaluatePlain(dst, times []float64) {
	c, start, inv := h.c, h.tau, h.inv
	for i, t := range times {
		u := (t - start) * inv
		u2 := u * u
		v := (c[0] + u*c[1]) + u2*((c[2]+u*c[3])+u2*(c[4]+u*c[5]))
		if v < 1 {
			v = 1
		}
		dst[i] = v
	}
}

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
		n.q1 = (moved - q) / ds
	}
	return n, true
}
