package plots

import (
	"math"
	"slices"
	"sort"

	"github.com/mlens-go/microlens/mlens/event"
)

// Curve is a model of a light curve: fluxes in the light curve's own unit at
// increasing times in days, dense enough to be joined by lines.
type Curve struct {
	Label       string
	Times, Flux []float64
}

// at returns the flux at time t by linear interpolation, NaN outside.
func (c *Curve) at(t float64) float64 {
	n := len(c.Times)
	if n == 0 || t < c.Times[0] || t > c.Times[n-1] {
		return math.NaN()
	}
	i := sort.SearchFloat64s(c.Times, t)
	if c.Times[i] == t {
		return c.Flux[i]
	}
	f := (t - c.Times[i-1]) / (c.Times[i] - c.Times[i-1])
	return c.Flux[i-1] + f*(c.Flux[i]-c.Flux[i-1])
}

// FluxScale is the scale of a light curve's vertical axis.
type FluxScale int

const (
	Relative  FluxScale = iota // flux over baseline flux
	Flux                       // flux in the light curve's unit
	Magnitude                  // magnitude, brighter upwards
)

// A sample is one measurement, or the weighted mean of consecutive ones.
type sample struct {
	t, f, err float64
	res       float64 // mean residual against the first model, in σ of one measurement
	n         int     // measurements in it
}

// samples returns the measurements with finite values and times in [t0, t1].
func samples(lc event.LightCurve, models []Curve, t0, t1 float64) []sample {
	var out []sample
	for i, t := range lc.Times {
		if t < t0 || t > t1 || bad(lc.Flux[i]) || !(lc.Err[i] > 0) || bad(lc.Err[i]) {
			continue
		}
		s := sample{t: t, f: lc.Flux[i], err: lc.Err[i], res: math.NaN(), n: 1}
		if len(models) > 0 {
			s.res = (s.f - models[0].at(t)) / s.err
		}
		out = append(out, s)
	}
	return out
}

// merge averages consecutive samples as long as that loses nothing to see:
// within width in time, and while χ² about their mean stays below k + 5√(2k) + 8
// for k degrees of freedom: a slope of 5σ across the width ends an average, a
// lone outlier of 4σ does not. Few samples stay as they are.
func merge(in []sample, width float64) []sample {
	const few = 400
	if len(in) <= few {
		return in
	}
	var out []sample
	for i := 0; i < len(in); {
		var sw, st, sf, sff, sr float64
		n := 0
		for j := i; j < len(in) && in[j].t-in[i].t <= width; j++ {
			w := 1 / (in[j].err * in[j].err)
			d := in[j].f - in[i].f // so that the sums do not cancel
			sw1, sf1, sff1 := sw+w, sf+w*d, sff+w*d*d
			if k := float64(j - i); k > 0 && sff1-sf1*sf1/sw1 > k+5*math.Sqrt(2*k)+8 {
				break
			}
			sw, sf, sff = sw1, sf1, sff1
			st += w * in[j].t
			sr += in[j].res
			n++
		}
		out = append(out, sample{t: st / sw, f: in[i].f + sf/sw, err: 1 / math.Sqrt(sw), res: sr / float64(n), n: n})
		i += n
	}
	return out
}

// baseline estimates the flux without magnification: the median of the
// measurements within 3σ of the half-sample mode (Robertson & Cryer 1974),
// because most of a light curve is baseline. Use a model's where there is one.
func baseline(all []sample) float64 {
	f := make([]float64, len(all))
	for i, s := range all {
		f[i] = s.f
	}
	slices.Sort(f)
	mode := halfSampleMode(f)
	var near []float64
	for _, s := range all {
		if math.Abs(s.f-mode) <= 3*s.err {
			near = append(near, s.f)
		}
	}
	if len(near) == 0 {
		return mode
	}
	slices.Sort(near)
	return near[len(near)/2]
}

// halfSampleMode narrows sorted values to the densest half again and again.
func halfSampleMode(f []float64) float64 {
	for len(f) > 3 {
		h := (len(f) + 1) / 2
		at := 0
		for i := 0; i+h <= len(f); i++ {
			if f[i+h-1]-f[i] < f[at+h-1]-f[at] {
				at = i
			}
		}
		f = f[at : at+h]
	}
	return f[len(f)/2]
}
