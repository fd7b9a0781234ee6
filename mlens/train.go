package mlens

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/cache"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/flow"
	"github.com/mlens-go/microlens/mlens/internal/spell"
)

// TrainConfig decides every bit of a trained model, but for what rounds
// otherwise: the backend, pure Go or XLA, its version, and the machine's vector
// units. Where these differ, trainings part and end in other weights. Its hash
// names the folder of the run; which backend that had is in the model's [Record].
type TrainConfig struct {
	Bank      bank.Config
	Cut       float64        // residual χ²/dof of the best single lens; zero means bank.CutPaper
	Observing bank.Observing // how light curves are realised
	// Network is the architecture; its zero value means [Small].
	Network flow.Config
	Curves  int    // light curves shown in all; zero means 1,000,000
	Batch   int    // light curves a step; zero means 128
	Seed    uint64 // of the weights and of the realisations
	// LearningRate is the peak rate of the cosine schedule; zero means 1e-3.
	LearningRate float64
	// From is the WeightsSHA256 of the model whose weights the training begins
	// with, which [Run].From holds. Empty: random weights.
	From string `json:",omitempty"`
}

// Small is the network that two processor cores train in hours.
func Small() flow.Config { return flow.Small(event.Season().N, channels, scalars) }

// Paper is the network of Zhang et al. 2021.
func Paper() flow.Config { return flow.Paper(event.Season().N, channels, scalars) }

// Roman is the network that this project ships: Small with two closer looks at
// the event and at its anomaly, and α as the angle that it is.
func Roman() flow.Config {
	c := flow.Roman(event.Season().N, channels, scalars)
	c.Branches = views()
	return c
}

func (c TrainConfig) withDefaults() TrainConfig {
	if c.Cut == 0 {
		c.Cut = bank.CutPaper
	}
	if c.Network.Blocks == 0 {
		c.Network = Small()
	}
	if c.Curves == 0 {
		c.Curves = 1_000_000
	}
	if c.Batch == 0 {
		c.Batch = 128
	}
	if c.LearningRate == 0 {
		c.LearningRate = 1e-3
	}
	return c
}

// Check reports what is wrong with the configuration, or nil.
func (c TrainConfig) Check() error {
	c = c.withDefaults()
	switch {
	case c.Batch < 1 || c.Curves < c.Batch:
		return fmt.Errorf("mlens: %d light curves in batches of %d are no training", c.Curves, c.Batch)
	case !(c.LearningRate > 0 && c.LearningRate < 1):
		return fmt.Errorf("mlens: the learning rate is %v, but must be between 0 and 1", c.LearningRate)
	case !(c.Observing.Irregular >= 0 && c.Observing.Irregular <= 1):
		return fmt.Errorf("mlens: the fraction of irregular light curves is %v, but must be between 0 and 1", c.Observing.Irregular)
	case !(c.Cut >= 0) || math.IsInf(c.Cut, 1):
		return fmt.Errorf("mlens: the cut is at χ²/dof > %v, but must be at a number, 0 or above", c.Cut)
	}
	if err := checkNetwork(c.Network); err != nil {
		return err
	}
	if err := c.Bank.Check(); err != nil {
		return err
	}
	if keep := c.Bank.Kept(); c.Cut < keep {
		return fmt.Errorf("mlens: the cut is at χ²/dof > %g, but simulations keep their curves above %g only: raise the cut, or lower Bank.Keep", c.Cut, keep)
	}
	return nil
}

// checkNetwork reports why a network cannot be fed what this package feeds it.
func checkNetwork(n flow.Config) error {
	if err := n.Check(); err != nil {
		return err
	}
	if n.Length != event.Season().N || n.Channels != channels || n.Scalars != scalars || n.Dim != event.Dim {
		return fmt.Errorf("mlens: the network takes %d × %d numbers, %d scalars and %d parameters, but light curves have %d × %d, %d and %d",
			n.Length, n.Channels, n.Scalars, n.Dim, event.Season().N, channels, scalars, event.Dim)
	}
	if len(n.Branches) == 0 {
		return nil
	}
	v := views()
	if len(n.Branches) != len(v) {
		return fmt.Errorf("mlens: the network has %d branches, but must have none or %d", len(n.Branches), len(v))
	}
	for i, b := range n.Branches {
		if b.Length != v[i].Length || b.Channels != v[i].Channels {
			return fmt.Errorf("mlens: branch %d of the network takes %d × %d numbers, but light curves have %d × %d for it", i, b.Length, b.Channels, v[i].Length, v[i].Channels)
		}
	}
	return nil
}

