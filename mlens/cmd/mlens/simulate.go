package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mlens-go/microlens/mlens"
	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/nb"
)

func newSimulateCommand() *cobra.Command {
	var cfg bank.Config
	var dir, shard string
	c := &cobra.Command{
		Use:   "simulate [flags]",
		Short: "Make a training set: noise-free magnification curves of the prior's events",
		Long: `Draws events from the paper's prior (Eq. 13), computes their magnification curves
and the residual χ² that the best single lens leaves, and stores them shard by
shard. Interrupted or killed, the same command goes on where it was; the result
does not depend on the number of processors.

With -shard i/n it makes the i-th of n parts, as the jobs of an array on a
cluster do. They may write into one folder; files from several are copied into
one first. The same command without -shard then merges the parts and makes what
is missing.`,
		Example: `  go tool mlens simulate -n 140000 -seed 1
  go tool mlens simulate -n 1000000 -dir /scratch -shard $SLURM_ARRAY_TASK_ID/16`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cfg.N < 1 {
				return fmt.Errorf("-n is %d, but must be at least 1", cfg.N)
			}
			bar := nb.Progress("simulations")
			run := mlens.Run{Dir: dir, Simulating: func(p bank.Progress) { bar(p.Done, p.Total) }}
			out := cmd.OutOrStdout()
			if shard != "" {
				part, err := parseShard(shard)
				if err != nil {
					return err
				}
				where, err := mlens.SimulatePart(cmd.Context(), cfg, part, run)
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "part %d of %d of the bank in %s\n", part.I, part.Of, where)
				return nil
			}
			b, err := mlens.Simulate(cmd.Context(), cfg, run)
			if err != nil {
				return err
			}
			defer b.Close()
			if err := b.Verify(); err != nil {
				return err
			}
			fmt.Fprintf(out, "%d simulations in bank %s: %.1f MB in %s\n", len(b.Records), b.Config.Hash(), float64(b.Bytes())/1e6, b.Dir())
			fmt.Fprintf(out, "  χ²/dof > %-6g (paper, its 29.1 %%): %.2f %%\n", bank.CutPaper, 100*b.Fraction(bank.CutPaper))
			fmt.Fprintf(out, "  χ²/dof > %-6g (literal, its text): %.2f %%\n", bank.CutLiteral, 100*b.Fraction(bank.CutLiteral))
			if n := b.Late(); n > 0 {
				fmt.Fprintf(out, "  %d have epochs that may miss their tolerance\n", n)
			}
			failures := b.Failures()
			for _, why := range slices.Sorted(maps.Keys(failures)) {
				fmt.Fprintf(out, "  failed: %d, %s\n", failures[why], why)
			}
			return nil
		},
	}
	c.Flags().IntVarP(&cfg.N, "n", "n", 140_000, "simulations, before the cut")
	c.Flags().Uint64Var(&cfg.Seed, "seed", 1, "seed")
	c.Flags().StringVar(&shard, "shard", "", "make part i of n only, given as i/n")
	c.Flags().StringVar(&dir, "dir", "", "folder for banks and runs (default $MLENS_CACHE, else the user's cache)")
	return c
}

// parseShard reads i/n.
func parseShard(s string) (bank.Part, error) {
	i, n, ok := strings.Cut(s, "/")
	var p bank.Part
	var err1, err2 error
	p.I, err1 = strconv.Atoi(i)
	p.Of, err2 = strconv.Atoi(n)
	if !ok || cmp.Or(err1, err2, p.Check()) != nil {
		return p, fmt.Errorf("-shard is %q, but must be i/n with i from 1 to n, such as 3/16", s)
	}
	return p, nil
}

// cutFlag is a threshold on χ²/dof: a number or the name of a preset.
type cutFlag struct{ value *float64 }

var cuts = map[string]float64{"paper": bank.CutPaper, "literal": bank.CutLiteral}

func (f cutFlag) Type() string { return "cut" }

func (f cutFlag) String() string {
	for name, v := range cuts {
		if v == *f.value {
			return name
		}
	}
	return strconv.FormatFloat(*f.value, 'g', -1, 64)
}

func (f cutFlag) Set(s string) error {
	v, ok := cuts[s]
	if !ok {
		var err error
		if v, err = strconv.ParseFloat(s, 64); err != nil || !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("must be paper, literal, or a number above 0")
		}
	}
	*f.value = v
	return nil
}
