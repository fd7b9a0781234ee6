package mlens

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/mlens-go/microlens/mlens/flow"
)

// History returns the training curve of a saved model, one entry for each line
// of its history.csv.
func (e *Estimator) History() ([]flow.Progress, error) {
	return readHistory(filepath.Join(e.Dir, historyName), e.Training.Batch)
}

// WholeHistory is History with those of the trainings before whose weights the
// model's own went on from, as far as they are known: the validations. Seen counts
// on through all of them.
func (e *Estimator) WholeHistory() ([]flow.Progress, error) {
	own, err := e.History()
	if err != nil {
		return nil, err
	}
	var all []flow.Progress
	before := 0
	for _, s := range e.Record.Earlier {
		for _, p := range s.Curve {
			all = append(all, flow.Progress{Seen: before + p.Seen, Loss: p.Loss, Valid: p.Valid})
		}
		before += s.CurvesSeen
	}
	for _, p := range own {
		p.Seen += before
		all = append(all, p)
	}
	return all, nil
}

// readHistory reads a history.csv of a training with the given batch.
func readHistory(path string, batch int) ([]flow.Progress, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mlens: the training curve: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("mlens: %s: %w", path, err)
	}
	var out []flow.Progress
	for i, row := range rows {
		if i == 0 {
			continue
		}
		var v [6]float64
		if len(row) < len(v) {
			return nil, fmt.Errorf("mlens: %s:%d: %d columns, but a training curve has %d", path, i+1, len(row), len(v))
		}
		for k := range v {
			if row[k] == "" {
				v[k] = math.NaN()
			} else if v[k], err = strconv.ParseFloat(row[k], 64); err != nil {
				return nil, fmt.Errorf("mlens: %s:%d: %w", path, i+1, err)
			}
		}
		out = append(out, flow.Progress{Step: int(v[0]), Seen: int(v[0]) * batch, Loss: v[1], Valid: v[2], LearningRate: v[3], Rate: v[4], Skipped: int(v[5])})
	}
	for i := range out {
		out[i].Steps = out[len(out)-1].Step
	}
	return out, nil
}

// trainingSeconds adds up the time that a history's steps took.
func trainingSeconds(history []flow.Progress, batch int) (s float64) {
	step := 0
	for _, p := range history {
		if p.Rate > 0 {
			s += float64((p.Step-step)*batch) / p.Rate
		}
		step = p.Step
	}
	return s
}
