package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/mlens-go/microlens/mlens"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/jupyter"
	"github.com/mlens-go/microlens/plots"
)

// inferOptions are the flags of infer.
type inferOptions struct {
	model, out string
	n          int
	seed       uint64
	window     string
	start      float64 // what window says, NaN for none
	json       bool
	read       event.ReadOptions
	unit       string
	tries      int
	refine     bool
}

func newInferCommand() *cobra.Command {
	o := inferOptions{}
	c := &cobra.Command{
		Use:   "infer [flags] FILE",
		Short: "Posterior of one light curve, with its modes",
		Long: `Reads a light curve (columns of time in days, flux or magnitude, and error; names
in a header or the first three columns), cuts a window of 72 days out of it and
prints the posterior's modes: the share of the draws, median and width of every
parameter, and χ²/dof of the draw that fits best, from the exact simulator. t0 is
counted from the start of the window. Where even the best draw fits badly, a warning
follows the table: the draws are then places to start a fit from. The best single
lens stands below, for comparison: that the lens is binary is taken for granted.

With -refine the network's draws are only where a search for the exact solutions
starts; modes are then those of the exact posterior, with the logarithm of their
evidence, and one line says how far it can be trusted.

With -out, the draws go to samples.csv and the figures to corner.png and
solutions.png in that folder.`,
		Example: "  go tool mlens infer -window 2460919.5 -out event light-curve.dat\n  go tool mlens infer -refine -out event light-curve.dat",
		Args:    oneFile("name one light-curve file, as in the example of --help"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			// For files that are not there nothing is built: infer says what is missing.
			if exists(args[0]) && exists(o.model) {
				if err := ensureSIMD(cmd.Context()); err != nil {
					return err
				}
			}
			return infer(cmd.Context(), cmd.OutOrStdout(), args[0], o)
		},
	}
	f := c.Flags()
	f.StringVarP(&o.model, "model", "m", "", "folder of the model (default data/models/roman of this checkout)")
	f.IntVarP(&o.n, "n", "n", 20_000, "draws from the posterior")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the draws")
	f.StringVarP(&o.window, "window", "w", "", "start of the window, in the file's time (default: the window that deviates most)")
	f.StringVarP(&o.out, "out", "o", "", "folder for samples.csv, corner.png and solutions.png")
	f.BoolVar(&o.json, "json", false, "print one JSON object instead of the table")
	f.StringVar(&o.read.Time, "time", "", "column of time, by name or position from 1")
	f.StringVar(&o.read.Value, "value", "", "column of flux or magnitude")
	f.StringVar(&o.read.Error, "error", "", "column of the error")
	f.StringVar(&o.unit, "unit", "", "flux or magnitude (default: told from the header or the numbers)")
	f.BoolVar(&o.refine, "refine", false, "go on to the exact posterior: solutions, their evidence and errors")
	f.IntVar(&o.tries, "tries", 0, "draws, over all modes, that the exact simulator is run on (0: 1,000, with -refine 5,000)")
	return c
}

const (
	fewestDraws = 100        // fewer show no modes
	mostDraws   = 10_000_000 // more do not fit into the memory of small machines
)

// check reports the first flag that cannot be, and fills in what depends on others.
func (o *inferOptions) check() error {
	switch {
	case o.n < fewestDraws:
		return fmt.Errorf("-n is %d, but at least %d draws are needed", o.n, fewestDraws)
	case o.n > mostDraws:
		return fmt.Errorf("-n is %d, but must be at most %d draws", o.n, mostDraws)
	case o.tries < 0:
		return fmt.Errorf("-tries is %d, but must not be negative", o.tries)
	}
	switch o.read.Unit = event.Unit(o.unit); o.read.Unit {
	case event.Auto, event.InFlux, event.InMagnitudes:
	default:
		return fmt.Errorf("-unit is %q, but must be %s or %s", o.unit, event.InFlux, event.InMagnitudes)
	}
	if err := checkFolder("out", o.out); err != nil {
		return err
	}
	o.start = math.NaN()
	if o.window != "" {
		var err error
		if o.start, err = strconv.ParseFloat(o.window, 64); err != nil || math.IsNaN(o.start) || math.IsInf(o.start, 0) {
			return fmt.Errorf("-window is %q, but must be a time in days", o.window)
		}
	}
	var err error
	o.model, err = whichModel(o.model)
	return err
}

