package lens

import (
	"math"
	"slices"
)

// crossings returns the angles, in increasing order, at which the circle of
// radius r about the heavier body crosses the edge of the images of the disc
// (beta, rho), and whether the circle is inside them after the last one.
//
// With z = r·u from that body, u = e^{iφ}, the limb condition multiplied by
// |r − s·u|² is |X|² = ρ²|r − s·u|², X = (k·u − β)(r − s·u) − m2·u and
// k = r − m1/r: a quartic in u, so that there are at most two arcs. u holds its
// roots, a start for the next circle if warm.
func (g *geom) crossings(r float64, beta complex128, rho float64, u *[4]complex128, warm bool) (phis [4]float64, n int, inside bool) {
	k := r - g.m1/r
	x0 := scale(-r, beta)
	x1 := complex(k*r-g.m2, 0) + scale(g.s, beta)
	x2 := complex(-k*g.s, 0)
	t0 := norm(x0) + norm(x1) + norm(x2) - rho*rho*(r*r+g.s*g.s)
	t1 := x1*conj(x0) + x2*conj(x1) + complex(rho*rho*r*g.s, 0)
	t2 := x2 * conj(x0)
	p := [5]complex128{conj(t2), conj(t1), complex(t0, 0), t1, t2}
	lo, hi := 0, 4
	for lo < 2 && norm(p[hi]) == 0 { // self-inversive: both ends vanish together
		lo, hi = lo+1, hi-1
	}
	var raw [4]float64
	all := 0
	if hi > lo {
		if !warm || hi-lo < 4 || !aberth(p[lo:hi+1], u[:hi-lo], 20) {
			coldStart(p[lo:hi+1], u[:hi-lo])
			aberth(p[lo:hi+1], u[:hi-lo], 100)
		}
		for _, z := range u[:hi-lo] {
			if m := norm(z); math.Abs(m-1) < 1e-3 {
				raw[all] = math.Atan2(imag(z), real(z))
				all++
			}
		}
	}
	if all == 0 {
		v, _ := g.miss(r, 0.1, beta, rho)
		return phis, 0, v < 0
	}
	slices.Sort(raw[:all])
	// Of the roots next to the unit circle those on it are where the sign changes.
	begin := 0.5 * (raw[0] + raw[all-1] - 2*math.Pi)
	last := begin + 2*math.Pi
	v, _ := g.miss(r, begin, beta, rho)
	inside = v < 0
	for i, phi := range raw[:all] {
		end := last
		if i+1 < all {
			end = 0.5 * (phi + raw[i+1])
		}
		v, _ := g.miss(r, end, beta, rho)
		if (v < 0) == inside {
			begin = end
			continue
		}
		inside = !inside
		phis[n] = g.polish(r, phi, begin, end, beta, rho)
		n++
		begin = end
	}
	return phis, n, inside
}

// polish returns the crossing between lo and hi next to phi, a root of the
// quartic, which squares the radius of the disc and leaves half of the digits of
// two crossings that nearly coincide.
func (g *geom) polish(r, phi, lo, hi float64, beta complex128, rho float64) float64 {
	v, _ := g.miss(r, hi, beta, rho)
	falls := v < 0 // towards hi
	for range 80 {
		v, d := g.miss(r, phi, beta, rho)
		if (v < 0) == falls {
			hi = phi
		} else {
			lo = phi
		}
		next := phi - v/d
		if !(next > lo && next < hi) {
			next = 0.5 * (lo + hi)
		}
		step := math.Abs(next - phi)
		phi = next
		if step <= 4*eps {
			break
		}
	}
	return phi
}

// miss is negative inside the images of the disc; slope is its derivative by φ.
func (g *geom) miss(r, phi float64, beta complex128, rho float64) (v, slope float64) {
	k := r - g.m1/r
	sn, cs := math.Sincos(phi)
	e := complex(cs, sn)
	q := inv(complex(r-g.s*cs, -g.s*sn))
	y := scale(k, e) - scale(g.m2, e*q) - beta
	dy := complex(0, 1) * (scale(k, e) - scale(g.m2*r, e*q*q))
	return norm(y) - rho*rho, 2 * dot(y, dy)
}

// arcs returns the angle, at distance r from the heavier body, over which
// the plane is mapped into the disc (beta, rho).
func (g *geom) arcs(r float64, beta complex128, rho float64, u *[4]complex128, warm bool) float64 {
	phis, n, inside := g.crossings(r, beta, rho, u, warm)
	sum := 0.0
	if inside {
		sum = 2 * math.Pi
	}
	for i := range n { // + − + − if inside at the end, else − + − +
		if inside == (i%2 == 0) {
			sum += phis[i]
		} else {
			sum -= phis[i]
		}
	}
	return sum
}

