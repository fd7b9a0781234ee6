package main

import (
	"encoding/csv"
	"errors"
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
centre of mass at the origin, the primary at x = −s·q/(1+q).`,
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
			return magnify(cmd.OutOrStdout(), in, name, lens.Options{AbsTol: tol, RelTol: tol, PointSource: point})
		},
	}
	c.Flags().Float64Var(&tol, "tol", tol, "tolerance: the error is at most tol and tol·magnification, whichever is larger")
	c.Flags().BoolVar(&point, "point", false, "point source; rho is then not needed")
	return c
}

// chunkRows is how many rows are read before the processors share them.
const chunkRows = 4096

// magnify copies CSV from r to w and adds the magnifications.
func magnify(w io.Writer, r io.Reader, name string, opt lens.Options) error {
	in := csv.NewReader(r)
	in.Comment, in.ReuseRecord = '#', false
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
	var at [5]int
	for k, n := range names {
		at[k] = slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")) == n })
		if at[k] < 0 {
			return fmt.Errorf("%s: there is no column %q; the header has %s", name, n, strings.Join(header, ", "))
		}
	}
	out := csv.NewWriter(w)
	if err := out.Write(append(header, "magnification", "error", "images")); err != nil {
		return err
	}
	for end := false; !end; {
		var rows [][]string
		var lines []int
		for len(rows) < chunkRows {
			row, err := in.Read()
			if err == io.EOF {
				end = true
				break
			}
			if err != nil {
				return errors.Join(flush(out), fmt.Errorf("%s: %w", name, err))
			}
			line, _ := in.FieldPos(0)
			rows, lines = append(rows, row), append(lines, line)
		}
		failed := make([]error, len(rows))
		var wg sync.WaitGroup
		workers := runtime.GOMAXPROCS(0)
		for k := range workers {
			wg.Go(func() {
				for i := k; i < len(rows); i += workers {
					rows[i], failed[i] = magnifyRow(rows[i], names, at, opt)
				}
			})
		}
		wg.Wait()
		for i, row := range rows {
			if failed[i] != nil {
				return errors.Join(flush(out), fmt.Errorf("%s:%d: %w", name, lines[i], failed[i]))
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	return flush(out)
}

func flush(w *csv.Writer) error {
	w.Flush()
	return w.Error()
}

// magnifyRow adds the magnification to a row.
func magnifyRow(row, names []string, at [5]int, opt lens.Options) ([]string, error) {
	var v [5]float64
	for k, n := range names {
		x, err := strconv.ParseFloat(strings.TrimSpace(row[at[k]]), 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%s is %q, but must be a finite number", n, row[at[k]])
		}
		v[k] = x
	}
	b := lens.Binary{S: v[0], Q: v[1]}
	if err := b.Check(); err != nil {
		return nil, err
	}
	if v[4] < 0 {
		return nil, fmt.Errorf("rho is %v, but must be 0 or above", v[4])
	}
	res := b.Magnification(v[2], v[3], v[4], opt)
	return append(row, strconv.FormatFloat(res.Magnification, 'g', -1, 64), strconv.FormatFloat(res.Error, 'g', 3, 64), strconv.Itoa(res.Images)), nil
}
