package mlens

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/flow"
)

// Scaler standardises a Theta: (θ − Mean)/Std, per parameter.
type Scaler struct{ Mean, Std event.Theta }

// newScaler takes mean and standard deviation of the simulations chosen. Those
// of t0 and f_s, which are drawn anew at each use, are the distributions' own,
// and so is α's.
func newScaler(b *bank.Bank, chosen []int) Scaler {
	var s Scaler
	all := make([]event.Theta, len(chosen))
	for k, i := range chosen {
		all[k] = b.Records[i].Params.Theta()
	}
	s.Mean, s.Std = moments(all)
	uniform := func(k int, r event.Range) {
		s.Mean[k], s.Std[k] = (r.Min+r.Max)/2, (r.Max-r.Min)/math.Sqrt(12)
	}
	uniform(event.Alpha, b.Config.Prior.Alpha)
	uniform(event.T0, b.Config.Prior.T0)
	fs := b.Config.Prior.Fs // log-uniform
	l := math.Log(fs.Max / fs.Min)
	s.Mean[event.Fs] = (fs.Max - fs.Min) / l
	s.Std[event.Fs] = math.Sqrt((fs.Max*fs.Max-fs.Min*fs.Min)/(2*l) - s.Mean[event.Fs]*s.Mean[event.Fs])
	return s
}

// Standard returns the standardised parameters.
func (s Scaler) Standard(t event.Theta) event.Theta {
	for k := range t {
		t[k] = (t[k] - s.Mean[k]) / s.Std[k]
	}
	return t
}

// LogVolume returns Σ ln Std: a raw NLL is the standardised one plus this.
func (s Scaler) LogVolume() (v float64) {
	for _, d := range s.Std {
		v += math.Log(d)
	}
	return v
}

// source realises batches of training examples; example j of batch i draws from
// rand.NewPCG(seed, i·batch + j). It does so on the processor for all backends, some steps
// ahead: features are relative to each example's single-lens fit, whose iterations
// no graph holds.
type source struct {
	bank    *bank.Bank
	chosen  []int
	obs     bank.Observing
	network flow.Config
	targets Targets
	scaler  Scaler
	batch   int
	seed    uint64
	// inOrder takes the chosen simulations one after the other instead of at
	// random: for fixed sets.
	inOrder bool

	spare sync.Pool // of *worker
}

// worker is the work space in which one goroutine makes examples.
type worker struct {
	realisation bank.Realisation
	featuriser  featuriser
	spare       features // its arrays are for views that the network does not take
}

// Batch implements flow.Source.
func (s *source) Batch(step int, b *flow.Batch) error { return s.fill(step, b, nil) }

// fill is Batch, and also stores the truths unless that is nil.
func (s *source) fill(step int, b *flow.Batch, truths []event.Theta) error {
	w, ok := s.spare.Get().(*worker)
	if !ok {
		w = &worker{spare: *newFeatures()}
	}
	defer s.spare.Put(w)
	points := event.Season().N * channels
	b.LogVolume = sized(b.LogVolume, s.batch)
	for j := range s.batch {
		f := w.spare
		f.x, f.c = part(b.X, j, points), part(b.C, j, scalars)
		if len(s.network.Branches) > 0 {
			f.event = part(b.Branches[0], j, eventPoints*eventChannels)
			f.anomaly = part(b.Branches[1], j, anomalyPoints*anomalyChannels)
		}
		t, err := s.realise(w, step*s.batch+j, &f)
		if err != nil {
			return err
		}
		y := part(b.Y, j, event.Dim)
		volume := s.targets.encode(y, &f.fit, t, s.network.Circular > 0)
		b.LogVolume[j] = float32(-volume - s.scaler.LogVolume())
		if truths != nil {
			truths[j] = t
		}
	}
	return nil
}

// realise makes example n and its features, and returns its truth.
func (s *source) realise(w *worker, n int, f *features) (event.Theta, error) {
	r := rand.New(rand.NewPCG(s.seed, uint64(n)))
	i := n % len(s.chosen)
	if !s.inOrder {
		i = r.IntN(len(s.chosen))
	}
	if err := s.bank.Realise(&w.realisation, s.chosen[i], s.obs, r); err != nil {
		return event.Theta{}, err
	}
	if err := w.featuriser.compute(f, w.realisation.Binned); err != nil {
		return event.Theta{}, fmt.Errorf("simulation %d: %w", s.chosen[i], err)
	}
	return w.realisation.Theta, nil
}

// part is the j-th of the parts of n numbers of v.
func part(v []float32, j, n int) []float32 { return v[j*n : (j+1)*n : (j+1)*n] }

func sized(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
