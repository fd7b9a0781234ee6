package lens

import "math"

// quintic returns the coefficients, constant first, of the polynomial whose
// roots w contain the images of a source at eta from the lighter body and
// beta from the heavier, all relative to the lighter body.
//
// With D = w(w+s), N = η̄D + w + m2·s and M = N + sD the conjugate lens
// equation is w̄ = N/D, w̄+s = M/D, and
//
//	P = (w−η)·N·M − D·(N + m2·s·D).
//
// The expansion is collected so that no two large terms cancel where the
// source is near the heavier body (β̄ and m2 small): there every coefficient
// is a sum of terms of order β̄ or m2. The idea is that of Wang et al. 2025
// (the code Twinkle).
func (g *geom) quintic(eta, beta complex128) (p [6]complex128) {
	s := g.s
	k := g.m2 * s
	a, b := conj(eta), conj(beta)
	as := scale(s, a)
	n := as + 1
	as21 := scale(2, as) + 1
	ab := a + b
	eb := eta * b
	p[0] = scale(-k*k, eta)
	p[1] = scale(-k, complex(g.m1*s, 0)+eta*(scale(s, ab)+2))
	p[2] = scale(k, as21-eta*ab) - n*(scale(s, eb)+beta)
	p[3] = scale(k, scale(2, a)-complex(s, 0)) + b*scale(s, n) - eb*as21 - a*beta
	p[4] = b*(as21-eta*a) - complex(k, 0)
	p[5] = a * b
	return p
}

// horner returns P(w), P'(w) and Σ|p_k||w|^k.
func horner(p []complex128, w complex128) (v, d complex128, size float64) {
	aw := abs(w)
	n := len(p) - 1
	v = p[n]
	size = abs1(v)
	for k := n - 1; k >= 0; k-- {
		d = d*w + v
		v = v*w + p[k]
		size = size*aw + abs1(p[k])
	}
	return v, d, size
}

const eps = 0x1p-53

// aberth finds all roots of p by simultaneous Ehrlich–Aberth iteration,
// starting from w (a warm start) and returns whether all of them converged:
// either the step fell below rounding or the value fell below the rounding
// error of its own evaluation.
func aberth(p []complex128, w []complex128, maxit int) bool {
	n := len(w)
	var done [5]bool
	left := n
	for it := 0; it < maxit && left > 0; it++ {
		for i := 0; i < n; i++ {
			if done[i] {
				continue
			}
			zi := w[i]
			v, d, size := horner(p, zi)
			if abs1(v) <= 4*eps*size {
				done[i] = true
				left--
				continue
			}
			var sum complex128
			for j := 0; j < n; j++ {
				if j != i {
					dz := zi - w[j]
					if dz == 0 {
						dz = complex(1e-9*abs(zi)+1e-300, 0)
					}
					sum += inv(dz)
				}
			}
			den := d - v*sum
			if norm(den) == 0 {
				w[i] = zi * complex(1+1e-6, 1e-6)
				continue
			}
			st := v * inv(den)
			w[i] = zi - st
			if norm(st) <= 64*eps*eps*norm(zi) {
				done[i] = true
				left--
			}
		}
	}
	for i := range n {
		if x := abs1(w[i]); x != x || math.IsInf(x, 0) {
			return false
		}
	}
	return left == 0
}

// coldStart places starting points for aberth on circles whose radii come
// from the Newton polygon of the moduli (Bini 1996, Numer. Algorithms 13,
// 179): roots that differ by many orders of magnitude all start at the right
// size.
func coldStart(p []complex128, w []complex128) {
	n := len(w)
	var lg [6]float64
	for k := 0; k <= n; k++ {
		lg[k] = math.Inf(-1)
		if a := norm(p[k]); a > 0 {
			lg[k] = 0.5 * math.Log(a)
		}
	}
	for k := 0; k < n; {
		if math.IsInf(lg[k], -1) { // a root at zero
			w[k] = 0
			k++
			continue
		}
		best, slope := k+1, math.Inf(-1)
		for j := k + 1; j <= n; j++ {
			if sl := (lg[j] - lg[k]) / float64(j-k); sl >= slope {
				best, slope = j, sl
			}
		}
		r := math.Exp(-slope)
		if math.IsInf(slope, -1) { // the rest of the coefficients vanish
			r, best = 1e8, n
		}
		for j := k; j < best; j++ {
			sn, cs := math.Sincos(2*math.Pi*float64(j-k)/float64(best-k) + 0.7 + 0.9*float64(k))
			w[j] = complex(r*cs, r*sn)
		}
		k = best
	}
}

// roots solves the quintic of a source. If warm, w holds the roots for a
// source nearby; a failed warm start is followed by a cold one. The degree
// falls where the source is exactly at a lens: the missing root is never an
// image and is returned as infinitely far (1e300).
func (g *geom) roots(eta, beta complex128, w *[5]complex128, warm bool) bool {
	p := g.quintic(eta, beta)
	if warm && aberth(p[:], w[:], 12) {
		return true
	}
	n := 5
	for n > 1 && norm(p[n]) == 0 {
		n--
		w[n] = complex(1e300, 0)
	}
	coldStart(p[:n+1], w[:n])
	if aberth(p[:n+1], w[:n], 60) {
		return true
	}
	// A second start, rotated: a symmetric one can sit on a saddle.
	coldStart(p[:n+1], w[:n])
	for i := range n {
		w[i] *= complex(0.8, 0.7+0.1*float64(i))
	}
	return aberth(p[:n+1], w[:n], 200)
}
