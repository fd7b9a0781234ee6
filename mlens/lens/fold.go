package lens

import "math"

// A fold is an arc of caustic between two phases with no cusp inside. Its
// tangent at phase φ has the direction e^{−iφ/2}, which turns monotonically,
// so that the arc lies in the triangle of its end points a, b and the
// intersection t of its end tangents.
type fold struct {
	phi0, phi1 float64
	w0, w1     complex128 // critical points
	a, b, t    complex128 // relative to the lighter body, in the source plane
	centre     complex128 // of a disc that holds the triangle
	radius     float64
	cusp0      bool // a is a cusp
}

// speed is the signed rate of motion c along the caustic,
// dζ/dφ = 2c e^{−iφ/2} with c = Re(i e^{3iφ/2}/h'); it vanishes at cusps.
func (g *geom) speed(w complex128, phi float64) float64 {
	_, h1, _ := g.shears(w)
	sn, cs := math.Sincos(1.5 * phi)
	d := inv(h1)
	return -(sn*real(d) + cs*imag(d))
}

func (g *geom) newFold(phi0, phi1 float64, w0, w1, a, b complex128) fold {
	f := fold{phi0: phi0, phi1: phi1, w0: w0, w1: w1, a: a, b: b}
	// Intersect a + λ e^{−iφ0/2} with b + μ e^{−iφ1/2}.
	s0, c0 := math.Sincos(-0.5 * phi0)
	s1, c1 := math.Sincos(-0.5 * phi1)
	d := b - a
	det := s1*c0 - c1*s0 // sine of the turn, never near ±1 for short arcs
	l := abs(d)
	lambda := 0.5 * l
	if math.Abs(det) > 1e-12 {
		lambda = (real(d)*s1 - imag(d)*c1) / det
	}
	// Rounding may spoil the intersection of almost parallel tangents.
	lambda = math.Max(-l, math.Min(l, lambda))
	f.t = a + complex(lambda*c0, lambda*s0)
	f.centre = scale(0.5, a+b)
	f.radius = math.Sqrt(math.Max(norm(f.t-f.centre), 0.25*norm(d)))
	return f
}

// folds appends the arcs of all caustics to dst. The phase is divided into
// steps parts and at the cusps; if the number of cusps is not the one that
// the topology demands, the division is refined.
func (b Binary) folds(g *geom, dst []fold, steps int) []fold {
	want := [...]int{Close: 10, Resonant: 6, Wide: 8}[b.Topology()]
	for {
		var cusps int
		dst, cusps = g.divide(dst[:0], steps)
		if cusps == want || steps >= 256 {
			return dst
		}
		steps *= 2
	}
}

func (g *geom) divide(dst []fold, steps int) ([]fold, int) {
	// Cusps on the axis are at phases 0 and π, where no step may begin.
	const offset = 0.38
	phase := func(k int) float64 { return 2 * math.Pi * (float64(k) + offset) / float64(steps) }
	cusps := 0
	p0 := phase(0)
	w := g.critical(p0)
	var c [4]float64
	var z [4]complex128
	for i := range w {
		c[i], z[i] = g.speed(w[i], p0), g.lensMap(w[i])
	}
	for k := 1; k <= steps; k++ {
		for end := phase(k); p0 < end; {
			p1 := end
			next, ok := g.step(w, p0, p1)
			for try := 0; !ok && try < 20; try++ {
				p1 = p0 + 0.5*(p1-p0)
				next, ok = g.step(w, p0, p1)
			}
			if !ok {
				next = g.advance(w, p0, p1, 0)
			}
			for i := range w {
				cn, zn := g.speed(next[i], p1), g.lensMap(next[i])
				if (cn < 0) == (c[i] < 0) {
					dst = append(dst, g.newFold(p0, p1, w[i], next[i], z[i], zn))
				} else {
					cusps++
					pc, wc := g.cusp(w, i, p0, p1, c[i], cn)
					zc := g.lensMap(wc)
					dst = append(dst, g.newFold(p0, pc, w[i], wc, z[i], zc),
						g.newFold(pc, p1, wc, next[i], zc, zn))
					dst[len(dst)-1].cusp0 = true
				}
				c[i], z[i] = cn, zn
			}
			w, p0 = next, p1
		}
	}
	return dst, cusps
}

