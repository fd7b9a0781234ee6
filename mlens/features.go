package mlens

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/flow"
)

// What the networks are shown of a light curve on the season's grid.
const (
	channels = 4  // log flux, significance, mask, residual
	scalars  = 15 // S/N of the baseline, the single-lens fit, where its largest residual is
)

// Two closer looks, for networks with branches: the event in units of the fit's
// tE, and the surroundings of the fit's largest residual.
const (
	eventPoints, eventChannels     = 512, 3
	anomalyPoints, anomalyChannels = 256, 3
	eventRange                     = 2.0 // tE on either side
)

// views are the branches of a network that takes the closer looks.
func views() []flow.Branch {
	return []flow.Branch{
		{Length: eventPoints, Channels: eventChannels, Patch: 16, Dims: []int{48, 48}, Width: 128},
		{Length: anomalyPoints, Channels: anomalyChannels, Patch: 8, Dims: []int{32}, Width: 64},
	}
}

// The baseline is the 10th percentile of the means of chunks of 32 bins.
const (
	chunk            = 32
	baselineQuantile = 0.10
)

const snStride = 8

// residualBlock is the number of epochs over which the largest residual is
// looked for.
const residualBlock = 8

// features are the network's input: what it is shown of a light curve, and the
// single lens that its parameters are counted from.
type features struct {
	x       []float32 // [bins][channels]
	c       []float32 // [scalars]
	event   []float32 // [eventPoints][eventChannels]
	anomaly []float32 // [anomalyPoints][anomalyChannels]
	fit     singleFit
}

// newFeatures makes room for the features of one light curve.
func newFeatures() *features {
	return &features{
		x: make([]float32, event.Season().N*channels), c: make([]float32, scalars),
		event: make([]float32, eventPoints*eventChannels), anomaly: make([]float32, anomalyPoints*anomalyChannels),
	}
}

// context embeds the features.
func (f *features) context(m *flow.Model) ([]float32, error) {
	if len(m.Config.Branches) == 0 {
		return m.Context(f.x, f.c)
	}
	return m.Context(f.x, f.c, f.event, f.anomaly)
}

// featuriser turns light curves into features; it holds work space.
type featuriser struct {
	fitter fitter
	sn     []float64
	means  []mean
	// Running sums over the epochs before each: of asinh of the residual, of log
	// flux, of the mask.
	residual, log, mask []float64
}

type mean struct{ flux, err float64 }

// compute sets dst to the features of lc. With b the baseline, per bin
//
//	x0 = 2·ln(max(f, b/50)/b)
//	x1 = asinh((f − b)/σ) / 3
//	x2 = 1 if the bin was measured, else all four are 0
//	x3 = asinh((f − g)/σ), g the best single lens
//
// and c0 = (ln(S/N) − 4.6)/0.6 with S/N = √(b·f)/σ, the median over bins, which
// for photon noise is the baseline's signal-to-noise ratio (every snStride-th
// measured bin is enough). All are free of the flux's unit. The other scalars
// are the fit's parameters, χ² and errors, then size and time of the largest
// residual over residualBlock epochs.
func (z *featuriser) compute(dst *features, lc event.Binned) error {
	b, err := z.baseline(lc)
	if err != nil {
		return err
	}
	dst.fit = z.fitter.fit(lc, b)
	n := len(lc.Flux)
	z.residual, z.log, z.mask = grown(z.residual, n+1), grown(z.log, n+1), grown(z.mask, n+1)
	x := dst.x
	clear(x)
	z.sn = z.sn[:0]
	seen := 0
	p := &dst.fit.p
	t0, rate, u02 := p[fitT0], math.Exp(-p[fitTE]), math.Exp(2*p[fitU0])
	level := b * math.Exp(p[fitF])
	source := level * math.Exp(p[fitFs])
	var residual, log, mask float64
	largest, size, at := 0.0, -1.0, 0 // residual block
	var block, blockN float64
	for i, w := range lc.Weight {
		if w > 0 {
			f, root := lc.Flux[i], math.Sqrt(w)
			tau := (lc.Cadence.Step*float64(i) - t0) * rate
			r := (f - level - source*(magnification(tau*tau+u02)-1)) * root
			l, a := 2*ln(max(f/b, 0.02)), asinh(r)
			y := x[channels*i:][:channels]
			y[0] = float32(l)
			y[1] = float32(asinh((f-b)*root) / 3)
			y[2] = 1
			y[3] = float32(a)
			if seen++; seen%snStride == 1 && f > 0 {
				z.sn = append(z.sn, b*f*w)
			}
			residual += a
			log += l
			mask++
			block += r
			blockN++
		}
		z.residual[i+1], z.log[i+1], z.mask[i+1] = residual, log, mask
		if (i+1)%residualBlock == 0 {
			block /= math.Sqrt(blockN) // NaN where nothing was measured
			if math.Abs(block) > size {
				largest, size, at = block, math.Abs(block), i/residualBlock
			}
			block, blockN = 0, 0
		}
	}
	if len(z.sn) == 0 {
		return fmt.Errorf("hardly any flux is above 0: is this a difference flux, or a magnitude read as a flux?")
	}
	slices.Sort(z.sn)
	start := clampInt(at*residualBlock+residualBlock/2-anomalyPoints/2, 0, n-anomalyPoints)
	z.scalars(dst, math.Sqrt(z.sn[len(z.sn)/2]), largest, at, start, lc.Cadence.Step)
	z.eventView(dst, lc.Cadence.Step)
	for i := range anomalyPoints {
		from, to := x[channels*(start+i):][:channels], dst.anomaly[anomalyChannels*i:][:anomalyChannels]
		to[0], to[1], to[2] = from[3], from[0], from[2]
	}
	return nil
}

