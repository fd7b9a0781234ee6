package main

import (
	"errors"
	"regexp"

	"github.com/spf13/cobra"
)

var singleDash = regexp.MustCompile(`^-[A-Za-z][A-Za-z0-9]+[A-Za-z0-9-]*(=.*)?$`)

// doubleDash lets flags be written as Go's own tools write them, -model as well
// as --model. Short flags can then not be joined, as in -wq, which nobody here
// needs.
func doubleDash(args []string) []string {
	out := make([]string, 0, len(args))
	for i, a := range args {
		if a == "--" {
			return append(out, args[i:]...)
		}
		if singleDash.MatchString(a) {
			a = "-" + a
		}
		out = append(out, a)
	}
	return out
}

// oneFile accepts exactly one argument, and says what else to give.
func oneFile(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New(what)
		}
		return nil
	}
}