// cusp finds the zero of speed on branch i of w between two phases by the
// Illinois variant of regula falsi.
func (g *geom) cusp(w [4]complex128, i int, p0, p1, c0, c1 float64) (phi float64, at complex128) {
	start := p0
	at = w[i]
	for it := range 60 {
		phi = (p0*c1 - p1*c0) / (c1 - c0)
		if !(phi > p0 && phi < p1) || it%16 == 15 {
			phi = 0.5 * (p0 + p1)
		}
		at = g.advance(w, start, phi, 20)[i]
		c := g.speed(at, phi)
		if (c < 0) == (c0 < 0) {
			p0, c0 = phi, c
			c1 *= 0.5
		} else {
			p1, c1 = phi, c
			c0 *= 0.5
		}
		if p1-p0 < 1e-12 || c == 0 || math.Abs(c) < 1e-11*(math.Abs(c0)+math.Abs(c1)) {
			break
		}
	}
	return phi, at
}

// distance returns a lower bound of the distance from z to the caustics,
// exact to the width of the triangles, and 0 inside a triangle. Arcs further
// than limit need not be looked at closely; limit is returned if there is
// none nearer.
func distance(folds []fold, z complex128, limit float64) float64 {
	best := limit
	for i := range folds {
		f := &folds[i]
		r := best + f.radius
		if norm(z-f.centre) >= r*r {
			continue
		}
		if d := f.distance(z); d < best {
			best = d
		}
	}
	return best
}

// distance from z to the triangle, 0 inside.
func (f *fold) distance(z complex128) float64 {
	c0, c1, c2 := cross(f.b-f.a, z-f.a), cross(f.t-f.b, z-f.b), cross(f.a-f.t, z-f.t)
	if (c0 > 0 && c1 > 0 && c2 > 0) || (c0 < 0 && c1 < 0 && c2 < 0) {
		return 0
	}
	return math.Sqrt(min(segment2(z, f.a, f.b), segment2(z, f.b, f.t), segment2(z, f.t, f.a)))
}

func cross(a, b complex128) float64 { return real(a)*imag(b) - imag(a)*real(b) }
func dot(a, b complex128) float64   { return real(a)*real(b) + imag(a)*imag(b) }

// segment2 is the squared distance from z to the segment a–b.
func segment2(z, a, b complex128) float64 {
	d := b - a
	n := norm(d)
	if n == 0 {
		return norm(z - a)
	}
	t := math.Max(0, math.Min(1, dot(z-a, d)/n))
	return norm(z - a - scale(t, d))
}

// limb holds the angles at which the limb of a disc crosses the caustics, and
// those where a caustic comes near it without crossing.
type limb struct {
	g      *geom
	centre complex128
	rho    float64
	n      int
	nCross int
	over   bool // more angles than room for them
	vague  bool // a caustic on the limb too small to resolve
	at     [maxAngles]angle
}

const maxAngles = 64

// An angle of the limb: a crossing, or the nearest approach of a caustic.
type angle struct {
	theta float64
	cross bool
	scale float64 // over which the integrand varies there
}

func (x *limb) add(z complex128, cross bool) {
	if x.n == len(x.at) {
		x.over = x.over || cross
		return
	}
	d := z - x.centre
	x.at[x.n] = angle{math.Atan2(imag(d), real(d)), cross, math.Abs(abs(d)/x.rho - 1)}
	x.n++
	if cross {
		x.nCross++
	}
}

// Within this range of radii, in units of the disc's, a caustic that does not
// cross the limb is near enough to be marked.
const (
	nearInside  = 0.7
	nearOutside = 1.4
)

