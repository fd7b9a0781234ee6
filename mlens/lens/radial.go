package lens

import (
	"math"
	"slices"
)

// arcs returns the angle, at distance r from the heavier body, over which
// the plane is mapped into the disc (beta, rho).
//
// With z = r·u from that body, u = e^{iφ}, the limb condition multiplied by
// |r − s·u|² is |X|² = ρ²|r − s·u|², X = (k·u − β)(r − s·u) − m2·u and
// k = r − m1/r: a quartic in u, so that there are at most two arcs.
func (g *geom) arcs(r float64, beta complex128, rho float64, u *[4]complex128, warm bool) float64 {
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
	miss := func(phi float64) (v, slope float64) {
		sn, cs := math.Sincos(phi)
		e := complex(cs, sn)
		q := inv(complex(r-g.s*cs, -g.s*sn))
		y := scale(k, e) - scale(g.m2, e*q) - beta
		dy := complex(0, 1) * (scale(k, e) - scale(g.m2*r, e*q*q))
		return norm(y) - rho*rho, 2 * dot(y, dy)
	}
	var phis [4]float64
	n := 0
	if hi > lo {
		if !warm || hi-lo < 4 || !aberth(p[lo:hi+1], u[:hi-lo], 20) {
			coldStart(p[lo:hi+1], u[:hi-lo])
			aberth(p[lo:hi+1], u[:hi-lo], 100)
		}
		for _, z := range u[:hi-lo] {
			if m := norm(z); !(math.Abs(m-1) < 1e-3) {
				continue
			}
			phi := math.Atan2(imag(z), real(z))
			v, d := miss(phi)
			for range 3 { // the polynomial squares the disc's radius: polish
				if d == 0 || math.Abs(v/d) > 1e-3 {
					break
				}
				next := phi - v/d
				nv, nd := miss(next)
				if math.Abs(nv) >= math.Abs(v) {
					break
				}
				phi, v, d = next, nv, nd
			}
			phis[n] = phi
			n++
		}
	}
	if n == 0 {
		if v, _ := miss(0.1); v < 0 {
			return 2 * math.Pi
		}
		return 0
	}
	slices.Sort(phis[:n])
	sum := 0.0
	for i := range n {
		a, b := phis[i], 0.0
		if i+1 < n {
			b = phis[i+1]
		} else {
			b = phis[0] + 2*math.Pi
		}
		if v, _ := miss(0.5 * (a + b)); v < 0 {
			sum += b - a
		}
	}
	return sum
}

// radial integrates r·arcs(r) over r, A = (1/πρ²)∫ r Δφ(r) dr, by adaptive
// quadrature. Nothing is matched and no caustic needs to be known; the limb's
// images only show where to begin. It is slow and meant as a last resort and
// as an independent check.
//
// Circles about the heavier body come first. The images next to a light one
// are narrow in angle there, so that circles about it may do better.
func (g *geom) radial(eta, beta complex128, rho float64, opt Options) (a, err float64) {
	a, err = g.circles(eta, beta, rho, opt, false)
	if !(err <= opt.target(a)) {
		if v, e := g.circles(eta, beta, rho, opt, true); !(e >= err) {
			a, err = v, e
		}
	}
	return a, err
}

func (g *geom) circles(eta, beta complex128, rho float64, opt Options, lighter bool) (a, err float64) {
	const samples = 96
	var radii []float64
	var im images
	var roots [5]complex128
	warm := false
	for i := range samples + 1 {
		sn, cs := math.Sincos(2 * math.Pi * float64(i) / samples)
		d := complex(rho*cs, rho*sn)
		if i == samples {
			d = 0
		}
		warm = g.solve(eta+d, beta+d, &roots, warm, 0, &im)
		if !warm {
			continue
		}
		for k := range im.n {
			if lighter {
				radii = append(radii, abs(im.w[k]))
			} else {
				radii = append(radii, abs(im.w[k]+complex(g.s, 0)))
			}
		}
	}
	if lighter { // exchange the bodies by a turn of 180°
		g = &geom{s: g.s, m1: g.m2, m2: g.m1}
		beta = -eta
	}
	if len(radii) == 0 {
		return math.NaN(), math.Inf(1)
	}
	slices.Sort(radii)
	var u [4]complex128
	warm = false
	// Every sampled radius bounds a panel. Where the gap to the next one is
	// wide it may be empty but for two caps, which end where the arcs vanish.
	lo, hi := radii[0], radii[len(radii)-1]
	wide := 0.002 * (hi - lo)
	edge := func(in, out float64) float64 {
		for range 60 {
			m := 0.5 * (in + out)
			if m == in || m == out {
				break
			}
			if g.arcs(m, beta, rho, &u, false) > 0 {
				in = m
			} else {
				out = m
			}
		}
		return out
	}
	margin := 0.05*(hi-lo) + 1e-3*rho
	if g.arcs(hi+margin, beta, rho, &u, false) > 0 {
		margin *= 20
	}
	cut := []float64{edge(lo, math.Max(lo-margin, 0.5*lo))}
	for i, r := range radii {
		cut = append(cut, r)
		if i+1 < len(radii) && radii[i+1]-r > wide {
			m := 0.5 * (r + radii[i+1])
			if g.arcs(m, beta, rho, &u, false) == 0 {
				cut = append(cut, edge(r, m), edge(radii[i+1], m))
			}
		}
	}
	cut = append(cut, edge(hi, hi+margin))
	area := math.Pi * rho * rho
	eval := func(lo, hi float64) panel {
		var y [15]float64
		for i := range y {
			r := abscissa(i, lo, hi)
			y[i] = r * g.arcs(r, beta, rho, &u, warm) / area
		}
		v, e := kronrod(&y, 0.5*(hi-lo))
		return panel{lo: lo, hi: hi, v: v, err: e}
	}
	var ps []panel
	for i := 1; i < len(cut); i++ {
		if cut[i] > cut[i-1] {
			ps = append(ps, eval(cut[i-1], cut[i]))
		}
	}
	for {
		a, err = 0, 0
		worst := 0
		for i := range ps {
			a += ps[i].v
			err += ps[i].err
			if ps[i].err > ps[worst].err {
				worst = i
			}
		}
		if err <= opt.target(a) || len(ps) >= 3000 {
			return a, err
		}
		// Refine everything that matters at once: sums are not free.
		limit := 0.3 * ps[worst].err
		for i, n := 0, len(ps); i < n; i++ {
			if p := ps[i]; p.err > limit {
				m := 0.5 * (p.lo + p.hi)
				ps[i] = eval(p.lo, m)
				ps = append(ps, eval(m, p.hi))
			}
		}
	}
}
