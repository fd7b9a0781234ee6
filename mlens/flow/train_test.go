package flow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
)

// linearGaussian is a source with a known posterior: θ ~ N(0, 1) in two dimensions, x_t = a_t·θ +
// noise, so θ | x is Gaussian.
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
		Length: 32, Channels: 1, Patch: 8, Dims: []int{16, 16}, Pool: []bool{false, true},
		Context: 24, Dim: 2, Blocks: 4, Hidden: 32, HiddenLayers: 2, Mixture: 4, MaxLogScale: 4,
	}
}

// The network learns posteriors that are known, to a stated distance. The distance is the mean
// Kullback–Leibler divergence from the exact posterior, the difference of two mean log densities at
// the same examples.
func TestTrainLearnsPosteriors(t *testing.T) {
	if testing.Short() {
		t.Skip("takes twenty seconds")
	}
	for _, test := range []struct {
		name string
		src  interface {
			Source
			exact(b *Batch) float64
		}
		bins int
		want float64 // nats
	}{
		{"Gaussian", linearGaussian{toy(), 1.5}, 0, 0.06},
		// To miss one of the modes costs ln 2 = 0.69.
		{"bimodal with splines", twoSigns{toy()}, 8, 0.15},
	} {
		src := test.src
		t.Run(test.name, func(t *testing.T) {
			c := toy()
			c.Bins = test.bins
			valid := NewBatch(c, 2000)
			if err := src.Batch(1<<40, valid); err != nil {
				t.Fatal(err)
			}
			var last Progress
			m, err := Train(context.Background(), c, TrainOptions{
				Source: src, Steps: 700, Batch: 128, LearningRate: 5e-3, Average: 0.99, Validation: []Batch{*valid},
				Progress: func(p Progress) { last = p }, ProgressEvery: 100,
			})
			if err != nil {
				t.Fatal(err)
			}
			exact := src.exact(valid)
			kl := last.Valid - exact
			t.Logf("%.4f nats from the exact posterior, whose mean −log p is %.3f (%d weights, %.0f examples/s)", kl, exact, m.NumWeights(), last.Rate)
			if !(kl < test.want) {
				t.Errorf("the mean divergence is %.4f nats, want at most %g", kl, test.want)
			}
			if last.Step != 700 || last.ETA != 0 {
				t.Errorf("the last report is %+v", last)
			}
			// The graph and the plain Go flow agree on the trained network too.
			some := &Batch{X: valid.X[:20*c.Length], Y: valid.Y[:20*c.Dim], N: 20}
			h, err := m.Context(some.X, nil)
			if err != nil {
				t.Fatal(err)
			}
			lp := make([]float32, some.N)
			for i := range lp {
				m.Density(h[i*c.Context:(i+1)*c.Context]).LogProb(lp[i:i+1], some.Y[i*c.Dim:(i+1)*c.Dim])
			}
			if d := apart(lp, graphLogProb(t, m, some)); !(d < 1e-5) {
				t.Errorf("the graph's log densities differ by %g", d)
			}
		})
	}
}

// twoSigns is a source with two modes: θ ~ N(0, 1) in two dimensions, x = θ₀² + noise on the first
// half of the points and θ₁ + noise on the second, so that the sign of θ₀ stays unknown.
type twoSigns struct{ c Config }

const twoSignsNoise = 2.0

func (s twoSigns) Batch(step int, b *Batch) error {
	r := rand.New(rand.NewPCG(12, uint64(step)))
	for i := range b.N {
		θ := [2]float64{r.NormFloat64(), r.NormFloat64()}
		for t := range s.c.Length {
			v := θ[0] * θ[0]
			if t >= s.c.Length/2 {
				v = θ[1]
			}
			b.X[i*s.c.Length+t] = float32(v + twoSignsNoise*r.NormFloat64())
		}
		b.Y[2*i], b.Y[2*i+1] = float32(θ[0]), float32(θ[1])
	}
	return nil
}

