package bank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"

	"github.com/mlens-go/microlens/mlens/event"
)

// Observing says how noisy light curves are realised from magnifications
// (§3.2). The zero value is the paper's: every epoch of the season measured.
type Observing struct {
	// SN is the range of the baseline signal-to-noise ratio, uniform. Zero
	// means 23 to 230.
	SN event.Range
	// Irregular is the fraction of light curves that are not on the season's
	// grid: they have a cadence of 10 to 15 minutes, a random phase, up to
	// three gaps and up to 60 % of the measurements missing.
	Irregular float64
}

// Realisation is one noisy light curve on the season's grid with its truth.
type Realisation struct {
	Theta event.Theta // t0 counted from the season's start
	SN    float64     // of the baseline
	event.Binned
}

// Realise draws a season, its direction in time, f_s, S/N and noise for
// simulation i and stores the light curve in dst, whose slices are reused.
// The randomness is all r's.
//
// Between the epochs of the stored curve magnifications are interpolated
// linearly.
func (b *Bank) Realise(dst *Realisation, i int, o Observing, r *rand.Rand) error {
	season := event.Season()
	c := b.Config.Cadence
	if c.Step != season.Step || c.N <= season.N {
		return fmt.Errorf("bank: curves of %d epochs, %g d apart, cannot be cut into seasons of %d epochs, %g d apart", c.N, c.Step, season.N, season.Step)
	}
	if o.SN == (event.Range{}) {
		o.SN = event.Range{Min: 23, Max: 230}
	}
	// One epoch more than a season, because reversal maps t to 72 d − t.
	start := r.IntN(c.N - season.N)
	a, err := b.Curve(nil, i, start, season.N+1)
	if err != nil {
		return err
	}
	p := b.Records[i].Params
	p.T0 -= float64(start) * c.Step
	if r.IntN(2) == 1 { // §3.3: time reversed, α → −(α + 180°)
		for j, k := 0, len(a)-1; j < k; j, k = j+1, k-1 {
			a[j], a[k] = a[k], a[j]
		}
		p.Alpha = math.Mod(540-p.Alpha, 360)
		p.T0 = season.Length() - p.T0
	}
	fs := b.Config.Prior.Fs
	p.Fs = fs.Min * math.Exp(r.Float64()*math.Log(fs.Max/fs.Min))
	dst.SN = o.SN.Min + (o.SN.Max-o.SN.Min)*r.Float64()
	dst.Theta = p.Theta()

	dst.Cadence = season
	dst.Flux, dst.Weight = zeros(dst.Flux, season.N), zeros(dst.Weight, season.N)
	base := dst.SN * dst.SN
	if r.Float64() >= o.Irregular {
		for j := range season.N {
			flux, sigma := event.Measure(base*(1+p.Fs*(float64(a[j])-1)), r)
			dst.Flux[j], dst.Weight[j] = flux, 1/(sigma*sigma)
		}
		return nil
	}
	for _, t := range irregularTimes(season, r) {
		x := t / c.Step
		j := int(x)
		w := x - float64(j)
		mag := (1-w)*float64(a[j]) + w*float64(a[j+1])
		flux, sigma := event.Measure(base*(1+p.Fs*(mag-1)), r)
		dst.Add(t, flux, sigma)
	}
	dst.Normalise()
	return nil
}

// irregularTimes draws the epochs of a season as a ground segment or a survey
// with gaps may leave them.
func irregularTimes(season event.Cadence, r *rand.Rand) []float64 {
	const minute = 1.0 / (24 * 60)
	step := (10 + 5*r.Float64()) * minute
	phase := step * r.Float64()
	missing := max(0, 1.2*r.Float64()-0.6) // half of the seasons miss none
	type gap struct{ from, to float64 }
	gaps := make([]gap, r.IntN(4))
	for k := range gaps {
		length := 0.3 * math.Exp(r.Float64()*math.Log(40)) // 0.3 to 12 days
		from := season.Length()*r.Float64() - length/2
		gaps[k] = gap{from, from + length}
	}
	sort.Slice(gaps, func(i, j int) bool { return gaps[i].from < gaps[j].from })
	var times []float64
	end := season.Step * (float64(season.N) - 0.5)
next:
	for k := 0; ; k++ {
		t := phase + float64(k)*step
		if t >= end {
			return times
		}
		if r.Float64() < missing {
			continue
		}
		for _, g := range gaps {
			if t >= g.from && t < g.to {
				continue next
			}
		}
		times = append(times, t)
	}
}

func zeros(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	s = s[:n]
	clear(s)
	return s
}
