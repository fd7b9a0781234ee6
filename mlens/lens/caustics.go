package lens

import (
	"math"
	"math/cmplx"
)

// Topology is the number and kind of the caustics of a binary lens.
type Topology uint8

// The three topologies, named by the separation at which they occur.
const (
	Close    Topology = iota // a central caustic with 4 cusps and two triangular ones off the axis
	Resonant                 // one caustic with 6 cusps
	Wide                     // a central and a planetary caustic, 4 cusps each
)

// String returns "close", "resonant" or "wide".
func (t Topology) String() string {
	switch t {
	case Close:
		return "close"
	case Resonant:
		return "resonant"
	case Wide:
		return "wide"
	}
	return "unknown topology"
}

// Topology classifies the caustics (Erdl & Schneider 1993, A&A 268, 453;
// Dominik 1999, A&A 349, 108). With the masses m1 + m2 = 1 the boundary of
// Close is m1·m2 = (1−s⁴)³/(27 s⁸), that of Wide s² = (m1^⅓ + m2^⅓)³.
func (b Binary) Topology() Topology {
	b.must()
	g := b.geom()
	s2 := g.s * g.s
	c := math.Cbrt(g.m1) + math.Cbrt(g.m2)
	if s2 > c*c*c {
		return Wide
	}
	t := (1 - s2) * (1 + s2)
	if t > 0 && g.m1*g.m2*27*s2*s2*s2*s2 < t*t*t {
		return Close
	}
	return Resonant
}

// critical returns the four points of the critical curves with h = e^{iφ},
// the roots of E·w²(w+s)² − m1·w² − m2·(w+s)², E = e^{iφ}.
func (g *geom) critical(phi float64) (w [4]complex128) {
	sn, cs := math.Sincos(phi)
	e := complex(cs, sn)
	p := [5]complex128{
		complex(-g.m2*g.s*g.s, 0), complex(-2*g.m2*g.s, 0),
		scale(g.s*g.s, e) - 1, scale(2*g.s, e), e,
	}
	coldStart(p[:], w[:])
	aberth(p[:], w[:], 100)
	for i := range w {
		w[i], _ = g.polishCritical(w[i], e)
	}
	return w
}

// polishCritical solves h(w) = e by Newton's method from w. ok is false if
// it does not converge.
func (g *geom) polishCritical(w, e complex128) (complex128, bool) {
	last := math.Inf(1)
	for range 12 {
		h, h1 := g.shear1(w)
		if norm(h1) == 0 {
			return w, false
		}
		d := (h - e) * inv(h1)
		step := abs1(d)
		if !(step < 2*abs1(w)) {
			return w, false
		}
		w -= d
		if step <= 1e-8*abs1(w) || (step >= last && step < 1e-6*abs1(w)) {
			return w, true
		}
		last = step
	}
	return w, false
}

// step continues the four critical points from phase a to phase b. ok is
// false unless every point moves by less than a fraction of the distance to
// its neighbours, so that branches cannot be exchanged.
func (g *geom) step(w [4]complex128, a, b float64) (next [4]complex128, ok bool) {
	sn, cs := math.Sincos(a)
	ea := complex(cs, sn)
	sn, cs = math.Sincos(b)
	eb := complex(cs, sn)
	for i := range w {
		// dw/dφ = ie/h' and d²w/dφ² = −(e + h″(dw/dφ)²)/h'.
		_, h1, h2 := g.shears(w[i])
		i1 := inv(h1)
		move := scale(b-a, complex(-imag(ea), real(ea))) * i1
		move -= scale(0.5, (scale((b-a)*(b-a), ea)+h2*move*move)*i1)
		z, good := g.polishCritical(w[i]+move, eb)
		if !good {
			return next, false
		}
		next[i] = z
	}
	for i := range next {
		m2 := 0.16 * norm(next[i])
		for j := range next {
			if j != i {
				m2 = math.Min(m2, 0.16*norm(next[i]-next[j]))
			}
		}
		if !(norm(next[i]-w[i]) < m2) {
			return next, false
		}
	}
	return next, true
}

// advance is step, divided as often as necessary.
func (g *geom) advance(w [4]complex128, a, b float64, depth int) [4]complex128 {
	next, ok := g.step(w, a, b)
	if ok {
		return next
	}
	if depth == 0 {
		// Two branches meet here to within rounding: solve anew and keep the
		// nearest assignment.
		all := g.critical(b)
		var used [4]bool
		for i := range w {
			best := -1
			for j := range all {
				if !used[j] && (best < 0 || norm(all[j]-w[i]) < norm(all[best]-w[i])) {
					best = j
				}
			}
			used[best] = true
			next[i] = all[best]
		}
		return next
	}
	m := 0.5 * (a + b)
	return g.advance(g.advance(w, a, m, depth-1), m, b, depth-1)
}

// CriticalCurves returns the closed critical curves, the points where J = 0,
// as complex positions x + iy. n (at least 8; 0 means 256) is the number of
// points per turn of the phase of h; a curve has one to four turns, so that
// all curves together have 4n points. The last point is not repeated.
func (b Binary) CriticalCurves(n int) [][]complex128 {
	b.must()
	if n == 0 {
		n = 256
	}
	n = max(n, 8)
	g := b.geom()
	branch := make([][4]complex128, n)
	first := g.critical(0)
	w := first
	for k := range n {
		branch[k] = w
		w = g.advance(w, 2*math.Pi*float64(k)/float64(n), 2*math.Pi*float64(k+1)/float64(n), 20)
	}
	// After one turn each branch ends where some branch began.
	var follow [4]int
	var taken [4]bool
	for i := range w {
		best := -1
		for j := range first {
			if !taken[j] && (best < 0 || norm(first[j]-w[i]) < norm(first[best]-w[i])) {
				best = j
			}
		}
		follow[i], taken[best] = best, true
	}
	var curves [][]complex128
	var seen [4]bool
	for i := range follow {
		if seen[i] {
			continue
		}
		var c []complex128
		for j := i; !seen[j]; j = follow[j] {
			seen[j] = true
			for k := range n {
				x, y := g.public(branch[k][j])
				c = append(c, complex(x, y))
			}
		}
		curves = append(curves, c)
	}
	return curves
}

// Caustics returns the images of CriticalCurves(n) under the lens equation,
// in the same order.
func (b Binary) Caustics(n int) [][]complex128 {
	curves := b.CriticalCurves(n)
	p, s := b.Positions()
	m1 := 1 / (1 + b.Q)
	m2 := b.Q / (1 + b.Q)
	for _, c := range curves {
		for i, z := range c {
			zc := cmplx.Conj(z)
			c[i] = z - complex(m1, 0)/(zc-complex(p, 0)) - complex(m2, 0)/(zc-complex(s, 0))
		}
	}
	return curves
}