// exact is the mean negative log posterior, the evidence of θ₀ by a sum over a grid.
func (s twoSigns) exact(b *Batch) float64 {
	half := float64(s.c.Length / 2)
	var sum float64
	for n := range b.N {
		var mean [2]float64
		for t := range s.c.Length {
			mean[2*t/s.c.Length] += float64(b.X[n*s.c.Length+t]) / half
		}
		logp := func(θ float64) float64 {
			d := mean[0] - θ*θ
			return -0.5*θ*θ - 0.5*half*d*d/(twoSignsNoise*twoSignsNoise)
		}
		const step = 0.002
		var evidence float64
		for θ := -6.0; θ < 6; θ += step {
			evidence += math.Exp(logp(θ)) * step
		}
		precision := 1 + half/(twoSignsNoise*twoSignsNoise)
		d := float64(b.Y[2*n+1]) - mean[1]*half/(twoSignsNoise*twoSignsNoise)/precision
		sum += -logp(float64(b.Y[2*n])) + math.Log(evidence) + 0.5*precision*d*d - 0.5*math.Log(precision) + 0.5*log2π
	}
	return sum / float64(b.N)
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
	wholeDir := t.TempDir()
	c, o := resumable(wholeDir)
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
		var rows []Progress // as a live figure collects them
		o.Resumed = func(past []Progress) { rows = past }
		o.Progress = func(p Progress) { rows = append(rows, p) }
		again, err := Train(context.Background(), c, o)
		if err != nil {
			t.Fatal(err)
		}
		checkRows(t, o, rows)
		for i := range whole.weights {
			if !slices.Equal(whole.weights[i], again.weights[i]) {
				t.Fatalf("stopped near step %d and continued, weight %s differs by %g", stop, whole.params[i].name, maxDiff(whole.weights[i], again.weights[i]))
			}
		}
		if a, b := historyWithoutRate(t, dir), historyWithoutRate(t, wholeDir); !slices.Equal(a, b) {
			t.Errorf("stopped near step %d and continued, the history is %q instead of %q", stop, a, b)
		}
	}
}

// checkRows checks the steps of a whole history, and that a validation stands
// exactly where one was made.
func checkRows(t *testing.T, o TrainOptions, rows []Progress) {
	t.Helper()
	want := []int{7, 14, 15, 21, 28, 30, 35, 42, 45, 49, 56, 60}
	if len(rows) != len(want) {
		t.Fatalf("%d lines of history, want %d", len(rows), len(want))
	}
	for i, p := range rows {
		if p.Step != want[i] || p.Steps != o.Steps || p.Seen != p.Step*o.Batch {
			t.Errorf("line %d is of step %d of %d, %d examples; want step %d of %d", i, p.Step, p.Steps, p.Seen, want[i], o.Steps)
		}
		if math.IsNaN(p.Valid) == (p.Step%o.ValidEvery == 0) {
			t.Errorf("step %d has the validation %v", p.Step, p.Valid)
		}
	}
}

// historyWithoutRate is the history of a run but for its speed.
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

