package mlens

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/cache"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/flow"
)

// TrainConfig decides every bit of a trained model, up to the rounding of the
// machine's vector units. Its hash names the folder of the run.
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
}

// Small is the network that two processor cores train in hours.
func Small() flow.Config { return flow.Small(event.Season().N, channels, scalars) }

// Paper is the network of Zhang et al. 2021.
func Paper() flow.Config { return flow.Paper(event.Season().N, channels, scalars) }

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
	case !(c.Cut >= 0):
		return fmt.Errorf("mlens: the cut is at χ²/dof > %v, but must be at 0 or above", c.Cut)
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
// Nothing in it changes a bit of the result.
type Run struct {
	// Dir holds the banks and the training runs, each in a folder named by the
	// hash of its configuration. Empty means cache.Dir.
	Dir        string
	Simulating func(bank.Progress) // may be nil
	Training   func(flow.Progress) // may be nil
	// CheckpointEvery is the training that a kill may cost; zero means a minute.
	CheckpointEvery time.Duration
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
// cause.
func Train(ctx context.Context, cfg TrainConfig, run Run) (*Estimator, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	dir, err := run.folder("runs", cfg.Hash())
	if err != nil {
		return nil, err
	}
	final := filepath.Join(dir, "model")
	if _, err := os.Stat(filepath.Join(final, manifestName)); err == nil {
		return Load(final)
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
	scaler := newScaler(b, chosen)
	held, err := fixedSet(b, validation, cfg, scaler)
	if err != nil {
		return nil, err
	}
	e := &Estimator{Manifest: Manifest{
		Version: modelVersion, Network: cfg.Network, Scaler: scaler, Prior: b.Config.Prior, Training: cfg,
		Record: Record{BankHash: b.Config.Hash(), Simulations: len(b.Records), Trained: len(chosen), LogVolume: scaler.LogVolume(), License: "BSD-3-Clause"},
	}}
	for _, r := range b.Records {
		if r.Chi2 > cfg.Cut {
			e.Record.Accepted++
		}
	}
	e.Record.PriorNLL, e.Record.GaussianNLL = baselines(b, chosen, held, scaler)

	state := filepath.Join(dir, "state")
	train := &source{bank: b, chosen: chosen, obs: cfg.Observing, scaler: scaler, batch: cfg.Batch, seed: cfg.Seed}
	e.model, err = flow.Train(ctx, cfg.Network, flow.TrainOptions{
		Source: train, Validation: held, Steps: cfg.Curves / cfg.Batch, Batch: cfg.Batch, LearningRate: cfg.LearningRate,
		Seed: cfg.Seed, Dir: state, CheckpointEvery: run.CheckpointEvery, Progress: run.Training, Resumed: run.Resumed,
	})
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("mlens: stopped; the state is saved and training again goes on from it: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("mlens: %w", err)
	}
	e.Dir = state
	history, err := e.History()
	if err != nil {
		return nil, err
	}
	e.Record.CurvesSeen = cfg.Curves / cfg.Batch * cfg.Batch
	e.Record.Seconds = trainingSeconds(history, cfg.Batch)
	seen, err := fixedSet(b, chosen, cfg, scaler)
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
