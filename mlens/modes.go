package mlens

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/mlens-go/microlens/mlens/calib"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/internal/spell"
)

// Mode is one solution of an event.
type Mode struct {
	Weight        float64 // share of the draws
	Median, Sigma event.Theta
	// Best is the draw that fits the light curve best when the exact simulator
	// gives its magnifications and the two fluxes are fitted; its f_s is the
	// fitted one, within the prior.
	Best    event.Theta
	Fluxes  event.Fluxes // of Best
	Chi2DOF float64      // of Best
}

// Modes splits draws into modes, the heaviest first, and finds in each the draw
// that fits the light curve best. The exact simulator is run on tries draws in
// all, shared among the modes by weight. Medians of α are circular. Sigma is
// half the distance between the 16 % and 84 % quantiles. Where every simulation
// of a mode fails, Chi2DOF is NaN.
func (p *Posterior) Modes(ctx context.Context, draws []event.Theta, tries int) ([]Mode, error) {
	points := make([][]float64, len(draws))
	for i, t := range draws {
		// ρ is rarely measured and never tells solutions apart.
		points[i] = []float64{t[event.LogS], t[event.LogQ], t[event.Alpha], t[event.U0], t[event.T0], t[event.LogTE], t[event.Fs]}
	}
	labels, err := calib.Modes(points, calib.ModesOptions{Period: []float64{0, 0, 360, 0, 0, 0, 0}})
	if err != nil {
		return nil, fmt.Errorf("mlens: %s: %w", p.Window.Name, spell.Bare(err))
	}
	modes := make([]Mode, slices.Max(labels)+1)
	groups := make([][]event.Theta, len(modes))
	for i, l := range labels {
		groups[l] = append(groups[l], draws[i])
	}
	for i := range modes {
		modes[i] = summarise(groups[i], len(draws))
		p.best(ctx, &modes[i], groups[i], max(1, int(modes[i].Weight*float64(tries))))
	}
	return modes, ctx.Err()
}

// Summary returns medians and widths of draws taken together.
func Summary(draws []event.Theta) Mode { return summarise(draws, len(draws)) }

// summarise returns weight, medians and widths of a group of draws.
func summarise(group []event.Theta, of int) Mode {
	m := Mode{Weight: float64(len(group)) / float64(of)}
	col := make([]float64, len(group))
	for k := range event.Dim {
		for i, t := range group {
			col[i] = t[k]
		}
		if k == event.Alpha {
			col = calib.Unwrap(col, nil, 360)
		}
		slices.Sort(col)
		m.Median[k] = calib.Quantile(col, 0.5)
		m.Sigma[k] = (calib.Quantile(col, 0.84) - calib.Quantile(col, 0.16)) / 2
		if k == event.Alpha {
			m.Median[k] = math.Mod(m.Median[k]+720, 360)
		}
	}
	return m
}

// best runs the exact simulator on the first tries draws of a mode.
func (p *Posterior) best(ctx context.Context, m *Mode, group []event.Theta, tries int) {
	m.Best, m.Fluxes.Chi2 = group[0], math.NaN()
	for i, f := range p.fit(ctx, group[:min(tries, len(group))], event.Fine, nil) {
		if f.Chi2 < m.Fluxes.Chi2 || math.IsNaN(m.Fluxes.Chi2) {
			m.Best, m.Fluxes = group[i], f
		}
	}
	if !math.IsNaN(m.Fluxes.Chi2) {
		m.Best[event.Fs] = m.Fluxes.Fs()
	}
	m.Chi2DOF = m.Fluxes.Chi2 / p.dof()
}

// fluxes fits the two fluxes, or only the baseline where they would give an f_s
// outside the prior.
func (p *Posterior) fluxes(a []float64) event.Fluxes {
	f, err := p.Window.FitFluxes(a)
	if err != nil {
		return event.Fluxes{Chi2: math.NaN()}
	}
	r := p.prior.Fs
	if fs := f.Fs(); !(fs >= r.Min && fs <= r.Max) || f.Baseline() <= 0 {
		// χ² is convex in the fluxes: the best point allowed is on the border.
		_, low := p.Window.LogLikelihood(a, r.Min)
		_, high := p.Window.LogLikelihood(a, r.Max)
		if f = low; high.Chi2 < low.Chi2 {
			f = high
		}
	}
	return f
}
