package lens

import "math"

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
	nRidge int
	ridge  [24]float64
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
	x.ridges(folds)
	if x.n > 0 {
		for _, th := range x.ridge[:x.nRidge] {
			if x.n < len(x.at) {
				x.at[x.n] = angle{th, false, 0.1}
				x.n++
			}
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
	// Next to a mark the integrand varies as fast as there: what falls like 1/θ
	// from a small caustic has, at a mark that is θ away, the scale θ.
	for i := range 2 * x.n {
		a, b := &x.at[i%x.n], &x.at[(i+1)%x.n]
		gap := x.step(i % x.n)
		a.scale = math.Min(a.scale, gap+b.scale)
		b.scale = math.Min(b.scale, gap+a.scale)
	}
	for i := 2*x.n - 1; i >= 0; i-- {
		a, b := &x.at[i%x.n], &x.at[(i+1)%x.n]
		a.scale = math.Min(a.scale, x.step(i%x.n)+b.scale)
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

// ridges collects the angles at which the limb crosses a ridge of
// magnification. A ridge leaves every cusp along its tangent; another, of a
// light companion, lies on the axis of the lens. It may be much narrower than
// the distance to the caustics suggests.
func (x *limb) ridges(folds []fold) {
	x.nRidge = 0
	r2 := x.rho * x.rho
	mark := func(from, dir complex128, reach float64) {
		p := from - x.centre
		b := dot(p, dir)
		disc := b*b - norm(p) + r2
		if disc <= 0 {
			return
		}
		root := math.Sqrt(disc)
		for _, t := range [2]float64{-b - root, -b + root} {
			if t > 0 && t < reach && x.nRidge < len(x.ridge) {
				d := p + scale(t, dir)
				x.ridge[x.nRidge] = math.Atan2(imag(d), real(d))
				x.nRidge++
			}
		}
	}
	if x.g.q < 0.1 && math.Abs(imag(x.centre)) < x.rho {
		far := 2*abs(x.centre) + 4*x.rho
		mark(complex(real(x.centre)-far, 0), 1, 2*far)
	}
	for i := range folds {
		f := &folds[i]
		if !f.cusp0 || norm(f.a-x.centre) > 900*r2 {
			continue
		}
		sn, cs := math.Sincos(-0.5 * f.phi0)
		dir := complex(cs, sn)
		if dot(dir, f.b-f.a) > 0 { // away from the caustic
			dir = -dir
		}
		mark(f.a, dir, 32*x.rho)
	}
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
		f0, f1 := x.g.halves(f)
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
