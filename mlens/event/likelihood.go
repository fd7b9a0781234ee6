package event

import (
	"fmt"
	"math"
)

// Likelihood is the exact likelihood of a light curve as a function of the seven
// parameters that decide the magnification. The two others, on which the flux
// depends linearly, are integrated out: f_s over the prior, the baseline flux
// over a flat prior of its root, which for photon noise is the baseline's S/N.
//
// It holds no state of a call, and may be used by many goroutines.
type Likelihood struct {
	lc    LightCurve
	prior Prior
	gain  float64 // flux unit per photon; 0: the errors are those given
	exact *pool
}

// NewLikelihood returns the likelihood of lc under prior.
//
// Where the squared errors are proportional to the fluxes, as those that
// [Params.Simulate] gives, the noise is taken to be the photons' own, Eq. 3 of
// Zhang et al. 2021: flux g is measured as N(g, g). The error column, which is
// then a function of the noisy flux, only tells what one photon is. Otherwise
// the errors are taken as they stand.
func NewLikelihood(lc LightCurve, prior Prior) (*Likelihood, error) {
	if _, err := NewExact(lc); err != nil {
		return nil, err
	}
	return &Likelihood{lc: lc, prior: prior, gain: photonGain(lc), exact: newPool(lc)}, nil
}

// Photons tells whether the noise is taken to be the photons' own.
func (l *Likelihood) Photons() bool { return l.gain > 0 }

// photonGain returns what one photon is in the unit of the flux if the errors
// are those of photon noise to a thousandth, the precision of printed numbers,
// and 0 otherwise.
func photonGain(lc LightCurve) float64 {
	const rounding = 1e-3
	ratio := make([]float64, 0, lc.Len())
	for i, f := range lc.Flux {
		if f > 0 {
			ratio = append(ratio, lc.Err[i]*lc.Err[i]/f)
		}
	}
	if len(ratio) == 0 {
		return 0
	}
	gain := quantile(ratio, 0.5)
	n := 0
	for _, r := range ratio {
		if math.Abs(r-gain) < rounding*gain {
			n++
		}
	}
	if n < lc.Len()*99/100 {
		return 0
	}
	return gain
}

// At returns what the light curve says of the two linear parameters at the
// magnification of p, whose Fs only decides how precisely that is computed. An
// error tells why there is no magnification.
func (l *Likelihood) At(p Params) (Linear, error) { return l.Observe(p, nil) }

// Observe is At, and stores the light curve's residuals in dst, which has Len of them, in
// the standard errors given and at the fluxes within the prior that fit best, unless dst is
// nil.
func (l *Likelihood) Observe(p Params, dst []float32) (Linear, error) {
	e := l.exact.get()
	defer l.exact.put(e)
	a, err := e.Magnification(p)
	if err != nil {
		return Linear{}, err
	}
	lin, err := l.Linear(a)
	if err == nil && dst != nil {
		unit := 1.0
		if l.gain > 0 {
			unit = l.gain
		}
		base, source := lin.inside()
		for i, y := range l.lc.Flux {
			dst[i] = float32((y - unit*(base+source*(a[i]-1))) / l.lc.Err[i])
		}
	}
	return lin, err
}

// Len returns the number of residuals that Observe stores.
func (l *Likelihood) Len() int { return l.lc.Len() }

// Linear returns what the light curve says of the two linear parameters if a are
// the magnifications at its times.
func (l *Likelihood) Linear(a []float64) (Linear, error) {
	if len(a) != l.lc.Len() {
		panic(fmt.Sprintf("event: %d magnifications for %d measurements", len(a), l.lc.Len()))
	}
	lin := Linear{Fs: l.prior.Fs}
	// With the errors as weights the fluxes are those of least squares; for
	// photon noise that is where Newton's method starts.
	w := weighted{given: true, slopes: l.gain > 0}
	w.add(l.lc, a, l.gain, 0, 0)
	lin.expand(w, 0, 0)
	if l.gain == 0 {
		return lin, lin.check()
	}
	const steps = 3
	for i := range steps {
		base, source := lin.inside()
		w = weighted{slopes: i+1 < steps}
		w.add(l.lc, a, l.gain, base, source)
		lin.expand(w, base, source)
	}
	return lin, lin.check()
}

