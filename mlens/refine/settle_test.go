package refine

import (
	"context"
	"math"
	"testing"
)

// Two residuals that know the first parameter and the sum of the next two; nothing
// of the last.
func ridge(dst, x []float64) error {
	dst[0] = (x[0] - 1) / 0.01
	dst[1] = (x[1] + x[2] - 1) / 0.01
	return nil
}

var ridgeParams = []Parameter{
	{Min: 0, Max: 10, Scale: 1}, {Min: 0, Max: 1, Scale: 0.1}, {Min: 0, Max: 1, Scale: 0.1}, {Min: -4, Max: -2, Scale: 0.5},
}

// From both ends of a valley, and from the end of a parameter's range of which
// nothing is known, one comes to the same place.
func TestSettle(t *testing.T) {
	var starts []Start
	for _, x := range [][]float64{{1, 0.1, 0.9, -2}, {1, 0.9, 0.1, -4}} {
		s, ok, err := Settle(context.Background(), ridge, 2, x, ridgeParams, Options{Iterations: 200})
		if err != nil || !ok {
			t.Fatalf("from %v: %v, %v", x, ok, err)
		}
		for k, want := range []float64{1, 0.5, 0.5, -3} {
			if math.Abs(s.X[k]-want) > 0.05 {
				t.Errorf("from %v: parameter %d is %.3f, want %g", x, k, s.X[k], want)
			}
		}
		starts = append(starts, s)
	}
	far := Start{X: []float64{5, 0.5, 0.5, -3}, settled: starts[0].settled, chi2: starts[0].chi2 + 1}
	unknown := Start{X: []float64{1, 0.5, 0.5, -3}}
	if got := Distinct(append(starts, unknown, far), ridgeParams); len(got) != 3 || got[1] != 3 || got[2] != 2 {
		t.Errorf("distinct starts %v, want one of the first two, then 3, then 2", got)
	}
}

// A parameter that the residuals know stays at the end of its range, if it must.
func TestSettleAtAnEnd(t *testing.T) {
	near := func(dst, x []float64) error {
		dst[0] = (x[0] - 0.003) / 0.001
		return nil
	}
	s, ok, err := Settle(context.Background(), near, 1, []float64{0.003}, []Parameter{{Min: 0, Max: 1, Scale: 0.1}}, Options{})
	if err != nil || !ok || math.Abs(s.X[0]-0.003) > 0.001 {
		t.Errorf("%v, %v, %v; want 0.003", s.X, ok, err)
	}
}

// The starting proposal of a settled mode is good where the posterior is a valley
// that the prior closes.
func TestSampleSettled(t *testing.T) {
	s, _, err := Settle(context.Background(), ridge, 2, []float64{1, 0.1, 0.9, -2}, ridgeParams, Options{Iterations: 200})
	if err != nil {
		t.Fatal(err)
	}
	p := func(x []float64) float64 {
		dst := make([]float64, 2)
		ridge(dst, x)
		return normal(dst[0], 0, 1) + normal(dst[1], 0, 1)
	}
	got, err := Sample(context.Background(), unobserved(p), ridgeParams, []Start{s}, SampleOptions{Seed: 1, ESS: 1e9, Budget: 3000})
	if err != nil {
		t.Fatal(err)
	}
	// Two Gaussians of width 0.01, along a line of length 1, by 2.
	want := math.Log(0.01 * 0.01 * 2)
	t.Logf("ln Z %.3f ± %.3f (%.3f), ESS %.0f of %d", got.LogEvidence, got.LogEvidenceErr, want, got.ESS, got.Evaluations)
	if math.Abs(got.LogEvidence-want) > 5*got.LogEvidenceErr || got.Efficiency() < 0.3 {
		t.Errorf("ln Z %.3f ± %.3f, want %.3f; efficiency %.2f", got.LogEvidence, got.LogEvidenceErr, want, got.Efficiency())
	}
}

// Laplace's evidence of a narrow mode and that of a wide one are as their integrals.
func TestLogEvidence(t *testing.T) {
	params := []Parameter{{Min: 0, Max: 1, Scale: 0.1}, {Min: 0, Max: 360, Scale: 10, Period: 360}}
	evidence := func(width, angle, misfit float64) float64 {
		s, ok, err := Settle(context.Background(), func(dst, x []float64) error {
			dst[0], dst[1], dst[2] = (x[0]-0.4)/width, (x[1]-100)/angle, misfit
			return nil
		}, 3, []float64{0.41, 110}, params, Options{Iterations: 100})
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		return s.LogEvidence(params)
	}
	got := evidence(0.02, 4, 1) - evidence(0.005, 1, 0)
	if want := math.Log(16) - 0.5; math.Abs(got-want) > 0.02 {
		t.Errorf("the wide mode has e^%.3f times the evidence, want e^%.3f", got, want)
	}
	// An angle of which nothing is known is everywhere, and no more than that.
	got = evidence(0.02, 1e6, 0) - evidence(0.02, 1, 0)
	if want := math.Log(360 / math.Sqrt(2*math.Pi)); math.Abs(got-want) > 0.5 {
		t.Errorf("unknown angle: e^%.3f times the evidence, want e^%.3f", got, want)
	}
	if ln := (Start{X: []float64{0.4, 100}}).LogEvidence(params); !math.IsInf(ln, -1) {
		t.Errorf("a start that has not settled has evidence e^%g", ln)
	}
}
