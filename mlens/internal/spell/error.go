package spell

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
)

// Bare is err without the name of our package that its text begins with: what
// wraps it begins with its own.
func Bare(err error) error {
	if err == nil {
		return nil
	}
	for _, name := range []string{"mlens: ", "event: ", "lens: ", "flow: ", "bank: ", "calib: "} {
		if s, ok := strings.CutPrefix(err.Error(), name); ok {
			return bare{err, s}
		}
	}
	return err
}

type bare struct {
	error
	text string
}

func (b bare) Error() string { return b.text }
func (b bare) Unwrap() error { return b.error }

// Row is an error of reading row from the CSV file called name. Where the row has
// not as many fields as the header, want, it says how many it has.
func Row(name string, err error, row []string, want int) error {
	var p *csv.ParseError
	if errors.As(err, &p) && errors.Is(err, csv.ErrFieldCount) {
		return fmt.Errorf("%s:%d: the row has %d fields, but the header has %d", name, p.StartLine, len(row), want)
	}
	return fmt.Errorf("%s: %w", name, err)
}
