package lens

import "math"

// A batch holds epochs of one hop that are solved side by side.
type batch struct {
	u     [batchSize]float64   // where, 0 … 1
	a     [batchSize]float64   // magnification of a point source
	found [batchSize / 8]uint8 // a bit for each that was found
}

const batchSize = 64

// arcs are the paths of all images along one hop: quintics w(u), 0 ≤ u ≤ 1,
// with the exact positions and first two derivatives at both ends.
type arcs struct {
	n      int
	x, y   [5][6]float64
	parity [5]float64
	s      float64 // of geom
	m1, m2 float64
	ex, ey float64 // source at u = 0
	dx, dy float64 // and how far it goes

	//lint:ignore U1000 only the vector kernels use it
	wide wide
}

// An end of a hop: images and their derivatives in τ, the second over 2.
type end struct {
	eta      complex128
	n        int
	w, v, w2 [5]complex128
	j        [5]float64
}

// set joins the ends a and b, which are l apart.
func (p *arcs) set(a, b *end, l float64) {
	p.n = a.n
	p.ex, p.ey = real(a.eta), imag(a.eta)
	p.dx, p.dy = real(b.eta-a.eta), imag(b.eta-a.eta)
	for i := range p.n {
		p.parity[i] = 1
		if a.j[i] < 0 {
			p.parity[i] = -1
		}
		p.x[i] = quinticHermite(real(a.w[i]), l*real(a.v[i]), l*l*real(a.w2[i]), real(b.w[i]), l*real(b.v[i]), l*l*real(b.w2[i]))
		p.y[i] = quinticHermite(imag(a.w[i]), l*imag(a.v[i]), l*l*imag(a.w2[i]), imag(b.w[i]), l*imag(b.v[i]), l*l*imag(b.w2[i]))
	}
}

// quinticHermite returns the coefficients in u of the polynomial with the
// values f0 and f1, the slopes d0 and d1 and half the second derivatives s0
// and s1 at u = 0 and 1.
func quinticHermite(f0, d0, s0, f1, d1, s1 float64) [6]float64 {
	r0 := f1 - f0 - d0 - s0
	r1 := d1 - d0 - 2*s0
	r2 := s1 - s0
	return [6]float64{f0, d0, s0, 10*r0 - 4*r1 + r2, 7*r1 - 15*r0 - 2*r2, 6*r0 - 3*r1 + r2}
}

// settled is what is allowed of (|d||h'|/|J|)², where d is the step of Newton's
// method from the quintic to the image. What one step leaves is of the order of
// the square of that, and so is what the linear correction of J neglects.
const settled = 1e-10

// solve fills b.a and b.found for the first n of b.u, and maybe some more.
func (p *arcs) solve(b *batch, n int) {
	n = min((n+7)&^7, batchSize)
	for k := range n {
		b.a[k] = 0
	}
	for k := range n / 8 {
		b.found[k] = 0xff
	}
	for i := range p.n {
		p.image(b, n, i)
	}
}

// imagePlain adds image i to the first n magnifications, a multiple of 8. It
// is the twin of the vector kernels, with the same operations in the same
// order.
func (p *arcs) imagePlain(batch *batch, n, i int) {
	s, m1, m2 := p.s, p.m1, p.m2
	cx, cy := p.x[i], p.y[i]
	for k, u := range batch.u[:n] {
		u2 := u * u
		x := (cx[0] + u*cx[1]) + u2*((cx[2]+u*cx[3])+u2*(cx[4]+u*cx[5]))
		y := (cy[0] + u*cy[1]) + u2*((cy[2]+u*cy[3])+u2*(cy[4]+u*cy[5]))
		// 1/(w+s) and 1/w with one division.
		b := x + s
		yy := y * y
		p1, p2 := b*b+yy, x*x+yy
		both := 1 / (p1 * p2)
		n1, n2 := both*p2, both*p1
		i1x, i1y, i2x, i2y := b*n1, y*n1, x*n2, y*n2 // conjugates
		t1x, t1y, t2x, t2y := m1*i1x, m1*i1y, m2*i2x, m2*i2y
		rx, ry := (p.ex+u*p.dx-x)+(t1x+t2x), (p.ey+u*p.dy-y)+(t1y+t2y)
		// The conjugates of h and −h'/2.
		g1x, g1y := t1x*i1x-t1y*i1y, t1x*i1y+t1y*i1x
		g2x, g2y := t2x*i2x-t2y*i2y, t2x*i2y+t2y*i2x
		hx, hy := g1x+g2x, g1y+g2y
		bx := (g1x*i1x - g1y*i1y) + (g2x*i2x - g2y*i2y)
		by := (g1x*i1y + g1y*i1x) + (g2x*i2y + g2y*i2x)
		j := 1 - (hx*hx + hy*hy)
		inv := 1 / j
		// The step of Newton's method, d = (r − conj(h·r))/J.
		dx := inv * (rx - (hx*rx + hy*ry))
		dy := inv * (ry - (hy*rx - hx*ry))
		d2 := dx*dx + dy*dy
		if !(4*(d2*(bx*bx+by*by)) <= settled*(j*j)) {
			batch.found[k>>3] &^= 1 << (k & 7)
		}
		// J changes by −2 Re(conj(h)·h'·d), a part e of itself.
		qx, qy := bx*dx+by*dy, bx*dy-by*dx
		e := 4 * (inv * (hx*qx - hy*qy))
		batch.a[k] += p.parity[i] * (inv * (1 - e*(1-e)))
	}
}

// off is how far the quintics are at u from the images at e, as the largest
// |Δw||h'|/|J|.
func (p *arcs) off(u float64, e *end, bend *[5]float64) float64 {
	worst := 0.0
	for i := range p.n {
		cx, cy := &p.x[i], &p.y[i]
		u2 := u * u
		x := (cx[0] + u*cx[1]) + u2*((cx[2]+u*cx[3])+u2*(cx[4]+u*cx[5]))
		y := (cy[0] + u*cy[1]) + u2*((cy[2]+u*cy[3])+u2*(cy[4]+u*cy[5]))
		worst = math.Max(worst, abs(complex(x, y)-e.w[i])*bend[i])
	}
	return worst
}
