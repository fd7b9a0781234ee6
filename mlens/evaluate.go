package mlens

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"

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
// many hundreds more, up to 1,000, as there are simulations.
func fixedSet(b *bank.Bank, chosen []int, cfg TrainConfig, scaler Scaler) ([]flow.Batch, error) {
	src := &source{bank: b, chosen: chosen, obs: cfg.Observing, scaler: scaler, batch: 100, seed: heldSeed, inOrder: true}
	out := make([]flow.Batch, min(10, (len(chosen)+99)/100))
	for k := range out {
		if err := src.Batch(k, &out[k]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// baselines returns the mean NLL, standardised, of the held-out truths under
// two densities that look at no light curve: the analytic prior, and one
// Gaussian with the mean and covariance of the training parameters.
func baselines(b *bank.Bank, chosen []int, held []flow.Batch, scaler Scaler) (prior, gaussian float64) {
	// A sample of training parameters with t0 and f_s as realisations draw them.
	src := &source{bank: b, chosen: chosen, scaler: scaler, batch: 1, seed: 1}
	n := min(len(chosen), 4000)
	data := mat.NewDense(n, event.Dim, nil)
	var real bank.Realisation
	x, c := make([]float32, event.Season().N*channels), make([]float32, scalars)
	for i := range n {
		t, err := src.realise(&real, i, x, c)
		if err != nil {
			return math.NaN(), math.NaN()
		}
		z := scaler.Standard(t)
		data.SetRow(i, z[:])
	}
	var cov mat.SymDense
	covariance(&cov, data)
	normal, ok := distmv.NewNormal(make([]float64, event.Dim), &cov, nil)
	var total float64
	for _, batch := range held {
		for j := range batch.N {
			var z event.Theta
			for k := range z {
				z[k] = float64(batch.Y[j*event.Dim+k])
			}
			t := scaler.Physical(z)
			for k, r := range b.Config.Prior.Bounds() { // float32 rounding
				t[k] = min(max(t[k], r.Min), r.Max)
			}
			prior -= b.Config.Prior.LogDensity(t) + scaler.LogVolume()
			if ok {
				gaussian -= normal.LogProb(z[:])
			}
			total++
		}
	}
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
		h, err := e.model.Context(b.X, b.C)
		if err != nil {
			return 0, fmt.Errorf("mlens: %w", err)
		}
		for j := range b.N {
			d := e.model.Density(h[j*len(h)/b.N:][:len(h)/b.N])
			sum -= float64(d.LogProb(nil, b.Y[j*event.Dim:][:event.Dim])[0])
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
	src := &source{bank: b, chosen: chosen, obs: e.Training.Observing, scaler: e.Scaler, batch: 1, seed: heldSeed, inOrder: true}
	type result struct {
		logProb, inside float64
		ranks           [event.Dim]float64
		err             error
	}
	results := make([]result, n)
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var real bank.Realisation
			x, c := make([]float32, event.Season().N*channels), make([]float32, scalars)
			for i := range next {
				r := &results[i]
				truth, err := src.realise(&real, i, x, c)
				if err != nil {
					r.err = err
					continue
				}
				h, err := e.model.Context(x, c)
				if err != nil {
					r.err = err
					continue
				}
				p := &Posterior{est: e, density: e.model.Density(h)}
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
				mu.Lock()
				done++
				if progress != nil {
					progress(done, n)
				}
				mu.Unlock()
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}

	j := &Judgement{Events: n, Draws: draws}
	var sum, sum2 float64
	for i := range results {
		r := &results[i]
		if r.err != nil {
			return nil, fmt.Errorf("mlens: event %d of the split: %w", i, r.err)
		}
		nll := -r.logProb - e.Scaler.LogVolume()
		sum += nll
		sum2 += nll * nll
		j.Inside += r.inside / float64(n)
		for k := range event.Dim {
			j.Ranks[k] = append(j.Ranks[k], r.ranks[k])
		}
	}
	j.NLL = sum / float64(n)
	j.NLLErr = math.Sqrt(max(0, sum2/float64(n)-j.NLL*j.NLL) / float64(n))
	j.RawNLL = j.NLL + e.Scaler.LogVolume()
	for k := range event.Dim {
		j.Delta[k] = calib.Deviation(j.Ranks[k], 20)
		_, j.Significance[k] = calib.KolmogorovUniform(j.Ranks[k])
	}
	return j, nil
}
