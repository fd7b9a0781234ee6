package mlens

import (
	"math"

	"github.com/mlens-go/microlens/mlens/event"
)

// singleFit is the best single lens (1L1S) of a binned light curve, with flux
// in units of its baseline estimate:
//
//	f(t) = F·(1 + f_s·(A(u) − 1)), u² = u0² + ((t − t0)/tE)²
//
// It is what the network is given as a first guess, and what the inferred
// parameters are counted from; event.FitSingleLens is slower and more thorough.
type singleFit struct {
	p    [fitDim]float64 // t0 [d], ln tE [d], ln u0, ln f_s, ln F
	sd   [fitDim]float64 // their formal errors
	chi2 float64         // per bin
}

const (
	fitT0 = iota
	fitTE
	fitU0
	fitFs
	fitF
	fitDim
)

func (s *singleFit) t0() float64 { return s.p[fitT0] }
func (s *singleFit) tE() float64 { return math.Exp(s.p[fitTE]) }

// The fit is kept where a network can use it by a broad Gaussian prior and hard
// limits of its steps, and takes limited steps; f_s starts at most at 2.
var (
	fitMean  = [fitDim]float64{36, 2.65, -0.3, -1.15, 0}
	fitWidth = [fitDim]float64{40, 1, 1, 0.8, 0.5}
	fitMin   = [fitDim]float64{-25, -1, -6, -4, -2}
	fitMax   = [fitDim]float64{97, 5.3, 1.1, 0.2, 2}
	fitStep  = [fitDim]float64{8, 0.7, 1, 1, 0.5}
)

const (
	fitBin    = 16 // epochs of the season in a bin of the fit
	fitCoarse = 4  // such bins in one of the search for a start
	fitSteps  = 20 // of Levenberg–Marquardt, at most
)

// fitPoints are bins of a light curve: times, fluxes and inverse variances.
type fitPoints struct{ t, y, w []float64 }

func (p *fitPoints) reset() { p.t, p.y, p.w = p.t[:0], p.y[:0], p.w[:0] }

// merge appends the inverse-variance mean of points; nothing if there is no
// measurement.
func (p *fitPoints) merge(t, y, w []float64) {
	var st, sy, sw float64
	for i, v := range w {
		st += v * t[i]
		sy += v * y[i]
		sw += v
	}
	if sw > 0 {
		p.t, p.y, p.w = append(p.t, st/sw), append(p.y, sy/sw), append(p.w, sw)
	}
}

// fitter is the work space of single-lens fits.
type fitter struct{ fine, coarse fitPoints }

// fit fits lc, whose baseline estimate is b.
func (f *fitter) fit(lc event.Binned, b float64) singleFit {
	f.bin(lc, b)
	s := singleFit{p: f.start()}
	f.minimise(&s)
	return s
}

// bin fills the points.
func (f *fitter) bin(lc event.Binned, b float64) {
	f.fine.reset()
	var t, y, w [fitBin]float64
	for lo := 0; lo < len(lc.Flux); lo += fitBin {
		n := min(fitBin, len(lc.Flux)-lo)
		for i := range n {
			t[i] = lc.Cadence.Step * float64(lo+i)
			y[i] = lc.Flux[lo+i] / b
			w[i] = lc.Weight[lo+i] * b * b
		}
		f.fine.merge(t[:n], y[:n], w[:n])
	}
	f.coarse.reset()
	width := fitBin * fitCoarse * lc.Cadence.Step
	for lo := 0; lo < len(f.fine.t); {
		hi := lo + 1
		for hi < len(f.fine.t) && math.Floor(f.fine.t[hi]/width) == math.Floor(f.fine.t[lo]/width) {
			hi++
		}
		f.coarse.merge(f.fine.t[lo:hi], f.fine.y[lo:hi], f.fine.w[lo:hi])
		lo = hi
	}
}