// find collects and sorts the angles at which the given arcs matter.
func (x *limb) find(folds []fold) {
	x.n, x.nCross, x.over, x.vague = 0, 0, false, false
	for i := range folds {
		f := &folds[i]
		d2 := norm(f.centre - x.centre)
		out := nearOutside*x.rho + f.radius
		if d2 > out*out {
			continue
		}
		if in := nearInside*x.rho - f.radius; in > 0 && d2 < in*in {
			continue
		}
		x.arc(f, 40)
		if f.cusp0 {
			x.soft(f.a)
		}
	}
	if x.n > 0 && x.g.q < 0.1 {
		// Ridges of a light companion lie on the axis of the lens.
		if sn := -imag(x.centre) / x.rho; math.Abs(sn) < 1 && x.n+2 <= len(x.at) {
			th := math.Asin(sn)
			x.at[x.n] = angle{th, false, 0.1}
			x.at[x.n+1] = angle{math.Remainder(math.Pi-th, 2*math.Pi), false, 0.1}
			x.n += 2
		}
	}
	for i := 1; i < x.n; i++ {
		for k := i; k > 0 && x.at[k-1].theta > x.at[k].theta; k-- {
			x.at[k-1], x.at[k] = x.at[k], x.at[k-1]
		}
	}
	x.thin()
}

// thin drops marks that another mark makes superfluous, and sets the scale
// of the integrand at crossings: the distance to the next mark.
func (x *limb) thin() {
	k := 0
	for i := range x.n {
		a := x.at[i]
		if k > 0 && a.cross && x.at[k-1].cross && a.theta-x.at[k-1].theta < 1e-11 {
			// A touch, or a caustic, that only rounding resolves.
			k--
			x.nCross -= 2
			x.vague = true
			continue
		}
		if k > 0 && !a.cross {
			if p := &x.at[k-1]; a.theta-p.theta < 0.5*math.Min(a.scale, p.scale) && (!p.cross || a.theta-p.theta < 1e-9) {
				if !p.cross {
					p.scale = math.Min(p.scale, a.scale)
				}
				continue
			}
		}
		x.at[k] = a
		k++
	}
	x.n = k
	for i := range x.n {
		a := &x.at[i]
		gap := math.Pi
		if x.n > 1 {
			gap = math.Min(gap, x.step(i))
			gap = math.Min(gap, x.step((i+x.n-1)%x.n))
		}
		if a.cross {
			a.scale = gap
		}
		if a.scale < finest {
			a.scale = finest
			x.vague = true
		}
	}
}

// finest is the smallest scale, in radians of the limb, that is resolved.
const finest = 1e-7

// step is the angle from mark i to the next, in (0, 2π].
func (x *limb) step(i int) float64 {
	if i+1 < x.n {
		return x.at[i+1].theta - x.at[i].theta
	}
	return x.at[0].theta + 2*math.Pi - x.at[i].theta
}

// gap returns the largest f < 1 such that part of an arc may lie at ρ·f or
// ρ/f from the centre, given that no arc crosses the limb.
func (x *limb) gap(folds []fold) float64 {
	worst := 0.0
	for i := range folds {
		f := &folds[i]
		d := abs(f.centre - x.centre)
		if d+f.radius <= worst*x.rho || d-f.radius >= x.rho/worst {
			continue
		}
		if d+f.radius < x.rho {
			worst = math.Max(worst, (d+f.radius)/x.rho)
			continue
		}
		if near := f.distance(x.centre); near > x.rho {
			worst = math.Max(worst, x.rho/near)
			continue
		}
		// The triangle covers the limb, but the arc does not cross it, nor
		// does it come near enough to be marked.
		worst = math.Max(worst, math.Max(nearInside, 1/nearOutside))
	}
	return worst
}

// soft marks the direction of a point near the limb.
func (x *limb) soft(z complex128) {
	d := norm(z-x.centre) / (x.rho * x.rho)
	if d > nearInside*nearInside && d < nearOutside*nearOutside {
		x.add(z, false)
	}
}

func (x *limb) outside(z complex128) bool { return norm(z-x.centre) >= x.rho*x.rho }

func (x *limb) deep(z complex128) bool {
	return norm(z-x.centre) < nearInside*nearInside*x.rho*x.rho
}