// weighted is ln L at some (baseline, source) with its gradient and the negative
// of its Hessian.
type weighted struct {
	given      bool // errors as given, else N(g, g)
	slopes     bool // only the derivatives are wanted
	ln         float64
	g1, g2     float64
	bb, bs, ss float64
}

// add sums over the light curve; the flux is base + source·(a − 1).
func (w *weighted) add(lc LightCurve, a []float64, gain, base, source float64) {
	unit := 1.0
	if gain > 0 {
		unit = 1 / gain
	}
	if !w.given && !(base > 0) {
		w.ln = math.NaN() // no photons
		return
	}
	// ln L has ½ ln of the product of all variances; logarithms are slow.
	const many = 1e150
	product := 1.0
	for i, y := range lc.Flux {
		y *= unit
		x := a[i] - 1
		var slope, bend float64
		if w.given {
			s := lc.Err[i] * unit
			bend = 1 / (s * s)
			r := y - base - source*x
			slope = r * bend
			if !w.slopes {
				w.ln -= r * slope / 2
				product *= s * s
			}
		} else {
			g := max(base+source*x, 1e-3*base)
			one := 1 / g
			r := (y - g) * one
			// ln L = −(y − g)²/2g − ½ ln g
			slope = r + r*r/2 - one/2
			bend = (1+r)*(1+r)*one - one*one/2
			if !w.slopes {
				w.ln -= r * r * g / 2
				product *= g
			}
		}
		if !(product < many && product > 1/many) {
			w.ln -= math.Log(product) / 2
			product = 1
		}
		w.g1 += slope
		w.g2 += slope * x
		w.bb += bend
		w.bs += bend * x
		w.ss += bend * x * x
	}
	w.ln -= math.Log(product)/2 + float64(len(a))*log2π/2
}

var log2π = math.Log(2 * math.Pi)

// Linear is the likelihood as a function of the two linear parameters: a
// Gaussian about its peak, exactly if the errors are given, and to a few
// thousandths of ln L for photon noise (a test). The flux is B + S·(A − 1), in
// photons or in the light curve's unit; f_s = S/B.
type Linear struct {
	Base, Source float64 // the peak, which may lie outside the prior
	LogPeak      float64 // ln L there
	bb, bs, ss   float64 // minus the second derivatives of ln L
	Fs           Range   // of the prior, log-uniform
}

// expand sets the Gaussian from ln L and its derivatives at (base, source).
func (l *Linear) expand(w weighted, base, source float64) {
	det := w.bb*w.ss - w.bs*w.bs
	l.bb, l.bs, l.ss = w.bb, w.bs, w.ss
	if !(det > 1e-12*w.bb*w.ss) {
		// No magnification: the source does nothing, and the prior decides.
		db := w.g1 / w.bb
		l.Base, l.Source, l.LogPeak = base+db, source, w.ln+db*w.g1/2
		return
	}
	db := (w.ss*w.g1 - w.bs*w.g2) / det
	ds := (w.bb*w.g2 - w.bs*w.g1) / det
	l.Base, l.Source = base+db, source+ds
	l.LogPeak = w.ln + (db*w.g1+ds*w.g2)/2
}

// inside returns the point within the prior's range of f_s where the likelihood
// is highest.
func (l *Linear) inside() (base, source float64) {
	fs := l.Source / l.Base
	if fs >= l.Fs.Min && fs <= l.Fs.Max && l.Base > 0 {
		return l.Base, l.Source
	}
	best := math.Inf(-1)
	for _, f := range []float64{l.Fs.Min, l.Fs.Max} {
		_, b, ln := l.given(f)
		if ln > best {
			best, base, source = ln, b, f*b
		}
	}
	return base, source
}

