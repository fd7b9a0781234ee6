package mlens

import (
	"cmp"
	"context"
	"math"

	"github.com/mlens-go/microlens/mlens/refine"
)

// A sampling draws from densities of an event about its solutions.
type sampling struct {
	post   *Posterior
	starts []refine.Start
	opt    RefineOptions
}

// walkers is the size of an ensemble.
const walkers = 48

// An attempt is a sample from a density.
type attempt struct {
	*refine.Sampled
	of     *density
	onward *refine.Chain // of walkers that went on from it; nil: none has
}

// failed tells whether weights say next to nothing.
func failed(s *refine.Sampled) bool { return s.ESS < littleESS || !(s.KHat <= badKHat) }

// better tells whether a is worth more than b.
func better(a, b *refine.Sampled) bool {
	if failed(a) != failed(b) {
		return failed(b)
	}
	return a.ESS > b.ESS
}

// from draws from a density by importance sampling. Where that fails, because the proposals miss
// what they should cover, walkers go on from its draws, and it begins anew with proposals that
// are fitted to where they come. Of the results, which are independent, it returns the best, with
// the evaluations of all.
func (s *sampling) from(ctx context.Context, d *density, ess float64) (*attempt, error) {
	const times = 3
	guide, source := d.network(s.post, s.opt.Seed)
	var best *attempt
	spent := 0
	for i := range uint64(times) {
		now, err := s.sample(ctx, d, ess, guide, source, s.opt.Seed+i)
		if err != nil {
			return nil, err
		}
		this := &attempt{Sampled: now, of: d}
		spent += now.Evaluations
		if best == nil || better(now, best.Sampled) {
			best = this
		}
		if !failed(now) || i+1 == times {
			break
		}
		this.onward, err = s.walk(ctx, d, now)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			break // where no walker can start, there is no more to learn
		}
		spent += this.onward.Evaluations
		// The Source's draws are others than those that walkers may have started at.
		_, source = d.network(s.post, s.opt.Seed+i+1)
		guide = nil
		for _, place := range this.onward.Thinned(guides).Draws {
			guide = append(guide, s.post.own(place.X))
		}
	}
	best.Evaluations = spent
	return best, nil
}

// inStages draws from a coarse density, and weighs what comes out of it by the exact one. It also
// returns what walkers may go on from, and the evaluations of the coarse density.
func (s *sampling) inStages(ctx context.Context, coarse, exact *density) (best *attempt, sampled *refine.Sampled, evaluations int, err error) {
	const (
		reserve = 1.5 // times the effective draws wanted
		lost    = 4   // times fewer effective draws: the densities do not say the same
	)
	target := reserve * s.opt.ESS
	if best, err = s.from(ctx, coarse, target); err != nil {
		return nil, nil, 0, err
	}
	evaluations = best.Evaluations
	if sampled, err = best.Reweight(ctx, exact.logProb, max(fewestDraws, int(target)), s.opt.Seed); err != nil {
		return nil, nil, 0, err
	}
	if sampled.ESS >= min(best.ESS, target)/lost && sampled.LogEvidence > math.Inf(-1) {
		return best, sampled, evaluations, nil
	}
	wasted := sampled.Evaluations
	if best, err = s.from(ctx, exact, s.opt.ESS); err != nil {
		return nil, nil, 0, err
	}
	best.Evaluations += wasted
	return best, best.Sampled, evaluations, nil
}

// sample draws once, in the frame of the prior; its draws are in that of a Theta.
func (s *sampling) sample(ctx context.Context, d *density, ess float64, guide [][]float64, source *refine.Source, seed uint64) (*refine.Sampled, error) {
	observe := func(x []float64, dst []float32) float64 { return d.observe(s.post.fromOwn(x), dst) }
	out, err := refine.Sample(ctx, observe, s.post.ownParameters(), s.starts, refine.SampleOptions{
		Residuals: d.lik.Len(), Seed: seed, Budget: s.opt.Budget, ESS: ess, Guide: guide, Source: source,
		Good: func(now *refine.Sampled) bool {
			return now.ESS >= enoughESS && now.ESSErr <= now.ESS*certain && now.KHat <= goodKHat || failed(now)
		},
		Progress: func(_ int, now float64) {
			if s.opt.Progress != nil {
				s.opt.Progress("effective draws", int(now), int(ess))
			}
		},
	})
	if out != nil {
		for i := range out.Draws {
			out.Draws[i].X = s.post.fromOwn(out.Draws[i].X)
		}
	}
	return out, err
}

// walk lets walkers go on from draws.
func (s *sampling) walk(ctx context.Context, d *density, from *refine.Sampled) (*refine.Chain, error) {
	const budget = 10_000 // as that of Sample
	steps := max(4, cmp.Or(s.opt.Budget, budget)/walkers)
	return refine.Ensemble(ctx, d.logProb, s.post.curveParameters(), from.Spread(walkers, s.opt.Seed), refine.EnsembleOptions{
		Seed: s.opt.Seed, Walkers: walkers, Steps: steps,
		Progress: func(done, total int) {
			if s.opt.Progress != nil {
				s.opt.Progress("steps of the ensemble", done, total)
			}
		},
	})
}
