package mlens

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"github.com/mlens-go/microlens/mlens/calib"
	"github.com/mlens-go/microlens/mlens/event"
)

// A RefinedScore is the quality of refined posteriors on events whose truth is
// known.
type RefinedScore struct {
	// RawNLL is the mean of −ln p(truth), per unit of the coordinates of a Theta,
	// with its standard error. The density is the exact one of the solutions found,
	// but for a hundredth that is the network's: what is missing among the solutions
	// is missing in the evidence, too, so that where the truth's own solution is, and
	// would have more than a hundredth of the evidence, the exact density does not count,
	// nor where refinement fails. Where the draws of a solution end too soon, that is missing in
	// the evidence as well, and the density at the truth is too high.
	RawNLL, NLLErr float64
	// Above is how much the network's own NLL is above that, in the mean of the same
	// events, with its standard error: what it has still to learn.
	Above, AboveErr float64
	// ModeRecall is the fraction of events of which a solution, or what a draw next to it
	// leads to, is that to which a descent from the truth leads.
	ModeRecall float64
	Seconds    float64 // median time an event, from the light curve on
	// Efficiency is the median of ESS over exact likelihoods, WorstEfficiency the one
	// that 5 % of the events do not reach.
	Efficiency, WorstEfficiency float64
	// EfficiencyOfAll is the median of ESS over all likelihoods, those of bins, too.
	EfficiencyOfAll float64
	// RankP is the Kolmogorov–Smirnov probability of each parameter's ranks, if
	// they are uniform; where refinement fails, a rank is ½.
	RankP [event.Dim]float64
	// HPDP is that of the events' HPD.
	HPDP float64
	// Outside is the number of events of which a parameter of the truth is beyond all draws.
	// OutsideByChance is what to expect of it if all draws are from the right posterior, and
	// parameters independent; fewer where they are not.
	Outside         int
	OutsideByChance float64
	Events          []RefinedEvent // in their order
}

// A RefinedEvent is what one event adds to a RefinedScore.
type RefinedEvent struct {
	NLL   float64     // −ln p(truth), as RawNLL is the mean of
	Above float64     // how much the network's own is above that
	Ranks event.Theta // of the truth among the draws, 0 to 1
	// HPD is the share of draws at which the exact density is higher than at the truth: the
	// credibility of the region of highest density that the truth is at the edge of. Uniform from 0
	// to 1 if the draws are from the right posterior.
	HPD   float64
	Draws int  // of equal weight; 0 where refinement fails
	Found bool // see ModeRecall
	// Lacking is the share of the evidence that the truth's own solution has, where it was not
	// found.
	Lacking float64
	Level   Level
	Trust   string // see [Trust.String]

	ESS, LogEvidence float64
	// Evaluations are the exact likelihoods of the sampling, Coarse those of the light curve in
	// bins, see [Refined].
	Evaluations, Coarse int
	Seconds             float64
}

// networkShare is the weight of the network's density in a refined posterior that
// is scored: a finite price of a solution missed.
const networkShare = 0.01

// ScoreRefined refines each event's posterior, starting from draws of the
// network, and scores the result. An event whose refinement fails is one not found. The options are those of each event, but that
// seeds are counted from theirs. Unless dir is empty, each event's result is appended to
// refined.jsonl in that folder, and what is there already is not done again. progress may be
// nil.
func (e *Estimator) ScoreRefined(ctx context.Context, events []Event, draws int, opt RefineOptions, dir string, progress func(done, total int)) (*RefinedScore, error) {
	if len(events) == 0 {
		return nil, fmt.Errorf("mlens: no events to refine")
	}
	settings := struct {
		Draws  int
		Refine RefineOptions
	}{draws, opt}
	results, err := eachEvent(ctx, e, events, dir, refinedName, settings, func(i int) (RefinedEvent, error) {
		o := opt
		o.Seed += uint64(i)
		return e.refineEvent(ctx, events[i], draws, o)
	}, progress)
	if err != nil {
		return nil, err
	}
	return collectRefined(results), nil
}

