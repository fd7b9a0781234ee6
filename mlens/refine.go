package mlens

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

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
	// as many again go into an ensemble that is walked, and all begins anew, up to twice: nine
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
	Modes []RefinedMode // the most probable first
	Draws []event.Theta // of equal weight: ESS of them, from 200 to 10,000; 2,000 if Walked
	// LogEvidence is the logarithm of the likelihood integrated over the prior; the error is one
	// standard deviation.
	LogEvidence, LogEvidenceErr float64
	// ESS is the effective sample size of the weights, with its standard deviation.
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
	// the likelihoods of the light curve in bins that came before them, 0 where it is in none;
	// CoarseFailed likewise.
	Coarse, CoarseFailed int
	Evaluations, Failed  int
	Photons              bool // whether the noise is the photons' own, see event.NewLikelihood
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
		coarse := out.density(lik, starts, true)
		if best, sampled, out.Coarse, err = by.inStages(ctx, coarse, d); err != nil {
			return nil, err
		}
		out.CoarseFailed = int(coarse.failed.Load())
	} else {
		if best, err = by.from(ctx, d, opt.ESS); err != nil {
			return nil, err
		}
		sampled = best.Sampled
	}
	out.Evaluations, out.Failed = sampled.Evaluations, int(d.failed.Load())
	out.LogEvidence, out.LogEvidenceErr = sampled.LogEvidence, sampled.LogEvidenceErr
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
		if walked.ESS < littleESS {
			r.RHat = math.Inf(1) // where they have been says nothing of the exact density
			return nil
		}
	}
	r.Failed = int(d.failed.Load())
	g := rand.New(rand.NewPCG(by.opt.Seed, 1<<61))
	chosen := systematic(walked.Draws, everyMode, n, g)
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
