package lens

import "math"

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
	// Ridges may be narrower than the distance to the caustics suggests:
	// start on one, and later probe the others.
	start := 0.1
	if c.nRidge > 0 {
		start = c.ridge[0]
	}
	var y [most]float64
	n := 8
	if c.mid != nil {
		c.im, c.at0, c.live = *c.mid, 0, true
		y[0] = c.next(start, c.im.n)
	} else {
		y[0] = c.value(start, 0)
	}
	sum, want := y[0], c.im.n
	first, at0, live := c.im, c.at0, c.live
	for i := 1; i < n; i++ {
		v := c.next(start+2*math.Pi*float64(i)/float64(n), want)
		y[i*(most/n)] = v
		sum += v
	}
	for n < most {
		c.im, c.at0, c.live = first, at0, live
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
		if !c.probe(&y, n, start, want, a, opt) {
			continue
		}
		return a, err, true
	}
	return a, err, false
}

// probe compares the values on the ridges with the interpolation of the n
// values in y. A ridge that fell between them is about as wide as their distance
// at most, and contributes accordingly.
func (c *contour) probe(y *[most]float64, n int, start float64, want int, a float64, opt Options) bool {
	for _, th := range c.ridge[min(1, c.nRidge):c.nRidge] {
		miss := math.Abs(c.value(th, want) - interpolate(y, n, th-start))
		if 2*miss/float64(n) > opt.target(a) {
			return false
		}
	}
	return true
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
