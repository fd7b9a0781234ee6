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
Ctrl-D leaves.

Imports, functions, types and variables are kept from one cell to the next.
Statements need a first line %%, or a func main around them.`,
		Example: `  go tool mlens console

  In [1]: import "github.com/mlens-go/microlens/mlens/lens"
     ...: %%
     ...: fmt.Println(lens.Binary{S: 1, Q: 1}.PointSource(0.3, 0.2))`,
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := prepare(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return j.Console(args)
		},
	}
}
