package mlens

import (
	"fmt"
	"math"
	"math/rand/v2"

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
	n := float64(len(chosen))
	for _, i := range chosen {
		t := b.Records[i].Params.Theta()
		for k, v := range t {
			s.Mean[k] += v / n
		}
	}
	for _, i := range chosen {
		t := b.Records[i].Params.Theta()
		for k, v := range t {
			s.Std[k] += (v - s.Mean[k]) * (v - s.Mean[k]) / n
		}
	}
	for k, v := range s.Std {
		s.Std[k] = math.Sqrt(v)
	}
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

// Physical is the inverse of Standard.
func (s Scaler) Physical(z event.Theta) event.Theta {
	for k := range z {
		z[k] = s.Mean[k] + s.Std[k]*z[k]
	}
	return z
}

// LogVolume returns Σ ln Std: a raw NLL is the standardised one plus this.
func (s Scaler) LogVolume() (v float64) {
	for _, d := range s.Std {
		v += math.Log(d)
	}
	return v
}

// source realises batches of training examples; example j of batch i draws from
// rand.NewPCG(seed, i·batch + j).
type source struct {
	bank   *bank.Bank
	chosen []int
	obs    bank.Observing
	scaler Scaler
	batch  int
	seed   uint64
	// inOrder takes the chosen simulations one after the other instead of at
	// random: for fixed sets.
	inOrder bool
}

// Batch implements flow.Source.
func (s *source) Batch(step int, b *flow.Batch) error {
	season := event.Season()
	b.N = s.batch
	b.X = sized(b.X, s.batch*season.N*channels)
	b.C = sized(b.C, s.batch*scalars)
	b.Y = sized(b.Y, s.batch*event.Dim)
	var real bank.Realisation
	for j := range s.batch {
		n := step*s.batch + j
		t, err := s.realise(&real, n, b.X[j*season.N*channels:][:season.N*channels], b.C[j*scalars:][:scalars])
		if err != nil {
			return err
		}
		for k, v := range s.scaler.Standard(t) {
			b.Y[j*event.Dim+k] = float32(v)
		}
	}
	return nil
}

// realise makes example n and its features, and returns its truth.
func (s *source) realise(dst *bank.Realisation, n int, x, c []float32) (event.Theta, error) {
	r := rand.New(rand.NewPCG(s.seed, uint64(n)))
	i := n % len(s.chosen)
	if !s.inOrder {
		i = r.IntN(len(s.chosen))
	}
	if err := s.bank.Realise(dst, s.chosen[i], s.obs, r); err != nil {
		return event.Theta{}, err
	}
	if err := features(x, c, dst.Binned); err != nil {
		return event.Theta{}, fmt.Errorf("simulation %d: %w", s.chosen[i], err)
	}
	return dst.Theta, nil
}

func sized(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