// Hash returns 16 hexadecimal digits that stand for the configuration.
func (c TrainConfig) Hash() string {
	c = c.withDefaults()
	b, err := json.Marshal(struct {
		Version int
		Bank    string
		TrainConfig
	}{modelVersion, c.Bank.Hash(), c})
	if err != nil {
		panic("mlens: " + err.Error()) // numbers and structs only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Run says where the work of a configuration is kept and who is told of it.
// Nothing in it changes a bit of the result. What does, but is not in it, is the
// backend, which the environment variable GOMLX_BACKEND chooses: see
// [flow.TrainOptions].
type Run struct {
	// Dir holds the banks and the training runs, each in a folder named by the
	// hash of its configuration. Empty means cache.Dir.
	Dir        string
	Simulating func(bank.Progress) // may be nil
	Training   func(flow.Progress) // may be nil
	// CheckpointEvery is the training that a kill may cost; zero means a minute.
	CheckpointEvery time.Duration
	// From is the model that [TrainConfig].From names.
	From *Estimator
	// Resumed gets the training curve so far, once, where an interrupted
	// training goes on; may be nil.
	Resumed func([]flow.Progress)
}

func (r Run) folder(kind, hash string) (string, error) {
	dir := r.Dir
	if dir == "" {
		var err error
		if dir, err = cache.Dir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, kind, hash), nil
}

// checkFrom reports what is wrong with the model that training starts from.
func (r Run) checkFrom(c TrainConfig) error {
	switch {
	case c.From == "" && r.From == nil:
		return nil
	case r.From == nil || r.From.WeightsSHA256 != c.From:
		return fmt.Errorf("mlens: the training goes on from the weights with checksum %.8s…, but Run.From is not that model", c.From)
	case !reflect.DeepEqual(r.From.Network, c.Network):
		return fmt.Errorf("mlens: the model in %s has another network than this training", r.From.Dir)
	}
	return nil
}

// Simulate returns the training set of cfg: the saved one, or what is missing
// of it is made first.
func Simulate(ctx context.Context, cfg bank.Config, run Run) (*bank.Bank, error) {
	dir, err := run.folder("banks", cfg.Hash())
	if err != nil {
		return nil, err
	}
	return bank.Simulate(ctx, cfg, dir, run.Simulating)
}

// SimulatePart makes one part of the training set of cfg, or what is missing of
// it, and returns the folder in which [Simulate] finds it.
func SimulatePart(ctx context.Context, cfg bank.Config, part bank.Part, run Run) (string, error) {
	dir, err := run.folder("banks", cfg.Hash())
	if err != nil {
		return "", err
	}
	return dir, bank.SimulatePart(ctx, cfg, dir, part, run.Simulating)
}

// Train returns the model of cfg: the saved one when it exists, else it
// simulates what is missing of the training set and trains, resuming a run that
// was interrupted. When ctx ends, the state is saved and the error wraps the
// cause. A run whose record, or checkpoint, says that it had another kind of
// backend than this one has is an error; those made before that was recorded are
// taken for what is asked.
func Train(ctx context.Context, cfg TrainConfig, run Run) (*Estimator, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := run.checkFrom(cfg); err != nil {
		return nil, err
	}
	dir, err := run.folder("runs", cfg.Hash())
	if err != nil {
		return nil, err
	}
	final := filepath.Join(dir, "model")
	if _, err := os.Stat(filepath.Join(final, manifestName)); err == nil {
		return finished(final)
	}
	b, err := Simulate(ctx, cfg.Bank, run)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if err := b.Verify(); err != nil {
		return nil, err
	}
	chosen, err := b.Select(bank.Train, cfg.Cut)
	if err != nil {
		return nil, err
	}
	validation, err := b.Select(bank.Validate, cfg.Cut)
	if err != nil {
		return nil, err
	}
	if len(chosen) < cfg.Batch || len(validation) < 10 {
		return nil, fmt.Errorf("mlens: %d simulations leave %d for training and %d for validation after the cut at χ²/dof > %g: simulate more", len(b.Records), len(chosen), len(validation), cfg.Cut)
	}
	cfg.Bank = b.Config // with the defaults filled in, for the manifest
	e := &Estimator{Manifest: Manifest{
		Version: modelVersion, Network: cfg.Network, Prior: b.Config.Prior, Training: cfg,
		Record: Record{BankHash: b.Config.Hash(), Simulations: len(b.Records), Trained: len(chosen), License: "BSD-3-Clause"},
	}}
	seed := cfg.Seed
	var start *flow.Model
	if from := run.From; from != nil {
		// The weights mean what they mean with these; and the light curves must be
		// others than before.
		e.Scaler, e.Targets, start = from.Scaler, from.Targets, from.model
		e.Record.Earlier = append(slices.Clone(from.Record.Earlier), from.stage())
		sum := sha256.Sum256([]byte(cfg.From))
		seed ^= binary.LittleEndian.Uint64(sum[:])
	} else {
		e.Scaler = newScaler(b, chosen)
		if e.Targets, err = newTargets(b, chosen, cfg.Observing, heldSeed+1); err != nil {
			return nil, err
		}
	}
	e.Record.LogVolume = e.Scaler.LogVolume()
	held, truths, err := e.fixedSet(b, validation)
	if err != nil {
		return nil, err
	}
	for _, r := range b.Records {
		if r.Chi2 > cfg.Cut {
			e.Record.Accepted++
		}
	}
	e.Record.PriorNLL, e.Record.GaussianNLL = baselines(b, chosen, truths, e.Scaler)

	state := filepath.Join(dir, "state")
	train := e.source(b, chosen)
	train.seed = seed
	e.model, err = flow.Train(ctx, cfg.Network, flow.TrainOptions{
		Source: train, Validation: held, Steps: cfg.Curves / cfg.Batch, Batch: cfg.Batch, LearningRate: cfg.LearningRate,
		Seed: cfg.Seed, Start: start, Dir: state, CheckpointEvery: run.CheckpointEvery, Progress: run.Training, Resumed: run.Resumed,
	})
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("mlens: stopped; the state is saved and training again goes on from it: %w", spell.Bare(err))
	}
	if err != nil {
		return nil, fmt.Errorf("mlens: %w", spell.Bare(err))
	}
	e.Record.Backend = e.model.Backend
	e.Dir = state
	history, err := e.History()
	if err != nil {
		return nil, err
	}
	e.Record.CurvesSeen = cfg.Curves / cfg.Batch * cfg.Batch
	e.Record.TotalCurves = e.Record.CurvesSeen
	for _, s := range e.Record.Earlier {
		e.Record.TotalCurves += s.CurvesSeen
	}
	e.Record.Seconds = trainingSeconds(history, cfg.Batch)
	seen, _, err := e.fixedSet(b, chosen)
	if err != nil {
		return nil, err
	}
	if e.Record.TrainNLL, err = e.meanNLL(seen); err != nil {
		return nil, err
	}
	if e.Record.ValidNLL, err = e.meanNLL(held); err != nil {
		return nil, err
	}
	return e, e.Save(final)
}

// finished loads the model of a run that has ended, if it had the kind of backend
// that a training would have now.
func finished(dir string) (*Estimator, error) {
	e, err := Load(dir)
	if err != nil {
		return nil, err
	}
	there, here := e.Record.Backend.Kind, flow.BackendKind("")
	if there != "" && there != here {
		return nil, fmt.Errorf("mlens: %s holds the model of this configuration that was trained on the backend %q, and on %q it would be another: ask for the backend %[2]q to have that one, or for another seed or folder to train one on %[3]q", dir, there, here)
	}
	return e, nil
}
