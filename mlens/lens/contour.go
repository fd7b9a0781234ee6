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
	live  bool       // im holds the images at at0
	at0   complex128 // the last limb point, from the centre
}

// value is the integrand at angle th, from a full solution. want is the number of
// images there, or 0 if unknown.
func (c *contour) value(th float64, want int) float64 {
	sn, cs := math.Sincos(th)
	d := complex(c.rho*cs, c.rho*sn)
	c.evals++
	c.at0 = d
	eta, beta := c.centre+d, c.beta+d
	if !c.g.solve(eta, beta, &c.roots, c.warm, 0, &c.im) {
		c.warm, c.live = false, false
		c.lost++
		return 0
	}
	c.warm = true
	if want != 0 && c.im.n != want {
		if c.im.sure {
			c.bad++
		} else {
			c.g.solve(eta, beta, &c.roots, true, want, &c.im)
		}
	}
	c.live = true
	return c.sum(cs, sn)
}

// sum is the integrand for the images in im.
func (c *contour) sum(cs, sn float64) float64 {
	e2 := complex(cs*cs-sn*sn, 2*sn*cs)
	sum := 0.0
	for i := range c.im.n {
		sum += (1 + real(c.im.h[i]*e2)) / math.Abs(c.im.j[i])
	}
	return sum
}

// next is value where no caustic lies between th and the angle of the call
// before: the images are then followed, and solved for anew only where one
// of them is not where it was expected.
func (c *contour) next(th float64, want int) float64 {
	if !c.live || c.im.n != want {
		return c.value(th, want)
	}
	sn, cs := math.Sincos(th)
	d := complex(c.rho*cs, c.rho*sn)
	if !c.g.shift(c.centre+d, d-c.at0, &c.im) {
		return c.value(th, want)
	}
	c.evals++
	c.at0 = d
	return c.sum(cs, sn)
}

// shift moves the images to the source at eta, which is move away from where
// they are. It returns false, and leaves rubbish, if an image is not where
// the derivative of the lens equation put it.
func (g *geom) shift(eta, move complex128, im *images) bool {
	s, m1, m2 := g.s, g.m1, g.m2
	parity := 0
	for i := range im.n {
		dw := scale(1/im.j[i], move-conj(im.h[i]*move))
		w := im.w[i] + dw
		limit := 0.06*norm(dw) + 1e-26*norm(w)
		for it := 0; ; it++ {
			i1 := inv(complex(real(w)+s, imag(w)))
			i2 := inv(w)
			t1, t2 := scale(m1, i1), scale(m2, i2)
			r := eta - w + conj(t1+t2)
			t1, t2 = t1*i1, t2*i2
			h := t1 + t2
			h1 := scale(-2, t1*i1+t2*i2)
			j := 1 - norm(h)
			d := scale(1/j, r-conj(h*r))
			d2 := norm(d)
			if !(d2 <= limit) || it == 6 {
				return false
			}
			w += d
			if d2*norm(h1) <= 1e-11*j*j {
				hd := h1 * d
				j -= 2 * dot(h, hd)
				h += hd
				im.w[i], im.h[i], im.j[i] = w, h, j
				break
			}
			limit = 0.25 * d2
		}
		if im.j[i] > 0 {
			parity++
		} else {
			parity--
		}
	}
	return parity == -1
}

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
	c.warm, c.live, c.bad, c.lost, c.evals = false, false, 0, 0, 0
	c.find(folds)
	if c.over {
		return c.blind(opt)
	}
	if c.nCross == 0 && c.n == 0 {
		if a, err, ok = c.periodic(folds, opt); ok {
			return a, err, true
		}
	}
	var ps [maxPanels]panel
	n := c.divide(&ps)
	a, err = c.adapt(&ps, n, opt)
	if c.lost > 0 || c.bad > 2+c.evals/100 {
		return c.blind(opt)
	}
	return a, err, err <= opt.target(a) && !c.vague
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

// periodic uses the trapezoidal rule. If no caustic lies between the radii
// ρ·f and ρ/f, n points leave an error of the order of fⁿ, however small the
// differences between successive n happen to be.
func (c *contour) periodic(folds []fold, opt Options) (a, err float64, ok bool) {
	least := 8.0
	if f := c.gap(folds); f > 0 {
		rel := opt.target(1) // relative to a magnification of 1 or more
		rel = math.Min(rel, 0.1)
		least = math.Log(3e-3*rel) / math.Log(f)
	}
	if !(least <= most) {
		return 0, 0, false
	}
	// Where the limb crosses the axis of the lens a light companion may leave
	// a ridge much narrower than the rest: start at one such point, and later
	// probe the other.
	start, probe := -0.5*math.Pi, math.NaN()
	if sn := -imag(c.centre) / c.rho; math.Abs(sn) < 1 {
		start = math.Asin(sn)
		probe = math.Pi - start
	} else if sn > 0 {
		start = 0.5 * math.Pi
	}
	var y [most]float64
	n := 8
	y[0] = c.value(start, 0)
	sum, want := y[0], c.im.n
	for i := 1; i < n; i++ {
		v := c.next(start+2*math.Pi*float64(i)/float64(n), want)
		y[i*(most/n)] = v
		sum += v
	}
	for n < most {
		c.live = false
		for i := range n {
			v := c.next(start+2*math.Pi*(float64(i)+0.5)/float64(n), want)
			y[(2*i+1)*(most/(2*n))] = v
			sum += v
		}
		n *= 2
		a = sum / float64(n)
		if c.bad > 0 || c.lost > 0 {
			break
		}
		if float64(n) < least {
			continue
		}
		if err = aliasing(&y, n); err > opt.target(a) {
			continue
		}
		if probe == probe {
			miss := math.Abs(c.value(probe, want) - interpolate(&y, n, probe-start))
			if miss *= 2 / float64(n); miss > opt.target(a) {
				continue
			}
		}
		return a, err, true
	}
	return a, err, false
}

// most is the largest number of points of the trapezoidal rule.
const most = 128

// turn holds e^{2πik/most}.
var turn = func() (t [most]complex128) {
	for k := range t {
		sn, cs := math.Sincos(2 * math.Pi * float64(k) / most)
		t[k] = complex(cs, sn)
	}
	return t
}()

// aliasing estimates the error of the mean of n equidistant values, stored
// every most/n-th in y, by the moduli of the Fourier coefficients of the
// highest orders. The error is really the coefficients of order n, 2n, …,
// which are smaller; but the decay may be slower at high orders, and moduli,
// unlike differences of successive means, do not vanish by accident of phase.
func aliasing(y *[most]float64, n int) float64 {
	worst := 0.0
	step := most / n
	for k := n/2 - 2; k < n/2; k++ {
		var s complex128
		for i := range n {
			s += scale(y[i*step], turn[(i*k*step)%most])
		}
		worst = math.Max(worst, norm(s))
	}
	return 2 * math.Sqrt(worst) / float64(n)
}

// interpolate is the trigonometric polynomial through n equidistant values at
// angle th from the first.
func interpolate(y *[most]float64, n int, th float64) float64 {
	sum := 0.0
	for i := range n {
		x := th - 2*math.Pi*float64(i)/float64(n)
		sn, cs := math.Sincos(0.5 * x)
		if math.Abs(sn) < 1e-9 {
			return y[i*(most/n)]
		}
		// Dirichlet kernel for even n: sin(nx/2)/(n tan(x/2)).
		sum += y[i*(most/n)] * math.Sin(0.5*float64(n)*x) * cs / (float64(n) * sn)
	}
	return sum
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
