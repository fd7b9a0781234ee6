package mlens

import (
	"fmt"
	"math"
	"slices"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/flow/maf"
	"github.com/mlens-go/microlens/mlens/internal/spell"
)

// Posterior is a network's posterior of one event, in the coordinates of an
// [event.Theta]. t0 is counted from the start of the window.
type Posterior struct {
	// Window is the light curve that was conditioned on.
	Window event.LightCurve

	est     *Estimator
	prior   event.Prior // of all that is exact
	single  singleFit   // the best one of the light curve
	density *maf.Density
}

// Condition returns the posterior of the event in lc, which must be one window
// of at most 72 days, with times counted from its start: see
// [event.LightCurve.Window].
func (e *Estimator) Condition(lc event.LightCurve) (*Posterior, error) {
	if err := checkWindow(lc); err != nil {
		return nil, err
	}
	var z featuriser
	f := newFeatures()
	if err := z.compute(f, lc.Bin(event.Season())); err != nil {
		return nil, fmt.Errorf("mlens: %s: %w", lc.Name, err)
	}
	p, err := e.condition(f)
	if err != nil {
		return nil, fmt.Errorf("mlens: %s: %w", lc.Name, spell.Bare(err))
	}
	p.Window = lc
	return p, nil
}

// checkWindow says why a light curve cannot be conditioned on.
func checkWindow(lc event.LightCurve) error {
	if err := lc.Check(); err != nil {
		return err
	}
	season := event.Season()
	if lc.Len() < event.MinPoints {
		return fmt.Errorf("mlens: %s: %d measurements, but at least %d are needed", lc.Name, lc.Len(), event.MinPoints)
	}
	if first, last := lc.Times[0], lc.Times[lc.Len()-1]; first < -season.Step || last > season.Length()+season.Step {
		return fmt.Errorf("mlens: %s: times run from %g to %g, but the network sees one window of %g days counted from its start: cut it with Window",
			lc.Name, first, last, season.Length())
	}
	return nil
}

// condition returns the posterior given the features of a light curve.
func (e *Estimator) condition(f *features) (*Posterior, error) {
	h, err := f.context(e.model)
	if err != nil {
		return nil, err
	}
	return &Posterior{est: e, prior: e.Prior, single: f.fit, density: e.model.Density(h)}, nil
}

// Under returns the posterior of the same event for a search under another
// prior: Solutions, Polish and Refine keep to it, and the exact density is
// proportional to it. What the network says, it says under its own.
func (p *Posterior) Under(prior event.Prior) *Posterior {
	q := *p
	q.prior = prior
	return &q
}

// circular says whether the network's α is an angle.
func (e *Estimator) circular() bool { return e.Network.Circular > 0 }

// Sample draws n parameter sets from the posterior; the same seed gives the
// same draws. Draws outside the prior are drawn again and α is taken modulo
// 360°. Where so little of the network's density lies inside the prior that 30
// tries a draw do not suffice, the result is shorter than n.
func (p *Posterior) Sample(n int, seed uint64) []event.Theta {
	out, _ := p.sample(p.density, n, seed)
	return out
}

// sample is Sample from a density of the flow's variables, and estimates the fraction of it
// that lies inside the prior.
func (p *Posterior) sample(density *maf.Density, n int, seed uint64) (out []event.Theta, inside float64) {
	const tries = 30
	out = make([]event.Theta, 0, n)
	z := make([]float32, max(n, 1024)*event.Dim)
	tried := 0
	for round := 0; len(out) < n && round < tries; round++ {
		density.Sample(z, seed+uint64(round)*0x9e3779b97f4a7c15)
		for i := 0; i < len(z) && len(out) < n; i += event.Dim {
			tried++
			if t, ok := p.inside(z[i:]); ok {
				out = append(out, t)
			}
		}
	}
	return out, float64(len(out)) / float64(tried)
}

// inside returns the parameters that are the flow's variables y and whether they
// lie in the prior.
func (p *Posterior) inside(y []float32) (event.Theta, bool) {
	t := p.est.Targets.decode(&p.single, y, p.est.circular())
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
func (p *Posterior) LogProb(ts []event.Theta) []float64 { return p.logProb(p.density, ts) }

// logProb is LogProb for a density of the flow's variables.
func (p *Posterior) logProb(density *maf.Density, ts []event.Theta) []float64 {
	turns := 3 // α − 360°, α, α + 360°
	if p.est.circular() {
		turns = 1
	}
	y := make([]float32, turns*len(ts)*event.Dim)
	volumes := make([]float64, len(ts))
	for i, t := range ts {
		for turn := range turns {
			u := t
			u[event.Alpha] += 360 * float64(turn-turns/2)
			volumes[i] = p.est.Targets.encode(part(y, turns*i+turn, event.Dim), &p.single, u, p.est.circular())
		}
	}
	lp := density.LogProb(nil, y)
	out := make([]float64, len(ts))
	for i, t := range ts {
		if !p.est.Prior.Contains(t) {
			out[i] = math.Inf(-1)
			continue
		}
		each := lp[turns*i:][:turns]
		top := float64(slices.Max(each))
		if math.IsInf(top, -1) {
			out[i] = top
			continue
		}
		var sum float64
		for _, v := range each {
			sum += math.Exp(float64(v) - top)
		}
		out[i] = top + math.Log(sum) + volumes[i]
	}
	return out
}
