package mlens

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// RefineOptions of [Posterior.Refine]. The zero value is valid.
type RefineOptions struct {
	Seed uint64
	// Tries is the number of the network's draws that the exact simulator is run
	// on, for every fourth measurement, Starts the number of those from which descents
	// start; zero means 5,000 and 12.
	Tries, Starts int
	// Budget is the largest number of likelihoods for importance sampling, of the light curve in
	// bins where that has less than a third of the measurements. As many more are spent where its
	// diagnostics are not good. Where hardly any draw is effective or a few carry all the weight
	// as many again go into an ensemble that is walked, and all begins anew, up to twice: seven
	// times the budget at most, and once more where likelihoods of bins and of measurements differ.
	// ESS is the effective sample size that ends it before; after bins, there are half as many
	// exact likelihoods more than that. Zero means 10,000 and 1,000.
	Budget int
	ESS    float64
	// Cut says how the event was selected: only events whose light curve the best
	// single lens misses by more than this residual χ²/dof, as [bank.Selection]
	// counts it, could have been looked at. The prior is cut likewise, as that of
	// the training events is. Zero: not selected.
	Cut float64
	// Progress is told what is being done, how much of it is done and how much
	// there is to do, 0 where that is not known; may be nil.
	Progress func(what string, done, total int) `json:"-"`
}

// RefinedMode is one solution with its share of the exact posterior.
type RefinedMode struct {
	Solution
	// LogEvidence is the logarithm of the likelihood integrated over the prior
	// near the solution; the error is one standard deviation.
	LogEvidence, LogEvidenceErr float64
	Weight                      float64 // share of the evidence
	ESS                         float64
	// Mean and Sigma are of the draws, in units of a Theta; α's mean is circular. Where fewer than
	// ten of a mode's draws are effective they are the solution and what the curvature of χ² there
	// says, f_s having no Sigma. Where Walked, they are of the draws nearest to the solution.
	Mean, Sigma event.Theta
}

// Refined is the exact posterior of an event.
type Refined struct {
	Modes       []RefinedMode // the most probable first
	Draws       []event.Theta // of equal weight: ESS of them, from 200 to 10,000; 2,000 if Walked
	LogEvidence float64       // and its standard deviation
	Err         float64
	ESS, ESSErr float64
	KHat        float64 // of the importance weights, see refine.KHat
	// Walked says that importance sampling failed, and that the draws come from an
	// ensemble of walkers that started at its draws, weighted by the exact likelihood if
	// they walked on that of the light curve in bins. The evidences are still those of
	// importance sampling. RHat is that of the ensemble, see [refine.Chain], 0 where
	// none was needed; one that did not converge is not used, unless the weights are
	// worth less than 20 draws.
	Walked bool
	RHat   float64
	// Evaluations are the exact likelihoods of the sampling, without the light curves of the
	// search before it; Failed those of them for which there was no magnification. Coarse are
	// the likelihoods of the light curve in bins that came before them, 0 where it is in none.
	Coarse              int
	Evaluations, Failed int
	Photons             bool // whether the noise is the photons' own, see event.NewLikelihood
	// Improbable are solutions that fit so much worse, by more than 120 in χ², that they were
	// not drawn about, the best first. Only Refine knows them.
	Improbable []Solution
	// LeftOut is the number of solutions not drawn about, because sixteen others promise more
	// evidence ([refine.Start.LogEvidence]), although they would add more than a hundredth to it.
	LeftOut int
	// Beyond are solutions outside the prior, see [Posterior.Beyond]; they have no
	// share. Only Refine looks for them.
	Beyond []Solution

	post     *Posterior
	lik      *event.Likelihood
	selected *bank.Selection
	proposed []event.Theta // the network's draws, in Refine
}

// improbable is the difference in ln L to the best beyond which a solution is left
// out, mostModes the number of solutions that get draws.
const (
	improbable = 60
	mostModes  = 16
)