func (e *Estimator) refineEvent(ctx context.Context, ev Event, draws int, opt RefineOptions) (RefinedEvent, error) {
	begin := time.Now()
	p, err := e.conditionOn(ev)
	if err != nil {
		return RefinedEvent{}, err
	}
	// Where the density of the network underflows, the price is finite, too.
	const least = -1e4
	network := max(p.LogProb([]event.Theta{ev.Truth})[0], least)
	missed := math.Log(networkShare) + network
	r, err := p.Refine(ctx, p.Sample(draws, opt.Seed), opt)
	if err != nil {
		out := RefinedEvent{Seconds: time.Since(begin).Seconds(), NLL: -missed, Above: missed - network, Level: Red, Trust: err.Error()}
		out.HPD = 0.5
		for k := range out.Ranks {
			out.Ranks[k] = 0.5
		}
		return out, ctx.Err()
	}
	trust := r.Trust()
	out := RefinedEvent{
		Seconds: time.Since(begin).Seconds(), Evaluations: r.Evaluations, Coarse: r.Coarse, ESS: r.ESS, LogEvidence: r.LogEvidence,
		Level: trust.Level, Trust: trust.String(), Ranks: r.ranks(ev.Truth), Draws: len(r.Draws), Found: r.has(ctx, ev.Truth),
	}
	if out.HPD, err = r.hpd(ctx, ev.Truth); err != nil {
		return RefinedEvent{}, err
	}
	whole := r
	if !out.Found {
		if whole, out.Lacking, err = r.with(ctx, ev.Truth, opt); err != nil {
			return RefinedEvent{}, err
		}
	}
	ln := missed
	if out.Lacking < networkShare {
		ln = floats.LogSumExp([]float64{ln, math.Log1p(-networkShare) + whole.LogProb(ev.Truth)})
	}
	out.NLL, out.Above = -ln, ln-network
	return out, nil
}

// collectRefined adds the events up.
func collectRefined(events []RefinedEvent) *RefinedScore {
	column := func(of func(RefinedEvent) float64) (out []float64) {
		for _, ev := range events {
			out = append(out, of(ev))
		}
		return out
	}
	quantile := func(q float64, of func(RefinedEvent) float64) float64 {
		c := column(of)
		slices.Sort(c)
		return calib.Quantile(c, q)
	}
	s := &RefinedScore{Events: events}
	n := float64(len(events))
	s.RawNLL, s.NLLErr = meanAndError(column(func(ev RefinedEvent) float64 { return ev.NLL }))
	s.Above, s.AboveErr = meanAndError(column(func(ev RefinedEvent) float64 { return ev.Above }))
	for _, ev := range events {
		if ev.Found {
			s.ModeRecall += 1 / n
		}
	}
	s.Seconds = quantile(0.5, func(ev RefinedEvent) float64 { return ev.Seconds })
	efficiency := func(ev RefinedEvent) float64 { return ev.ESS / max(1, float64(ev.Evaluations)) }
	s.Efficiency, s.WorstEfficiency = quantile(0.5, efficiency), quantile(0.05, efficiency)
	s.EfficiencyOfAll = quantile(0.5, func(ev RefinedEvent) float64 { return ev.ESS / max(1, float64(ev.Evaluations+ev.Coarse)) })
	for k, ranks := range s.Ranks() {
		_, s.RankP[k] = calib.KolmogorovUniform(ranks)
	}
	_, s.HPDP = calib.KolmogorovUniform(column(func(ev RefinedEvent) float64 { return ev.HPD }))
	for _, ev := range events {
		if slices.ContainsFunc(ev.Ranks[:], func(r float64) bool { return r == 0 || r == 1 }) {
			s.Outside++
		}
		if ev.Draws > 0 {
			// Of n independent draws and a truth the truth is first or last with a chance of 2/(n+1).
			// Copies of a draw are not more draws.
			n := max(1, min(float64(ev.Draws), ev.ESS))
			s.OutsideByChance += 1 - math.Pow(1-2/(n+1), event.Dim)
		}
	}
	return s
}

// Only returns the score of the events whose trust is of one level; nil if there is none.
func (s *RefinedScore) Only(level Level) *RefinedScore {
	var of []RefinedEvent
	for _, ev := range s.Events {
		if ev.Level == level {
			of = append(of, ev)
		}
	}
	if of == nil {
		return nil
	}
	return collectRefined(of)
}

// meanAndError returns the mean and its standard error, 0 for a single value.
func meanAndError(x []float64) (mean, err float64) {
	mean, sd := stat.MeanStdDev(x, nil)
	if len(x) < 2 {
		return mean, 0
	}
	return mean, sd / math.Sqrt(float64(len(x)))
}

