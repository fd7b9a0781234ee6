package event

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Unit says what the second column of a light-curve file holds.
type Unit string

const (
	Auto         Unit = ""          // told from the header, else from the numbers
	InFlux       Unit = "flux"      // linear, brighter is larger
	InMagnitudes Unit = "magnitude" // brighter is smaller
)

// ReadOptions say how a light-curve file is to be read. The zero value takes
// the columns by their names, or without a header the first three as time,
// flux or magnitude, and error.
type ReadOptions struct {
	// Time, Value and Error choose columns, by name (case does not count) or
	// by position from 1.
	Time, Value, Error string
	Unit               Unit
	// ZeroPoint is the magnitude of flux 1; 0 means that of [W149]. Nothing
	// estimated from a light curve depends on it.
	ZeroPoint float64
}

// Read reads a light curve from a text file with the default options:
// columns of time [d], flux or magnitude, and its standard deviation, separated
// by white space, commas, semicolons or tabs, with or without a header. Lines
// that start with # are comments, or the header if one precedes the first row.
//
// Times that do not increase, values that are not finite and errors that are
// not positive are errors that name the file and the line: what to do with such
// rows is the user's decision.
func Read(path string) (LightCurve, error) { return ReadOptions{}.Read(path) }

// Read reads a light curve from a file; see the function [Read].
func (o ReadOptions) Read(path string) (LightCurve, error) {
	f, err := os.Open(path)
	if err != nil {
		return LightCurve{}, fmt.Errorf("event: cannot read the light curve: %w", err)
	}
	defer f.Close()
	return o.Decode(f, path)
}

// Decode reads a light curve from r; name stands for the file in messages.
func (o ReadOptions) Decode(r io.Reader, name string) (LightCurve, error) {
	fail := func(line int, format string, a ...any) (LightCurve, error) {
		at := name
		if line > 0 {
			at = fmt.Sprintf("%s:%d", name, line)
		}
		return LightCurve{}, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, a...))
	}
	switch o.Unit {
	case Auto, InFlux, InMagnitudes:
	default:
		return fail(0, "unit %q is unknown; use %q or %q", o.Unit, InFlux, InMagnitudes)
	}

	var (
		lc      = LightCurve{Name: filepath.Base(name)}
		values  []float64
		cols    *columns
		comment []string // fields of the last comment line, which may be the header
		first   int      // line of the first row
		lines   []int    // of the measurements
	)
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for line := 1; sc.Scan(); line++ {
		text := strings.TrimSpace(strings.TrimPrefix(sc.Text(), "\ufeff"))
		if text == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(text, "#"); ok {
			if cols == nil && first == 0 {
				comment = fields(rest)
			}
			continue
		}
		if strings.Contains(text, ",") && decimalCommas.MatchString(text) {
			return fail(line, "the numbers have decimal commas: write decimal points, as in 1.5 for 1,5: %.60q", text)
		}
		row := fields(text)
		if cols == nil {
			if !numeric(row) {
				if first != 0 {
					return fail(line, "neither a header nor numbers: %.60q", text)
				}
				comment, first = row, line
				continue
			}
			header := comment
			if len(header) != len(row) {
				if first != 0 {
					return fail(line, "the row has %d columns, but the header names %d: %.200q", len(row), len(header), strings.Join(header, ", "))
				}
				header = nil // a comment that is no header
			}
			c, err := o.columns(header, len(row))
			if err != nil {
				return fail(line, "%v", err)
			}
			cols, first = c, line
		}
		var v [3]float64
		for k, what := range [3]string{"time", "value", "error"} {
			i := cols.at[k]
			if i >= len(row) {
				return fail(line, "the row has %d columns, but the %s is column %d", len(row), what, i+1)
			}
			x, err := strconv.ParseFloat(row[i], 64)
			if err != nil {
				return fail(line, "the %s in column %d is %.40q, which is not a number", what, i+1, row[i])
			}
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fail(line, "the %s in column %d is %v; remove the row", what, i+1, x)
			}
			v[k] = x
		}
		if v[2] <= 0 {
			return fail(line, "the error is %v, but a standard deviation must be above 0; remove the row or mend the error", v[2])
		}
		if n := len(lc.Times); n > 0 && v[0] <= lc.Times[n-1] {
			if v[0] == lc.Times[n-1] {
				return fail(line, "time %s stands twice; average the two rows or remove one", days(v[0]))
			}
			return fail(line, "time %s is before %s in the row above; sort the file by time", days(v[0]), days(lc.Times[n-1]))
		}
		lc.Times, values, lc.Err = append(lc.Times, v[0]), append(values, v[1]), append(lc.Err, v[2])
		lines = append(lines, line)
	}
	if err := sc.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return fail(0, "a line is longer than 1 MiB: this is not a light-curve text file")
		}
		return fail(0, "%v", err)
	}
	if len(values) == 0 {
		return fail(0, "no rows of numbers; a light curve has columns of time, flux or magnitude, and error")
	}

	unit, err := o.unit(cols, values, lc.Err)
	if err != nil {
		return fail(0, "%v", err)
	}
	lc.Flux, lc.Unit = values, unit
	if unit == InMagnitudes {
		zp := o.ZeroPoint
		if zp == 0 {
			zp = W149().ZeroPoint
		}
		for i, m := range values {
			f := math.Pow(10, -0.4*(m-zp))
			sigma := f * lc.Err[i] * math.Ln10 / 2.5
			if math.IsInf(f, 0) || math.IsInf(sigma, 0) || sigma == 0 {
				return fail(lines[i], "the magnitude %v ± %v cannot be turned into a flux with zero point %v; if the column holds fluxes, read it with the unit flux (-unit flux)", m, lc.Err[i], zp)
			}
			lc.Flux[i], lc.Err[i] = f, sigma
		}
	}
	return lc, nil
}

// decimalCommas matches rows such as "1,5 2,0 0,1" or "1,5;2,0;0,1", if they have a
// comma at all. No row that can be read is like them: split at its commas it has
// two numbers at most.
var decimalCommas = regexp.MustCompile(`^[-+]?\d+(,\d+)?([eE][-+]?\d+)?([ \t;]+[-+]?\d+(,\d+)?([eE][-+]?\d+)?)+$`)

// fields splits a line at commas, semicolons or tabs if it has any, else at
// white space.
func fields(line string) []string {
	for _, sep := range []string{",", ";", "\t"} {
		if strings.Contains(line, sep) {
			f := strings.Split(line, sep)
			for i := range f {
				f[i] = strings.Trim(strings.TrimSpace(f[i]), `"'`)
			}
			return f
		}
	}
	return strings.Fields(line)
}

// numeric reports whether a row holds data: its first field is a number.
func numeric(row []string) bool {
	_, err := strconv.ParseFloat(row[0], 64)
	return err == nil
}

// days writes a time as people do, without an exponent.
func days(t float64) string { return strconv.FormatFloat(t, 'f', -1, 64) }