// A process that is killed at any moment leaves a checkpoint from which the run continues to the
// same end.
func TestKill(t *testing.T) {
	if os.Getenv("FLOW_TEST_TRAIN") != "" {
		c, o := resumable(os.Getenv("FLOW_TEST_TRAIN"))
		o.CheckpointEvery = time.Millisecond
		if _, err := Train(context.Background(), c, o); err != nil {
			t.Fatal(err)
		}
		return
	}
	wholeDir := t.TempDir()
	c, o := resumable(wholeDir)
	whole, err := Train(context.Background(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for kills := 0; kills < 3; kills++ {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "FLOW_TEST_TRAIN="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Wait for a checkpoint of this process, then kill it in the midst of writing the next
		// ones.
		before := time.Now()
		for {
			info, err := os.Stat(filepath.Join(dir, checkpointFile))
			if err == nil && info.ModTime().After(before) || time.Since(before) > 20*time.Second {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(17*kills) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	s, _, err := loadCheckpoint(dir, fingerprint(mustDefaults(t, c, o)), "go", c.params(), true)
	if err != nil {
		t.Fatalf("after the kills: %v", err)
	}
	t.Logf("killed three times, the last checkpoint is of step %d", s.step)
	_, o = resumable(dir)
	again, err := Train(context.Background(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole.weights {
		if !slices.Equal(whole.weights[i], again.weights[i]) {
			t.Fatalf("weight %s differs", whole.params[i].name)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if e.Name() != checkpointFile && e.Name() != historyFile {
			t.Errorf("%s is left over", e.Name())
		}
	}
}

// A checkpoint goes on with its own kind of backend only; one that names none, as those of old, with
// any. The model says what it was trained with.
func TestBackendIsKept(t *testing.T) {
	compute.Register("twin", gobackend.New) // the same under another name
	t.Setenv("GOMLX_BACKEND", "")
	dir := t.TempDir()
	train := func(backend string, steps int) (*Model, error) {
		c, o := resumable(dir)
		o.Backend = backend
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		src := o.Source
		o.Source = sourceFunc(func(step int, b *Batch) error {
			if step == steps {
				cancel()
			}
			return src.Batch(step, b)
		})
		return Train(ctx, c, o)
	}
	if m, err := train("twin:ops_sequential", 5); !errors.Is(err, context.Canceled) || m.Backend.Kind != "twin" {
		t.Fatalf("trained on %+v, %v", m.Backend, err)
	}
	path := filepath.Join(dir, checkpointFile)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = train("", 60)
	if err == nil {
		t.Fatal("a run goes on with another backend")
	}
	for _, w := range []string{path, `on the backend "twin"`, `this one is on "go"`, `go on with the backend "twin"`, "remove"} {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the checkpoint has changed: %v", err)
	}
	t.Setenv("GOMLX_BACKEND", "twin")
	if _, err := train("", 10); !errors.Is(err, context.Canceled) {
		t.Errorf("the environment's backend: %v", err)
	}
	// One of old.
	f, err := readTensors(bytes.NewReader(before))
	if err != nil {
		t.Fatal(err)
	}
	delete(f.meta, "backend")
	if err := replaceFile(path, f.write); err != nil {
		t.Fatal(err)
	}
	m, err := train("go", 60)
	if err != nil {
		t.Fatal(err)
	}
	if b := m.Backend; b.Kind != "go" || b.Description == "" || !strings.HasPrefix(b.Go, "go") {
		t.Errorf("trained on %+v", b)
	}
}

func mustDefaults(t *testing.T, c Config, o TrainOptions) (Config, TrainOptions) {
	t.Helper()
	o, err := o.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return c, o
}

func TestTrainErrors(t *testing.T) {
	failure := errors.New("the disk is full of stars")
	run := func(change func(c *Config, o *TrainOptions)) error {
		c, o := resumable("")
		change(&c, &o)
		_, err := Train(context.Background(), c, o)
		return err
	}
	src := linearGaussian{toy(), 1}
	for want, change := range map[string]func(c *Config, o *TrainOptions){
		"step 7: the disk is full": func(_ *Config, o *TrainOptions) {
			o.Source = sourceFunc(func(step int, b *Batch) error {
				if step == 7 {
					return failure
				}
				return src.Batch(step, b)
			})
		},
		"panic: index out": func(_ *Config, o *TrainOptions) {
			o.Source = sourceFunc(func(int, *Batch) error { panic("index out of the Galaxy") })
		},
		"no finite gradient": func(_ *Config, o *TrainOptions) {
			o.Source = sourceFunc(func(step int, b *Batch) error {
				b.X[0] = float32(math.NaN())
				return nil
			})
		},
		"Source is nil": func(_ *Config, o *TrainOptions) { o.Source = nil },
		"Steps is 0":    func(_ *Config, o *TrainOptions) { o.Steps = 0 },
		"Validation[0]": func(_ *Config, o *TrainOptions) { o.Validation = []Batch{{N: 3}} },
		"Blocks is 0":   func(c *Config, _ *TrainOptions) { c.Blocks = 0 },
		`"nonsense"`:    func(_ *Config, o *TrainOptions) { o.Backend = "nonsense" },
	} {
		if err := run(change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if err := run(func(_ *Config, o *TrainOptions) {
		o.Source = sourceFunc(func(int, *Batch) error { return failure })
	}); !errors.Is(err, failure) {
		t.Errorf("the source's error is not wrapped: %v", err)
	}
}

func TestForeignCheckpoint(t *testing.T) {
	dir := t.TempDir()
	c, o := resumable(dir)
	o.Steps = 2
	if _, err := Train(context.Background(), c, o); err != nil {
		t.Fatal(err)
	}
	o.Seed++
	if _, err := Train(context.Background(), c, o); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("another run's checkpoint: %v", err)
	}
	o.Seed--
	path := filepath.Join(dir, checkpointFile)
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := Train(context.Background(), c, o); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged checkpoint: %v", err)
	}
}

// The paper's network builds and takes a step.
func TestPaper(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	c := Paper(7200, 1, 0)
	b := randomBatch(c, 2, 1)
	if _, err := newModel(c, c.initial(1)).Context(b.X[:c.Length], nil); err != nil {
		t.Fatal(err)
	}
	var last Progress
	if _, err := Train(context.Background(), c, TrainOptions{
		Source: sourceFunc(func(_ int, to *Batch) error { copy(to.X, b.X); copy(to.Y, b.Y); return nil }),
		Steps:  1, Batch: 2, Progress: func(p Progress) { last = p },
	}); err != nil {
		t.Fatal(err)
	}
	if !(last.Loss > 5 && last.Loss < 30) {
		t.Errorf("the first loss is %g, the prior's entropy is 11.4", last.Loss)
	}
}

// The network with an angle and branches builds, takes a step, and is saved and loaded.
func TestRoman(t *testing.T) {
	c := Roman(7200, 4, 15)
	c.Branches = []Branch{{Length: 512, Channels: 3, Patch: 16, Dims: []int{48, 48}, Width: 128}}
	b := randomBatch(c, 8, 1)
	var last Progress
	m, err := Train(context.Background(), c, TrainOptions{
		Source: sourceFunc(func(_ int, to *Batch) error {
			copy(to.X, b.X)
			copy(to.C, b.C)
			copy(to.Y, b.Y)
			copy(to.Branches[0], b.Branches[0])
			return nil
		}),
		Steps: 1, Batch: 8, Validation: []Batch{*b}, Progress: func(p Progress) { last = p },
	})
	if err != nil {
		t.Fatal(err)
	}
	if !(last.Loss > 5 && last.Loss < 30) {
		t.Errorf("the first loss is %g", last.Loss)
	}
	path := filepath.Join(t.TempDir(), "w")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := LoadModel(c, path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := back.Context(b.X, b.C, b.Branches...)
	if err != nil {
		t.Fatal(err)
	}
	var mean float64
	for i := range b.N {
		mean -= float64(back.Density(h[i*c.Context:(i+1)*c.Context]).LogProb(nil, b.Y[i*c.Dim:(i+1)*c.Dim])[0]) / float64(b.N)
	}
	if d := math.Abs(mean - last.Valid); !(d < 1e-3) {
		t.Errorf("the loaded model has the mean −log p %g, training validated at %g", mean, last.Valid)
	}
}

// A run that starts from a model has its weights, and reports include LogVolume.
func TestStart(t *testing.T) {
	c, o := resumable("")
	o.Steps, o.LearningRate = 30, 5e-3
	var first, second Progress
	o.Progress = func(p Progress) { first = p }
	m, err := Train(context.Background(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Start, o.LearningRate, o.Seed, o.Steps = m, 1e-9, 7, 3
	o.Progress = func(p Progress) { second = p }
	o.Validation = []Batch{o.Validation[0]}
	o.Validation[0].LogVolume = slices.Repeat([]float32{2}, o.Validation[0].N)
	if _, err := Train(context.Background(), c, o); err != nil {
		t.Fatal(err)
	}
	if d := math.Abs(second.Valid - 2 - first.Valid); !(d < 1e-3) {
		t.Errorf("the run that starts from the model validates at %g − 2, the model at %g", second.Valid, first.Valid)
	}
	if fingerprint(c, o) == fingerprint(c, TrainOptions{Steps: o.Steps, Batch: o.Batch, Seed: 7, LearningRate: 1e-9}) {
		t.Error("a checkpoint of the run without the start would be taken for this one's")
	}
	c.Blocks++
	if _, err := Train(context.Background(), c, o); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("a start of another configuration: %v", err)
	}
}
