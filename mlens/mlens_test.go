package mlens

import (
	"context"
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/flow"
)

// tiny is a training of a few seconds; with -short it hardly learns.
func tiny() TrainConfig {
	curves := 3200
	if testing.Short() {
		curves = 320
	}
	net := Roman()
	net.Patch, net.Dims, net.Pool = 72, []int{16}, nil
	net.Context, net.Blocks, net.Hidden, net.Circular = 16, 3, 16, 4
	for i := range net.Branches {
		net.Branches[i].Dims, net.Branches[i].Width = []int{8}, 8
	}
	return TrainConfig{Bank: bank.Config{N: 1000, Seed: 1}, Network: net, Curves: curves, Batch: 32, LearningRate: 5e-3, Observing: bank.Observing{Irregular: 0.5}}
}

var trainOnce = sync.OnceValues(func() (*Estimator, error) {
	dir, err := os.MkdirTemp("", "mlens-test")
	if err != nil {
		return nil, err
	}
	testDirs = append(testDirs, dir)
	return Train(context.Background(), tiny(), Run{Dir: dir})
})

var testDirs []string

// TestMain trains instead of testing when the kill test asks.
func TestMain(m *testing.M) {
	flag.Parse() // for testing.Short
	if dir := os.Getenv("MLENS_TEST_TRAIN"); dir != "" {
		if _, err := Train(context.Background(), tiny(), Run{Dir: dir, CheckpointEvery: time.Millisecond}); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	for _, d := range testDirs {
		os.RemoveAll(d)
	}
	os.Exit(code)
}

func trained(t *testing.T) *Estimator {
	t.Helper()
	e, err := trainOnce()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func simulated(t *testing.T) event.LightCurve {
	t.Helper()
	p := event.Params{S: 0.7, Q: 0.02, Alpha: 130, U0: 0.2, T0: 31, TE: 12, Rho: 2e-3, Fs: 0.4}
	lc, err := p.Simulate(event.Season().Times(), 120, rand.New(rand.NewPCG(5, 0)))
	if err != nil {
		t.Fatal(err)
	}
	return lc
}

func BenchmarkRealise(b *testing.B) {
	bk, err := bank.Simulate(context.Background(), bank.Config{N: 200, Seed: 1}, b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer bk.Close()
	chosen, err := bk.Select(bank.Train, bank.CutPaper)
	if err != nil {
		b.Fatal(err)
	}
	for _, irregular := range []float64{0, 1} {
		b.Run(map[float64]string{0: "regular", 1: "irregular"}[irregular], func(b *testing.B) {
			e := &Estimator{Manifest: Manifest{Network: Roman(), Scaler: newScaler(bk, chosen), Targets: Targets(newScaler(bk, chosen))}}
			src := e.source(bk, chosen)
			src.obs.Irregular, src.batch = irregular, 128
			batch := flow.NewBatch(e.Network, 128)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := src.Batch(i, batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(128*float64(b.N)/b.Elapsed().Seconds(), "curves/s")
		})
	}
}

func TestTrainLearns(t *testing.T) {
	e := trained(t)
	r := e.Record
	t.Logf("%+v", r)
	if !(r.ValidNLL < r.PriorNLL) && !testing.Short() {
		t.Errorf("validation NLL %.2f is no better than the prior's %.2f", r.ValidNLL, r.PriorNLL)
	}
	if r.PriorNLL < 8 || r.PriorNLL > 13 {
		t.Errorf("the prior's NLL is %.2f, want about 10.7", r.PriorNLL)
	}
	if r.GaussianNLL >= r.PriorNLL+1.5 || r.GaussianNLL < 8 {
		t.Errorf("one Gaussian's NLL is %.2f", r.GaussianNLL)
	}
	// The saved one is returned at once, and is the same.
	again, err := Train(context.Background(), tiny(), Run{Dir: testDirs[0]})
	if err != nil {
		t.Fatal(err)
	}
	if again.WeightsSHA256 != e.WeightsSHA256 {
		t.Error("the same configuration gave other weights")
	}
}

func TestPosterior(t *testing.T) {
	e := trained(t)
	p, err := e.Condition(simulated(t))
	if err != nil {
		t.Fatal(err)
	}
	draws := p.Sample(2000, 1)
	if len(draws) != 2000 {
		t.Fatalf("%d draws", len(draws))
	}
	again := p.Sample(2000, 1)
	other := p.Sample(2000, 2)
	for i, d := range draws {
		if err := e.Prior.Check(d); err != nil {
			t.Fatal(err)
		}
		if d != again[i] {
			t.Fatal("the same seed gave other draws")
		}
	}
	// Samples have the density that LogProb says: that of the flow's variables,
	// times the volume of the map from them.
	y := make([]float32, 50*event.Dim)
	lps := make([]float32, 50)
	p.density.SampleLogProb(y, lps, 3)
	for i := range lps {
		at, ok := p.inside(part(y, i, event.Dim))
		if !ok {
			continue
		}
		volume := e.Targets.encode(make([]float32, event.Dim), &p.single, at, e.circular())
		if d := p.LogProb([]event.Theta{at})[0] - (float64(lps[i]) + volume); !(math.Abs(d) < 0.02) {
			t.Errorf("draw %d has log-density off by %g", i, d)
		}
	}
	if other[0] == draws[0] {
		t.Error("another seed gave the same draws")
	}
	// LogProb is a density of the draws: ∫ q over the prior is Inside, checked
	// by importance sampling from a box around the draws would be noisy; the
	// entropy identity E_q[ln q] is checked against a histogram instead in
	// package flow. Here: finite inside, −Inf outside, periodic in α.
	lp := p.LogProb(draws[:100])
	for i, v := range lp {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("draw %d has log-density %v", i, v)
		}
	}
	low, high := draws[0], draws[0]
	low[event.Alpha], high[event.Alpha] = 0, 360
	if a := p.LogProb([]event.Theta{low, high}); math.Abs(a[0]-a[1]) > 1e-3+math.Abs(a[0])*1e-3 && a[0] > -20 {
		t.Errorf("the density at α = 0° is %v and at 360° %v", a[0], a[1])
	}
	out := draws[0]
	out[event.U0] = -0.1
	if v := p.LogProb([]event.Theta{out})[0]; !math.IsInf(v, -1) {
		t.Errorf("log-density %v outside the prior", v)
	}
	modes, err := p.Modes(context.Background(), draws, 20)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, m := range modes {
		sum += m.Weight
		if math.IsNaN(m.Chi2DOF) {
			t.Error("no χ²")
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("weights sum to %v", sum)
	}
}

// Any flux unit and any time zero point will do.
func TestInvariance(t *testing.T) {
	e := trained(t)
	sample := func(lc event.LightCurve, start float64) []event.Theta {
		t.Helper()
		w, err := lc.Window(start, 72)
		if err != nil {
			t.Fatal(err)
		}
		p, err := e.Condition(w)
		if err != nil {
			t.Fatal(err)
		}
		return p.Sample(500, 1)
	}
	const same = 1e-12 // standard deviations: some 4e-14 come of rounding
	for _, step := range []float64{0.01, 1.0 / 96, 12.1 / 1440, 0.05} {
		var lc event.LightCurve
		full := simulated(t)
		for i := 0; float64(i)*step < 71.9; i++ {
			k := int(float64(i) * step / 0.01)
			lc.Times = append(lc.Times, float64(i)*step)
			lc.Flux = append(lc.Flux, full.Flux[k])
			lc.Err = append(lc.Err, full.Err[k])
		}
		want := sample(lc, 0)
		shifted := lc
		shifted.Times = nil
		for _, x := range lc.Times {
			shifted.Times = append(shifted.Times, x+2460919.5)
		}
		scaled := lc
		scaled.Flux, scaled.Err = nil, nil
		for i := range lc.Flux {
			scaled.Flux, scaled.Err = append(scaled.Flux, lc.Flux[i]*3.7e-12), append(scaled.Err, lc.Err[i]*3.7e-12)
		}
		for name, got := range map[string][]event.Theta{"shifted": sample(shifted, 2460919.5), "scaled": sample(scaled, 0)} {
			for i := range want {
				for k := range want[i] {
					d := math.Abs(got[i][k] - want[i][k])
					if k == event.Alpha {
						d = math.Abs(math.Remainder(d, 360))
					}
					if d > same*e.Scaler.Std[k] {
						t.Fatalf("step %.4g, %s: draw %d has %s = %v instead of %v", step, name, i, event.Names[k], got[i][k], want[i][k])
					}
				}
			}
		}
	}
}

func TestConditionRefuses(t *testing.T) {
	e := trained(t)
	lc := simulated(t)
	lc.Name = "a.dat"
	for name, c := range map[string]struct {
		change func(*event.LightCurve)
		want   string
	}{
		"absolute times":  {func(l *event.LightCurve) { l.Times = shift(l.Times, 2460000) }, "Window"},
		"too few points":  {func(l *event.LightCurve) { l.Times, l.Flux, l.Err = l.Times[:9], l.Flux[:9], l.Err[:9] }, "at least"},
		"NaN":             {func(l *event.LightCurve) { l.Flux = shift(l.Flux, 0); l.Flux[9] = math.NaN() }, "measurement 9"},
		"no error":        {func(l *event.LightCurve) { l.Err = shift(l.Err, 0); l.Err[9] = 0 }, "measurement 9"},
		"unsorted":        {func(l *event.LightCurve) { l.Times = shift(l.Times, 0); l.Times[9] = 0 }, "measurement 9"},
		"difference flux": {func(l *event.LightCurve) { l.Flux = shift(l.Flux, -20000) }, "baseline flux"},
	} {
		bad := lc
		c.change(&bad)
		if _, err := e.Condition(bad); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "a.dat") || strings.Contains(err.Error(), ": mlens: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func shift(v []float64, by float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = v[i] + by
	}
	return out
}

func TestLoadRefuses(t *testing.T) {
	e := trained(t)
	fresh := func() string {
		dir := t.TempDir()
		c := *e
		if err := c.Save(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if got, err := Load(fresh()); err != nil || got.WeightsSHA256 != e.WeightsSHA256 {
		t.Fatalf("a good model: %v", err)
	}
	for name, c := range map[string]struct {
		change func(dir string) error
		want   []string
	}{
		"nothing there": {func(dir string) error { return os.RemoveAll(filepath.Join(dir, manifestName)) }, []string{"no model in"}},
		"no weights":    {func(dir string) error { return os.Remove(filepath.Join(dir, weightsName)) }, []string{weightsName}},
		"cut short": {func(dir string) error { return os.Truncate(filepath.Join(dir, weightsName), 1000) },
			[]string{weightsName, "cut short", "1000 bytes"}},
		"one byte": {func(dir string) error {
			b, err := os.ReadFile(filepath.Join(dir, weightsName))
			if err != nil {
				return err
			}
			b[len(b)/2] ^= 1
			return os.WriteFile(filepath.Join(dir, weightsName), b, 0o644)
		}, []string{weightsName, "damaged"}},
		"manifest": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, manifestName), []byte(`{"Version"`), 0o644)
		},
			[]string{manifestName, "damaged"}},
		"version": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, manifestName), []byte(`{"Version":99}`), 0o644)
		},
			[]string{"version 99"}},
	} {
		dir := fresh()
		if err := c.change(dir); err != nil {
			t.Fatal(err)
		}
		_, err := Load(dir)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, w := range append(c.want, dir) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", name, err, w)
			}
		}
	}
}

