package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mlens-go/microlens/mlens"
	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/nb"
)

func newSimulateCommand() *cobra.Command {
	var cfg bank.Config
	var dir string
	c := &cobra.Command{
		Use:   "simulate [flags]",
		Short: "Make a training set: noise-free magnification curves of the prior's events",
		Long: `Draws events from the paper's prior (Eq. 13), computes their magnification curves
and the residual χ² that the best single lens leaves, and stores them shard by
shard. Interrupted or killed, the same command goes on where it was; the result
does not depend on the number of processors.`,
		Example: "  go tool mlens simulate -n 140000 -seed 1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := nb.Progress("simulations")
			b, err := mlens.Simulate(cmd.Context(), cfg, mlens.Run{Dir: dir, Simulating: func(p bank.Progress) { bar(p.Done, p.Total) }})
			if err != nil {
				return err
			}
			defer b.Close()
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "%d simulations in bank %s\n", len(b.Records), b.Config.Hash())
			fmt.Fprintf(out, "  χ²/dof > %-6g (the paper's 29.1 %%): %.1f %%\n", bank.CutPaper, 100*b.Fraction(bank.CutPaper))
			fmt.Fprintf(out, "  χ²/dof > %-6g (the paper's text):   %.1f %%\n", bank.CutLiteral, 100*b.Fraction(bank.CutLiteral))
			for why, n := range b.Failures() {
				fmt.Fprintf(out, "  failed: %d, %s\n", n, why)
			}
			return nil
		},
	}
	c.Flags().IntVarP(&cfg.N, "n", "n", 140_000, "simulations, before the cut")
	c.Flags().Uint64Var(&cfg.Seed, "seed", 1, "seed")
	c.Flags().StringVar(&dir, "dir", "", "folder for banks and runs (default $MLENS_CACHE, else the user's cache)")
	return c
}
