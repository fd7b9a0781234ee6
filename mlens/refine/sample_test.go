package refine

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// unobserved is a density without residuals.
func unobserved(p LogProb) Observed {
	return func(x []float64, _ []float32) float64 { return p(x) }
}

func normal(x, mean, sigma float64) float64 {
	z := (x - mean) / sigma
	return -z*z/2 - math.Log(sigma*math.Sqrt(2*math.Pi))
}

// banana is a normalised density: a Gaussian bent along a parabola.
func banana(x []float64) float64 {
	return normal(x[0], 0, 1) + normal(x[1], x[0]*x[0], 0.2) + normal(x[2], 0.5*x[1], 0.3)
}

func line3() []Parameter {
	return []Parameter{
		{Min: -10, Max: 10, Scale: 1}, {Min: -20, Max: 30, Scale: 1}, {Min: -20, Max: 20, Scale: 1},
	}
}

func TestSampleBanana(t *testing.T) {
	s, err := Sample(context.Background(), unobserved(banana), line3(), []Start{{X: []float64{0, 0, 0}}}, SampleOptions{Seed: 1, Budget: 8000, ESS: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ESS %.0f ± %.0f of %d, k̂ %.2f, ln Z %.3f ± %.3f", s.ESS, s.ESSErr, s.Evaluations, s.KHat, s.LogEvidence, s.LogEvidenceErr)
	if math.Abs(s.LogEvidence) > 5*s.LogEvidenceErr || s.LogEvidenceErr > 0.05 {
		t.Errorf("ln Z = %.3f ± %.3f, want 0", s.LogEvidence, s.LogEvidenceErr)
	}
	if s.Efficiency() < 0.15 {
		t.Errorf("efficiency %.3f", s.Efficiency())
	}
	mean := func(f func(x []float64) float64) (m float64) {
		var total float64
		for _, d := range s.Draws {
			w := math.Exp(d.LogWeight)
			m += w * f(d.X)
			total += w
		}
		return m / total
	}
	for _, c := range []struct {
		name string
		f    func(x []float64) float64
		want float64
	}{
		{"x0", func(x []float64) float64 { return x[0] }, 0},
		{"x0²", func(x []float64) float64 { return x[0] * x[0] }, 1},
		{"x1", func(x []float64) float64 { return x[1] }, 1},
		{"x2", func(x []float64) float64 { return x[2] }, 0.5},
	} {
		if got := mean(c.f); math.Abs(got-c.want) > 0.15 {
			t.Errorf("mean of %s is %.3f, want %.3f", c.name, got, c.want)
		}
	}
}

// Proposals fitted to draws must not make the same draws light: where they did, this
// evidence was too small by 0.15.
func TestSampleUnbiased(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	const runs = 8
	var z, x2 [runs]float64
	for i := range z {
		s, err := Sample(context.Background(), unobserved(banana), line3(), []Start{{X: []float64{0, 0, 0}}}, SampleOptions{Seed: uint64(100 + i), Budget: 6000, ESS: 1e9})
		if err != nil {
			t.Fatal(err)
		}
		z[i] = s.LogEvidence
		var total float64
		for _, d := range s.Draws {
			w := math.Exp(d.LogWeight)
			x2[i] += w * d.X[0] * d.X[0]
			total += w
		}
		x2[i] /= total
	}
	for _, c := range []struct {
		name   string
		values []float64
		want   float64
	}{{"ln Z", z[:], 0}, {"x0²", x2[:], 1}} {
		mean, sd := stat.MeanStdDev(c.values, nil)
		t.Logf("mean %s %.3f ± %.3f", c.name, mean, sd/math.Sqrt(runs))
		if math.Abs(mean-c.want) > 4*sd/math.Sqrt(runs) {
			t.Errorf("mean %s is %.3f ± %.3f, want %g", c.name, mean, sd/math.Sqrt(runs), c.want)
		}
	}
}

// Two modes on a circle and in a box, one at the box's edge and e^-12 as heavy,
// another across the end of the circle.
func TestSampleModes(t *testing.T) {
	params := []Parameter{{Min: 0, Max: 360, Period: 360, Scale: 10}, {Min: 0, Max: 1, Scale: 0.1}}
	p := func(x []float64) float64 {
		big := normal(math.Remainder(x[0]-358, 360), 0, 4) + normal(x[1], 0.6, 0.02)
		// Half a Gaussian at the edge.
		small := -12 + normal(math.Remainder(x[0]-100, 360), 0, 1) + math.Ln2 + normal(x[1], 0, 0.05)
		return logAdd(big, small)
	}
	s, err := Sample(context.Background(), unobserved(p), params, []Start{{X: []float64{2, 0.62}}, {X: []float64{100.5, 0}}}, SampleOptions{Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ESS %.0f ± %.0f of %d, k̂ %.2f, modes %+v", s.ESS, s.ESSErr, s.Evaluations, s.KHat, s.Modes)
	for k, want := range []float64{0, -12} {
		m := s.Modes[k]
		if math.Abs(m.LogEvidence-want) > 5*m.LogEvidenceErr || m.LogEvidenceErr > 0.3 {
			t.Errorf("mode %d: ln Z = %.3f ± %.3f, want %g", k, m.LogEvidence, m.LogEvidenceErr, want)
		}
	}
	if s.KHat > 0.7 {
		t.Errorf("k̂ = %.2f", s.KHat)
	}
}

// A start with a far too narrow shape, two widths away, recovers through
// flattened weights.
func TestSampleBadStart(t *testing.T) {
	params := make([]Parameter, 5)
	for k := range params {
		params[k] = Parameter{Min: -50, Max: 50, Scale: 0.05}
	}
	p := func(x []float64) (l float64) {
		for k, v := range x {
			l += normal(v, float64(k), 1)
		}
		return l
	}
	s, err := Sample(context.Background(), unobserved(p), params, []Start{{X: []float64{1, 2, 1, 2, 3}}}, SampleOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ESS %.0f of %d, k̂ %.2f, ln Z %.3f ± %.3f", s.ESS, s.Evaluations, s.KHat, s.LogEvidence, s.LogEvidenceErr)
	if math.Abs(s.LogEvidence) > 5*s.LogEvidenceErr || s.ESS < 900 {
		t.Errorf("ln Z = %.3f ± %.3f, ESS %.0f", s.LogEvidence, s.LogEvidenceErr, s.ESS)
	}
}

func TestSampleSameBits(t *testing.T) {
	var first *Sampled
	for _, workers := range []int{1, 4} {
		before := runtime.GOMAXPROCS(workers)
		s, err := Sample(context.Background(), unobserved(banana), line3(), []Start{{X: []float64{0, 0, 0}}}, SampleOptions{Seed: 1, Budget: 1500})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = s
		}
		if s.LogEvidence != first.LogEvidence || s.Draws[len(s.Draws)-1].LogWeight != first.Draws[len(s.Draws)-1].LogWeight {
			t.Errorf("%d workers: ln Z %v, not %v", workers, s.LogEvidence, first.LogEvidence)
		}
	}
}

func TestKHat(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, k := range []float64{0.2, 0.5, 1} {
		var mean float64
		const runs = 20
		for range runs {
			w := make([]float64, 20_000)
			for i := range w {
				w[i] = math.Log((math.Pow(r.Float64(), -k) - 1) / k) // generalised Pareto
			}
			mean += KHat(w) / runs
		}
		if math.Abs(mean-k) > 0.07 {
			t.Errorf("k̂ = %.3f, want %.2f", mean, k)
		}
	}
	if k := KHat(make([]float64, 100)); !math.IsInf(k, -1) {
		t.Errorf("k̂ of equal weights is %v", k)
	}
	if k := KHat(make([]float64, 5)); !math.IsNaN(k) {
		t.Errorf("k̂ of five weights is %v", k)
	}
	const n = 100
	vanishing, one, infinite := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range vanishing {
		vanishing[i] = math.Inf(-1)
	}
	one[17], infinite[17] = math.NaN(), math.Inf(1)
	for _, w := range [][]float64{vanishing, one, infinite} {
		if k := KHat(w); !math.IsNaN(k) {
			t.Errorf("k̂ of weights that say nothing, %v..., is %v", w[16:19], k)
		}
	}
}
