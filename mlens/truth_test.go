package mlens

import (
	"context"
	"testing"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
)

// Held-out events depend on the seed only, lie within prior and cut, and have the
// cadence asked for.
func TestHeldOut(t *testing.T) {
	e := &Estimator{Manifest: Manifest{Prior: event.Roman(), Training: TrainConfig{Cut: bank.CutPaper}}}
	draw := func(n int, seed uint64, obs bank.Observing) []Event {
		events, err := e.HeldOut(context.Background(), n, seed, obs)
		if err != nil {
			t.Fatal(err)
		}
		return events
	}
	few, more, other := draw(3, 1, bank.Observing{}), draw(5, 1, bank.Observing{}), draw(1, 2, bank.Observing{})
	selected := bank.NewSelection(bank.Config{}, bank.CutPaper)
	for i, ev := range few {
		if ev.Truth != more[i].Truth || ev.Truth == other[0].Truth {
			t.Errorf("event %d: %v and %v, with another seed %v", i, ev.Truth, more[i].Truth, other[0].Truth)
		}
		if !e.Prior.Contains(ev.Truth) || !selected.Passes(ev.Truth.Params()) {
			t.Errorf("event %d is outside the prior or the cut: %v", i, ev.Truth)
		}
		if win, err := ev.Window(); err != nil || win.Len() != event.Season().N {
			t.Errorf("event %d: %d measurements, %v", i, win.Len(), err)
		}
	}
	if win, err := draw(1, 1, bank.Observing{Irregular: 1})[0].Window(); err != nil || win.Len() == event.Season().N {
		t.Errorf("with gaps: %d measurements, %v", win.Len(), err)
	}
}
