package bank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

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

// Times draws the epochs of a season.
func (o Observing) Times(r *rand.Rand) []float64 {
	if r.Float64() >= o.Irregular {
		return event.Season().Times()
	}
	return irregularTimes(nil, event.Season(), r)
}

// DrawSN draws the baseline's signal-to-noise ratio.
func (o Observing) DrawSN(r *rand.Rand) float64 {
	sn := o.SN
	if sn == (event.Range{}) {
		sn = event.Range{Min: 23, Max: 230}
	}
	return sn.Min + (sn.Max-sn.Min)*r.Float64()
}

// Realisation is one noisy light curve on the season's grid with its truth.
type Realisation struct {
	Theta event.Theta // t0 counted from the season's start
	SN    float64     // of the baseline
	event.Binned

	raw       []byte    // the stored curve
	mag, when []float64 // magnifications and, if irregular, their times
}

// Realise draws a season, its direction in time, f_s, S/N and noise for
// simulation i and stores the light curve in dst, whose slices are reused.
// The randomness is all r's. Calls of one goroutine with the same dst allocate
// nothing.
func (b *Bank) Realise(dst *Realisation, i int, o Observing, r *rand.Rand) error {
	season := event.Season()
	c := b.Config.Cadence
	if c.Step != season.Step || c.N <= season.N {
		return fmt.Errorf("bank: curves of %d epochs, %g d apart, cannot be cut into seasons of %d epochs, %g d apart", c.N, c.Step, season.N, season.Step)
	}
	start := r.IntN(c.N - season.N)
	var stored curve
	var err error
	if dst.raw, err = b.open(&stored, dst.raw, i); err != nil {
		return err
	}
	p := b.Records[i].Params
	p.T0 -= float64(start) * c.Step
	reversed := r.IntN(2) == 1
	if reversed { // §3.3: t → 72 d − t, α → −(α + 180°)
		p.Alpha = math.Mod(540-p.Alpha, 360)
		p.T0 = season.Length() - p.T0
	}
	fs := b.Config.Prior.Fs
	p.Fs = fs.Min * math.Exp(r.Float64()*math.Log(fs.Max/fs.Min))
	dst.SN = o.DrawSN(r)
	dst.Theta = p.Theta()

	dst.Cadence = season
	dst.Flux, dst.Weight = zeros(dst.Flux, season.N), zeros(dst.Weight, season.N)
	base := dst.SN * dst.SN
	if r.Float64() >= o.Irregular {
		dst.mag = zeros(dst.mag, season.N)
		if reversed {
			stored.grid(dst.mag, start+1)
			slices.Reverse(dst.mag)
		} else {
			stored.grid(dst.mag, start)
		}
		for j, a := range dst.mag {
			flux, sigma := event.Measure(base*(1+p.Fs*(a-1)), r)
			dst.Flux[j], dst.Weight[j] = flux, 1/(sigma*sigma)
		}
		return nil
	}
	dst.when = irregularTimes(dst.when[:0], season, r)
	dst.mag = dst.mag[:0]
	for _, t := range dst.when {
		x := t / c.Step
		if reversed {
			x = float64(season.N) - x
		}
		dst.mag = append(dst.mag, float64(start)+x)
	}
	if reversed {
		slices.Reverse(dst.mag)
	}
	stored.at(dst.mag)
	if reversed {
		slices.Reverse(dst.mag)
	}
	for k, t := range dst.when {
		flux, sigma := event.Measure(base*(1+p.Fs*(dst.mag[k]-1)), r)
		dst.Add(t, flux, sigma)
	}
	dst.Normalise()
	return nil
}

// irregularTimes appends to times the epochs of a season as a ground segment or
// a survey with gaps may leave them.
func irregularTimes(times []float64, season event.Cadence, r *rand.Rand) []float64 {
	const minute = 1.0 / (24 * 60)
	step := (10 + 5*r.Float64()) * minute
	phase := step * r.Float64()
	missing := max(0, 1.2*r.Float64()-0.6) // half of the seasons miss none
	type gap struct{ from, to float64 }
	var room [3]gap
	gaps := room[:r.IntN(4)]
	for k := range gaps {
		length := 0.3 * math.Exp(r.Float64()*math.Log(40)) // 0.3 to 12 days
		from := season.Length()*r.Float64() - length/2
		gaps[k] = gap{from, from + length}
	}
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
