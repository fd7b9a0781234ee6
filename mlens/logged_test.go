package mlens

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// What was stopped goes on where it was, also in the middle of a line.
func TestLogged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "results.jsonl")
	stop := errors.New("stopped")
	var called []int
	events := make([]Event, 5)
	for i := range events {
		events[i] = Event{File: fmt.Sprint(i, ".csv"), Truth: event.Theta{float64(i) / 3}}
	}
	run := func(of string, n, until int) ([]RecallEvent, error) {
		called = nil
		return logged(t.Context(), path, resultsOf{"model", of}, events[:n], func(i int) (RecallEvent, error) {
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
	// All are there; the first of them, too.
	if got, err := run("a", 2, 0); err != nil || len(got) != 2 || called != nil {
		t.Errorf("%v after %v: %v", got, called, err)
	}
	if _, err := run("b", 5, -1); err == nil || !strings.Contains(err.Error(), "other settings") || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	b, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(b), "\n"); len(lines) != 7 || lines[6] != "" {
		t.Errorf("the file is %q", b)
	}
	events[1].Truth[event.U0] = 1
	if _, err := run("a", 5, -1); err == nil || !strings.Contains(err.Error(), "results.jsonl:3 holds the result of 1.csv") {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), "{\"Found\":true", "{\"Found\":7", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := run("a", 5, -1); err == nil || !strings.Contains(err.Error(), "results.jsonl:2") {
		t.Error(err)
	}
}
