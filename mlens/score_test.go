package mlens

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
)

// Held-out events that are written to files and read again are judged as those
// that never left the memory.
func TestScoreFollowsEvaluate(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	e := trained(t)
	b, err := bank.Simulate(context.Background(), bank.Config{N: 1000, Seed: 6}, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	const n, draws = 12, 300
	want, err := e.Evaluate(context.Background(), b, bank.Test, n, draws, nil)
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := b.Select(bank.Test, e.Training.Cut)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var events []Event
	for i := range n {
		var real bank.Realisation
		r := rand.New(rand.NewPCG(heldSeed, uint64(i)))
		if err := b.Realise(&real, chosen[i%len(chosen)], e.Training.Observing, r); err != nil {
			t.Fatal(err)
		}
		lc := real.LightCurve("")
		var s strings.Builder
		s.WriteString("time,flux,flux_err\n")
		for k, at := range lc.Times {
			fmt.Fprintf(&s, "%.2f,%.9g,%.9g\n", at, lc.Flux[k], lc.Err[k])
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.csv", i))
		if err := os.WriteFile(path, []byte(s.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		events = append(events, Event{File: path, Truth: real.Theta})
	}
	got, err := e.Score(context.Background(), events, draws, nil)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.NLL-want.NLL) > 1e-3*math.Abs(want.NLL) || math.Abs(got.RawNLL-want.RawNLL) > 1e-3*math.Abs(want.RawNLL) || math.Abs(got.Inside-want.Inside) > 0.01 {
		t.Errorf("NLL %v, raw %v, inside %v from files; %v, %v, %v from memory", got.NLL, got.RawNLL, got.Inside, want.NLL, want.RawNLL, want.Inside)
	}
	for k := range event.Dim {
		if math.Abs(got.Delta[k]-want.Delta[k]) > 0.02 {
			t.Errorf("δ of %s is %v from files and %v from memory", event.Names[k], got.Delta[k], want.Delta[k])
		}
	}
	if s := got.Global + got.Minor + got.None; math.Abs(s-1) > 1e-9 {
		t.Errorf("the modes' fractions add up to %v", s)
	}
	// The same events, the same draws.
	again, err := e.Score(context.Background(), events, draws, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range got.Predictions {
		if p.Truth != events[i].Truth {
			t.Fatalf("prediction %d is of another event", i)
		}
		for k, b := range e.Prior.Bounds() {
			if p.Nearest[k] < b.Min || p.Nearest[k] > b.Max || p.Highest[k] < b.Min || p.Highest[k] > b.Max || apartOn(p.Nearest[k], p.Truth[k], 0) > apartOn(p.Highest[k], p.Truth[k], 0) && k != event.Alpha {
				t.Errorf("%s of event %d: %+v", event.Names[k], i, p)
			}
		}
	}
	if !reflect.DeepEqual(again, got) {
		t.Errorf("%+v, and then %+v", got, again)
	}
}

// The prior's marginals have the densities of Eq. 13.
func TestPriorDensities(t *testing.T) {
	e := &Estimator{Manifest: Manifest{Prior: event.Roman()}}
	d := e.priorDensities()
	for _, c := range []struct {
		k    int
		v    float64
		want float64
	}{
		{event.LogS, 0.1, 1 / math.Log10(25)},
		{event.Alpha, 100, 1. / 360},
		{event.U0, 1.9, 0.5},
		{event.Fs, 0.5, 1 / (0.5 * math.Log(10))},
		{event.LogTE, 1.15, 1 / (0.45 * math.Sqrt(2*math.Pi)) / (0.5 * (math.Erf(1.15/0.45/math.Sqrt2) + math.Erf(0.85/0.45/math.Sqrt2)))},
	} {
		if got := d[c.k](c.v); math.Abs(got/c.want-1) > 1e-4 {
			t.Errorf("the density of %s at %v is %v instead of %v", event.Names[c.k], c.v, got, c.want)
		}
	}
}