// Refine finds the exact posterior: it goes downhill from the network's best
// draws to the solutions ([Posterior.Solutions]), and draws from the exact
// likelihood times the prior by adaptive importance sampling that starts at all
// of them, and from the network's own density, with heavier tails, as far as that
// is any good ([refine.Sample]). Where the light curve is straight between neighbouring
// measurements, this is done with the likelihood of its bins, and only the draws that come out of
// it are weighted by its own ([refine.Sampled.Reweight]). The network decides only where the
// search begins and draws look, not what they weigh.
//
// The likelihood is that of [event.NewLikelihood]. The prior is the analytic one,
// or what a cut leaves of it.
//
// Of many solutions the sixteen are drawn about that promise most of the evidence, and the one that
// fits best; from the most promising, valleys are followed where they are bent ([refine.Trace]).
// Places far from all solutions where draws come together lead to more.
//
// Where the diagnostics of importance sampling are not good, it goes on; where they are bad,
// an ensemble of walkers goes on from its draws ([refine.Ensemble]), and sampling begins anew with
// proposals fitted to where they come. If that is of no use either, the draws are walkers'.
//
// When ctx ends there is no result but its error.
func (p *Posterior) Refine(ctx context.Context, draws []event.Theta, opt RefineOptions) (*Refined, error) {
	opt.Tries, opt.Starts = cmp.Or(opt.Tries, 5000), cmp.Or(opt.Starts, 12)
	solutions, err := p.search(ctx, draws, opt.Tries, opt.Starts, opt.Progress)
	if err != nil {
		return nil, err
	}
	beyond, err := p.Beyond(ctx, solutions)
	if err != nil {
		return nil, err
	}
	best := solutions[0].Fluxes.Chi2
	probable, others := split(solutions, func(s Solution) bool { return s.Fluxes.Chi2 <= best+2*improbable })
	r, err := p.RefineFrom(ctx, probable, opt)
	if err != nil {
		return nil, err
	}
	r.Beyond, r.proposed = beyond, draws
	r.Improbable, _ = split(others, func(s Solution) bool { return s.Converged })
	return r, nil
}

// RefineFrom is Refine for an event whose solutions are known, in any order: from
// [Posterior.Solutions] or [Posterior.Polish].
func (p *Posterior) RefineFrom(ctx context.Context, solutions []Solution, opt RefineOptions) (*Refined, error) {
	if len(solutions) == 0 {
		return nil, fmt.Errorf("mlens: %s: no solutions to start from", p.Window.Name)
	}
	if opt.ESS == 0 {
		opt.ESS = 1000
	}
	solutions = distinct(slices.Clone(solutions), sameSolution) // also sorts them
	lik, err := event.NewLikelihood(p.Window, p.prior)
	if err != nil {
		return nil, err
	}
	out := &Refined{post: p, lik: lik, Photons: lik.Photons()}
	starts, err := out.begin(ctx, solutions)
	if err != nil {
		return nil, err
	}
	if opt.Cut > 0 {
		out.selected = bank.NewSelection(p.est.Training.Bank, opt.Cut)
	}
	d := out.density(lik, starts, false)
	var best *attempt
	var sampled *refine.Sampled
	// Where a light curve loses nothing by it, draws come from the likelihood of its bins, and
	// only those that weigh something from its own.
	const worthBins = 3 // times fewer measurements
	bins := p.inBins(ctx, solutions)
	inStages := bins.Len()*worthBins <= p.Window.Len()
	light := *p
	if inStages {
		light.Window = bins
	}
	if starts, err = light.trace(ctx, starts); err != nil {
		return nil, err
	}
	by := &sampling{p, starts, opt}
	if inStages {
		lik, err := event.NewLikelihood(bins, p.prior)
		if err != nil {
			return nil, err
		}
		if best, sampled, out.Coarse, err = by.inStages(ctx, out.density(lik, starts, true), d); err != nil {
			return nil, err
		}
	} else {
		if best, err = by.from(ctx, d, opt.ESS); err != nil {
			return nil, err
		}
		sampled = best.Sampled
	}
	out.Evaluations, out.Failed = sampled.Evaluations, int(d.failed.Load())
	out.LogEvidence, out.Err = sampled.LogEvidence, sampled.LogEvidenceErr
	out.ESS, out.ESSErr, out.KHat = sampled.ESS, sampled.ESSErr, sampled.KHat
	if !(out.LogEvidence > math.Inf(-1)) {
		return nil, fmt.Errorf("mlens: %s: no draw has a finite likelihood: no binary lens within the prior explains it", p.Window.Name)
	}
	if err := out.follow(ctx, sampled); err != nil {
		return nil, err
	}
	if err := out.explore(ctx, sampled, opt.Seed); err != nil {
		return nil, err
	}
	out.resample(sampled, d, opt.Seed)
	if failed(sampled) {
		// Where no walker can start, or none is left, the draws are those of the weights.
		if err := out.walk(ctx, by, best, d); err != nil && ctx.Err() != nil {
			return nil, err
		} else if err != nil {
			out.RHat = math.Inf(1)
		}
	}
	slices.SortStableFunc(out.Modes, func(a, b RefinedMode) int { return cmp.Compare(b.LogEvidence, a.LogEvidence) })
	return out, nil
}

