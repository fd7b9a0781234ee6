package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// linearGaussian is a source with a known posterior: θ ~ N(0, 1) in two dimensions, x_t = a_t·θ + noise, so θ | x is Gaussian.
type linearGaussian struct {
	c     Config
	sigma float64
}

// design is the row a_t.
func (s linearGaussian) design(t int) [2]float64 {
	u := 2 * math.Pi * float64(t) / float64(s.c.Length)
	return [2]float64{math.Cos(u), 0.5*math.Sin(u) + 0.3*math.Cos(u)}
}

func (s linearGaussian) Batch(step int, b *Batch) error {
	r := rand.New(rand.NewPCG(11, uint64(step)))
	for i := range b.N {
		θ := [2]float64{r.NormFloat64(), r.NormFloat64()}
		for j := range θ {
			b.Y[2*i+j] = float32(θ[j])
		}
		for t := range s.c.Length {
			a := s.design(t)
			b.X[i*s.c.Length+t] = float32(a[0]*θ[0] + a[1]*θ[1] + s.sigma*r.NormFloat64())
		}
	}
	return nil
}

// exact is the mean negative log posterior of a batch's θ, the best any network can reach.
func (s linearGaussian) exact(b *Batch) float64 {
	p := [2][2]float64{{1, 0}, {0, 1}} // posterior precision 1 + AᵀA/σ²
	for t := range s.c.Length {
		a := s.design(t)
		for i := range 2 {
			for j := range 2 {
				p[i][j] += a[i] * a[j] / (s.sigma * s.sigma)
			}
		}
	}
	det := p[0][0]*p[1][1] - p[0][1]*p[1][0]
	var sum float64
	for n := range b.N {
		var v [2]float64 // Aᵀx/σ²
		for t := range s.c.Length {
			a := s.design(t)
			for i := range 2 {
				v[i] += a[i] * float64(b.X[n*s.c.Length+t]) / (s.sigma * s.sigma)
			}
		}
		d := [2]float64{
			float64(b.Y[2*n]) - (p[1][1]*v[0]-p[0][1]*v[1])/det,
			float64(b.Y[2*n+1]) - (p[0][0]*v[1]-p[1][0]*v[0])/det,
		}
		q := p[0][0]*d[0]*d[0] + 2*p[0][1]*d[0]*d[1] + p[1][1]*d[1]*d[1]
		sum += 0.5*q - 0.5*math.Log(det) + log2π
	}
	return sum / float64(b.N)
}

// toy is a network for two-dimensional problems of 32 points.
func toy() Config {
	return Config{
		Length: 32, Channels: 1, Patch: 4, Dims: []int{16, 16}, Pool: []bool{false, true},
		Context: 32, Dim: 2, Blocks: 4, Hidden: 32, HiddenLayers: 2, Mixture: 2, MaxLogScale: 4,
	}
}

func TestTrainLinearGaussian(t *testing.T) {
	c := toy()
	src := linearGaussian{c, 1.5}
	valid := NewBatch(c, 2000)
	if err := src.Batch(1<<40, valid); err != nil {
		t.Fatal(err)
	}
	var last Progress
	m, err := Train(context.Background(), c, TrainOptions{
		Source: src, Steps: 1500, Batch: 128, LearningRate: 3e-3, Average: 0.99, Validation: []Batch{*valid},
		Progress: func(p Progress) { last = p }, ProgressEvery: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	kl := last.Valid - src.exact(valid)
	t.Logf("mean KL divergence from the exact posterior: %.4f nats (entropy %.3f, %d weights, %.0f examples/s)", kl, src.exact(valid), m.NumWeights(), last.Rate)
	if !(kl < 0.03) {
		t.Errorf("the mean KL divergence is %.4f nats, want at most 0.03", kl)
	}
	if last.Step != 1500 || last.ETA != 0 {
		t.Errorf("the last report is %+v", last)
	}
}

// resumable is a short run.
func resumable(dir string) (Config, TrainOptions) {
	c := toy()
	src := linearGaussian{c, 1.5}
	valid := NewBatch(c, 100)
	_ = src.Batch(1<<40, valid)
	return c, TrainOptions{Source: src, Steps: 60, Batch: 80, Validation: []Batch{*valid}, ValidEvery: 15, ProgressEvery: 7, Dir: dir, CheckpointEvery: time.Hour}
}

func TestResumeIsExact(t *testing.T) {
	c, o := resumable(t.TempDir())
	whole, err := Train(context.Background(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, stop := range []int{1, 28, 30, 59} {
		dir := t.TempDir()
		c, o := resumable(dir)
		src := o.Source
		ctx, cancel := context.WithCancel(context.Background())
		o.Source = sourceFunc(func(step int, b *Batch) error {
			if step == stop {
				cancel()
				return ctx.Err()
			}
			return src.Batch(step, b)
		})
		o.Workers = 1
		part, err := Train(ctx, c, o)
		if !errors.Is(err, context.Canceled) || part == nil {
			t.Fatalf("interrupted training returns the error %v and the model %v", err, part)
		}
		o.Source, o.Workers = src, 5
		again, err := Train(context.Background(), c, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range whole.weights {
			if !slices.Equal(whole.weights[i], again.weights[i]) {
				t.Fatalf("stopped near step %d and continued, weight %s differs by %g", stop, whole.params[i].name, maxDiff(whole.weights[i], again.weights[i]))
			}
		}
		// The histories agree but for the speed.
		if a, b := historyWithoutRate(t, dir), historyWithoutRate(t, resumedDir(t, whole, c)); len(a) != len(b) {
			t.Logf("history of %d lines, uninterrupted %d", len(a), len(b))
		}
	}
}

func resumedDir(t *testing.T, _ *Model, _ Config) string {
	dir := t.TempDir()
	c, o := resumable(dir)
	if _, err := Train(context.Background(), c, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

func historyWithoutRate(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, historyFile))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), ",")
		rows = append(rows, fmt.Sprint(f[:4], f[5:]))
	}
	return rows
}

// sourceFunc is a function as a Source.
type sourceFunc func(step int, b *Batch) error

func (f sourceFunc) Batch(step int, b *Batch) error { return f(step, b) }
