package lens

import "math"

// A darkened source is a pile of uniform discs. With the intensity
//
//	S(r) ∝ 1 − Γ(1 − 3/2·√(1−r²))
//
// at r in units of ρ (An et al. 2002, ApJ 572, 521), whose mean is 1 for any Γ,
// and A(ρ) the magnification of the uniform disc, −dS/dr shares the light out
// among discs of radius ρ·sin θ, and with x = cos θ
//
//	A_Γ(ρ) = (1−Γ)·A(ρ) + Γ·(3/2) ∫₀^½π sin³θ·A(ρ sin θ) dθ
//	       = (1−Γ)·A(ρ) + Γ·(3/2) ∫₀¹ (1−x²)·A(ρ√(1−x²)) dx.
//
// A of order ρ² thus becomes 1 − Γ + Γ·4/5 = 1 − Γ/5 times as large. The
// integrand is even in x and smooth, but for kinks at the radii at which the
// limb of a disc touches a caustic or passes a cusp. The integral is cut there.

// Most columns that are integrated over the discs at once.
const columns = 6

type column [columns]float64

// annuli integrates over the discs. Its memory is used again by the next
// source.
type annuli struct {
	m     int                                // columns in use
	disc  func(t, w float64) (v, err column) // of radius t, which has the weight w
	rings []ring
	kinks []float64 // radii of the kinks, in units of ρ
	limb  column    // of the whole disc, t = 1, and its error
	limbE column
	known bool
	evals int
}

// A ring is a part of the integral over x. An even one lies on both sides of
// x = 0 and is computed on one. A substitution that crowds the abscissae at
// the kinks would need fewer of them, but discs that nearly touch a caustic
// are the most expensive.
type ring struct {
	lo, hi float64
	even   bool
	level  int8 // of the rule
	have   [15]bool
	y, e   [15]column // values and errors times weight
	v, err column     // integral, error of the rule
	inner  column     // error of the discs
}

// Patterson's nested rules of 3, 7 and 15 points (Patterson 1968, Math. Comp.
// 22, 847), exact to the degrees 5, 11 and 23: the abscissae of the last, in
// decreasing order, and the weights of all.
var (
	pattersonX = [8]float64{
		0.993831963212755022208512841307951, 0.960491268708020283423507092629080,
		0.888459232872256998890420167258502, 0.774596669241483377035853079956480,
		0.621102946737226402940687443816594, 0.434243749346802558002071502844628,
		0.223386686428966881628203986844998, 0,
	}
	pattersonW = [3][8]float64{
		{3: 5. / 9, 7: 8. / 9},
		{
			1: 0.104656226026467265193823857192073, 3: 0.268488089868333440728569280666710,
			5: 0.401397414775962222905051818618432, 7: 0.450916538658474142345110087045571,
		},
		{
			0.017001719629940260339027417404221, 0.051603282997079739696920120551436,
			0.092927195315124537685894222881546, 0.134415255243784220359968764802491,
			0.171511909136391380787353165019717, 0.200628529376989021033931873331359,
			0.219156858401587496403693161643773, 0.225510499798206687386422549155949,
		},
	}
)

// smallest is the radius, in units of ρ, below which discs are not computed:
// they hold a part of 1e-16 of the light.
const smallest = 1e-4

// at computes node i of r, 0 … 14, in increasing order.
func (a *annuli) at(r *ring, i int) {
	s := -pattersonX[min(i, 14-i)]
	if i > 7 {
		s = -s
	}
	x, w := 0.5*(r.lo+r.hi)+0.5*(r.hi-r.lo)*s, 0.5*(r.hi-r.lo)
	if r.even && i == 7 {
		x = 0
	}
	r.have[i] = true
	u := math.Max((1-x)*(1+x), 0)
	w *= 1.5 * u
	if r.even {
		w *= 0.5
	}
	v, e := a.limb, a.limbE
	if x != 0 || !a.known {
		a.evals++
		v, e = a.disc(math.Max(math.Sqrt(u), smallest), w)
	}
	if x == 0 {
		a.limb, a.limbE, a.known = v, e, true
	}
	for k := range a.m {
		r.y[i][k], r.e[i][k] = w*v[k], w*e[k]
	}
}

// compute applies the rule of r.
func (a *annuli) compute(r *ring) {
	for i := range 15 {
		k := min(i, 14-i)
		if pattersonW[r.level][k] == 0 || r.have[i] {
			continue
		}
		if r.even && i < 7 {
			continue
		}
		a.at(r, i)
		if r.even && i > 7 {
			r.have[14-i], r.y[14-i], r.e[14-i] = true, r.y[i], r.e[i]
		}
	}
	for k := range a.m {
		var in [3]float64
		inner := 0.0
		for l := range int(r.level) + 1 {
			for i, w := range pattersonW[l] {
				if w == 0 {
					continue
				}
				y, e := r.y[i][k], r.e[i][k]
				if i < 7 {
					y += r.y[14-i][k]
					e += r.e[14-i][k]
				}
				in[l] += w * y
				if l == int(r.level) {
					inner += w * e
				}
			}
		}
		// The difference from the rule before is the error of that one. That of
		// the last is smaller by as much as the differences fall, with a margin.
		err := math.Abs(in[0] - 2*r.y[7][k])
		for l := 1; l <= int(r.level); l++ {
			d := math.Abs(in[l] - in[l-1])
			if l == 1 {
				err = d * math.Min(1, math.Max(30*d/(err+1e-300), 0.3))
			} else {
				first := math.Abs(in[1] - in[0])
				err = d * math.Min(1, math.Max(30*d/(first+1e-300), 0.1))
			}
		}
		r.v[k], r.err[k], r.inner[k] = in[r.level], err, inner
	}
}