// given returns the Gaussian in the baseline at a given f_s: minus its second
// derivative, its peak, and ln L there.
func (l *Linear) given(f float64) (bend, base, ln float64) {
	bend = l.bb + 2*f*l.bs + f*f*l.ss
	b := l.bb*l.Base + l.bs*(l.Source+f*l.Base) + f*l.ss*l.Source
	// What is lost by the distance of the peak from the line S = f·B.
	d := l.Source - f*l.Base
	return bend, b / bend, l.LogPeak - d*d*(l.bb*l.ss-l.bs*l.bs)/bend/2
}

func (l *Linear) check() error {
	if v := l.LogPeak + l.Base + l.Source + l.bb + l.ss; v-v != 0 || !(l.bb > 0) {
		return fmt.Errorf("event: the likelihood is not finite")
	}
	return nil
}

// LogAt returns the logarithm of likelihood times prior at f_s = f, the baseline
// integrated out.
func (l *Linear) LogAt(f float64) float64 {
	bend, base, ln := l.given(f)
	if !(base > 0) {
		return math.Inf(-1)
	}
	// dB = 2√B d√B with a flat prior of √B; its unit is that of √B.
	return ln + (log2π-math.Log(bend))/2 - math.Log(2*math.Sqrt(base)) - math.Log(f*math.Log(l.Fs.Max/l.Fs.Min))
}

// fsNodes is the number of points on which f_s is integrated and drawn.
const fsNodes = 65

// grid returns the interval of f_s that holds all but 1e-12 of the posterior,
// and the best point in it.
func (l *Linear) grid() (lo, hi, best float64) {
	base, source := l.inside()
	best = min(max(source/base, l.Fs.Min), l.Fs.Max)
	bend := l.bb + 2*best*l.bs + best*best*l.ss
	det := l.bb*l.ss - l.bs*l.bs
	if !(det > 0) {
		return l.Fs.Min, l.Fs.Max, best
	}
	sigma := math.Sqrt(bend/det) / base
	reach := 7.5 * sigma
	if d := math.Abs(l.Source/l.Base-best) / sigma; d > 4 {
		reach = 30 * sigma / d // the tail of a Gaussian is an exponential
	}
	return max(l.Fs.Min, best-reach), min(l.Fs.Max, best+reach), best
}

// LogMarginal returns the logarithm of the likelihood integrated over f_s and
// the baseline, under their priors.
func (l *Linear) LogMarginal() float64 {
	lo, hi, best := l.grid()
	top := l.LogAt(best)
	h := (hi - lo) / (fsNodes - 1)
	var sum float64
	for i := range fsNodes { // Simpson
		w := 2.0
		switch {
		case i == 0 || i == fsNodes-1:
			w = 1
		case i%2 == 1:
			w = 4
		}
		sum += w * math.Exp(l.LogAt(lo+float64(i)*h)-top)
	}
	return top + math.Log(sum*h/3)
}

// LogDensityFs returns the logarithm of the posterior density of f_s, given the
// other seven parameters.
func (l *Linear) LogDensityFs(fs float64) float64 {
	if !l.Fs.contains(fs) {
		return math.Inf(-1)
	}
	return l.LogAt(fs) - l.LogMarginal()
}

// SampleFs returns the quantile u of the posterior of f_s, given the other seven
// parameters: a draw, if u is uniform in (0, 1).
func (l *Linear) SampleFs(u float64) float64 {
	lo, hi, best := l.grid()
	top := l.LogAt(best)
	h := (hi - lo) / (fsNodes - 1)
	var p, cum [fsNodes]float64
	for i := range p {
		p[i] = math.Exp(l.LogAt(lo+float64(i)*h) - top)
		if i > 0 {
			cum[i] = cum[i-1] + (p[i-1]+p[i])/2
		}
	}
	u *= cum[fsNodes-1]
	for i := 1; i < fsNodes; i++ {
		if u > cum[i] && i < fsNodes-1 {
			continue
		}
		// Within a cell the density is linear.
		v, a, b := u-cum[i-1], p[i-1], p[i]
		t := v / max(a, 1e-300)
		if b != a {
			t = 2 * v / (a + math.Sqrt(max(0, a*a+2*v*(b-a))))
		}
		return lo + h*(float64(i-1)+min(max(t, 0), 1))
	}
	return hi
}