// start is the best of 30 single lenses, each with its best fluxes: two times
// of the peak, five tE and three u0.
func (f *fitter) start() [fitDim]float64 {
	c := &f.coarse
	best := math.Inf(1)
	var p [fitDim]float64
	for _, t0 := range [2]float64{f.brightest(), f.brightestWeek()} {
		for _, te := range [5]float64{1.5, 4, 10, 25, 60} {
			for _, u0 := range [3]float64{0.05, 0.3, 1} {
				var s0, s1, s2, y0, y1 float64
				for i, t := range c.t {
					tau := (t - t0) / te
					m := magnification(tau*tau+u0*u0) - 1
					w := c.w[i]
					s0 += w
					s1 += w * m
					s2 += w * m * m
					y0 += w * c.y[i]
					y1 += w * c.y[i] * m
				}
				slope := (s0*y1 - s1*y0) / (s0*s2*(1+1e-6) - s1*s1)
				level := (y0 - slope*s1) / s0
				chi2 := -(level*y0 + slope*y1) // less a constant
				if !(slope > 0) || !(level > 0.05) {
					chi2 = math.MaxFloat64 // a last resort
				}
				if chi2 < best {
					best = chi2
					level = clamp(level, 0.2, 5)
					p = [fitDim]float64{t0, math.Log(te), math.Log(u0), math.Log(clamp(slope/level, 0.03, 2)), math.Log(level)}
				}
			}
		}
	}
	return p
}

// clamp is x within [lo, hi]; lo for NaN.
func clamp(x, lo, hi float64) float64 {
	if !(x > lo) {
		return lo
	}
	return min(x, hi)
}

// magnification is A of a point source by a point lens, from u².
func magnification(u2 float64) float64 { return (u2 + 2) / math.Sqrt(u2*(u2+4)) }

// brightest is the time of the highest smoothed flux, less two standard errors.
func (f *fitter) brightest() float64 {
	best, at := math.Inf(-1), 0
	for i := range f.fine.t {
		var sy, sw, s float64
		for k := max(i-1, 0); k <= min(i+1, len(f.fine.t)-1); k++ {
			w := f.fine.w[k]
			s += w
			if k == i {
				w *= 2
			}
			sw += w
			sy += w * f.fine.y[k]
		}
		if v := sy/sw - 2/math.Sqrt(s); v > best {
			best, at = v, i
		}
	}
	return f.fine.t[at]
}

// brightestWeek is the middle of the seven days of the highest mean log flux.
func (f *fitter) brightestWeek() float64 {
	const half, least = 3.5, 3
	c := &f.coarse
	best, at := math.Inf(-1), f.fine.t[0]
	lo, hi, sum := 0, 0, 0.0
	log := func(y float64) float64 { return math.Log(max(y, 0.02)) }
	for _, t := range c.t {
		for ; hi < len(c.t) && c.t[hi] < t+half; hi++ {
			sum += log(c.y[hi])
		}
		for ; c.t[lo] < t-half; lo++ {
			sum -= log(c.y[lo])
		}
		// The rounding of the running sum must not decide between equal means.
		if mean := sum / float64(hi-lo); hi-lo >= least && mean > best+1e-9 {
			best, at = mean, t
		}
	}
	return at
}

// normal are the normal equations of the fit at one point.
type normal struct {
	chi2 float64 // with that of the prior
	h    [fitDim][fitDim]float64
	g    [fitDim]float64 // −½ of the gradient
}

// minimise takes Levenberg–Marquardt steps from s.p and sets the rest of s.
func (f *fitter) minimise(s *singleFit) {
	var now, next normal
	f.evaluate(&now, s.p)
	lambda := 1e-3
	const small, little = 1e-3, 1e-6
	for range fitSteps {
		step, ok := now.solve(lambda)
		if ok {
			p := s.p
			for k := range p {
				p[k] = clamp(p[k]+clamp(step[k], -fitStep[k], fitStep[k]), fitMin[k], fitMax[k])
			}
			f.evaluate(&next, p)
			if ok = next.chi2 < now.chi2; ok {
				converged := lambda < small && now.chi2-next.chi2 < little*now.chi2
				s.p, now = p, next
				if converged {
					break
				}
			}
		}
		if ok {
			lambda = max(lambda*0.1, 1e-7)
		} else {
			lambda = min(lambda*6, 1e4)
		}
	}
	s.chi2 = now.chi2 / float64(len(f.fine.t))
	s.sd = now.errors()
}

