package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/mlens-go/microlens/mlens/internal/spell"
	"github.com/mlens-go/microlens/mlens/lens"
)

func newMagnifyCommand() *cobra.Command {
	tol, point := 1e-3, false
	c := &cobra.Command{
		Use:   "magnify [flags] FILE|-",
		Short: "Magnifications of a table of binary lenses and sources",
		Long: `Reads CSV with a header that names the columns s, q, x, y and rho, in any order,
and writes the same rows with magnification, error (a bound on its absolute error)
and images (of the source's centre) added. Other columns pass through; lines that
start with # are left out. x and y are in Einstein radii of the total mass, the
centre of mass at the origin, the primary at x = −s·q/(1+q).

Where the error is above the tolerance, a line on standard error says in how many rows.

Nothing is written before all rows are checked. Interrupted, it ends the output with
a line that starts with "# interrupted" after the last whole row, says how many rows
were written, and fails.`,
		Example: "  go tool mlens magnify -tol 1e-4 sources.csv > magnified.csv",
		Args:    oneFile("name one CSV file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(tol > 0 && tol < 1) {
				return fmt.Errorf("-tol is %v, but must be between 0 and 1", tol)
			}
			in, name := cmd.InOrStdin(), "standard input"
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in, name = f, args[0]
			}
			return magnify(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), in, name, lens.Options{AbsTol: tol, RelTol: tol, PointSource: point})
		},
	}
	c.Flags().Float64Var(&tol, "tol", tol, "tolerance: the error is at most tol and tol·magnification, whichever is larger")
	c.Flags().BoolVar(&point, "point", false, "point source; rho is then not needed")
	return c
}

// chunkRows is how many rows the processors share before they are written.
const chunkRows = 4096

// added are the columns that magnify writes.
var added = []string{"magnification", "error", "images"}

// magnify copies CSV from r to w and adds the magnifications. All of the input
// is read and checked before anything is written. When ctx ends after that, the
// output is a whole number of rows and a line that tells it from a complete one.
// Rows that miss the tolerance are counted on remarks.
func magnify(ctx context.Context, w, remarks io.Writer, r io.Reader, name string, opt lens.Options) error {
	in := csv.NewReader(r)
	in.Comment = '#'
	header, err := in.Read()
	if err == io.EOF {
		return fmt.Errorf("%s: empty; the first line must name the columns s, q, x, y, rho", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	names := []string{"s", "q", "x", "y", "rho"}
	if opt.PointSource {
		names = names[:4]
	}
	column := func(name string) int {
		return slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")) == name })
	}
	for i, h := range header {
		if slices.Contains(names, strings.TrimSpace(h)) && column(strings.TrimSpace(h)) != i {
			return fmt.Errorf("%s: there are two columns %.40q; remove one", name, strings.TrimSpace(h))
		}
	}
	for _, n := range added {
		if column(n) >= 0 {
			return fmt.Errorf("%s: there is a column %q already; rename or remove it: this program adds its own", name, n)
		}
	}
	var at [5]int
	for k, n := range names {
		if at[k] = column(n); at[k] < 0 {
			return fmt.Errorf("%s: there is no column %q; the header has %.200q", name, n, strings.Join(header, ", "))
		}
	}
	var rows [][]string
	var sources []source
	for {
		row, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return spell.Row(name, err, row, len(header))
		}
		src, err := parseSource(row, names, at)
		if err != nil {
			line, _ := in.FieldPos(0)
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		rows, sources = append(rows, row), append(sources, src)
		if ctx.Err() != nil {
			return fmt.Errorf("%s: nothing was written: %w", name, ctx.Err())
		}
	}
	out := csv.NewWriter(w)
	if err := out.Write(append(header, added...)); err != nil {
		return err
	}
	if out.Flush(); out.Error() != nil {
		return out.Error()
	}
	late := 0
	results := make([]lens.Result, min(chunkRows, len(rows)))
	for lo := 0; lo < len(rows); lo += chunkRows {
		n := min(chunkRows, len(rows)-lo)
		var wg sync.WaitGroup
		workers := runtime.GOMAXPROCS(0)
		for k := range workers {
			wg.Go(func() {
				for i := k; i < n && ctx.Err() == nil; i += workers {
					src := sources[lo+i]
					results[i] = src.lens.Magnification(src.x, src.y, src.rho, opt)
				}
			})
		}
		wg.Wait()
		if ctx.Err() != nil {
			fmt.Fprintf(w, "# interrupted: %d of %d rows\n", lo, len(rows)) // all rows before were flushed
			return fmt.Errorf("%s: %d of %d rows were written: %w", name, lo, len(rows), ctx.Err())
		}
		for i, res := range results[:n] {
			if res.Late {
				late++
			}
			if err := out.Write(append(rows[lo+i], strconv.FormatFloat(res.Magnification, 'g', -1, 64),
				strconv.FormatFloat(res.Error, 'g', 3, 64), strconv.Itoa(res.Images))); err != nil {
				return err
			}
		}
		if out.Flush(); out.Error() != nil {
			return fmt.Errorf("writing rows %d to %d of %d: %w", lo+1, lo+n, len(rows), out.Error())
		}
	}
	if late > 0 {
		fmt.Fprintf(remarks, "%s: %d of %d rows have an error above the tolerance\n", name, late, len(rows))
	}
	return nil
}

// source is a row of the table.
type source struct {
	lens      lens.Binary
	x, y, rho float64
}

func parseSource(row, names []string, at [5]int) (source, error) {
	var v [5]float64
	for k, n := range names {
		x, err := strconv.ParseFloat(strings.TrimSpace(row[at[k]]), 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return source{}, fmt.Errorf("%s is %.40q, but must be a finite number", n, row[at[k]])
		}
		if k >= 2 && math.Abs(x) > lens.MaxPosition {
			return source{}, fmt.Errorf("%s is %v, but must be within ±%g", n, x, lens.MaxPosition)
		}
		v[k] = x
	}
	if v[4] < 0 {
		return source{}, fmt.Errorf("rho is %v, but must be 0 or above", v[4])
	}
	src := source{lens.Binary{S: v[0], Q: v[1]}, v[2], v[3], v[4]}
	return src, spell.Bare(src.lens.Check())
}
