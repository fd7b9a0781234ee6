package lens

import "math"

// A contour integrates the magnification of a uniform disc over its limb
// (see the package comment).
type contour struct {
	limb
	beta  complex128 // centre relative to the heavier body
	roots [5]complex128
	warm  bool
	bad   int // limb points whose images are not as many as they should be
	lost  int // limb points without a solution
	evals int
	im    images
}

// value is the integrand at angle th. want is the number of images there, or
// 0 if unknown.
func (c *contour) value(th float64, want int) float64 {
	sn, cs := math.Sincos(th)
	d := complex(c.rho*cs, c.rho*sn)
	c.evals++
	eta, beta := c.centre+d, c.beta+d
	if !c.g.solve(eta, beta, &c.roots, c.warm, 0, &c.im) {
		c.warm = false
		c.lost++
		return 0
	}
	c.warm = true
	if want != 0 && c.im.n != want {
		c.bad++
	}
	e2 := complex(cs*cs-sn*sn, 2*sn*cs)
	sum := 0.0
	for i := range c.im.n {
		sum += (1 + real(c.im.h[i]*e2)) / math.Abs(c.im.j[i])
	}
	return sum
}

// A panel is a part of the limb: of the interval [mid−half, mid+half] with
// θ = mid − half·cos t if half > 0, which takes away the inverse square roots
// at both ends, and t = θ otherwise.
type panel struct {
	lo, hi    float64 // in t
	mid, half float64
	want      int
	v, err    float64
}

func (c *contour) panel(p *panel) {
	var y [15]float64
	for i := range y {
		t := abscissa(i, p.lo, p.hi)
		if p.half > 0 {
			sn, cs := math.Sincos(t)
			y[i] = c.value(p.mid-p.half*cs, p.want) * p.half * sn
		} else {
			y[i] = c.value(t, p.want)
		}
	}
	p.v, p.err = kronrod(&y, 0.5*(p.hi-p.lo))
}

const maxPanels = 256

// adapt bisects the worst panel until the sum of the errors is below the
// tolerance, and returns magnification and error.
func (c *contour) adapt(ps *[maxPanels]panel, n int, opt Options) (a, err float64) {
	for i := range n {
		c.panel(&ps[i])
	}
	for {
		a, err = 0, 0
		worst := 0
		for i := range n {
			a += ps[i].v
			err += ps[i].err
			if ps[i].err > ps[worst].err {
				worst = i
			}
		}
		a /= 2 * math.Pi
		err /= 2 * math.Pi
		if err <= opt.target(a) || n == maxPanels {
			return a, err
		}
		p := ps[worst]
		ps[n] = p
		m := 0.5 * (p.lo + p.hi)
		ps[worst].hi, ps[n].lo = m, m
		c.panel(&ps[worst])
		c.panel(&ps[n])
		n++
	}
}

// count is the number of images in the middle of an interval of the limb.
func (c *contour) count(lo, hi float64) int {
	votes := 0
	for _, t := range [...]float64{0.5, 0.38, 0.63} {
		c.value(lo+t*(hi-lo), 0)
		if c.im.sure {
			return c.im.n
		}
		votes += c.im.n - 4
	}
	if votes > 0 {
		return 5
	}
	return 3
}

// integrate returns magnification and error of the disc of radius rho whose
// centre is at eta from the lighter and beta from the heavier body. ok is
// false if the result should not be trusted.
func (c *contour) integrate(folds []fold, eta, beta complex128, rho float64, opt Options) (a, err float64, ok bool) {
	c.centre, c.beta, c.rho = eta, beta, rho
	c.warm, c.bad, c.lost = false, 0, 0
	c.find(folds)
	if c.over {
		return c.blind(opt)
	}
	if c.nCross == 0 && c.n == 0 {
		if a, err, ok = c.periodic(opt); ok {
			return a, err, true
		}
	}
	var ps [maxPanels]panel
	n := 0
	if c.nCross == 0 {
		want := c.count(0, 2*math.Pi)
		k := max(c.n, 1)
		for i := range k {
			lo, hi := -math.Pi, math.Pi
			if c.n > 0 {
				lo = c.at[i].theta
				hi = c.at[(i+1)%k].theta
				if i == k-1 {
					hi += 2 * math.Pi
				}
			}
			// No panel is longer than a quarter of the limb.
			parts := int(math.Ceil((hi - lo) / 1.6))
			for j := range parts {
				ps[n] = panel{lo: lo + (hi-lo)*float64(j)/float64(parts), hi: lo + (hi-lo)*float64(j+1)/float64(parts), want: want}
				n++
			}
		}
	} else {
		first := 0
		for !c.at[first].cross {
			first++
		}
		lo := c.at[first].theta
		softs := [maxAngles]float64{}
		ns := 0
		for i := 1; i <= c.n; i++ {
			k := first + i
			turn := 0.0
			if k >= c.n {
				k -= c.n
				turn = 2 * math.Pi
			}
			th := c.at[k].theta + turn
			if !c.at[k].cross {
				softs[ns] = th
				ns++
				continue
			}
			if half := 0.5 * (th - lo); half > 1e-15 {
				mid := 0.5 * (lo + th)
				p := panel{mid: mid, half: half, want: c.count(lo, th)}
				for j := range ns + 1 {
					p.hi = math.Pi
					if j < ns {
						p.hi = math.Acos(math.Max(-1, math.Min(1, (mid-softs[j])/half)))
					}
					if p.hi > p.lo {
						ps[n] = p
						n++
					}
					p.lo = p.hi
				}
			}
			lo, ns = th, 0
		}
	}
	a, err = c.adapt(&ps, n, opt)
	if c.lost > 0 || c.bad > 2 || err > opt.target(a) {
		return c.blind(opt)
	}
	return a, err, true
}

// periodic uses the trapezoidal rule, which converges geometrically while no
// caustic is near the limb.
func (c *contour) periodic(opt Options) (a, err float64, ok bool) {
	n := 8
	sum := 0.0
	for i := range n {
		sum += c.value(2*math.Pi*(float64(i)+0.25)/float64(n), 0)
	}
	want := c.im.n
	a = sum / float64(n)
	for n < 128 {
		for i := range n {
			sum += c.value(2*math.Pi*(float64(i)+0.75)/float64(n), want)
		}
		n *= 2
		next := sum / float64(n)
		err = math.Abs(next - a)
		a = next
		if c.bad > 0 || c.lost > 0 {
			break
		}
		if err <= opt.target(a) {
			return a, err, true
		}
	}
	return a, err, false
}

// blind integrates without knowledge of the caustics.
func (c *contour) blind(opt Options) (a, err float64, ok bool) {
	c.bad, c.lost = 0, 0
	var ps [maxPanels]panel
	for i := range 16 {
		ps[i] = panel{lo: math.Pi / 8 * float64(i), hi: math.Pi / 8 * float64(i+1)}
	}
	a, err = c.adapt(&ps, 16, opt)
	return a, err, c.lost == 0 && err <= opt.target(a)
}
