package mlens

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mlens-go/microlens/mlens/event"
)

const judgementName = "judgement.json"

// Judgement is the quality of a model on simulated events whose truth is known.
type Judgement struct {
	Events, Draws int     // events, and posterior draws of each
	NLL, NLLErr   float64 // mean of −ln q(truth), standardised, and its standard error
	RawNLL        float64 // the same per unit of the coordinates of a Theta
	Inside        float64 // mean fraction of the network's density inside the prior
	// Delta is the deviation of each parameter's rank histogram of 20 bins from
	// uniformity, Significance the probability of ranks as uneven or more
	// (Kolmogorov–Smirnov).
	Delta, Significance [event.Dim]float64
	Ranks               [event.Dim][]float64 // of the truth among the draws, in [0, 1], one an event
}

// Save writes the judgement into a model's folder.
func (j *Judgement) Save(dir string) error {
	b, err := j.file()
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, judgementName), b)
}

// file returns the contents of a judgement's file.
func (j *Judgement) file() ([]byte, error) {
	b, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("mlens: %w", err)
	}
	return append(b, '\n'), nil
}

// removeOtherJudgement removes the judgement in folder dir unless it is j, which
// may be nil.
func removeOtherJudgement(dir string, j *Judgement) error {
	path := filepath.Join(dir, judgementName)
	if j != nil {
		own, err := j.file()
		if err != nil {
			return err
		}
		if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, own) {
			return nil
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mlens: the judgement of another model: %w", err)
	}
	return nil
}

// Judgement returns the judgement that was saved with the model.
func (e *Estimator) Judgement() (*Judgement, error) {
	path := filepath.Join(e.Dir, judgementName)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mlens: the model has not been judged on held-out events: %w", err)
	}
	var j Judgement
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, fmt.Errorf("mlens: %s is damaged: %w", path, err)
	}
	return &j, nil
}