// radial integrates r·arcs(r) over r, A = (1/πρ²)∫ r Δφ(r) dr, to an error of
// tol·A, between all the radii at which the number of crossings changes.
// Nothing is matched and no caustic needs to be known; the images of some
// samples of the limb only show where to look for such radii. A cap of an
// image between two of them is missed by less than the square of their
// distance. It is slow and meant as a last resort and as an independent check.
func (g *geom) radial(eta, beta complex128, rho, tol float64, samples int) (a, err float64) {
	radii := g.sampled(eta, beta, rho, samples)
	if len(radii[0]) == 0 {
		return math.NaN(), math.Inf(1)
	}
	a, err = g.integral(radii[0], beta, rho, tol)
	// Images next to a light body are narrow in angle as the other sees them, and
	// two crossings that nearly coincide may get lost. What is missed is missing:
	// of two results that differ the larger is right.
	other := geom{s: g.s, m1: g.m2, m2: g.m1}
	v, e := other.integral(radii[1], -eta, rho, tol)
	if apart := v - a; apart > e+err || apart >= -e-err && e < err || !(a >= 0) {
		return v, e
	}
	return a, err
}

// integral is that over circles about the heavier body.
func (g *geom) integral(radii []float64, beta complex128, rho, tol float64) (a, err float64) {
	cut := g.transitions(radii, beta, rho)
	area := math.Pi * rho * rho
	var u [4]complex128
	eval := func(mid, half, lo, hi float64) panel { // r = mid − half·cos θ
		var v [15]float64
		for i := range v {
			sn, cs := math.Sincos(abscissa(i, lo, hi))
			r := mid - half*cs
			v[i] = half * sn * r * g.arcs(r, beta, rho, &u, false) / area
		}
		p := panel{lo: lo, hi: hi, mid: mid, half: half}
		p.v, p.err = kronrod(&v, 0.5*(hi-lo))
		return p
	}
	var ps []panel
	for i := 1; i < len(cut); i++ {
		if mid, half := 0.5*(cut[i]+cut[i-1]), 0.5*(cut[i]-cut[i-1]); half > 0 {
			ps = append(ps, eval(mid, half, 0, math.Pi/2), eval(mid, half, math.Pi/2, math.Pi))
		}
	}
	for {
		a, err = 0, 0
		worst := 0.0
		for _, p := range ps {
			a += p.v
			err += p.err
			worst = math.Max(worst, p.err)
		}
		if err <= tol*a || len(ps) > 2000 {
			return a, err
		}
		for i, n := 0, len(ps); i < n; i++ {
			if p := ps[i]; p.err > 0.3*worst {
				m := 0.5 * (p.lo + p.hi)
				ps[i] = eval(p.mid, p.half, p.lo, m)
				ps = append(ps, eval(p.mid, p.half, m, p.hi))
			}
		}
	}
}

// sampled returns the distances from the heavier and from the lighter body of the
// images of many points of the limb, in order.
func (g *geom) sampled(eta, beta complex128, rho float64, samples int) (radii [2][]float64) {
	var im images
	var roots [5]complex128
	for i := range samples {
		sn, cs := math.Sincos(2 * math.Pi * float64(i) / float64(samples))
		d := complex(rho*cs, rho*sn)
		if g.solve(eta+d, beta+d, &roots, false, 0, &im) {
			for k := range im.n {
				radii[0] = append(radii[0], abs(im.w[k]+complex(g.s, 0)))
				radii[1] = append(radii[1], abs(im.w[k]))
			}
		}
	}
	slices.Sort(radii[0])
	slices.Sort(radii[1])
	return radii
}

// transitions returns the radii at which the number of crossings changes.
func (g *geom) transitions(radii []float64, beta complex128, rho float64) []float64 {
	var u [4]complex128
	state := func(r float64) int {
		_, n, inside := g.crossings(r, beta, rho, &u, false)
		if n == 0 && inside {
			return -1 // a ring
		}
		return n
	}
	lo, hi := radii[0], radii[len(radii)-1]
	for lo > 1e-9*radii[0] && state(lo) != 0 {
		lo *= 0.7 // a disc that hides the body has images all the way to it
	}
	for state(hi) != 0 {
		hi += 1e-3 * (hi + rho)
	}
	at := []float64{lo}
	for i := 1; i < len(radii); i++ {
		at = append(at, 0.5*(radii[i]+radii[i-1]))
	}
	at = append(at, hi)
	cut := []float64{lo}
	last := state(lo)
	for i := 1; i < len(at); i++ {
		next := state(at[i])
		if next != last {
			in, out := at[i-1], at[i]
			for range 60 {
				m := 0.5 * (in + out)
				if m == in || m == out {
					break
				}
				if state(m) == last {
					in = m
				} else {
					out = m
				}
			}
			cut = append(cut, in, out)
		}
		last = next
	}
	return append(cut, hi)
}
