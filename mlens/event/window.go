package event

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// MinPoints is the smallest number of measurements from which anything is
// estimated.
const MinPoints = 30

// Window returns the measurements in [start, start+length), with times counted
// from start. The slices are copies.
//
// An error says when fewer than [MinPoints] measurements fall inside.
func (lc LightCurve) Window(start, length float64) (LightCurve, error) {
	if !(length > 0) || math.IsNaN(start) || math.IsInf(start, 0) {
		return LightCurve{}, fmt.Errorf("event: %s: a window of %v days from %v cannot be", lc.Name, length, start)
	}
	if err := lc.Check(); err != nil {
		return LightCurve{}, err
	}
	// Points are chosen by their own offset, so that a common shift of times
	// and window chooses the same ones.
	lo := sort.Search(lc.Len(), func(i int) bool { return lc.Times[i]-start >= 0 })
	hi := sort.Search(lc.Len(), func(i int) bool { return lc.Times[i]-start >= length })
	if hi-lo < MinPoints {
		return LightCurve{}, fmt.Errorf("event: %s: %d measurements between %s and %s, but at least %d are needed; the light curve runs from %s to %s: choose another start of the window",
			lc.Name, hi-lo, days(start), days(start+length), MinPoints, days(first(lc.Times)), days(last(lc.Times)))
	}
	w := LightCurve{Name: lc.Name, Unit: lc.Unit, Times: slices.Clone(lc.Times[lo:hi]), Flux: slices.Clone(lc.Flux[lo:hi]), Err: slices.Clone(lc.Err[lo:hi])}
	for i := range w.Times {
		w.Times[i] -= start
	}
	return w, nil
}

// Without returns the light curve less what was measured from one time to
// another.
func (lc LightCurve) Without(from, to float64) LightCurve {
	out := lc
	out.Times, out.Flux, out.Err = nil, nil, nil
	for i, t := range lc.Times {
		if t < from || t > to {
			out.Times, out.Flux, out.Err = append(out.Times, t), append(out.Flux, lc.Flux[i]), append(out.Err, lc.Err[i])
		}
	}
	return out
}

func first(t []float64) float64 {
	if len(t) == 0 {
		return math.NaN()
	}
	return t[0]
}

func last(t []float64) float64 {
	if len(t) == 0 {
		return math.NaN()
	}
	return t[len(t)-1]
}

// Windows proposes the start of one window of the given length, in days, for
// each observing season (a season ends where nothing was measured for 20 days):
// its first measurement or, in a season longer than a window, the start that
// centres the brightest part. They come in order of time.
func (lc LightCurve) Windows(length float64) []float64 {
	const seasonGap = 20 // days
	var starts []float64
	for lo := 0; lo < lc.Len(); {
		hi := lo + 1
		for hi < lc.Len() && lc.Times[hi]-lc.Times[hi-1] < seasonGap {
			hi++
		}
		begin, end := lc.Times[lo], lc.Times[hi-1]
		if end-begin < length {
			starts = append(starts, begin)
		} else {
			centre := lc.Times[lo+brightest(lc.Flux[lo:hi])]
			starts = append(starts, min(max(centre-length/2, begin), end-length))
		}
		lo = hi
	}
	return starts
}

// brightest returns the index at the middle of the run of 5 measurements with
// the highest median, so that a single outlier does not decide.
func brightest(flux []float64) int {
	best, at := math.Inf(-1), 0
	var run [5]float64
	for i := 2; i+2 < len(flux); i++ {
		copy(run[:], flux[i-2:i+3])
		slices.Sort(run[:])
		if run[2] > best {
			best, at = run[2], i
		}
	}
	return at
}

// BestWindow returns the start of the proposed window in which the flux
// deviates most from the baseline of the whole series.
func (lc LightCurve) BestWindow(length float64) (float64, error) {
	if err := lc.Check(); err != nil {
		return 0, err
	}
	base := quantile(lc.Flux, 0.25)
	best, start, most := -1.0, math.NaN(), 0
	for _, s := range lc.Windows(length) {
		w, err := lc.Window(s, length)
		if err != nil {
			// A season of a few points cannot be used; others may.
			n := 0
			for _, t := range lc.Times {
				if t-s >= 0 && t-s < length {
					n++
				}
			}
			most = max(most, n)
			continue
		}
		var chi2 float64
		for i, f := range w.Flux {
			z := max(0, f-base) / w.Err[i]
			chi2 += z * z
		}
		if chi2 > best {
			best, start = chi2, s
		}
	}
	if math.IsNaN(start) {
		return 0, fmt.Errorf("event: %s: no window of %g days holds %d measurements, the fullest holds %d; shorter or sparser light curves cannot be used", lc.Name, length, MinPoints, most)
	}
	return start, nil
}

// quantile returns the p-quantile of v, which it leaves as it is.
func quantile(v []float64, p float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Clone(v)
	slices.Sort(s)
	return s[min(len(s)-1, int(p*float64(len(s))))]
}

// Binned is a light curve on a regular grid. Bin i holds the inverse-variance
// mean Flux[i] of the measurements in it and the sum of their inverse
// variances, Weight[i] = 1/σ²; a bin without measurements has Weight 0.
type Binned struct {
	Cadence Cadence
	Flux    []float64
	Weight  []float64
}

// binEdge places the edges between bins, in units of the step after a grid
// point. It is not one half: measurements at simple fractions of the step
// would fall on the edges, where rounding decides.
const binEdge = 0.503

// Index returns the bin of the grid to which time t belongs; it may be outside
// [0, N).
func (c Cadence) Index(t float64) int {
	return int(math.Ceil(t/c.Step - binEdge))
}

// Bin averages the measurements onto the grid c, whose first bin is centred on
// time 0. Measurements outside the grid are left out.
func (lc LightCurve) Bin(c Cadence) Binned {
	b := Binned{Cadence: c, Flux: make([]float64, c.N), Weight: make([]float64, c.N)}
	for i, t := range lc.Times {
		b.Add(t, lc.Flux[i], lc.Err[i])
	}
	b.Normalise()
	return b
}

// Add adds a measurement to the sums of its bin, if it has one. After the last,
// call [Binned.Normalise].
func (b *Binned) Add(t, flux, sigma float64) {
	k := b.Cadence.Index(t)
	if k < 0 || k >= b.Cadence.N {
		return
	}
	w := 1 / (sigma * sigma)
	b.Flux[k] += w * flux
	b.Weight[k] += w
}

// Normalise turns the weighted sums of [Binned.Add] into means.
func (b *Binned) Normalise() {
	for k, w := range b.Weight {
		if w > 0 {
			b.Flux[k] /= w
		}
	}
}

// LightCurve returns the bins that hold measurements, at their centres.
func (b Binned) LightCurve(name string) LightCurve {
	lc := LightCurve{Name: name}
	for k, w := range b.Weight {
		if w > 0 {
			lc.Times = append(lc.Times, float64(k)*b.Cadence.Step)
			lc.Flux = append(lc.Flux, b.Flux[k])
			lc.Err = append(lc.Err, 1/math.Sqrt(w))
		}
	}
	return lc
}
