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
