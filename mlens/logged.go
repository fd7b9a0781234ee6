package mlens

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
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
	Model    string          // checksum of the weights
	Settings json.RawMessage // what else decides the results
}

func (r resultsOf) equal(o resultsOf) bool {
	return r.Model == o.Model && bytes.Equal(r.Settings, o.Settings)
}

// A resultLine is any other line.
type resultLine[T any] struct {
	Event  string // its checksum
	File   string
	Truth  event.Theta
	Result T
}

// checksum stands for an event's light curve and truth.
func (e Event) checksum() (string, error) {
	win, err := e.Window()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, v := range [][]float64{win.Times, win.Flux, win.Err, e.Truth[:]} {
		binary.Write(h, binary.LittleEndian, v) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// eachEvent calls f for one event after the other, all of which the prior must allow, and
// returns what it returns. Unless dir is empty it appends each result to a file in that folder,
// a line of JSON, and calls f only for events that the file has not; what is in it must be of
// the same model and settings.
func eachEvent[T any](ctx context.Context, e *Estimator, events []Event, dir, name string, settings any, f func(i int) (T, error), progress func(done, total int)) ([]T, error) {
	sums := make([]string, len(events))
	for i, ev := range events {
		err := ev.check(e.Prior)
		if err == nil {
			sums[i], err = ev.checksum()
		}
		if err != nil {
			return nil, err
		}
	}
	known := map[string]T{}
	keep := func(int, T) error { return nil }
	if dir != "" {
		b, err := json.Marshal(settings)
		if err != nil {
			return nil, fmt.Errorf("mlens: %w", err)
		}
		of := resultsOf{e.WeightsSHA256, b}
		path := filepath.Join(dir, name)
		there, lines, size, err := readResults[T](path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case size > 0 && !there.equal(of):
			return nil, fmt.Errorf("mlens: %s holds results of another model or other settings: name another folder, or remove it", path)
		}
		for _, line := range lines {
			known[line.Event] = line.Result
		}
		var file *os.File
		defer func() { file.Close() }()
		keep = func(i int, result T) (err error) {
			if file == nil {
				if file, err = openResults(path, of, size); err != nil {
					return err
				}
			}
			return appendLine(file, resultLine[T]{sums[i], events[i].File, events[i].Truth, result})
		}
	}
	out := make([]T, len(events))
	for i := range events {
		if progress != nil {
			progress(i, len(events))
		}
		var ok bool
		if out[i], ok = known[sums[i]]; ok {
			continue
		}
		var err error
		if out[i], err = f(i); err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = keep(i, out[i])
		}
		if err != nil {
			return nil, err
		}
	}
	if progress != nil {
		progress(len(events), len(events))
	}
	return out, nil
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
		if of.Model == "" {
			err = json.Unmarshal(text, &of)
		} else {
			var line resultLine[T]
			err = json.Unmarshal(text, &line)
			lines = append(lines, line)
		}
		if err == nil && of.Model == "" {
			err = errors.New("no Model is named")
		}
		if err != nil {
			return of, nil, 0, fmt.Errorf("mlens: %s:%d is not as this program writes it: %w", path, len(lines)+1, err)
		}
	}
	return of, lines, size, nil
}

// openResults opens a file of results, of which size bytes are kept, to be appended to.
func openResults(path string, of resultsOf, size int) (*os.File, error) {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	var file *os.File
	if err == nil {
		file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	}
	if err == nil && size == 0 {
		if err = file.Truncate(0); err == nil {
			err = appendLine(file, of)
		}
	} else if err == nil {
		err = file.Truncate(int64(size))
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

// Refined returns the score of refined posteriors that is kept with the model: of the
// events that `evaluate -refine -log`, with the model's own folder, has done.
func (e *Estimator) Refined() (*RefinedScore, error) {
	events, err := shippedResults[RefinedEvent](e, refinedName)
	if err != nil {
		return nil, err
	}
	return collectRefined(events), nil
}

// Recalled returns the recall that is kept with the model: of the events that `evaluate
// -polish -log`, with the model's own folder, has done.
func (e *Estimator) Recalled() (*Recall, error) {
	events, err := shippedResults[RecallEvent](e, polishedName)
	if err != nil {
		return nil, err
	}
	return &Recall{Events: events}, nil
}