// scalars sets dst.c: sn is the baseline's signal-to-noise ratio, residual the
// largest one, in block at, and start the first epoch of the view of it.
func (z *featuriser) scalars(dst *features, sn, residual float64, at, start int, step float64) {
	s := &dst.fit
	t := step * (float64(at*residualBlock) + (residualBlock-1)/2.0)
	c := append(dst.c[:0],
		float32((math.Log(sn)-4.6)/0.6),
		float32((s.p[fitT0]-36)/20),
		float32(s.p[fitTE]-2.6),
		float32(s.p[fitU0]+0.6),
		float32(s.p[fitFs]+1.1),
		float32(s.p[fitF]*5),
		float32(math.Log(max(s.chi2, 1e-3))/3),
	)
	for k, offset := range [fitDim]float64{1, 1.5, 1.5, 1.5, 2} {
		c = append(c, float32(math.Log(max(s.sd[k], 1e-9))/2+offset))
	}
	dst.c = append(c,
		float32(asinh(residual)/3),
		float32(asinh((t-s.t0())/s.tE()*3)),
		float32(step*float64(start+anomalyPoints/2)-t),
	)
}

// eventView sets dst.event: at eventPoints times within eventRange·tE of t0, over
// the width between them or an epoch,
//
//	0: asinh of the sum of x3 over √n, n the bins measured
//	1: the mean of x0
//	2: the fraction of the bins measured, with none of which all are 0
func (z *featuriser) eventView(dst *features, step float64) {
	t0, te := dst.fit.t0(), dst.fit.tE()
	const cell = 2 * eventRange / eventPoints // tE
	n := len(z.mask) - 1
	half := max(te*cell/step/2, 0.5)
	for i := range eventPoints {
		y := dst.event[eventChannels*i:][:eventChannels]
		clear(y)
		x := (t0 + te*cell*(float64(i)-(eventPoints-1)/2.0)) / step
		lo := int(math.Floor(clamp(x-half+1, 0, float64(n))))
		hi := min(max(int(math.Floor(clamp(x+half+1, 0, float64(n)))), lo+1), n)
		m := 0.0
		if lo < hi && x > -1 && x < float64(n) {
			m = z.mask[hi] - z.mask[lo]
		}
		if m > 0 {
			y[0] = float32(asinh((z.residual[hi] - z.residual[lo]) / math.Sqrt(m)))
			y[1] = float32((z.log[hi] - z.log[lo]) / m)
			y[2] = float32(m / float64(hi-lo))
		}
	}
}

func clampInt(x, lo, hi int) int { return min(max(x, lo), hi) }

// grown is s with n numbers.
func grown(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}

// asinh is math.Asinh to 1e-8 absolute and much faster.
func asinh(z float64) float64 {
	return math.Copysign(ln(math.Abs(z)+math.Sqrt(z*z+1)), z)
}

// ln is math.Log to 1e-9 absolute and three times as fast, for x normal and
// above 0: x = 2ᵉ·m, ln m = 2·artanh((m − 1)/(m + 1)) with m within √2 of 1.
func ln(x float64) float64 {
	const half = 0x3fe6a09e667f3bcd // bits of 1/√2
	bits := math.Float64bits(x) - half
	e := int64(bits) >> 52
	m := math.Float64frombits(bits&(1<<52-1) + half)
	f := (m - 1) / (m + 1)
	q := f * f
	return float64(e)*math.Ln2 + 2*f*(1+q*(1.0/3+q*(1.0/5+q*(1.0/7+q*(1.0/9)))))
}

// baseline estimates the flux without magnification. It must be measured: the
// network sees fluxes relative to it, and a difference flux, which has none,
// scatters around 0.
func (z *featuriser) baseline(lc event.Binned) (float64, error) {
	const least = 5 // standard errors above 0
	z.means = z.means[:0]
	for lo := 0; lo < len(lc.Flux); lo += chunk {
		var sum, variance, n float64
		for i := lo; i < min(lo+chunk, len(lc.Flux)); i++ {
			if w := lc.Weight[i]; w > 0 {
				sum += lc.Flux[i]
				variance += 1 / w
				n++
			}
		}
		if n > 0 {
			z.means = append(z.means, mean{sum / n, math.Sqrt(variance) / n})
		}
	}
	if len(z.means) == 0 {
		return 0, fmt.Errorf("the light curve has no measurement on the season's grid")
	}
	slices.SortFunc(z.means, func(a, b mean) int { return cmp.Compare(a.flux, b.flux) })
	b := z.means[int(baselineQuantile*float64(len(z.means)))]
	if !(b.flux > 0 && b.flux >= least*b.err) {
		return 0, fmt.Errorf("the baseline flux is %.4g ± %.2g, but must be above 0 by %d standard errors: difference fluxes need the flux of the reference image added", b.flux, b.err, least)
	}
	return b.flux, nil
}