// whichModel returns the folder of the model named, or of the one that ships.
func whichModel(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	root, err := jupyter.Root(".")
	if err != nil {
		return "", fmt.Errorf("%w, or name a model with -model", err)
	}
	return filepath.Join(root, "data", "models", "roman"), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// infer does the work of checked options.
func infer(ctx context.Context, w io.Writer, file string, o inferOptions) error {
	lc, err := o.read.Read(file)
	if err != nil {
		return err
	}
	season := event.Season().Length()
	start := o.start
	if math.IsNaN(start) {
		if start, err = lc.BestWindow(season); err != nil {
			return err
		}
	}
	win, err := lc.Window(start, season)
	if err != nil {
		return err
	}
	est, err := mlens.Load(o.model)
	if err != nil {
		return err
	}
	post, err := est.Condition(win)
	if err != nil {
		return err
	}
	draws := post.Sample(o.n, o.seed)
	if len(draws) < fewestDraws {
		return fmt.Errorf("%s: the network puts %.2g %% of its density inside the prior: the light curve is unlike any that it was trained on: %s",
			file, 100*post.Inside(), oddities(win, start))
	}
	if o.refine {
		return inferRefined(ctx, w, file, start, post, draws, o)
	}
	modes, err := post.Modes(ctx, draws, cmp.Or(o.tries, 1000))
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := writeInference(o.out, win, draws, modes); err != nil {
			return err
		}
	}
	if o.json {
		return printJSON(w, file, start, win, draws, modes)
	}
	return printTable(w, file, start, win, draws, modes)
}

// oddities says what to look at in a light curve that the network cannot use; start is that of the window.
func oddities(win event.LightCurve, start float64) string {
	flux, sigma := slices.Sorted(slices.Values(win.Flux)), slices.Sorted(slices.Values(win.Err))
	n := win.Len()
	if flux[0] == flux[n-1] {
		return "its flux is constant"
	}
	median, i := flux[n/2], slices.Index(win.Flux, flux[n-1])
	return fmt.Sprintf("look at its error bars (the median one is %.2g of the median flux), and for outliers (the largest flux, at %.10g, is %.3g times the median, the smallest %.3g times)",
		sigma[n/2]/median, start+win.Times[i], flux[n-1]/median, flux[0]/median)
}

// writeInference writes draws and figures to folder dir, each whole or not at all.
func writeInference(dir string, win event.LightCurve, draws []event.Theta, modes []mlens.Mode) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeDraws(dir, draws); err != nil {
		return err
	}
	solutions := make([]plots.Solution, len(modes))
	marks := make([]plots.Mark, len(modes))
	for i, m := range modes {
		solutions[i] = plots.Solution{Label: modeName(i), Params: m.Best.Params(), Weight: m.Weight}
		marks[i] = plots.Mark{Label: modeName(i), Theta: m.Best}
	}
	if err := plots.Corner(draws, plots.CornerOptions{Marks: marks}).Save(filepath.Join(dir, "corner.png")); err != nil {
		return err
	}
	fig, err := plots.Solutions(win, solutions, plots.SolutionsOptions{})
	if err != nil {
		return err
	}
	return fig.Save(filepath.Join(dir, "solutions.png"))
}

func modeName(i int) string { return "mode " + string(rune('A'+i)) }

// writeDraws writes draws to samples.csv in folder dir.
func writeDraws(dir string, draws []event.Theta) error {
	var samples bytes.Buffer
	if err := writeSamples(&samples, draws); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, "samples.csv"), samples.Bytes(), 0o644, renameio.WithTempDir(dir))
}

