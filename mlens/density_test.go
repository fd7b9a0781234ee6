package mlens

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
)

// Draws of the network alone, weighted by the exact density of seven parameters and its own of
// eight, give the evidence that the refinement finds: where the data say so little that they can.
func TestNetworkIsASource(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	e, err := Load(shippedDir)
	if err != nil {
		t.Fatal(err)
	}
	// One whose anomaly is weak.
	events, err := e.HeldOut(context.Background(), 12, 7, bank.Observing{})
	if err != nil {
		t.Fatal(err)
	}
	lc, err := events[11].Window()
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Condition(lc)
	if err != nil {
		t.Fatal(err)
	}
	lik, err := event.NewLikelihood(lc, p.prior)
	if err != nil {
		t.Fatal(err)
	}
	d := density{lik: lik, prior: p.prior, fs: 1, least: math.Inf(-1)}
	_, source := d.network(p, 1)
	if source == nil {
		t.Fatal("no draws")
	}
	var xs [][]float64
	var weights []float64
	for _, x := range source.Draws {
		if ln := d.logProb(x); !math.IsInf(ln, -1) {
			xs, weights = append(xs, x), append(weights, ln)
		}
	}
	known := make([]float64, len(xs))
	source.LogDensity(known, xs)
	floats.Sub(weights, known)
	n := float64(len(source.Draws))
	lnZ := floats.LogSumExp(weights) - math.Log(n)
	var ess float64
	for _, w := range weights {
		ess += math.Exp(2*(w-lnZ) - math.Log(n))
	}
	ess = n / ess
	err1 := math.Sqrt(1/ess - 1/n)

	r, err := p.Refine(context.Background(), p.Sample(2000, 1), RefineOptions{Seed: 1, Budget: 5000})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ln Z %.3f ± %.3f (ESS %.0f of %.0f), refined %.3f ± %.3f, %s", lnZ, err1, ess, n, r.LogEvidence, r.Err, r.Trust())
	if err1 > 0.2 {
		t.Errorf("only %.0f of %.0f draws are effective", ess, n)
	}
	if z := (lnZ - r.LogEvidence) / math.Hypot(err1, r.Err); math.Abs(z) > 4 {
		t.Errorf("ln Z = %.3f ± %.3f from the network's draws, %.3f ± %.3f refined", lnZ, err1, r.LogEvidence, r.Err)
	}
}
