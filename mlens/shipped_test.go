package mlens

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/mlens-go/microlens/mlens/event"
)

var shippedDir = filepath.Join("..", "data", "models", "roman")

// A smoke test: on simulations made here the model that ships does about what its
// judgement says. Events scatter so much that 60 of them tell a model that is
// broken, four nats worse or more, from one that is not, and no more than that;
// what changes a log density at all is TestGoldenLogProb's to find.
func TestShippedModelSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	e, err := Load(shippedDir)
	if err != nil {
		t.Fatal(err)
	}
	j, err := e.Judgement()
	if err != nil {
		t.Fatal(err)
	}
	events, err := e.HeldOut(context.Background(), 60, 20211, e.Training.Observing)
	if err != nil {
		t.Fatal(err)
	}
	nlls := make([]float64, len(events))
	for i, ev := range events {
		p, err := e.conditionOn(ev)
		if err != nil {
			t.Fatal(err)
		}
		nlls[i] = -p.LogProb([]event.Theta{ev.Truth})[0] - e.Scaler.LogVolume()
	}
	n := float64(len(nlls))
	got := floats.Sum(nlls) / n
	spread := j.NLLErr * math.Sqrt(float64(j.Events))
	t.Logf("NLL %.2f on %.0f new events; %.2f ± %.2f on %d of the test split, an event scatters by %.1f", got, n, j.NLL, j.NLLErr, j.Events, spread)
	if math.Abs(got-j.NLL) > 4*spread/math.Sqrt(n) {
		t.Errorf("NLL %.2f on new events, but the model's judgement says %.2f", got, j.NLL)
	}
	if j.NLL > e.Record.PriorNLL-5 {
		t.Errorf("NLL %.2f is hardly better than the prior's %.2f", j.NLL, e.Record.PriorNLL)
	}
}

// On the example events the truth lies within the posterior, parameter by
// parameter.
func TestShippedModelCoversTheTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	e, err := Load(shippedDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, ex := range exampleTruths {
		file, truth := ex.file, ex.truth
		p, err := e.Condition(exampleEvent(t, file))
		if err != nil {
			t.Fatal(err)
		}
		draws := p.Sample(4000, 1)
		for k := range truth {
			below := 0
			for _, d := range draws {
				if d[k] < truth[k] {
					below++
				}
			}
			if f := float64(below) / float64(len(draws)); f < 0.001 || f > 0.999 {
				t.Errorf("%s: %.2f %% of the draws have %s below the truth %v", file, 100*f, event.Names[k], truth[k])
			}
		}
	}
}

func BenchmarkInfer(b *testing.B) {
	e, err := Load(shippedDir)
	if err != nil {
		b.Fatal(err)
	}
	lc := exampleEvent(b, "close-wide.csv")
	for b.Loop() {
		p, err := e.Condition(lc)
		if err != nil {
			b.Fatal(err)
		}
		p.Sample(20_000, 1)
	}
}
