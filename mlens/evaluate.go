package mlens

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/calib"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/flow"
)

// heldSeed is the seed of realisations of the validation and test splits; no
// training uses it.
const heldSeed = 0x6c656e73

// fixedSet realises 100 light curves of the chosen simulations, in order, and as
// many hundreds more, up to 1,000, as there are simulations. It returns the truths
// too.
func (e *Estimator) fixedSet(b *bank.Bank, chosen []int) ([]flow.Batch, []event.Theta, error) {
	const n = 100
	src := e.source(b, chosen)
	src.batch, src.seed, src.inOrder = n, heldSeed, true
	out := make([]flow.Batch, min(10, (len(chosen)+n-1)/n))
	truths := make([]event.Theta, n*len(out))
	for k := range out {
		out[k] = *flow.NewBatch(e.Network, n)
		if err := src.fill(k, &out[k], truths[n*k:][:n]); err != nil {
			return nil, nil, err
		}
	}
	return out, truths, nil
}

// source makes examples of the chosen simulations as e's training observes them.
func (e *Estimator) source(b *bank.Bank, chosen []int) *source {
	return &source{
		bank: b, chosen: chosen, obs: e.Training.Observing, network: e.Network, targets: e.Targets, scaler: e.Scaler,
		batch: e.Training.Batch,
	}
}

// baselines returns the mean NLL, standardised, of the held-out truths under
// two densities that look at no light curve: the analytic prior, and one
// Gaussian with the mean and covariance of the training parameters.
func baselines(b *bank.Bank, chosen []int, held []event.Theta, scaler Scaler) (prior, gaussian float64) {
	// A sample of training parameters with t0 and f_s as realisations draw them.
	n := min(len(chosen), 4000)
	data := mat.NewDense(n, event.Dim, nil)
	var real bank.Realisation
	for i := range n {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		if err := b.Realise(&real, chosen[r.IntN(len(chosen))], bank.Observing{}, r); err != nil {
			return math.NaN(), math.NaN()
		}
		z := scaler.Standard(real.Theta)
		data.SetRow(i, z[:])
	}
	var cov mat.SymDense
	covariance(&cov, data)
	normal, ok := distmv.NewNormal(make([]float64, event.Dim), &cov, nil)
	for _, t := range held {
		prior -= b.Config.Prior.LogDensity(t) + scaler.LogVolume()
		if ok {
			z := scaler.Standard(t)
			gaussian -= normal.LogProb(z[:])
		}
	}
	total := float64(len(held))
	return prior / total, gaussian / total
}

func covariance(dst *mat.SymDense, data *mat.Dense) {
	n, d := data.Dims()
	*dst = *mat.NewSymDense(d, nil)
	for i := range n {
		dst.SymRankOne(dst, 1/float64(n), data.RowView(i))
	}
}

// meanNLL returns the mean standardised NLL of batches, without the folding of
// α that [Posterior.LogProb] does: the quantity that training minimises.
func (e *Estimator) meanNLL(batches []flow.Batch) (float64, error) {
	var sum, n float64
	for _, b := range batches {
		h, err := e.model.Context(b.X, b.C, b.Branches...)
		if err != nil {
			return 0, fmt.Errorf("mlens: %w", err)
		}
		for j := range b.N {
			d := e.model.Density(h[j*len(h)/b.N:][:len(h)/b.N])
			sum += float64(b.LogVolume[j]) - float64(d.LogProb(nil, part(b.Y, j, event.Dim))[0])
			n++
		}
	}
	return sum / n, nil
}

// Evaluate judges the model on n realisations of a split of the bank, with
// draws posterior draws each. progress, which may be nil, is told how many are
// done. Where the network puts nothing inside the prior, the rank is taken to be
// one half.
func (e *Estimator) Evaluate(ctx context.Context, b *bank.Bank, split bank.Split, n, draws int, progress func(done, total int)) (*Judgement, error) {
	if n < 1 || draws < 1 {
		return nil, fmt.Errorf("mlens: %d events with %d draws each judge nothing", n, draws)
	}
	chosen, err := b.Select(split, e.Training.Cut)
	if err != nil {
		return nil, err
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("mlens: the bank has no simulation in this split after the cut at χ²/dof > %g", e.Training.Cut)
	}
	src := e.source(b, chosen)
	src.seed, src.inOrder = heldSeed, true
	type result struct {
		logProb, inside float64
		ranks           [event.Dim]float64
		err             error
	}
	results := make([]result, n)
	err = parallel(ctx, n, func(i int) {
		r := &results[i]
		f := newFeatures()
		truth, err := src.realise(new(worker), i, f)
		if err != nil {
			r.err = err
			return
		}
		p, err := e.condition(f)
		if err != nil {
			r.err = err
			return
		}
		r.logProb = p.LogProb([]event.Theta{truth})[0]
		sample := p.Sample(draws, uint64(i))
		r.inside = p.Inside()
		col := make([]float64, len(sample))
		for k := range event.Dim {
			for j, t := range sample {
				col[j] = t[k]
			}
			if len(col) == 0 {
				r.ranks[k] = 0.5
				continue
			}
			r.ranks[k] = math.Round(1e5*calib.Rank(col, truth[k])) / 1e5
		}
	}, progress)
	if err != nil {
		return nil, err
	}

	j := &Judgement{Events: n, Draws: draws}
	nlls := make([]float64, n)
	for i := range results {
		r := &results[i]
		if r.err != nil {
			return nil, fmt.Errorf("mlens: event %d of the split: %w", i, r.err)
		}
		nlls[i] = -r.logProb - e.Scaler.LogVolume()
		j.Inside += r.inside / float64(n)
		for k := range event.Dim {
			j.Ranks[k] = append(j.Ranks[k], r.ranks[k])
		}
	}
	j.NLL, j.NLLErr = meanAndError(nlls)
	j.RawNLL = j.NLL + e.Scaler.LogVolume()
	for k := range event.Dim {
		j.Delta[k] = calib.Deviation(j.Ranks[k], 20)
		_, j.Significance[k] = calib.KolmogorovUniform(j.Ranks[k])
	}
	return j, nil
}