// begin makes modes of the solutions, sorted, that differ and promise most of the evidence, and
// returns where sampling begins.
func (r *Refined) begin(ctx context.Context, solutions []Solution) (starts []refine.Start, err error) {
	settled, err := r.post.settle(ctx, solutions)
	if err != nil {
		return nil, err
	}
	params := r.post.curveParameters()
	var chosen []int
	chosen, r.LeftOut = promising(refine.Distinct(settled, params), func(k int) float64 { return settled[k].LogEvidence(params) })
	for _, k := range chosen {
		starts = append(starts, settled[k])
		r.Modes = append(r.Modes, RefinedMode{Solution: solutions[k]})
	}
	return starts, nil
}

// promising returns, sorted, the solutions of most evidence, and number 0, which fits best, in any
// case; and how many of the others would add more than a hundredth to the evidence of these.
func promising(of []int, logEvidence func(k int) float64) (chosen []int, leftOut int) {
	const more = 0.01
	of = slices.Clone(of)
	slices.SortStableFunc(of, func(a, b int) int {
		if (a == 0) != (b == 0) {
			return cmp.Compare(a, b)
		}
		return cmp.Compare(logEvidence(b), logEvidence(a))
	})
	chosen = of[:min(mostModes, len(of))]
	var each []float64
	for _, k := range chosen {
		each = append(each, logEvidence(k))
	}
	for _, k := range of[len(chosen):] {
		if logEvidence(k) > floats.LogSumExp(each)+math.Log(more) {
			leftOut++
		}
	}
	slices.Sort(chosen)
	return chosen, leftOut
}

// settle returns where draws from the neighbourhood of each solution are best
// centred.
func (p *Posterior) settle(ctx context.Context, solutions []Solution) ([]refine.Start, error) {
	out := make([]refine.Start, len(solutions))
	err := parallel(ctx, len(solutions), func(i int) {
		s := solutions[i]
		out[i] = refine.Start{X: s.Params[:event.Fs], Information: s.Information}
		r, n, err := p.surprise(s.Params, event.Fine)
		if err != nil {
			return
		}
		at, ok, err := refine.Settle(ctx, r, n, s.Params[:event.Fs], p.curveParameters(), refine.Options{Iterations: 100})
		if ok && err == nil {
			out[i] = at
		}
	}, nil)
	return out, err
}

// trace adds to the starts that promise most of the evidence the places along their valleys.
func (p *Posterior) trace(ctx context.Context, starts []refine.Start) ([]refine.Start, error) {
	const (
		most = 4
		rest = 0.05 // of the evidence of the best
	)
	params := p.curveParameters()
	promise := func(k int) float64 { return starts[k].LogEvidence(params) }
	order := make([]int, len(starts))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(promise(b), promise(a)) })
	order = order[:min(most, len(order))]
	out := slices.Clone(starts)
	err := parallel(ctx, len(order), func(i int) {
		k := order[i]
		if !(promise(k) > promise(order[0])+math.Log(rest)) {
			return
		}
		var t event.Theta
		copy(t[:], starts[k].X)
		t[event.Fs] = 1
		r, n, err := p.surprise(t, rough)
		if err != nil {
			return
		}
		if s, err := refine.Trace(ctx, r, n, starts[k], params); err == nil {
			out[k] = s
		}
	}, nil)
	return out, err
}

// surprise returns residuals and their number, those of the light curve and what the
// prior adds to them, so that the posterior is exp(−½ Σ r²), but for f_s. t is where
// it will be called first, and noise the error of the model's flux.
func (p *Posterior) surprise(t event.Theta, noise float64) (refine.Residuals, int, error) {
	r, err := p.residuals(t, noise, new(event.Fluxes))
	if err != nil {
		return nil, 0, err
	}
	n := p.Window.Len()
	return func(dst, x []float64) error {
		dst[n] = (x[event.LogTE] - p.prior.LogTEMean) / p.prior.LogTESigma
		return r(dst[:n], x)
	}, n + 1, nil
}