// Ranks returns each parameter's ranks, of all events.
func (s *RefinedScore) Ranks() (ranks [event.Dim][]float64) {
	for _, ev := range s.Events {
		for k, r := range ev.Ranks {
			ranks[k] = append(ranks[k], r)
		}
	}
	return ranks
}

// ranks returns the rank of each parameter of t among the draws.
func (r *Refined) ranks(t event.Theta) (ranks event.Theta) {
	column := make([]float64, len(r.Draws))
	for k := range t {
		for i, d := range r.Draws {
			column[i] = d[k]
		}
		ranks[k] = calib.Rank(column, t[k])
	}
	return ranks
}

// hpd returns the share of a few hundred draws at which the density is higher than at t.
func (r *Refined) hpd(ctx context.Context, t event.Theta) (float64, error) {
	const enough = 400
	n := min(enough, len(r.Draws))
	higher := make([]float64, n)
	at := r.LogProb(t)
	err := parallel(ctx, n, func(i int) {
		if r.LogProb(r.Draws[i*len(r.Draws)/n]) > at {
			higher[i] = 1
		}
	}, nil)
	return stat.Mean(higher, nil), err
}

// with returns the posterior with the solution to which the descent from t leads among those
// that are drawn about, and that solution's share.
func (r *Refined) with(ctx context.Context, t event.Theta, opt RefineOptions) (whole *Refined, share float64, err error) {
	missed, ok := r.post.polish(ctx, t, 60)
	if !ok {
		return r, 1, ctx.Err()
	}
	solutions := []Solution{missed}
	for _, m := range r.Modes[:min(len(r.Modes), mostModes-1)] {
		solutions = append(solutions, m.Solution)
	}
	if whole, err = r.post.RefineFrom(ctx, solutions, opt); err != nil {
		return r, 1, ctx.Err()
	}
	for _, m := range whole.Modes {
		if distance(m.Params, missed.Params, sameSolution) < 1 {
			return whole, m.Weight, nil
		}
	}
	// It has become part of another: what the evidence has gained is an upper limit.
	return whole, max(0, -math.Expm1(r.LogEvidence-whole.LogEvidence)), nil
}

// has tells whether one of the solutions is the one to which the descent from t
// leads: closer than what makes two minima one, or than three standard
// deviations where the light curve says less, or in the same valley (see
// [refine.Distinct]); or that to which a descent from a draw near it leads.
func (r *Refined) has(ctx context.Context, t event.Theta) bool {
	s, ok := r.post.polish(ctx, t, 60)
	if !ok {
		return false
	}
	// What fits worse is another solution, however near: the evidence would lack the truth's.
	const worse = 4
	fits := func(o Solution) bool { return o.Fluxes.Chi2 <= s.Fluxes.Chi2+worse }
	modes := slices.DeleteFunc(slices.Clone(r.Modes), func(m RefinedMode) bool { return !fits(m.Solution) })
	for _, m := range modes {
		scale := sameSolution
		for k := range scale {
			scale[k] = max(scale[k], 3*m.Sigma[k])
		}
		if distance(s.Params, m.Params, scale) < 1 {
			return true
		}
	}
	// Draws near it will do, where the light curve says so little that solutions are many, if they
	// fit like draws from its valley.
	const nearest, spread = 8, 30 // of χ² with eight degrees of freedom, never exceeded by chance
	draws := slices.DeleteFunc(slices.Clone(r.Draws), func(d event.Theta) bool { return distance(d, s.Params, apart) > 1 })
	slices.SortStableFunc(draws, func(a, b event.Theta) int {
		return cmp.Compare(distance(a, s.Params, apart), distance(b, s.Params, apart))
	})
	var near, others []Solution
	draws = draws[:min(nearest, len(draws))]
	for i, f := range r.post.fit(ctx, draws, event.Fine, nil) {
		if !(f.Chi2 <= s.Fluxes.Chi2+spread) {
			continue
		}
		at := []Solution{{Params: draws[i]}}
		r.post.descend(ctx, at, 60, event.Fine, nil)
		if !fits(at[0]) {
			continue
		}
		if distance(s.Params, at[0].Params, sameSolution) < 1 {
			return true
		}
		near = append(near, at[0])
	}
	for _, m := range modes {
		others = append(others, m.Solution)
	}
	for _, places := range [][]Solution{near, others} {
		if found, err := r.post.among(ctx, s, places); found && err == nil {
			return true
		}
	}
	return false
}
