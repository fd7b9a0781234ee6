package refine

import (
	"context"
	"math"
	"testing"
)

// A sample of nearly the right density becomes one of the right density, with its evidence, from
// few evaluations.
func TestReweight(t *testing.T) {
	gaussian := func(mean, sigma float64) LogProb { // in two dimensions, its integral is e²
		return func(x []float64) float64 {
			a, b := (x[0]-mean)/sigma, (x[1]-mean)/sigma
			return 2 - (a*a+b*b)/2 - math.Log(2*math.Pi*sigma*sigma)
		}
	}
	rough, exact := gaussian(0, 1.1), gaussian(0.2, 1)
	params := []Parameter{{Min: -30, Max: 30, Scale: 1}, {Min: -30, Max: 30, Scale: 1}}
	const n = 400
	var mean, lnZ, chi2 float64
	const times = 20
	for seed := range uint64(times) {
		s, err := Sample(context.Background(), func(x []float64, _ []float32) float64 { return rough(x) }, params,
			[]Start{{X: []float64{0, 0}}}, SampleOptions{Seed: seed, Budget: 3000, ESS: 1200})
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.Reweight(context.Background(), exact, n, seed)
		if err != nil {
			t.Fatal(err)
		}
		if e.Evaluations > n+1 || e.Evaluations != len(e.Draws) || e.ESS < n/2 || e.ESS > n+1 || e.KHat > 0.7 {
			t.Errorf("%d evaluations, %d draws, ESS %.0f, k̂ %.2f", e.Evaluations, len(e.Draws), e.ESS, e.KHat)
		}
		var sum, all float64
		for _, d := range e.Draws {
			if d.LogProb != exact(d.X) {
				t.Fatal("LogProb is not the exact one")
			}
			w := math.Exp(d.LogWeight)
			sum, all = sum+w*d.X[0], all+w
		}
		mean += sum / all / times
		lnZ += e.LogEvidence / times
		z := (e.LogEvidence - 2) / e.LogEvidenceErr
		chi2 += z * z / times
		if m := e.Modes[0]; math.Abs(m.LogEvidence-e.LogEvidence) > 1e-9 || math.Abs(m.LogEvidenceErr-e.LogEvidenceErr) > 1e-9 {
			t.Errorf("ln Z %v ± %v, of the only mode %v ± %v", e.LogEvidence, e.LogEvidenceErr, m.LogEvidence, m.LogEvidenceErr)
		}
	}
	if math.Abs(mean-0.2) > 0.05 || math.Abs(lnZ-2) > 0.03 || chi2 > 2.2 || chi2 < 0.3 {
		t.Errorf("mean %.3f, ln Z %.3f, mean square error %.2f of what is said", mean, lnZ, chi2)
	}
}

// Where nothing weighs anything, that is what comes out.
func TestReweightNothing(t *testing.T) {
	s := &Sampled{Modes: make([]Share, 1), drawn: 3}
	for range s.drawn {
		s.Draws = append(s.Draws, Draw{X: []float64{0}, LogWeight: math.Inf(-1), kept: 1})
	}
	e, err := s.Reweight(context.Background(), func([]float64) float64 { return 0 }, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Draws) != 0 || !math.IsInf(e.LogEvidence, -1) || e.ESS != 0 || e.Modes[0].Weight != 0 {
		t.Errorf("%+v", e)
	}
	// A density that is not a number counts as none.
	s.Draws = []Draw{{X: []float64{0}, kept: 1}, {X: []float64{1}, kept: 1}, {X: []float64{2}, kept: 1}}
	e, err = s.Reweight(context.Background(), func(x []float64) float64 { return math.Sqrt(0.5 - x[0]) }, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := math.Sqrt(0.5) - math.Log(3); math.Abs(e.LogEvidence-want) > 1e-12 {
		t.Errorf("ln Z %v, want %v", e.LogEvidence, want)
	}
}

// A mode that weighs next to nothing keeps its evidence.
func TestReweightKeepsModes(t *testing.T) {
	heavy, light := 0.0, -30.0
	p := func(x []float64) float64 {
		at := func(m float64) float64 { return -(x[0] - m) * (x[0] - m) / 2 }
		return logAdd(heavy+at(-10), light+at(10)) - math.Log(2*math.Pi)/2
	}
	s, err := Sample(context.Background(), func(x []float64, _ []float32) float64 { return p(x) }, []Parameter{{Min: -30, Max: 30, Scale: 1}},
		[]Start{{X: []float64{-10}}, {X: []float64{10}}}, SampleOptions{Seed: 1, Budget: 3000})
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Reweight(context.Background(), p, 300, 1)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{heavy, light} {
		if m := e.Modes[k]; math.Abs(m.LogEvidence-want) > 0.3 || m.Draws < 30 {
			t.Errorf("mode %d: ln Z %.2f ± %.2f from %d draws, want %.0f", k, m.LogEvidence, m.LogEvidenceErr, m.Draws, want)
		}
	}
}

func TestThreshold(t *testing.T) {
	for _, c := range []struct {
		weights []float64
		n       int
		want    float64 // the threshold
	}{
		{[]float64{1, 1, 1, 1}, 2, 2},
		{[]float64{8, 1, 1, 1, 1}, 3, 2},
		{[]float64{100, 50, 1, 1}, 3, 2},
		{[]float64{5, 1, 0}, 2, 0},
		{nil, 2, 0},
	} {
		var l []float64
		for _, w := range c.weights {
			l = append(l, math.Log(w))
		}
		got := math.Exp(threshold(l, c.n))
		if math.Abs(got-c.want) > 1e-9 {
			t.Errorf("threshold %v of %v for %d, want %v", got, c.weights, c.n, c.want)
		}
	}
}
