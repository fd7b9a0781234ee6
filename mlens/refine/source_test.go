package refine

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"sync"
	"testing"
)

// A density full of holes, and of one more variable, is what only the Source knows, if not
// quite: both densities and draws come out right, and the Source gets most of the draws.
func TestSampleSource(t *testing.T) {
	box := []Parameter{{Min: 0, Max: 1, Scale: 0.1}, {Min: 0, Max: 1, Scale: 0.1}}
	inside := func(x []float64) bool { return math.Sin(25*x[0])*math.Sin(25*x[1]) > 0.5 }
	var area, mean float64
	const grid = 1000
	for i := range grid {
		for j := range grid {
			if x := []float64{(float64(i) + 0.5) / grid, (float64(j) + 0.5) / grid}; inside(x) {
				area++
				mean += x[0]
			}
		}
	}
	mean, area = mean/area, area/grid/grid

	// The density: uniform, and z about x0 with a width of 0.1. The Source: z is wider, and
	// a tenth of its draws is outside.
	g := rand.New(rand.NewPCG(1, 1))
	given := map[[2]float64]float64{}
	source := &Source{}
	const outside = 0.1
	for len(source.Draws) < 4000 {
		x := []float64{2, 0}
		if g.Float64() > outside {
			for x[0] = 0; !inside(x); {
				x = []float64{g.Float64(), g.Float64()}
			}
		}
		source.Draws = append(source.Draws, x)
		given[[2]float64(x)] = x[0] + 0.15*g.NormFloat64()
	}
	var kept sync.Map
	density := func(x []float64, _ []float32) float64 {
		if !inside(x) {
			return math.Inf(-1)
		}
		place := [2]float64(x)
		z, ok := given[place]
		if !ok {
			z = x[0] + 0.1*rand.New(rand.NewPCG(math.Float64bits(x[0]), math.Float64bits(x[1]))).NormFloat64()
		}
		kept.Store(place, z)
		return 0
	}
	z := func(x []float64) float64 {
		v, _ := kept.Load([2]float64(x))
		return v.(float64)
	}
	source.LogDensity = func(dst []float64, xs [][]float64) {
		for i, x := range xs {
			dst[i] = math.Log((1-outside)/area) + normal(z(x), x[0], 0.15) - normal(z(x), x[0], 0.1)
		}
	}
	start := []Start{{X: []float64{0.5, 0.5}}}
	opt := SampleOptions{Seed: 1, Budget: 4000, ESS: 1e9}
	alone, err := Sample(context.Background(), density, box, start, opt)
	if err != nil {
		t.Fatal(err)
	}
	opt.Source = source
	var first *Sampled
	for _, workers := range []int{1, 3} {
		before := runtime.GOMAXPROCS(workers)
		s, err := Sample(context.Background(), density, box, start, opt)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = s
		}
		if s.LogEvidence != first.LogEvidence || !reflect.DeepEqual(s.Draws, first.Draws) {
			t.Errorf("%d workers: other draws, ln Z %v, not %v", workers, s.LogEvidence, first.LogEvidence)
		}
	}
	s := first
	t.Logf("efficiency %.3f, alone %.3f; ln Z %.3f ± %.3f, want %.3f", s.Efficiency(), alone.Efficiency(), s.LogEvidence, s.LogEvidenceErr, math.Log(area))
	if s.Efficiency() < 1.5*alone.Efficiency() {
		t.Errorf("efficiency %.3f, without the source %.3f", s.Efficiency(), alone.Efficiency())
	}
	if math.Abs(s.LogEvidence-math.Log(area)) > 5*s.LogEvidenceErr {
		t.Errorf("ln Z = %.3f ± %.3f, want %.3f", s.LogEvidence, s.LogEvidenceErr, math.Log(area))
	}
	var total, zs, spread float64
	for _, d := range s.Draws {
		if w := math.Exp(d.LogWeight); w > 0 {
			total += w
			zs += w * z(d.X)
			spread += w * (z(d.X) - d.X[0]) * (z(d.X) - d.X[0])
		}
	}
	if got := zs / total; math.Abs(got-mean) > 0.05 {
		t.Errorf("mean of z is %.3f, want %.3f", got, mean)
	}
	if got := math.Sqrt(spread / total); math.Abs(got-0.1) > 0.01 {
		t.Errorf("z is %.3f wide, want 0.1", got)
	}
}

