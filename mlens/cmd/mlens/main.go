// Command mlens gets the notebooks running and does the package's long work from a terminal.
//
//	go tool mlens lab              open JupyterLab on this checkout
//	go tool mlens run -w           execute the notebooks and keep their outputs
//	go tool mlens help             all commands
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mlens-go/microlens/mlens/internal/spell"
)

func main() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	err := newRootCommand().ExecuteContext(ctx)
	switch {
	case err == nil:
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		// What was saved, if the command says so.
		what := strings.TrimSuffix(spell.Bare(err).Error(), context.Canceled.Error())
		fmt.Fprintln(os.Stderr, strings.TrimRight("mlens: interrupted: "+what, ": "))
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "mlens:", spell.Bare(err))
		os.Exit(1)
	}
}

// newRootCommand assembles the commands. Each is made in the file of its name.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "mlens",
		Short:         "Binary microlensing: notebooks, simulation, training and posteriors",
		Args:          cobra.NoArgs,
		SilenceUsage:  true, // a usage text of a page would hide the error
		SilenceErrors: true, // main prints them, once
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(
		newLabCommand(),
		newRunCommand(),
		newConsoleCommand(),
		newSimulateCommand(),
		newTrainCommand(),
		newInferCommand(),
		newEvaluateCommand(),
		newMagnifyCommand(),
	)
	root.SetFlagErrorFunc(flagError)
	root.SetArgs(doubleDash(os.Args[1:]))
	return root
}