// arc finds the crossings with one arc by subdivision.
func (x *limb) arc(f *fold, depth int) {
	if x.deep(f.a) && x.deep(f.b) && x.deep(f.t) {
		return
	}
	o0, o1 := x.outside(f.a), x.outside(f.b)
	if o0 && o1 && f.distance(x.centre) > nearOutside*x.rho {
		return
	}
	long := math.Max(norm(f.b-f.a), norm(f.t-f.a)) > 0.04*x.rho*x.rho
	if (long || f.phi1-f.phi0 > 0.25) && depth > 0 {
		mid := 0.5 * (f.phi0 + f.phi1)
		w := x.g.between(f, mid)
		z := x.g.lensMap(w)
		f0 := x.g.newFold(f.phi0, mid, f.w0, w, f.a, z)
		f1 := x.g.newFold(mid, f.phi1, w, f.w1, z, f.b)
		x.arc(&f0, depth-1)
		x.arc(&f1, depth-1)
		return
	}
	if o0 != o1 {
		x.bisect(f, f.phi0, f.phi1, o0)
		return
	}
	// Both ends on one side: the distance from the centre may still have an
	// extremum beyond the limb in between.
	g0, g1 := x.radial(f.a, f.phi0), x.radial(f.b, f.phi1)
	if (g0 < 0) == (g1 < 0) {
		return
	}
	if o0 && f.distance(x.centre) > x.rho || !o0 && !x.outside(f.t) {
		x.soft(scale(1/(g0-g1), scale(g0, f.b)-scale(g1, f.a)))
		return
	}
	lo, hi := f.phi0, f.phi1
	var z complex128
	for range 50 {
		m := 0.5 * (lo + hi)
		z = x.g.lensMap(x.g.between(f, m))
		if x.outside(z) != o0 {
			x.bisect(f, f.phi0, m, o0)
			x.bisect(f, m, f.phi1, !o0)
			return
		}
		if (x.radial(z, m) < 0) == (g0 < 0) {
			lo = m
		} else {
			hi = m
		}
		if hi-lo < 1e-9*(f.phi1-f.phi0) {
			break
		}
	}
	x.soft(z)
}

// radial is the component of the caustic's tangent away from the centre.
func (x *limb) radial(z complex128, phi float64) float64 {
	sn, cs := math.Sincos(-0.5 * phi)
	return dot(complex(cs, sn), z-x.centre)
}

// bisect adds the one crossing between two phases of f.
func (x *limb) bisect(f *fold, lo, hi float64, out bool) {
	val := func(phi float64) (float64, complex128) {
		z := x.g.lensMap(x.g.between(f, phi))
		return abs(z-x.centre) - x.rho, z
	}
	v0, z := val(lo)
	v1, _ := val(hi)
	for it := range 60 {
		m := 0.5 * (lo + hi)
		if it%8 != 7 && v0 != v1 {
			if t := (lo*v1 - hi*v0) / (v1 - v0); t > lo && t < hi {
				m = t
			}
		}
		var v float64
		v, z = val(m)
		if (v >= 0) == out {
			lo, v0 = m, v
			v1 *= 0.5
		} else {
			hi, v1 = m, v
			v0 *= 0.5
		}
		if math.Abs(v) < 1e-13*x.rho || hi-lo < 1e-15*(1+hi) {
			break
		}
	}
	x.add(z, true)
}

// between returns the critical point of the branch of f at a phase inside it.
func (g *geom) between(f *fold, phi float64) complex128 {
	if phi <= f.phi0 {
		return f.w0
	}
	if phi >= f.phi1 {
		return f.w1
	}
	sn, cs := math.Sincos(phi)
	e := complex(cs, sn)
	t := (phi - f.phi0) / (f.phi1 - f.phi0)
	// The ends are near each other on the scale of the distance to other
	// branches, so that Newton's method from the chord stays on this one.
	start := f.w0 + scale(t, f.w1-f.w0)
	w, ok := g.polishCritical(start, e)
	if ok && norm(w-start) <= 0.25*norm(f.w1-f.w0) {
		return w
	}
	w = f.w0
	for k := range 8 { // small steps
		p := f.phi0 + (phi-f.phi0)*float64(k+1)/8
		sn, cs := math.Sincos(p)
		if z, ok := g.polishCritical(w, complex(cs, sn)); ok {
			w = z
		}
	}
	return w
}