// divide bisects r into r and the ring returned.
func (r *ring) divide() (next ring) {
	p := *r
	m := 0.5 * (p.lo + p.hi)
	if p.even {
		m = 0.5 * p.hi
		p.lo = -m
	}
	*r = ring{lo: p.lo, hi: m, even: p.even, level: 1}
	return ring{lo: m, hi: p.hi, level: 1}
}

// begin cuts the integral at the kinks that are more than merge apart in x. A
// smooth integrand is that of a disc with no caustic inside.
func (a *annuli) begin(smooth bool, merge float64) {
	a.rings, a.known, a.evals = a.rings[:0], false, 0
	if smooth {
		a.rings = append(a.rings, ring{lo: -1, hi: 1, even: true, level: 1})
		return
	}
	xs := a.kinks[:0]
	for _, t := range a.kinks {
		if x := math.Sqrt(math.Max((1-t)*(1+t), 0)); x > 1e-4 && x < 1-1e-9 {
			xs = append(xs, x)
		}
	}
	for i := 1; i < len(xs); i++ {
		for k := i; k > 0 && xs[k-1] > xs[k]; k-- {
			xs[k-1], xs[k] = xs[k], xs[k-1]
		}
	}
	lo := 0.0
	for i := 0; i <= len(xs); i++ {
		hi := 1.0
		if i < len(xs) {
			hi = xs[i]
		}
		if hi < lo+merge && hi < 1 {
			continue
		}
		r := ring{lo: lo, hi: hi}
		if lo == 0 {
			r.lo, r.even = -hi, true
		}
		if (hi-lo)*(1-lo*lo) > 0.02 {
			r.level = 1
		}
		a.rings = append(a.rings, r)
		lo = hi
	}
}

// integrate returns the darkened columns and their errors. target says what
// error of them is aimed at.
func (a *annuli) integrate(gamma float64, target func(v *column) column) (v, err column) {
	for i := range a.rings {
		a.compute(&a.rings[i])
	}
	if !a.known {
		a.limb, a.limbE = a.disc(1, 1)
		a.known = true
	}
	for {
		var inner, rule column
		for k := range a.m {
			v[k], inner[k] = (1-gamma)*a.limb[k], (1-gamma)*a.limbE[k]
			for i := range a.rings {
				v[k] += gamma * a.rings[i].v[k]
				rule[k] += gamma * a.rings[i].err[k]
				inner[k] += gamma * a.rings[i].inner[k]
			}
			err[k] = rule[k] + inner[k]
		}
		want := target(&v)
		done := true
		for k := range a.m {
			// Beyond a part of the errors of the discs there is nothing to gain.
			want[k] = math.Max(want[k]-inner[k], 0.3*math.Max(want[k], inner[k]))
			done = done && rule[k] <= want[k]
		}
		if done || len(a.rings) >= 400 || a.evals > 3000 {
			return v, err
		}
		worst, most := 0, -1.0
		for i := range a.rings {
			part := 0.0
			for k := range a.m {
				if want[k] > 0 {
					part = math.Max(part, gamma*a.rings[i].err[k]/want[k])
				}
			}
			if part > most {
				worst, most = i, part
			}
		}
		r := &a.rings[worst]
		if r.level < 2 {
			r.level++
			a.compute(r)
			continue
		}
		before := r.v
		next := r.divide()
		a.compute(r)
		a.compute(&next)
		for k := range a.m { // what the division changed is a second opinion
			change := 0.2 * math.Abs(r.v[k]+next.v[k]-before[k])
			r.err[k] = math.Max(r.err[k], change)
			next.err[k] = math.Max(next.err[k], change)
		}
		a.rings = append(a.rings, next)
	}
}

// touches appends the radii, in units of the disc's, at which a circle about
// the centre touches the arc f or passes its cusp.
func (x *limb) touches(f *fold, dst []float64, depth int) []float64 {
	if f.cusp0 {
		if d := abs(f.a - x.centre); d < x.rho {
			dst = append(dst, d/x.rho)
		}
	}
	if f.distance(x.centre) >= x.rho {
		return dst
	}
	long := math.Max(norm(f.b-f.a), norm(f.t-f.a)) > 0.04*x.rho*x.rho
	if (long || f.phi1-f.phi0 > 0.25) && depth > 0 {
		f0, f1 := x.g.halves(f)
		return x.touches(&f1, x.touches(&f0, dst, depth-1), depth-1)
	}
	lo, hi := f.phi0, f.phi1
	g0, g1 := x.radial(f.a, lo), x.radial(f.b, hi)
	if (g0 < 0) == (g1 < 0) {
		return dst
	}
	z := f.a
	for it := range 40 {
		m := (lo*g1 - hi*g0) / (g1 - g0)
		if !(m > lo && m < hi) || it%8 == 7 {
			m = 0.5 * (lo + hi)
		}
		z = x.g.lensMap(x.g.between(f, m))
		v := x.radial(z, m)
		if (v < 0) == (g0 < 0) {
			lo, g0 = m, v
			g1 *= 0.5
		} else {
			hi, g1 = m, v
			g0 *= 0.5
		}
		if math.Abs(v) < 1e-9*x.rho || hi-lo < 1e-12*(1+hi) {
			break
		}
	}
	if d := abs(z - x.centre); d < x.rho {
		dst = append(dst, d/x.rho)
	}
	return dst
}
