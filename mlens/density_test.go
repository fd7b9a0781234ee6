package mlens

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

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
	const some = 4000
	for _, x := range source.Draws[:some] {
		if ln := d.logProb(x); !math.IsInf(ln, -1) {
			xs, weights = append(xs, x), append(weights, ln)
		}
	}
	known := make([]float64, len(xs))
	source.LogDensity(known, xs)
	floats.Sub(weights, known)
	n := float64(some)
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
	t.Logf("ln Z %.3f ± %.3f (ESS %.0f of %.0f), refined %.3f ± %.3f, %s", lnZ, err1, ess, n, r.LogEvidence, r.LogEvidenceErr, r.Trust())
	if err1 > 0.2 {
		t.Errorf("only %.0f of %.0f draws are effective", ess, n)
	}
	if z := (lnZ - r.LogEvidence) / math.Hypot(err1, r.LogEvidenceErr); math.Abs(z) > 4 {
		t.Errorf("ln Z = %.3f ± %.3f from the network's draws, %.3f ± %.3f refined", lnZ, err1, r.LogEvidence, r.LogEvidenceErr)
	}
}

// Bins differ little from the measurements near a solution, also where the peak of a bright
// event is narrower than a bin could be.
func TestInBins(t *testing.T) {
	ctx := context.Background()
	truth := event.Theta{-0.026, -3.8, 268.8, 0.006, 28.9, 0.949, -2.77, 0.4}
	lc, err := truth.Params().Simulate(event.Season().Times(), 120, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	p := &Posterior{Window: lc, prior: event.Roman()}
	found, ok := p.polish(ctx, truth, 60)
	if !ok {
		t.Fatal("no minimum")
	}
	bins := p.inBins(ctx, []Solution{found})
	if bins.Len()*3 > lc.Len() {
		t.Errorf("%d bins of %d measurements", bins.Len(), lc.Len())
	}
	var at [2]*event.Likelihood
	for i, lc := range []event.LightCurve{lc, bins} {
		if at[i], err = event.NewLikelihood(lc, p.prior); err != nil {
			t.Fatal(err)
		}
	}
	var differences []float64
	for _, d := range scattered(found.Params, event.Theta{2e-4, 2e-3, 0.02, 5e-6, 2e-5, 3e-4, 2e-3, 0}, 40) {
		var ln [2]float64
		for i, l := range at {
			lin, err := l.At(d.Params())
			if err != nil {
				t.Fatal(err)
			}
			ln[i] = lin.LogMarginal()
		}
		differences = append(differences, ln[1]-ln[0])
	}
	sd := stat.StdDev(differences, nil)
	t.Logf("%d bins, %.3f nats", bins.Len(), sd)
	if sd > 0.3 {
		t.Errorf("bins and measurements differ by %.2f in ln L, beside a constant", sd)
	}
}