// evaluate sets e to the normal equations at p.
func (f *fitter) evaluate(e *normal, p [fitDim]float64) {
	t0, rate := p[fitT0], math.Exp(-p[fitTE])
	u02 := math.Exp(2 * p[fitU0])
	fs, level := math.Exp(p[fitFs]), math.Exp(p[fitF])
	source := fs * level
	var chi2, g0, g1, g2, g3, g4 float64
	var h00, h01, h02, h03, h04, h11, h12, h13, h14, h22, h23, h24, h33, h34, h44 float64
	y, w := f.fine.y[:len(f.fine.t)], f.fine.w[:len(f.fine.t)]
	for i, t := range f.fine.t {
		tau := (t - t0) * rate
		u2 := tau*tau + u02
		v := 1 / math.Sqrt(u2*(u2+4))
		excess := (u2+2)*v - 1
		d := -8 * v * v * v * source // (dA/du)/u, times the source's flux
		m := level + source*excess
		j0 := -d * tau * rate
		j1 := -d * tau * tau
		j2 := d * u02
		j3 := source * excess
		j4 := m
		r := y[i] - m
		wr := w[i] * r
		chi2 += wr * r
		g0 += wr * j0
		g1 += wr * j1
		g2 += wr * j2
		g3 += wr * j3
		g4 += wr * j4
		k0, k1, k2, k3 := w[i]*j0, w[i]*j1, w[i]*j2, w[i]*j3
		h00 += k0 * j0
		h01 += k0 * j1
		h02 += k0 * j2
		h03 += k0 * j3
		h04 += k0 * j4
		h11 += k1 * j1
		h12 += k1 * j2
		h13 += k1 * j3
		h14 += k1 * j4
		h22 += k2 * j2
		h23 += k2 * j3
		h24 += k2 * j4
		h33 += k3 * j3
		h34 += k3 * j4
		h44 += w[i] * j4 * j4
	}
	e.chi2 = chi2
	e.g = [fitDim]float64{g0, g1, g2, g3, g4}
	e.h = [fitDim][fitDim]float64{
		{h00, h01, h02, h03, h04},
		{h01, h11, h12, h13, h14},
		{h02, h12, h22, h23, h24},
		{h03, h13, h23, h33, h34},
		{h04, h14, h24, h34, h44},
	}
	for k := range p {
		q := (p[k] - fitMean[k]) / fitWidth[k]
		e.chi2 += q * q
		e.g[k] -= q / fitWidth[k]
		e.h[k][k] += 1 / (fitWidth[k] * fitWidth[k])
	}
}

// factor is the Cholesky factor of the matrix, scaled to a diagonal of ones, plus
// lambda times the identity; d are the roots of its diagonal.
func (e *normal) factor(lambda float64) (l [fitDim][fitDim]float64, d [fitDim]float64, ok bool) {
	for i := range d {
		d[i] = math.Sqrt(e.h[i][i])
	}
	for i := range l {
		for j := range i + 1 {
			v := e.h[i][j] / (d[i] * d[j])
			if i == j {
				v += lambda
			}
			for k := range j {
				v -= l[i][k] * l[j][k]
			}
			if i == j {
				if !(v > 0) {
					return l, d, false
				}
				l[i][i] = math.Sqrt(v)
			} else {
				l[i][j] = v / l[j][j]
			}
		}
	}
	return l, d, true
}

// solve returns the step that the normal equations propose.
func (e *normal) solve(lambda float64) (x [fitDim]float64, ok bool) {
	l, d, ok := e.factor(lambda)
	if !ok {
		return x, false
	}
	for i := range x {
		v := e.g[i] / d[i]
		for k := range i {
			v -= l[i][k] * x[k]
		}
		x[i] = v / l[i][i]
	}
	for i := fitDim - 1; i >= 0; i-- {
		v := x[i]
		for k := i + 1; k < fitDim; k++ {
			v -= l[k][i] * x[k]
		}
		x[i] = v / l[i][i]
	}
	for i := range x {
		x[i] /= d[i]
	}
	return x, true
}

// errors returns the formal standard errors; where the matrix is singular, the
// widths of the prior.
func (e *normal) errors() (sd [fitDim]float64) {
	l, d, ok := e.factor(1e-5)
	if !ok {
		return fitWidth
	}
	// Column j of the factor's inverse holds x with L·x = e_j; the inverse's
	// diagonal are the sums of squares over its columns.
	for j := range sd {
		var x [fitDim]float64
		x[j] = 1 / l[j][j]
		sum := x[j] * x[j]
		for i := j + 1; i < fitDim; i++ {
			var v float64
			for k := j; k < i; k++ {
				v -= l[i][k] * x[k]
			}
			x[i] = v / l[i][i]
			sum += x[i] * x[i]
		}
		sd[j] = math.Sqrt(sum) / d[j]
	}
	return sd
}
