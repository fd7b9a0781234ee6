package mlens

import (
	"fmt"
	"math"
	"slices"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/flow/maf"
)

// Posterior is a network's posterior of one event, in the coordinates of an
// [event.Theta]. t0 is counted from the start of the window.
type Posterior struct {
	// Window is the light curve that was conditioned on.
	Window event.LightCurve

	est     *Estimator
	density *maf.Density
}

// Condition returns the posterior of the event in lc, which must be one window
// of at most 72 days, with times counted from its start: see
// [event.LightCurve.Window].
func (e *Estimator) Condition(lc event.LightCurve) (*Posterior, error) {
	if err := lc.Check(); err != nil {
		return nil, err
	}
	season := event.Season()
	if lc.Len() < event.MinPoints {
		return nil, fmt.Errorf("mlens: %s: %d measurements, but at least %d are needed", lc.Name, lc.Len(), event.MinPoints)
	}
	if first, last := lc.Times[0], lc.Times[lc.Len()-1]; first < -season.Step || last > season.Length()+season.Step {
		return nil, fmt.Errorf("mlens: %s: times run from %g to %g, but the network sees one window of %g days counted from its start: cut it with Window",
			lc.Name, first, last, season.Length())
	}
	x, c := make([]float32, season.N*channels), make([]float32, scalars)
	if err := features(x, c, lc.Bin(season)); err != nil {
		return nil, fmt.Errorf("%s: %w", lc.Name, err)
	}
	h, err := e.model.Context(x, c)
	if err != nil {
		return nil, fmt.Errorf("mlens: %s: %w", lc.Name, err)
	}
	return &Posterior{Window: lc, est: e, density: e.model.Density(h)}, nil
}

// Sample draws n parameter sets from the posterior; the same seed gives the
// same draws. Draws outside the prior are drawn again and α is taken modulo
// 360°. Where so little of the network's density lies inside the prior that 30
// tries a draw do not suffice, the result is shorter than n.
func (p *Posterior) Sample(n int, seed uint64) []event.Theta {
	const tries = 30
	out := make([]event.Theta, 0, n)
	z := make([]float32, max(n, 1024)*event.Dim)
	for round := 0; len(out) < n && round < tries; round++ {
		p.density.Sample(z, seed+uint64(round)*0x9e3779b97f4a7c15)
		for i := 0; i < len(z) && len(out) < n; i += event.Dim {
			if t, ok := p.inside(z[i:]); ok {
				out = append(out, t)
			}
		}
	}
	return out
}

// inside returns the parameters of standardised ones and whether they lie in
// the prior.
func (p *Posterior) inside(z []float32) (event.Theta, bool) {
	var t event.Theta
	for k := range t {
		t[k] = float64(z[k])
	}
	t = p.est.Scaler.Physical(t)
	t[event.Alpha] = math.Mod(math.Mod(t[event.Alpha], 360)+360, 360)
	return t, p.est.Prior.Contains(t)
}

// Inside estimates the fraction of the network's density that lies inside the
// prior, from 4,096 draws.
func (p *Posterior) Inside() float64 {
	z := make([]float32, 4096*event.Dim)
	p.density.Sample(z, 1)
	n := 0
	for i := 0; i < len(z); i += event.Dim {
		if _, ok := p.inside(z[i:]); ok {
			n++
		}
	}
	return float64(n) / 4096
}

// LogProb returns the logarithm of the network's density at each t, per unit of
// the coordinates of a Theta; −Inf outside the prior. The density is the
// network's own, summed over the turns of α; it integrates over the prior to
// [Posterior.Inside], not to 1.
func (p *Posterior) LogProb(ts []event.Theta) []float64 {
	const turns = 3 // α − 360°, α, α + 360°
	y := make([]float32, 0, turns*len(ts)*event.Dim)
	for _, t := range ts {
		for turn := -1; turn <= 1; turn++ {
			u := t
			u[event.Alpha] += 360 * float64(turn)
			for _, v := range p.est.Scaler.Standard(u) {
				y = append(y, float32(v))
			}
		}
	}
	lp := p.density.LogProb(nil, y)
	out := make([]float64, len(ts))
	volume := p.est.Scaler.LogVolume()
	for i, t := range ts {
		if !p.est.Prior.Contains(t) {
			out[i] = math.Inf(-1)
			continue
		}
		three := lp[turns*i:][:turns]
		top := float64(slices.Max(three))
		var sum float64
		for _, v := range three {
			sum += math.Exp(float64(v) - top)
		}
		out[i] = top + math.Log(sum) - volume
	}
	return out
}
