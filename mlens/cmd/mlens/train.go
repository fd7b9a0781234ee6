package main

import (
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/mlens-go/microlens/mlens"
	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/flow"
	"github.com/mlens-go/microlens/mlens/internal/pjrt"
	"github.com/mlens-go/microlens/mlens/internal/spell"
	"github.com/mlens-go/microlens/mlens/nb"
)

// networks are the architectures by name; tests add a smaller one.
var networks = map[string]func() flow.Config{"small": mlens.Small, "paper": mlens.Paper, "roman": mlens.Roman}

func newTrainCommand() *cobra.Command {
	var cfg mlens.TrainConfig
	var run mlens.Run
	network, backend, from, out, judge := "roman", "", "", "", 1000
	c := &cobra.Command{
		Use:   "train [flags]",
		Short: "Train a network, or go on with an interrupted training",
		Long: `Trains a network on simulations of the prior, which are made first where they are
missing. Interrupted or killed, the same command goes on from the last
checkpoint; done, it says where the model is. With -from, training begins with
the weights of a finished model, on new light curves and at the learning rate
given, and the new model says what it was made from.

-network small reads 32 measurements at a time and trains in hours on two processor
cores. paper is that of Zhang et al. (2021): it reads every measurement, has recurrent
layers and wants a GPU. roman, which the project ships, is small with a closer look at
the event and one at its anomaly, α as an angle and a larger flow.

-backend xla trains through XLA: with the plugin that ` + pjrt.Setting + ` names (CUDA's,
for example), or on the processor, for which it fetches a plugin with pip. It builds
the command anew, which needs a C compiler. Go and XLA round otherwise and end in
other weights: a training goes on, and is found again, with the backend that it had,
and the model says which.

mlens/cmd/mlens/carry.sh carries that to a machine with an NVIDIA GPU that has no Go
and no network. It trains paper in batches of 512 unless the flags say otherwise. Its
first lines say what it needs; it has been run with the CPU plugin only, not on a GPU.

  carry.sh pack DIR                                         here: makes DIR to copy
  DIR/carry.sh train OUT -sims 1000000 -curves 70000000     there, also to go on
  carry.sh join OUT/parts MODEL                             here, with OUT/parts copied`,
		Example: `  go tool mlens train -network roman -sims 140000 -curves 1000000 -out my-model
  go tool mlens train -backend xla -from my-model -sims 1000000 -curves 2000000 -lr 5e-4`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			build, ok := networks[network]
			if !ok {
				return fmt.Errorf("-network is %q, but must be small, paper or roman", network)
			}
			if err := checkBackend(backend); err != nil {
				return err
			}
			if err := checkFolder("out", out); err != nil {
				return err
			}
			cfg.Network = build()
			if from != "" {
				var err error
				if run.From, err = mlens.Load(from); err != nil {
					return err
				}
				if !cmd.Flags().Changed("network") {
					cfg.Network = run.From.Network
				}
				cfg.From = run.From.WeightsSHA256
			}
			if err := checkTraining(cfg, judge); err != nil {
				return err
			}
			if err := ensureBackend(ctx, backend); err != nil {
				return err
			}
			bar := nb.Progress("simulations")
			run.Simulating = func(p bank.Progress) { bar(p.Done, p.Total) }
			run.Training = trainingLine(cmd, cfg.Batch)
			est, err := mlens.Train(ctx, cfg, run)
			if err != nil {
				return err
			}
			r := est.Record
			fmt.Fprintf(cmd.OutOrStdout(), "NLL, standardised: training %.3f, validation %.3f (raw %.3f); the prior %.2f, one Gaussian %.2f\n",
				r.TrainNLL, r.ValidNLL, r.ValidNLL+r.LogVolume, r.PriorNLL, r.GaussianNLL)
			if judge > 0 {
				if err := judgeModel(cmd, est, cfg, run, judge); err != nil {
					return err
				}
			}
			if out != "" {
				if err := est.Save(out); err != nil {
					return fmt.Errorf("the model is trained and lies in %s, but cannot be copied to -out %s: %w", est.Dir, out, spell.Bare(err))
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "model: %s\n", est.Dir)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&network, "network", network, "architecture: small, paper or roman")
	f.StringVar(&backend, "backend", "", "go or xla (default $GOMLX_BACKEND, else go)")
	f.IntVar(&cfg.Bank.N, "sims", 140_000, "simulations, before the cut")
	f.Uint64Var(&cfg.Bank.Seed, "bankseed", 1, "seed of the simulations")
	cfg.Cut = bank.CutPaper
	f.Var(cutFlag{&cfg.Cut}, "cut", "smallest residual χ²/dof of the best single lens: paper, literal, or a number")
	f.Float64Var(&cfg.Observing.Irregular, "irregular", 0.3, "fraction of light curves with gaps and another cadence")
	f.IntVar(&cfg.Curves, "curves", 1_000_000, "light curves shown in all")
	f.IntVar(&cfg.Batch, "batch", 128, "light curves a step")
	f.Float64Var(&cfg.LearningRate, "lr", 1e-3, "peak learning rate")
	f.Uint64Var(&cfg.Seed, "seed", 1, "seed of weights and realisations")
	f.StringVar(&from, "from", "", "folder of a model whose weights the training begins with, and whose network it has")
	f.StringVar(&run.Dir, "dir", "", "folder for banks and runs (default $MLENS_CACHE, else the user's cache)")
	f.StringVar(&out, "out", "", "folder to which the model is copied")
	f.IntVar(&judge, "judge", judge, "held-out events on which the model is judged; 0: none")
	return c
}

// checkTraining reports the first flag that cannot be. Zeros are refused here,
// because the package takes them for its defaults.
func checkTraining(cfg mlens.TrainConfig, judge int) error {
	switch {
	case cfg.Bank.N < 1:
		return fmt.Errorf("-sims is %d, but must be at least 1", cfg.Bank.N)
	case cfg.Batch < 1:
		return fmt.Errorf("-batch is %d, but must be at least 1", cfg.Batch)
	case cfg.Curves < cfg.Batch:
		return fmt.Errorf("-curves is %d, but must be at least one batch of %d", cfg.Curves, cfg.Batch)
	case !(cfg.LearningRate > 0):
		return fmt.Errorf("-lr is %v, but must be above 0", cfg.LearningRate)
	case judge < 0:
		return fmt.Errorf("-judge is %d, but must be 0 or above", judge)
	}
	return cfg.Check()
}

// judgeModel judges a model on n held-out events, unless that was done before,
// and keeps the judgement with it.
func judgeModel(cmd *cobra.Command, est *mlens.Estimator, cfg mlens.TrainConfig, run mlens.Run, n int) error {
	j, err := est.Judgement()
	if err != nil || j.Events != n {
		b, err := mlens.Simulate(cmd.Context(), cfg.Bank, run)
		if err != nil {
			return err
		}
		defer b.Close()
		if j, err = est.Evaluate(cmd.Context(), b, bank.Test, n, 1000, nb.Progress("held-out events")); err != nil {
			return err
		}
		if err := j.Save(est.Dir); err != nil {
			return err
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d held-out events: NLL %.3f ± %.3f, raw %.3f\n", j.Events, j.NLL, j.NLLErr, j.RawNLL)
	return nil
}

// trainingLine prints a line of progress whenever a validation was made, and at
// most one every ten seconds else.
func trainingLine(cmd *cobra.Command, batch int) func(flow.Progress) {
	var last time.Time
	valid := "      –" // of the last validation
	return func(p flow.Progress) {
		if !math.IsNaN(p.Valid) {
			valid = fmt.Sprintf("%7.3f", p.Valid)
		} else if time.Since(last) < 10*time.Second && p.Step != p.Steps {
			return
		}
		last = time.Now()
		fmt.Fprintf(cmd.ErrOrStderr(), "%9d of %d curves  loss %7.3f  validation %s  %4.0f curves/s  %s left\n",
			p.Step*batch, p.Steps*batch, p.Loss, valid, p.Rate, spell.Duration(p.ETA))
	}
}
