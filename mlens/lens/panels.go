package lens

import "math"

// A panel is a part of the limb: of the interval [mid−half, mid+half] with
// θ = mid − half·cos t if half > 0, which takes away the inverse square roots
// at both ends, and t = θ otherwise.
type panel struct {
	lo, hi    float64 // in t
	mid, half float64
	want      int
	v, err    float64
	done      bool // not to be divided further
}

func (c *contour) panel(p *panel) {
	var y [15]float64
	for i := range y {
		t, weight := abscissa(i, p.lo, p.hi), 1.0
		if p.half > 0 {
			sn, cs := math.Sincos(t)
			t, weight = p.mid-p.half*cs, p.half*sn
		}
		if p.want == 0 || i%7 == 0 { // keep an eye on the number of images
			y[i] = weight * c.value(t, p.want)
		} else {
			y[i] = weight * c.next(t, p.want)
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
		worst := -1
		for i := range n {
			a += ps[i].v
			err += ps[i].err
			if (worst < 0 || ps[i].err > ps[worst].err) && !ps[i].done && c.divisible(&ps[i]) {
				worst = i
			}
		}
		a /= 2 * math.Pi
		err /= 2 * math.Pi
		if err <= opt.target(a) || n == maxPanels || worst < 0 {
			return a, err
		}
		p := ps[worst]
		ps[n] = p
		m := 0.5 * (p.lo + p.hi)
		ps[worst].hi, ps[n].lo = m, m
		c.panel(&ps[worst])
		c.panel(&ps[n])
		// The two rules of a panel may agree by accident next to a ridge. What
		// the division itself changed is a second opinion.
		change := 0.1 * math.Abs(ps[worst].v+ps[n].v-p.v)
		ps[worst].err = math.Max(ps[worst].err, change)
		ps[n].err = math.Max(ps[n].err, change)
		// A small error that no longer falls when its panel is halved is rounding.
		if p.err < 1e-5*a && ps[worst].err+ps[n].err > 0.5*p.err {
			if ps[worst].err+ps[n].err > p.err {
				ps[worst] = p
				ps[worst].done = true
				continue
			}
			ps[worst].done, ps[n].done = true, true
		}
		n++
	}
}

// divisible reports whether half of p would still have its abscissae further
// from the caustics than the rounding of the position of the limb.
func (c *contour) divisible(p *panel) bool {
	const first = 1 - 0.99145537 // twice the first abscissa of a panel of length 1
	t := 0.25 * first * (p.hi - p.lo)
	if p.half == 0 {
		return t*c.rho > 16*eps*(1+abs1(c.centre))
	}
	t += math.Min(p.lo, math.Pi-p.hi)
	return 0.5*p.half*t*t*c.rho > 16*eps*(1+abs1(c.centre))
}

// divide cuts the limb at the crossings, and between them so that every
// panel is short and, next to a mark, not much longer than the scale of the
// integrand there.
func (c *contour) divide(ps *[maxPanels]panel) (n int) {
	if c.n == 0 {
		want := c.count(0, 2*math.Pi)
		for i := range 4 {
			ps[i] = panel{lo: math.Pi / 2 * float64(i), hi: math.Pi / 2 * float64(i+1), want: want}
		}
		return 4
	}
	// Start at a crossing, if there is one.
	first := 0
	for i := range c.n {
		if c.at[i].cross {
			first = i
			break
		}
	}
	whole := 0
	if c.nCross == 0 {
		whole = c.count(0, 2*math.Pi)
	}
	base := c.at[first].theta
	lo := base  // of the mark before
	var p panel // the interval between two crossings
	for i := range c.n {
		m, next := c.at[(first+i)%c.n], c.at[(first+i+1)%c.n]
		hi := lo + c.step((first+i)%c.n)
		if c.nCross == 0 {
			p.want = whole
		} else if m.cross {
			end := lo
			for k := first + i; ; k++ {
				end += c.step(k % c.n)
				if c.at[(k+1)%c.n].cross {
					break
				}
			}
			p = panel{mid: 0.5 * (lo + end), half: 0.5 * (end - lo)}
			if p.half < 1e-15 {
				lo = hi
				continue
			}
			p.want = c.count(lo, end)
		}
		n = c.grade(ps, n, p, lo, hi, m.scale, next.scale)
		lo = hi
	}
	return n
}

// grade appends panels that cover [lo, hi], two neighbouring marks, growing
// geometrically away from both.
func (c *contour) grade(ps *[maxPanels]panel, n int, p panel, lo, hi, scaleLo, scaleHi float64) int {
	const (
		growth  = 8
		longest = 1.6
	)
	mid := 0.5 * (lo + hi)
	var cut [40]float64
	k := 0
	cut[k] = lo
	for x := growth * scaleLo; lo+x < mid-0.2*x && k < 12; x *= growth {
		k++
		cut[k] = lo + x
	}
	left := cut[k]
	right := hi
	var back [14]float64
	nb := 0
	for x := growth * scaleHi; hi-x > mid+0.2*x && nb < 12; x *= growth {
		back[nb] = hi - x
		right = hi - x
		nb++
	}
	parts := int(math.Ceil((right - left) / longest))
	for i := 1; i < parts && k < 20; i++ {
		k++
		cut[k] = left + (right-left)*float64(i)/float64(parts)
	}
	for i := nb - 1; i >= 0; i-- {
		k++
		cut[k] = back[i]
	}
	k++
	cut[k] = hi
	for i := range k {
		q := p
		q.lo, q.hi = cut[i], cut[i+1]
		if p.half > 0 {
			q.lo = math.Acos(math.Max(-1, math.Min(1, (p.mid-cut[i])/p.half)))
			q.hi = math.Acos(math.Max(-1, math.Min(1, (p.mid-cut[i+1])/p.half)))
		}
		if q.hi > q.lo && n < maxPanels/2 {
			ps[n] = q
			n++
		} else if q.hi > q.lo {
			ps[n-1].hi = math.Max(ps[n-1].hi, q.hi)
		}
	}
	return n
}
