package main

import (
	"github.com/spf13/cobra"
)

func newConsoleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "console [-- arguments of jupyter console]",
		Short: "Open a terminal session on the Go kernel",
		Long: `Opens jupyter console with the Go kernel, as "jupyter console --kernel gonb" does
where JUPYTER_PATH names notebooks/jupyter. Esc, then Enter, runs what was typed;
Ctrl-D leaves.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := prepare(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return j.Console(args)
		},
	}
}