// Few draws are no reason to stop, and modes made one share what they had.
func TestSampleSourceRunsDry(t *testing.T) {
	params := []Parameter{{Min: -10, Max: 10, Scale: 1}}
	p := func(x []float64, _ []float32) float64 { return normal(x[0], 0, 1) }
	g := rand.New(rand.NewPCG(1, 1))
	source := &Source{LogDensity: func(dst []float64, xs [][]float64) {
		for i, x := range xs {
			dst[i] = normal(x[0], 0, 1)
		}
	}}
	for range 300 {
		source.Draws = append(source.Draws, []float64{g.NormFloat64()})
	}
	starts := []Start{{X: []float64{-1}}, {X: []float64{1}}}
	s, err := Sample(context.Background(), p, params, starts, SampleOptions{Seed: 1, Budget: 2000, ESS: 1e9, Source: source})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.LogEvidence) > 5*s.LogEvidenceErr || s.Evaluations != 2000 {
		t.Errorf("ln Z = %.3f ± %.3f after %d", s.LogEvidence, s.LogEvidenceErr, s.Evaluations)
	}
	s.Modes = s.Modes[:1]
	s.Merge([]int{0, 0})
	if m := s.Modes[0]; math.Abs(m.Weight-1) > 1e-12 || math.Abs(m.ESS-s.ESS) > 1e-6 || m.Draws != len(s.Draws) {
		t.Errorf("all modes together: %+v of ESS %v and %d draws", m, s.ESS, len(s.Draws))
	}
}

// Where the density piles up at the end of a range, draws of the Source weigh what those of
// the mixture do.
func TestSampleSourceAtEnd(t *testing.T) {
	const rate = 3e4
	params := []Parameter{{Min: 0, Max: 1, Scale: 0.1}}
	p := func(x []float64, _ []float32) float64 { return math.Log(rate) - rate*x[0] }
	g := rand.New(rand.NewPCG(1, 1))
	source := &Source{LogDensity: func(dst []float64, xs [][]float64) {
		for i, x := range xs {
			dst[i] = math.Log(rate) - rate*x[0]
		}
	}}
	for range 4000 {
		source.Draws = append(source.Draws, []float64{g.ExpFloat64() / rate})
	}
	s, err := Sample(context.Background(), p, params, []Start{{X: []float64{1e-4}}}, SampleOptions{Seed: 1, Budget: 4000, ESS: 1e9, Source: source})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.LogEvidence) > 5*s.LogEvidenceErr || s.LogEvidenceErr > 0.05 {
		t.Errorf("ln Z = %.3f ± %.3f, want 0", s.LogEvidence, s.LogEvidenceErr)
	}
}

// A guide does not spoil the evidence, nor a Source that knows no number where it is not.
func TestSampleSourceGuide(t *testing.T) {
	params := line3()
	g := rand.New(rand.NewPCG(1, 1))
	draw := func() []float64 {
		x := []float64{g.NormFloat64(), 0, 0}
		x[1] = x[0]*x[0] + 0.2*g.NormFloat64()
		x[2] = 0.5*x[1] + 0.3*g.NormFloat64()
		return x
	}
	var guide [][]float64
	const end = 1.5
	part := 0.5 * math.Erfc(-end/math.Sqrt2)
	source := &Source{LogDensity: func(dst []float64, xs [][]float64) {
		for i, x := range xs {
			if dst[i] = banana(x) - math.Log(part); x[0] > end {
				dst[i] = math.NaN()
			}
		}
	}}
	for range 2000 {
		guide = append(guide, draw())
		if x := draw(); x[0] <= end {
			source.Draws = append(source.Draws, x)
		}
	}
	var mean float64
	const runs = 6
	for i := range runs {
		s, err := Sample(context.Background(), unobserved(banana), params, []Start{{X: []float64{0, 0, 0}}}, SampleOptions{Seed: uint64(i), Budget: 2000, ESS: 1e9, Guide: guide, Source: source})
		if err != nil {
			t.Fatal(err)
		}
		mean += s.LogEvidence / runs
	}
	t.Logf("mean ln Z %.3f", mean)
	if math.Abs(mean) > 0.05 {
		t.Errorf("mean ln Z is %.3f", mean)
	}
}
