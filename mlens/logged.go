package mlens

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mlens-go/microlens/mlens/event"
)

// Files of results of single events, which a model's folder may hold: see
// [Estimator.ScoreRefined] and [Estimator.Recall].
const (
	refinedName  = "refined.jsonl"
	polishedName = "polished.jsonl"
)

// resultsOf is the first line of such a file.
type resultsOf struct {
	Model    string // checksum of the weights
	Settings string // checksum of what else decides the results
}

// A resultLine is any other line.
type resultLine[T any] struct {
	File   string // the event's
	Truth  event.Theta
	Result T
}

func (e *Estimator) resultsOf(settings ...any) (resultsOf, error) {
	b, err := json.Marshal(settings)
	if err != nil {
		return resultsOf{}, fmt.Errorf("mlens: %w", err)
	}
	sum := sha256.Sum256(b)
	return resultsOf{Model: e.WeightsSHA256, Settings: hex.EncodeToString(sum[:8])}, nil
}

// logged calls f for one event after the other and returns what it returns. Unless path is
// empty it appends each result to that file, a line of JSON, and goes on behind those that are
// there; they must be of the same model, events and settings.
func logged[T any](ctx context.Context, path string, of resultsOf, events []Event, f func(i int) (T, error), progress func(done, total int)) ([]T, error) {
	n := len(events)
	var out []T
	var file *os.File
	if path != "" {
		there, lines, size, err := readResults[T](path)
		if errors.Is(err, fs.ErrNotExist) {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err != nil {
			return nil, err
		}
		if size > 0 && there != of {
			return nil, fmt.Errorf("mlens: %s holds results of another model or other settings: name another folder, or remove it", path)
		}
		for i, line := range lines[:min(n, len(lines))] {
			if line.File != events[i].File || line.Truth != events[i].Truth {
				return nil, fmt.Errorf("mlens: %s:%d holds the result of %s and not of %s: name another folder, or remove it", path, i+2, line.File, events[i].File)
			}
			out = append(out, line.Result)
		}
		if len(out) == n {
			return out, nil
		}
		if file, err = openResults(path, of, size); err != nil {
			return nil, err
		}
		defer file.Close()
	}
	for i := len(out); i < n; i++ {
		if progress != nil {
			progress(i, n)
		}
		result, err := f(i)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && file != nil {
			err = appendLine(file, resultLine[T]{events[i].File, events[i].Truth, result})
		}
		if err != nil {
			return nil, err
		}
		out = append(out, result)
	}
	if progress != nil {
		progress(n, n)
	}
	return out, nil
}

// in returns the path of a file in a folder, or "" if there is none.
func in(dir, name string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

// readResults reads a file of results and returns the length of its whole lines, too: what a
// kill has left of one is not read.
func readResults[T any](path string) (of resultsOf, lines []resultLine[T], size int, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return of, nil, 0, fmt.Errorf("mlens: results of single events: %w", err)
	}
	size = bytes.LastIndexByte(b, '\n') + 1
	for text := range bytes.Lines(b[:size]) {
		if of == (resultsOf{}) {
			err = json.Unmarshal(text, &of)
		} else {
			var line resultLine[T]
			err = json.Unmarshal(text, &line)
			lines = append(lines, line)
		}
		if err != nil {
			return of, nil, 0, fmt.Errorf("mlens: %s:%d is no result: %w", path, len(lines)+1, err)
		}
	}
	return of, lines, size, nil
}

// openResults opens a file of results, of which size bytes are kept, to be appended to.
func openResults(path string, of resultsOf, size int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err == nil {
		err = file.Truncate(int64(size))
	}
	if err == nil && size == 0 {
		err = appendLine(file, of)
	}
	if err != nil {
		return nil, fmt.Errorf("mlens: results of single events: %w", err)
	}
	return file, nil
}

func appendLine(file *os.File, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = file.Write(append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("mlens: %s: %w", file.Name(), err)
	}
	return nil
}

// shippedResults reads results that came with the model.
func shippedResults[T any](e *Estimator, name string) ([]T, error) {
	path := filepath.Join(e.Dir, name)
	of, lines, _, err := readResults[T](path)
	switch {
	case err != nil:
		return nil, err
	case of.Model != e.WeightsSHA256:
		return nil, fmt.Errorf("mlens: %s holds results of another model: remove it", path)
	case len(lines) == 0:
		return nil, fmt.Errorf("mlens: %s holds no results", path)
	}
	out := make([]T, len(lines))
	for i, line := range lines {
		out[i] = line.Result
	}
	return out, nil
}

// Refined returns the score of refined posteriors that is kept with the model, as
// `evaluate -refine -log` with the model's own folder makes it.
func (e *Estimator) Refined() (*RefinedScore, error) {
	events, err := shippedResults[RefinedEvent](e, refinedName)
	if err != nil {
		return nil, err
	}
	return collectRefined(events), nil
}

// Recalled returns the recall that is kept with the model, as `evaluate -polish -log` with
// the model's own folder makes it.
func (e *Estimator) Recalled() (*Recall, error) {
	events, err := shippedResults[RecallEvent](e, polishedName)
	if err != nil {
		return nil, err
	}
	return &Recall{Events: events}, nil
}