// follow goes downhill from the best draw of each mode, if that is better than the mode's
// solution. Where most of the mode's draws, by weight, are nearer to what it comes to, they
// have spread from one solution to another, and the mode becomes that. Modes that turn out
// to be the same become one.
func (r *Refined) follow(ctx context.Context, s *refine.Sampled) error {
	const better, worthwhile = 1, 1e-4 // in χ², in weight
	draws := make([][]refine.Draw, len(r.Modes))
	for _, d := range s.Draws {
		draws[d.Mode] = append(draws[d.Mode], d)
	}
	err := parallel(ctx, len(r.Modes), func(k int) {
		m := &r.Modes[k]
		if s.Modes[k].Weight < worthwhile {
			return
		}
		slices.SortFunc(draws[k], func(a, b refine.Draw) int { return cmp.Compare(b.LogWeight, a.LogWeight) })
		best := slices.MaxFunc(draws[k], func(a, b refine.Draw) int { return cmp.Compare(a.LogProb, b.LogProb) })
		at := m.Params
		copy(at[:], best.X)
		if f := r.post.fit(ctx, []event.Theta{at}, event.Fine, nil)[0]; !(f.Chi2 < m.Fluxes.Chi2-better) {
			return
		}
		if found, ok := r.post.polish(ctx, at, 100); ok && mostAreNearer(draws[k], found.Params, m.Params) {
			found.Origin = FromSampling
			m.Solution = found
		}
	}, nil)
	if err != nil {
		return err
	}
	into := make([]int, len(r.Modes))
	var modes []RefinedMode
	// Those that have not moved come first: what moved to another's solution adds to it.
	for _, moved := range []bool{false, true} {
		for k, m := range r.Modes {
			if moved != (m.Origin == FromSampling) {
				continue
			}
			same := func(o RefinedMode) bool { return distance(m.Params, o.Params, sameSolution) < 1 }
			if into[k] = slices.IndexFunc(modes, same); into[k] < 0 {
				into[k] = len(modes)
				modes = append(modes, m)
			}
		}
	}
	r.Modes = modes
	s.Merge(into)
	return nil
}

// mostAreNearer tells whether most draws, by weight, are nearer to a than to b. The first
// weighs most.
func mostAreNearer(draws []refine.Draw, a, b event.Theta) bool {
	var nearer, all float64
	for _, d := range draws {
		far := func(s event.Theta) float64 {
			t := s // f_s is not looked at
			copy(t[:], d.X)
			return distance(t, s, apart)
		}
		w := math.Exp(d.LogWeight - draws[0].LogWeight)
		if all += w; far(a) < far(b) {
			nearer += w
		}
	}
	return nearer > all/2
}