// Interrupted training goes on where it was and ends in the same weights.
func TestTrainResumes(t *testing.T) {
	e := trained(t)
	dir := t.TempDir()
	// The bank is there already; only the training is repeated.
	if err := os.Symlink(filepath.Join(testDirs[0], "banks"), filepath.Join(dir, "banks")); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Train(ctx, tiny(), Run{Dir: dir, Training: func(p flow.Progress) {
		if p.Step >= 8 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "saved") {
		t.Fatalf("interrupted: %v", err)
	}
	got, err := Train(context.Background(), tiny(), Run{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got.WeightsSHA256 != e.WeightsSHA256 {
		t.Error("the resumed training ended in other weights")
	}
}

func TestFeaturesIgnoreGaps(t *testing.T) {
	lc := simulated(t)
	var z featuriser
	whole, part := newFeatures(), newFeatures()
	if err := z.compute(whole, lc.Bin(event.Season())); err != nil {
		t.Fatal(err)
	}
	x, c := whole.x, whole.c
	if math.Abs(math.Exp(float64(c[0])*0.6+4.6)/120-1) > 0.03 {
		t.Errorf("S/N of the baseline %v, want 120", math.Exp(float64(c[0])*0.6+4.6))
	}
	var gap event.LightCurve
	for i, x := range lc.Times {
		if x < 10 || x > 14 {
			gap.Times, gap.Flux, gap.Err = append(gap.Times, x), append(gap.Flux, lc.Flux[i]), append(gap.Err, lc.Err[i])
		}
	}
	if err := z.compute(part, gap.Bin(event.Season())); err != nil {
		t.Fatal(err)
	}
	y := part.x
	for i := range 7200 {
		measured := y[channels*i+2] == 1
		if in := i >= 1000 && i <= 1400; in == measured {
			t.Fatalf("bin %d: mask %v", i, y[channels*i+2])
		}
		if d := y[channels*i] - x[channels*i]; measured && math.Abs(float64(d)) > 0.01 {
			t.Fatalf("bin %d: the gap changed the flux by %v", i, d)
		}
	}
}
