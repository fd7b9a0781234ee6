package mlens

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/flow"
	"github.com/mlens-go/microlens/mlens/internal/spell"
)

// modelVersion changes when the features, the file format or the meaning of the
// weights do.
const modelVersion = 2

const (
	manifestName = "model.json"
	weightsName  = "weights.safetensors"
	historyName  = "history.csv"
)

// Estimator is a trained network with what is needed to use it. It is safe for
// concurrent use.
type Estimator struct {
	Manifest
	Dir string // from which it was loaded, or to which it was saved

	model *flow.Model
}

// Manifest is all that is known of a model besides its weights; it is the file
// model.json of a saved model.
type Manifest struct {
	Version  int
	Network  flow.Config
	Scaler   Scaler
	Targets  Targets
	Prior    event.Prior // the support; trained is what the cut leaves of it
	Training TrainConfig
	Record   Record

	Weights       string // file
	WeightsSHA256 string
}

// Record tells how a model was made and how good it is.
type Record struct {
	BankHash    string
	Simulations int     // before the cut
	Accepted    int     // after it, all splits
	Trained     int     // of those, in the training split
	CurvesSeen  int     // in this training
	Seconds     float64 // of training, over all interruptions
	// Backend is what computed this training, or its last part if it was
	// interrupted; of models made before that was recorded it is zero.
	Backend flow.Backend `json:",omitzero"`
	// Earlier are the trainings on whose weights this one went on, the first one
	// first, and TotalCurves the light curves seen in all of them.
	Earlier     []Stage `json:",omitempty"`
	TotalCurves int
	// Mean negative log-likelihoods per event of the parameters, standardised;
	// the raw ones are larger by LogVolume.
	TrainNLL, ValidNLL float64
	LogVolume          float64
	// Baselines, standardised, on the validation split: the analytic prior and
	// one Gaussian with the training split's covariance.
	PriorNLL, GaussianNLL float64
	License               string
}

// Stage is an earlier training of a model that was trained on.
type Stage struct {
	WeightsSHA256      string
	BankHash           string
	CurvesSeen         int
	Seconds            float64
	Backend            flow.Backend `json:",omitzero"` // as in a Record
	Irregular          float64      // see bank.Observing
	LearningRate       float64
	TrainNLL, ValidNLL float64
	// Curve is its training curve where a validation was made.
	Curve []StagePoint `json:",omitempty"`
}

// StagePoint is one validation of a training.
type StagePoint struct {
	Seen        int // light curves, in that training
	Loss, Valid float64
}

// stage is what a training that goes on from e keeps of it.
func (e *Estimator) stage() Stage {
	s := Stage{
		WeightsSHA256: e.WeightsSHA256, BankHash: e.Record.BankHash, CurvesSeen: e.Record.CurvesSeen, Seconds: e.Record.Seconds, Backend: e.Record.Backend,
		Irregular: e.Training.Observing.Irregular, LearningRate: e.Training.LearningRate,
		TrainNLL: e.Record.TrainNLL, ValidNLL: e.Record.ValidNLL,
	}
	history, err := e.History()
	if err != nil {
		return s // a model without its history can be trained on
	}
	for _, p := range history {
		if !math.IsNaN(p.Valid) {
			s.Curve = append(s.Curve, StagePoint{p.Seen, p.Loss, p.Valid})
		}
	}
	return s
}

// Load reads a saved model from its folder. An error says which file is
// missing, cut short, damaged or of another version, and what to do.
func Load(dir string) (*Estimator, error) {
	path := filepath.Join(dir, manifestName)
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("mlens: no model in %s: there is no %s", dir, manifestName)
	case err != nil:
		return nil, fmt.Errorf("mlens: %w", err)
	}
	e := &Estimator{Dir: dir}
	if err := json.Unmarshal(raw, &e.Manifest); err != nil {
		return nil, fmt.Errorf("mlens: %s is damaged (%v): fetch the model again, or train it anew", path, err)
	}
	if e.Version != modelVersion {
		return nil, fmt.Errorf("mlens: %s is a model of version %d, but this program reads version %d: train it anew, or use the program that made it", path, e.Version, modelVersion)
	}
	if err := checkNetwork(e.Network); err != nil {
		return nil, fmt.Errorf("mlens: %s: %w", path, spell.Bare(err))
	}
	for _, s := range []Scaler{e.Scaler, Scaler(e.Targets)} {
		for k, std := range s.Std {
			if !(std > 0) || math.IsInf(std, 0) || math.IsNaN(s.Mean[k]) {
				return nil, fmt.Errorf("mlens: %s is damaged: %s is scaled by %v: fetch the model again, or train it anew", path, event.Names[k], std)
			}
		}
	}
	weights := filepath.Join(dir, filepath.Base(e.Weights))
	raw, err = os.ReadFile(weights)
	if err != nil {
		return nil, fmt.Errorf("mlens: the weights of the model in %s: %w: fetch the model again, or train it anew", dir, err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != e.WeightsSHA256 {
		return nil, fmt.Errorf("mlens: %s is damaged or cut short: %d bytes with checksum %x…, not %.8s…: fetch the model again, or train it anew", weights, len(raw), sum[:4], e.WeightsSHA256)
	}
	if e.model, err = flow.ReadModel(e.Network, bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("mlens: %s: %w", weights, spell.Bare(err))
	}
	return e, nil
}

// Save writes the model to folder dir: model.json, the weights, the training
// curve and the judgement if there is one. Every file is written under a
// temporary name and renamed, model.json after what it speaks of: a kill leaves
// a whole model, or one that [Load] refuses. The judgement of another model in
// dir is removed first and the model's own written last, so that a judgement
// never stands beside a model that it is not of.
func (e *Estimator) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("mlens: %w", err)
	}
	var w bytes.Buffer
	if err := e.model.WriteWeights(&w); err != nil {
		return fmt.Errorf("mlens: %w", err)
	}
	sum := sha256.Sum256(w.Bytes())
	e.Weights, e.WeightsSHA256 = weightsName, hex.EncodeToString(sum[:])
	manifest, err := json.MarshalIndent(e.Manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("mlens: %w", err)
	}
	history, err := os.ReadFile(filepath.Join(e.Dir, historyName))
	if err != nil {
		return fmt.Errorf("mlens: the training curve: %w", err)
	}
	judgement, err := e.Judgement()
	if err != nil {
		judgement = nil // not judged
	}
	if err := removeOtherJudgement(dir, judgement); err != nil {
		return err
	}
	// What kills have left under temporary names; if it cannot be removed it does
	// no harm.
	for _, name := range []string{weightsName, historyName, manifestName, judgementName} {
		left, _ := filepath.Glob(filepath.Join(dir, "."+name+"[0-9]*"))
		for _, p := range left {
			os.Remove(p)
		}
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{weightsName, w.Bytes()},
		{historyName, history},
		{manifestName, append(manifest, '\n')},
	} {
		if err := replaceFile(filepath.Join(dir, f.name), f.data); err != nil {
			return err
		}
	}
	if judgement != nil {
		if err := judgement.Save(dir); err != nil {
			return err
		}
	}
	e.Dir = dir
	return nil
}

// replaceFile writes a file so that the old or the new content is there at any
// moment.
func replaceFile(path string, data []byte) error {
	if err := renameio.WriteFile(path, data, 0o644, renameio.WithTempDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("mlens: writing %s: %w", path, err)
	}
	return nil
}