// explore adds the solutions to which draws lead that are far from all others, where many are
// together. Where a light curve says little its minima are many, and those that fit best are not
// those about which most of the posterior is.
func (r *Refined) explore(ctx context.Context, s *refine.Sampled, seed uint64) error {
	const (
		equal = 500 // draws of equal weight
		crowd = 5   // of them: a hundredth
		most  = 8   // descents
	)
	theta := func(d refine.Draw) (t event.Theta) {
		copy(t[:], d.X)
		return t
	}
	far := func(a, b event.Theta) float64 {
		a[event.Fs], b[event.Fs] = 0, 0
		return distance(a, b, apart)
	}
	var alone []refine.Draw
	for _, i := range systematic(s.Draws, everyMode, equal, rand.New(rand.NewPCG(seed, 1<<60))) {
		d := s.Draws[i]
		if !slices.ContainsFunc(r.Modes, func(m RefinedMode) bool { return far(theta(d), m.Params) < 1 }) {
			alone = append(alone, d)
		}
	}
	var found []Solution
	for len(found) < most {
		var largest []refine.Draw
		for _, at := range alone {
			var around []refine.Draw
			for _, d := range alone {
				if far(theta(at), theta(d)) < 1 {
					around = append(around, d)
				}
			}
			if len(around) > len(largest) {
				largest = around
			}
		}
		if len(largest) < crowd {
			break
		}
		top := slices.MaxFunc(largest, func(a, b refine.Draw) int { return cmp.Compare(a.LogProb, b.LogProb) })
		best := theta(top)
		best[event.Fs] = r.Modes[top.Mode].Params[event.Fs] // where the precision of the first step is concerned
		found = append(found, Solution{Params: best, Origin: FromSampling})
		alone = slices.DeleteFunc(alone, func(d refine.Draw) bool {
			return slices.ContainsFunc(largest, func(o refine.Draw) bool { return &o.X[0] == &d.X[0] })
		})
	}
	r.post.descend(ctx, found, 100, event.Fine, nil)
	if err := ctx.Err(); err != nil {
		return err
	}
	old := len(r.Modes)
	for _, f := range distinct(found, sameSolution) {
		known := func(m RefinedMode) bool { return distance(f.Params, m.Params, sameSolution) < 1 }
		if f.Converged && !slices.ContainsFunc(r.Modes, known) {
			f.way = nil
			r.Modes = append(r.Modes, RefinedMode{Solution: f})
		}
	}
	if len(r.Modes) == old {
		return nil
	}
	for i := range s.Draws {
		d := &s.Draws[i]
		nearest := far(theta(*d), r.Modes[d.Mode].Params)
		for k := old; k < len(r.Modes); k++ {
			if x := far(theta(*d), r.Modes[k].Params); x < nearest {
				d.Mode, nearest = k, x
			}
		}
	}
	same := make([]int, len(r.Modes))
	for k := range same {
		same[k] = k
	}
	s.Merge(same)
	return nil
}

// walk replaces the draws by those of an ensemble of walkers that go on from a, if
// that does better. d is the exact density; walkers on that of bins are weighted by it. Where it
// fails, the draws are what they were.
func (r *Refined) walk(ctx context.Context, by *sampling, a *attempt, d *density) error {
	if a.onward == nil {
		var err error
		if a.onward, err = by.walk(ctx, a.of, a.Sampled); err != nil {
			return err
		}
		if a.of.coarse {
			r.Coarse += a.onward.Evaluations
		} else {
			r.Evaluations += a.onward.Evaluations
		}
	}
	chain := a.onward
	// Too few steps for an R̂, or to say anything.
	const worth = 5 // autocorrelation times
	if r.RHat = chain.RHat; math.IsNaN(r.RHat) || !(float64(len(chain.X)) > worth*chain.Time) {
		r.RHat = math.Inf(1)
	}
	// Walkers that have not forgotten their starts know no better than the weights,
	// unless those are hardly any: they seldom pass from mode to mode.
	if !(r.RHat < goodRHat || r.ESS < littleESS) {
		return nil
	}
	const n = 2000
	walked := chain.Thinned(n)
	if a.of.coarse {
		var err error
		if walked, err = walked.Reweight(ctx, d.logProb, n, by.opt.Seed); err != nil {
			return err
		}
		r.Evaluations += walked.Evaluations
	}
	r.Failed = int(d.failed.Load())
	g := rand.New(rand.NewPCG(by.opt.Seed, 1<<61))
	chosen := systematic(walked.Draws, everyMode, n, g)
	if len(chosen) == 0 {
		return fmt.Errorf("mlens: %s: the likelihood vanishes wherever walkers on that of bins have come", r.post.Window.Name)
	}
	r.Walked, r.Draws = true, r.Draws[:0]
	for _, i := range chosen {
		// A walker that has stood still gets another f_s each time.
		var t event.Theta
		copy(t[:], walked.Draws[i].X)
		lin := d.at(t[:event.Fs])
		t[event.Fs] = lin.SampleFs(g.Float64())
		r.Draws = append(r.Draws, t)
	}
	r.describe()
	return nil
}

// LogProb returns the logarithm of the exact posterior density at t, per unit of
// the coordinates of a Theta; −Inf outside the prior, where there is no
// magnification, and where the event would not have been selected.
func (r *Refined) LogProb(t event.Theta) float64 {
	prior := r.post.prior
	if !prior.Contains(t) || r.selected != nil && !r.selected.Passes(t.Params()) {
		return math.Inf(-1)
	}
	lin, err := r.lik.At(t.Params())
	if err != nil {
		return math.Inf(-1)
	}
	return prior.LogDensityOfCurve(t) + lin.LogAt(t[event.Fs]) - r.LogEvidence
}
