package mlens

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// What was stopped goes on where it was, also in the middle of a line, and takes no event for
// another.
func TestEachEvent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(dir, "results.jsonl")
	e := &Estimator{Manifest: Manifest{Prior: event.Roman(), WeightsSHA256: "one"}}
	events := make([]Event, 5)
	for i := range events {
		lc := event.LightCurve{Times: []float64{0, 1}, Flux: []float64{1, float64(i)}, Err: []float64{1, 1}}
		events[i] = Event{File: fmt.Sprint(i, ".csv"), Truth: table1, simulated: &lc}
	}
	stop := errors.New("stopped")
	var called []int
	run := func(settings string, n, until int) ([]RecallEvent, error) {
		called = nil
		return eachEvent(t.Context(), e, events[:n], dir, "results.jsonl", settings, func(i int) (RecallEvent, error) {
			if i == until {
				return RecallEvent{}, stop
			}
			called = append(called, i)
			return RecallEvent{Found: i%2 == 0, Seconds: float64(i)}, nil
		}, nil)
	}
	if _, err := run("a", 5, 3); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)-4], 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := run("a", 5, -1)
	if err != nil || !slices.Equal(called, []int{2, 3, 4}) || len(got) != 5 || got[0] != (RecallEvent{Found: true}) || got[4].Seconds != 4 {
		t.Errorf("%v after %v: %v", got, called, err)
	}
	// All are there, in any order, and wherever the files lie.
	slices.Reverse(events)
	events[0].File = "elsewhere.csv"
	if got, err := run("a", 2, 0); err != nil || called != nil || got[0].Seconds != 4 || got[1].Seconds != 3 {
		t.Errorf("%v after %v: %v", got, called, err)
	}
	if r, err := shippedResults[RecallEvent](&Estimator{Dir: dir, Manifest: e.Manifest}, "results.jsonl"); err != nil || len(r) != 5 || r[2].Seconds != 2 {
		t.Errorf("%v, %v", r, err)
	}
	// Another light curve or truth is another event.
	events[0].simulated.Flux[0] = 2
	events[1].Truth[event.U0] = 1
	if _, err := run("a", 3, -1); err != nil || !slices.Equal(called, []int{0, 1}) {
		t.Errorf("called %v: %v", called, err)
	}
	refused := func(settings, words string) {
		t.Helper()
		_, err := run(settings, 5, -1)
		if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not say %q", err, words)
		}
	}
	refused("b", "other settings")
	e.WeightsSHA256 = "two"
	refused("a", "another model")
	if _, err := shippedResults[RecallEvent](&Estimator{Dir: dir, Manifest: e.Manifest}, "results.jsonl"); err == nil || !strings.Contains(err.Error(), "another model") {
		t.Error(err)
	}
	e.WeightsSHA256 = "one"
	for damaged, line := range map[string]string{strings.Replace(string(b), "{\"Found\":true", "{\"Found\":7", 1): ":2 ", "{}\n": ":1 ", "x": ""} {
		if err := os.WriteFile(path, []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if line == "" { // nothing whole is in it
			if _, err := run("a", 5, -1); err != nil || len(called) != 5 {
				t.Errorf("called %v: %v", called, err)
			}
			continue
		}
		refused("a", line)
	}
}

func TestCollectRefined(t *testing.T) {
	s := collectRefined([]RefinedEvent{
		{NLL: 1, Above: 2, Found: true, ESS: 100, Evaluations: 1000, Seconds: 3, Draws: 199, Ranks: event.Theta{0.25, 0.5, 1, 0.5, 0.5, 0.5, 0.5, 0.5}},
		{NLL: 3, Above: 8, ESS: 600, Evaluations: 2000, Seconds: 5, Ranks: event.Theta{0.75, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.999}},
		{NLL: 5, Above: 2, Found: true, Seconds: 4},
	})
	near := func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }
	if !near(s.RawNLL, 3) || !near(s.NLLErr*s.NLLErr, 4.0/3) || !near(s.Above, 4) || !near(s.AboveErr*s.AboveErr, 4) {
		t.Errorf("NLL %v ± %v, above %v ± %v", s.RawNLL, s.NLLErr, s.Above, s.AboveErr)
	}
	if !near(s.ModeRecall, 2.0/3) || s.Seconds != 4 || !near(s.Efficiency, 0.1) || s.WorstEfficiency > 0.05 {
		t.Errorf("recall %v, %v s, efficiency %v, at worst %v", s.ModeRecall, s.Seconds, s.Efficiency, s.WorstEfficiency)
	}
	if r := s.Ranks(); !slices.Equal(r[0], []float64{0.25, 0.75, 0}) || !slices.Equal(r[1], []float64{0.5, 0.5, 0}) {
		t.Errorf("ranks %v", r)
	}
	if s.Outside != 2 || !near(s.OutsideByChance, 1-math.Pow(1-2./101, event.Dim)) {
		t.Errorf("%d outside, by chance %v", s.Outside, s.OutsideByChance)
	}
	s = collectRefined([]RefinedEvent{{NLL: 1, Level: Green}, {NLL: 3, Level: Red}, {NLL: 5, Level: Green, Found: true}})
	if g := s.Only(Green); len(g.Events) != 2 || !near(g.RawNLL, 3) || !near(g.ModeRecall, 0.5) || s.Only(Yellow) != nil {
		t.Errorf("only green: %+v; yellow: %v", g, s.Only(Yellow))
	}
	if one := collectRefined([]RefinedEvent{{NLL: 1}}); one.NLLErr != 0 {
		t.Errorf("± %v of one event", one.NLLErr)
	}
}

func TestRecallFraction(t *testing.T) {
	r := Recall{Events: []RecallEvent{{Found: true, Strong: true}, {Strong: true}, {Found: true}, {Found: true}}}
	if all, strong := r.Fraction(); all != 0.75 || strong != 0.5 {
		t.Errorf("%v of all, %v of the strong ones", all, strong)
	}
}