func writeSamples(w io.Writer, draws []event.Theta) error {
	out := csv.NewWriter(w)
	if err := out.Write(event.Names[:]); err != nil {
		return err
	}
	row := make([]string, event.Dim)
	for _, t := range draws {
		for k, v := range t {
			row[k] = strconv.FormatFloat(v, 'g', 9, 64)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// printTable prints what a person wants to see.
func printTable(w io.Writer, file string, start float64, win event.LightCurve, draws []event.Theta, modes []mlens.Mode) error {
	fmt.Fprintf(w, "%s, read as %s: window from %.10g to %.10g, %d measurements, %d draws\n\n", file, win.Unit, start, start+event.Season().Length(), win.Len(), len(draws))
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\tall\t")
	for i := range modes {
		fmt.Fprintf(t, "%s\tbest draw\t", modeName(i))
	}
	fmt.Fprint(t, "\nshare of the draws\t100 %\t")
	for _, m := range modes {
		fmt.Fprintf(t, "%.0f %%\t\t", 100*m.Weight)
	}
	fmt.Fprintln(t)
	all := mlens.Summary(draws)
	for k, name := range event.Names {
		fmt.Fprintf(t, "%s\t%s\t", name, plusMinus(all.Median[k], all.Sigma[k]))
		for _, m := range modes {
			fmt.Fprintf(t, "%s\t%s\t", plusMinus(m.Median[k], m.Sigma[k]), number(m.Best[k], m.Sigma[k]))
		}
		fmt.Fprintln(t)
	}
	fmt.Fprint(t, "χ²/dof\t\t")
	for _, m := range modes {
		fmt.Fprintf(t, "\t%.3g\t", m.Chi2DOF)
	}
	fmt.Fprintln(t)
	if err := t.Flush(); err != nil {
		return err
	}
	single, err := win.FitSingleLens()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nThe best single lens has a χ²/dof of %.4g.\n", chi2DOF(single))
	if single.Chi2 < float64(single.DOF)+detected {
		fmt.Fprintln(w, "WARNING: so it fits, if the errors are right: the light curve hardly says that the lens is binary. The posterior takes it for granted.")
	}
	io.WriteString(w, warning(modes))
	return err
}

// detected is the Δχ² over the best single lens from which forecasts for Roman count a companion as
// found (Penny et al. 2019).
const detected = 160

func chi2DOF(s event.SingleLens) float64 { return s.Chi2 / float64(s.DOF) }

// poorFit is the χ²/dof above which a best draw is no fit: the errors would have to be too small by a
// factor of 1.4, as large as those of survey pipelines are. Chance reaches 2 once in hundreds of light
// curves of the fewest measurements allowed (21 degrees of freedom, σ = √(2/21) = 0.31), and in none
// of a season.
const poorFit = 2

// warning says that no draw fits, "" when one does.
func warning(modes []mlens.Mode) string {
	best := math.NaN()
	for _, m := range modes {
		if !(m.Chi2DOF >= best) {
			best = m.Chi2DOF
		}
	}
	switch {
	case math.IsNaN(best):
		return "\nWARNING: the exact simulator failed for all draws that it was run on; whether any fits is not known.\n"
	case best > poorFit:
		return fmt.Sprintf("\nWARNING: χ²/dof of the best draw is %.3g, far above 1: the network's draws are not yet a fit.\n"+
			"Take the modes as places to start a fit from, and their widths as the network's, not the data's.\n", best)
	}
	return ""
}

// number prints v to two digits of its uncertainty.
func number(v, sigma float64) string {
	digits := 3
	if sigma > 0 {
		digits = min(6, max(0, 1-int(math.Floor(math.Log10(sigma)))))
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

func plusMinus(v, sigma float64) string { return number(v, sigma) + " ± " + number(sigma, sigma) }

// named is a Theta that marshals to an object in the order of event.Names.
type named event.Theta

// MarshalJSON implements json.Marshaler.
func (t named) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for k, name := range event.Names {
		if k > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, name)
		b = append(b, ':')
		if math.IsNaN(t[k]) || math.IsInf(t[k], 0) {
			b = append(b, "null"...)
			continue
		}
		b = strconv.AppendFloat(b, t[k], 'g', -1, 64)
	}
	return append(b, '}'), nil
}

// units marshals to an object that names the unit of every number which has one.
type units struct{}

// unitOf has the order of event.Names.
var unitOf = [event.Dim]string{
	"log10 of Einstein radii of the total mass", "log10 of the secondary's mass over the primary's", "degrees",
	"Einstein radii of the total mass", "days from the start of the window", "log10 of days",
	"log10 of Einstein radii of the total mass", "fraction of the baseline flux",
}

// MarshalJSON implements json.Marshaler.
func (units) MarshalJSON() ([]byte, error) {
	b := []byte(`{"window":"days, in the file's time"`)
	for k, name := range event.Names {
		b = fmt.Appendf(b, ",%q:%q", name, unitOf[k])
	}
	return append(b, '}'), nil
}

func printJSON(w io.Writer, file string, start float64, win event.LightCurve, draws []event.Theta, modes []mlens.Mode) error {
	type mode struct {
		Weight  float64  `json:"weight"`
		Median  named    `json:"median"`
		Sigma   named    `json:"sigma"`
		Best    named    `json:"best"`
		Chi2DOF *float64 `json:"chi2_dof"` // null where no simulation succeeded
	}
	single, err := win.FitSingleLens()
	if err != nil {
		return err
	}
	out := struct {
		File       string   `json:"file"`
		Window     float64  `json:"window"`
		N          int      `json:"n"`
		Parameters []string `json:"parameters"`
		Units      units    `json:"units"`
		Modes      []mode   `json:"modes"`
		Single     float64  `json:"single_chi2_dof"` // of the best single lens
	}{file, start, len(draws), event.Names[:], units{}, nil, chi2DOF(single)}
	for _, m := range modes {
		j := mode{m.Weight, named(m.Median), named(m.Sigma), named(m.Best), &m.Chi2DOF}
		if math.IsNaN(m.Chi2DOF) {
			j.Chi2DOF = nil
		}
		out.Modes = append(out.Modes, j)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
