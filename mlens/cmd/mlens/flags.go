package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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

// needs says, by the type of a flag, what its value must be.
var needs = map[string]string{
	"int": "a whole number", "uint64": "a whole number, 0 or above", "float64": "a number",
	"bool": "true or false", "duration": "a time such as 90s, 10m or 1h30m",
}

// flagError says what is wrong with the flags of a command, and where they are listed.
// A value that cannot be is told as the commands tell it of values that they refuse.
func flagError(c *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		cause := bad.Unwrap()
		why := fmt.Sprint("but ", cause)
		if need := needs[bad.GetFlag().Value.Type()]; need != "" {
			why = "but must be " + need
		}
		if errors.Is(cause, strconv.ErrRange) {
			why = "which is too large or too small"
		}
		err = fmt.Errorf("-%s is %.60q, %s", bad.GetFlag().Name, bad.GetValue(), why)
	}
	return fmt.Errorf("%w: %q lists the flags", err, "go tool "+c.CommandPath()+" --help")
}

// checkFolder reports that flag -name cannot be a folder to write to: it, or a part of
// its path, is a file.
func checkFolder(name, dir string) error {
	if dir == "" {
		return nil
	}
	for p := filepath.Clean(dir); ; p = filepath.Dir(p) {
		switch info, err := os.Stat(p); {
		case err == nil && info.IsDir():
			return nil
		case err == nil && p == filepath.Clean(dir):
			return fmt.Errorf("-%s is %s, but that is a file: name a folder", name, dir)
		case err == nil:
			return fmt.Errorf("-%s is %s, but %s is a file: name another folder", name, dir, p)
		case p == filepath.Dir(p):
			return nil
		}
	}
}
