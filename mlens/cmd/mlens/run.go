package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/mlens-go/microlens/mlens/jupyter"
)

func newRunCommand() *cobra.Command {
	opt := jupyter.ExecuteOptions{}
	c := &cobra.Command{
		Use:   "run [flags] [notebook...]",
		Short: "Execute notebooks without a browser; fail when any cell failed",
		Long: `Executes notebooks top to bottom without a browser: those named, else all in
notebooks/. A notebook stops at its first cell that failed, and the command then
fails. With -w the outputs of those that passed are written back.`,
		Example: "  go tool mlens run\n  go tool mlens run -w notebooks/00-quickstart.ipynb",
		RunE: func(cmd *cobra.Command, paths []string) error {
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			for _, path := range paths { // before anything is installed
				if _, err := os.Stat(path); err != nil {
					return fmt.Errorf("no notebook to execute: %w", err)
				}
			}
			j, err := prepare(ctx, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if len(paths) == 0 {
				if paths, err = jupyter.Notebooks(j.Root); err != nil {
					return err
				}
				if len(paths) == 0 {
					return fmt.Errorf("no notebooks in %s", filepath.Join(j.Root, "notebooks"))
				}
			}
			failed := 0
			for _, path := range paths {
				start := time.Now()
				err := runOne(cmd, j, path, opt)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					failed++
					fmt.Fprintln(cmd.ErrOrStderr(), err)
					continue
				}
				fmt.Fprintf(out, "%s: all cells passed (%.1f s)\n", filepath.Base(path), time.Since(start).Seconds())
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d notebooks failed", failed, len(paths))
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&opt.Write, "write", "w", false, "write the outputs back into the notebooks that passed")
	c.Flags().DurationVar(&opt.Timeout, "timeout", 0, "longest time for one cell, such as 10m (default: none)")
	c.Flags().BoolVar(&opt.Quick, "quick", false, "small settings where a notebook has some (sets MLENS_QUICK=1)")
	return c
}

// runOne executes one notebook and shows which cell it is at.
func runOne(cmd *cobra.Command, j *jupyter.Jupyter, path string, opt jupyter.ExecuteOptions) error {
	p := jupyter.NewProgress(cmd.ErrOrStderr())
	defer p.Close()
	t := p.Start(filepath.Base(path), "cells")
	opt.Cell = func(n, of int) { t.Set(n-1, of, 0) }
	return j.Execute(cmd.Context(), path, opt)
}
