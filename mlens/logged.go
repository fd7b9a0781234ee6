package mlens

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// logged calls f for one event after another and returns what it returns. Unless path is empty
// it appends each result to that file, a line of JSON, and goes on behind those that are there.
// The file's first line says what the results are of; a file of something else is an error.
func logged[T any](path string, of any, n int, f func(i int) (T, error), progress func(done, total int)) ([]T, error) {
	var out []T
	keep := func(T) error { return nil }
	if path != "" {
		file, there, err := openLog(path, of)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		for i, line := range there[:min(n, len(there))] {
			var result T
			if err := json.Unmarshal(line, &result); err != nil {
				return nil, fmt.Errorf("mlens: %s:%d: %w", path, i+2, err)
			}
			out = append(out, result)
		}
		keep = func(result T) error {
			b, err := json.Marshal(result)
			if err == nil {
				_, err = file.Write(append(b, '\n'))
			}
			if err != nil {
				return fmt.Errorf("mlens: %s: %w", path, err)
			}
			return nil
		}
	}
	for i := len(out); i < n; i++ {
		if progress != nil {
			progress(i, n)
		}
		result, err := f(i)
		if err != nil {
			return nil, err
		}
		if err := keep(result); err != nil {
			return nil, err
		}
		out = append(out, result)
	}
	if progress != nil {
		progress(n, n)
	}
	return out, nil
}

// openLog opens or begins a file of results, to be appended to, and returns the lines that it
// has after the first. What a kill has left of a line is cut off.
func openLog(path string, of any) (file *os.File, lines [][]byte, err error) {
	b, err := json.Marshal(of)
	if err != nil {
		return nil, nil, fmt.Errorf("mlens: %w", err)
	}
	sum := sha256.Sum256(b)
	first := fmt.Sprintf(`{"of":"%s"}`, hex.EncodeToString(sum[:8]))
	there, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("mlens: the results so far: %w", err)
	}
	there = there[:bytes.LastIndexByte(there, '\n')+1]
	if len(there) > 0 {
		lines = bytes.Split(there[:len(there)-1], []byte("\n"))
		if string(lines[0]) != first {
			return nil, nil, fmt.Errorf("mlens: %s holds results of another model, other events or other settings: name another folder, or remove it", path)
		}
		lines = lines[1:]
	}
	if file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err == nil {
		if err = file.Truncate(int64(len(there))); err == nil && len(there) == 0 {
			_, err = fmt.Fprintln(file, first)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("mlens: %w", err)
	}
	return file, lines, nil
}

// what returns what results of events are of: the model, the events and the settings.
func (e *Estimator) what(events []Event, settings ...any) any {
	type named struct {
		File  string
		Truth any
	}
	var all []named
	for _, ev := range events {
		all = append(all, named{ev.File, ev.Truth})
	}
	return []any{e.WeightsSHA256, all, settings}
}
