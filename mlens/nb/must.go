package nb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
)

// Must returns v, or stops the cell with the error on one line:
//
//	lc := nb.Must(event.Read(nb.Data("events/roman-planet.csv")))
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

// Check stops the cell when there is an error.
func Check(err error) {
	if err != nil {
		fail(err)
	}
}

// exit is replaced in tests.
var exit = os.Exit

// fail ends the program: what was displayed before is kept, and there is no stack trace.
func fail(err error) {
	gonbui.Sync()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "stopped: interrupted")
	} else {
		fmt.Fprintln(os.Stderr, "error: "+strings.TrimSpace(err.Error()))
	}
	exit(1)
}
