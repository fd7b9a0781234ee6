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
	return g.speedAlong(w, tangent(phi))
}

// speedAlong is speed where the tangent is known.
func (g *geom) speedAlong(w, tangent complex128) float64 {
	_, h1 := g.shear1(w)
	// e^{3iφ/2} is the conjugate of the cube of the tangent.
	return imag(inv(h1)*conj(tangent*tangent*tangent)) * -1
}

// tangent is e^{−iφ/2}.
func tangent(phi float64) complex128 {
	sn, cs := math.Sincos(-0.5 * phi)
	return complex(cs, sn)
}

func (g *geom) newFold(phi0, phi1 float64, w0, w1, a, b complex128) fold {
	return newFoldAlong(phi0, phi1, w0, w1, a, b, tangent(phi0), tangent(phi1))
}

// newFoldAlong is newFold where the end tangents are known.
func newFoldAlong(phi0, phi1 float64, w0, w1, a, b, t0, t1 complex128) fold {
	f := fold{phi0: phi0, phi1: phi1, w0: w0, w1: w1, a: a, b: b}
	// Intersect a + λ e^{−iφ0/2} with b + μ e^{−iφ1/2}.
	s0, c0 := imag(t0), real(t0)
	s1, c1 := imag(t1), real(t1)
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
	t0 := tangent(p0)
	for i := range w {
		c[i], z[i] = g.speedAlong(w[i], t0), g.lensMap(w[i])
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
			t1 := tangent(p1)
			for i := range w {
				cn, zn := g.speedAlong(next[i], t1), g.lensMap(next[i])
				if (cn < 0) == (c[i] < 0) {
					dst = append(dst, newFoldAlong(p0, p1, w[i], next[i], z[i], zn, t0, t1))
				} else {
					cusps++
					pc, wc := g.cusp(w, i, next[i], p0, p1, c[i], cn)
					zc := g.lensMap(wc)
					dst = append(dst, g.newFold(p0, pc, w[i], wc, z[i], zc),
						g.newFold(pc, p1, wc, next[i], zc, zn))
					dst[len(dst)-1].cusp0 = true
				}
				c[i], z[i] = cn, zn
			}
			w, p0, t0 = next, p1, t1
		}
	}
	return dst, cusps
}

// cusp finds the zero of speed on branch i of w between two phases, where
// the branch is at w[i] and end, by the Illinois variant of regula falsi.
func (g *geom) cusp(w [4]complex128, i int, end complex128, p0, p1, c0, c1 float64) (phi float64, at complex128) {
	start := p0
	f := fold{phi0: p0, phi1: p1, w0: w[i], w1: end}
	at = w[i]
	for it := range 60 {
		phi = (p0*c1 - p1*c0) / (c1 - c0)
		if !(phi > p0 && phi < p1) || it%16 == 15 {
			phi = 0.5 * (p0 + p1)
		}
		var ok bool
		if at, ok = g.inside(&f, phi); !ok {
			at = g.advance(w, start, phi, 20)[i]
		}
		c := g.speed(at, phi)
		if (c < 0) == (c0 < 0) {
			p0, c0 = phi, c
			f.phi0, f.w0 = phi, at
			c1 *= 0.5
		} else {
			p1, c1 = phi, c
			f.phi1, f.w1 = phi, at
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
	var first int
	return distanceFrom(folds, z, limit, &first)
}

// distanceFrom is distance that begins with arc *first, for speed one that
// is likely to be near, and sets it to the nearest.
func distanceFrom(folds []fold, z complex128, limit float64, first *int) float64 {
	best := limit
	if i := *first; i < len(folds) {
		if d := folds[i].distance(z); d < best {
			best = d
		}
	}
	for i := range folds {
		f := &folds[i]
		r := best + f.radius
		dx, dy := real(z)-real(f.centre), imag(z)-imag(f.centre)
		if dx*dx+dy*dy >= r*r {
			continue
		}
		if d := f.distance(z); d < best {
			best = d
			*first = i
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

// halves divides f in the middle of its phases.
func (g *geom) halves(f *fold) (a, b fold) {
	mid := 0.5 * (f.phi0 + f.phi1)
	w := g.between(f, mid)
	z := g.lensMap(w)
	return g.newFold(f.phi0, mid, f.w0, w, f.a, z), g.newFold(mid, f.phi1, w, f.w1, z, f.b)
}

// between returns the critical point of the branch of f at a phase inside it.
func (g *geom) between(f *fold, phi float64) complex128 {
	if phi <= f.phi0 {
		return f.w0
	}
	if phi >= f.phi1 {
		return f.w1
	}
	w, ok := g.inside(f, phi)
	if ok {
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

// inside is between for phases well inside f. ok is false if the result may
// be on another branch.
func (g *geom) inside(f *fold, phi float64) (w complex128, ok bool) {
	sn, cs := math.Sincos(phi)
	t := (phi - f.phi0) / (f.phi1 - f.phi0)
	// The ends are near each other on the scale of the distance to other
	// branches, so that Newton's method from the chord stays on this one.
	start := f.w0 + scale(t, f.w1-f.w0)
	w, ok = g.polishCritical(start, complex(cs, sn))
	return w, ok && norm(w-start) <= 0.25*norm(f.w1-f.w0)
}
