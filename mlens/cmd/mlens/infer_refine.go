package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/mlens-go/microlens/mlens"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/nb"
	"github.com/mlens-go/microlens/plots"
)

// inferRefined goes on from the network's draws to the exact posterior.
func inferRefined(ctx context.Context, w io.Writer, file string, start float64, post *mlens.Posterior, draws []event.Theta, o inferOptions) error {
	r, err := post.Refine(ctx, draws, mlens.RefineOptions{Seed: o.seed, Tries: o.tries, Progress: refining()})
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := writeRefined(o.out, post.Window, r); err != nil {
			return err
		}
	}
	if o.json {
		return printRefinedJSON(w, file, start, post.Window, r)
	}
	return printRefined(w, file, start, post.Window, r)
}

// refining shows each stage of a refinement as a line of its own.
func refining() func(what string, done, total int) {
	bars := map[string]func(done, total int){}
	return func(what string, done, total int) {
		if bars[what] == nil {
			bars[what] = nb.Progress(what)
		}
		bars[what](done, total)
	}
}

// mostShown is the number of modes, and of solutions in a list, that are printed; -json has all.
const mostShown = 10

// worthPlotting is the share of the evidence from which a mode is drawn.
const worthPlotting = 0.01

// writeRefined writes draws and figures to folder dir, each whole or not at all.
func writeRefined(dir string, win event.LightCurve, r *mlens.Refined) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeDraws(dir, r.Draws); err != nil {
		return err
	}
	var solutions []plots.Solution
	var marks []plots.Mark
	for i, m := range r.Modes {
		if m.Weight >= worthPlotting {
			solutions = append(solutions, plots.Solution{Label: modeName(i), Params: m.Params.Params(), Weight: m.Weight})
			marks = append(marks, plots.Mark{Label: modeName(i), Theta: m.Params})
		}
	}
	if err := plots.Corner(r.Draws, plots.CornerOptions{Marks: marks}).Save(filepath.Join(dir, "corner.png")); err != nil {
		return err
	}
	fig, err := plots.Solutions(win, solutions, plots.SolutionsOptions{})
	if err != nil {
		return err
	}
	return fig.Save(filepath.Join(dir, "solutions.png"))
}

// printRefined prints what a person wants to see.
func printRefined(w io.Writer, file string, start float64, win event.LightCurve, r *mlens.Refined) error {
	fmt.Fprintf(w, "%s, read as %s: window from %.10g to %.10g, %d measurements\n", file, win.Unit, start, start+event.Season().Length(), win.Len())
	fmt.Fprintf(w, "exact posterior from %d likelihoods", r.Evaluations)
	if r.Coarse > 0 {
		fmt.Fprintf(w, " after %d of the light curve in bins", r.Coarse)
	}
	fmt.Fprintf(w, "; %s\n\n", r.Trust())
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	shown := r.Modes[:1]
	for n := 2; n <= min(mostShown, len(r.Modes)) && !math.IsInf(r.Modes[n-1].LogEvidence, -1); n++ {
		shown = r.Modes[:n]
	}
	row := func(name string, cell func(m mlens.RefinedMode) string) {
		fmt.Fprintf(t, "%s\t", name)
		for _, m := range shown {
			fmt.Fprintf(t, "%s\t", cell(m))
		}
		fmt.Fprintln(t)
	}
	fmt.Fprint(t, "\t")
	for i := range shown {
		fmt.Fprintf(t, "%s\t", modeName(i))
	}
	fmt.Fprintln(t)
	row("share", func(m mlens.RefinedMode) string { return fmt.Sprintf("%.3g %%", 100*m.Weight) })
	row("Δln Z", func(m mlens.RefinedMode) string { return plusMinus(r.RelativeEvidence(&m)) })
	row("found from", func(m mlens.RefinedMode) string { return m.Origin })
	for k, name := range event.Names {
		row(name, func(m mlens.RefinedMode) string {
			if m.Sigma[k] == 0 { // not known
				return number(m.Mean[k], 0)
			}
			return plusMinus(m.Mean[k], m.Sigma[k])
		})
	}
	row("χ²/dof", func(m mlens.RefinedMode) string { return fmt.Sprintf("%.4g", m.Chi2DOF) })
	if err := t.Flush(); err != nil {
		return err
	}
	single, err := win.FitSingleLens()
	if err != nil {
		return err
	}
	if more := len(r.Modes) - len(shown); more > 0 {
		fmt.Fprintf(w, "and %d more, with %.2g %% together (-json has them)\n", more, 100*shareOf(r.Modes[len(shown):]))
	}
	io.WriteString(w, besideSingle(single, r))
	title := "\nKnown degeneracies:\n"
	for _, d := range r.Degeneracies() {
		if max(d.Of, d.With) >= len(shown) {
			continue
		}
		io.WriteString(w, title)
		title = ""
		fmt.Fprintf(w, "  %s and %s: %s\n", modeName(d.Of), modeName(d.With), strings.Join(d.Names, ", "))
	}
	list := func(title string, solutions []mlens.Solution) {
		for i, s := range solutions {
			if i == 0 {
				fmt.Fprintf(w, "\n%s:\n", title)
			}
			if i == mostShown {
				fmt.Fprintf(w, "  and %d more (-json has them)\n", len(solutions)-mostShown)
				break
			}
			fmt.Fprintf(w, "  χ²/dof %.4g at", s.Chi2DOF)
			for k, name := range event.Names {
				fmt.Fprintf(w, " %s %.4g", name, s.Params[k])
			}
			fmt.Fprintf(w, " (found from %s)\n", s.Origin)
		}
	}
	list("Minima that fit so much worse that no draws were spent on them", r.Improbable)
	list("Outside the prior, whose u0 and t0 are those about the centre of mass", r.Beyond)
	return nil
}

func shareOf(modes []mlens.RefinedMode) (share float64) {
	for _, m := range modes {
		share += m.Weight
	}
	return share
}

// gain is by how much the χ² of a single lens is above that of the best solution.
func gain(single event.SingleLens, r *mlens.Refined) float64 {
	best := math.Inf(1)
	for _, m := range r.Modes {
		best = min(best, m.Fluxes.Chi2)
	}
	return single.Chi2 - best
}

// besideSingle says how much better the best solution fits than a single lens.
func besideSingle(single event.SingleLens, r *mlens.Refined) string {
	gain := gain(single, r)
	s := fmt.Sprintf("\nThe best single lens has a χ²/dof of %.4g, and a χ² of %.4g above the best solution's.\n", chi2DOF(single), gain)
	if gain < detected {
		s += fmt.Sprintf("WARNING: that is less than %d: the light curve hardly says that the lens is binary. The posterior takes it for granted.\n", detected)
	}
	return s
}

// finite returns nil for what JSON has no number for.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// printRefinedJSON prints one object.
func printRefinedJSON(w io.Writer, file string, start float64, win event.LightCurve, r *mlens.Refined) error {
	single, err := win.FitSingleLens()
	if err != nil {
		return err
	}
	type mode struct {
		Weight         float64  `json:"weight"`
		LogEvidence    *float64 `json:"log_evidence"` // null where no draw fits
		LogEvidenceErr *float64 `json:"log_evidence_err"`
		Best           named    `json:"best"`
		Mean           named    `json:"mean"`
		Sigma          named    `json:"sigma"` // null where not known
		ESS            float64  `json:"ess"`
		Chi2DOF        float64  `json:"chi2_dof"`
		Origin         string   `json:"origin"`
	}
	type trust struct {
		Level   mlens.Level `json:"level"`
		ESS     float64     `json:"ess"`
		ESSErr  float64     `json:"ess_se"`
		KHat    *float64    `json:"khat"` // null where there are too few draws for one
		Chi2DOF float64     `json:"chi2_dof"`
		Walked  bool        `json:"walked"`
		RHat    *float64    `json:"rhat"` // null where no walkers were needed, or they had too few steps
		Doubts  []string    `json:"doubts"`
	}
	type degeneracy struct {
		Modes [2]int   `json:"modes"` // counted from 0
		Names []string `json:"names"`
	}
	type solution struct {
		Best    named   `json:"best"`
		Chi2DOF float64 `json:"chi2_dof"`
		Origin  string  `json:"origin"`
	}
	j := r.Trust()
	var rhat *float64
	if r.RHat > 0 {
		rhat = finite(r.RHat)
	}
	out := struct {
		File       string       `json:"file"`
		Window     float64      `json:"window"`
		N          int          `json:"n"`
		Parameters []string     `json:"parameters"`
		Units      units        `json:"units"`
		Modes      []mode       `json:"modes"`
		Single     float64      `json:"single_chi2_dof"`   // of the best single lens
		Gain       float64      `json:"single_delta_chi2"` // how much worse it fits than the best solution
		Degenerate []degeneracy `json:"degeneracies"`
		Improbable []solution   `json:"improbable"`
		Beyond     []solution   `json:"outside_prior"`
		Exact      int          `json:"likelihoods"`         // of the light curve
		Coarse     int          `json:"likelihoods_in_bins"` // of it in bins
		Trust      trust        `json:"trust"`
	}{file, start, len(r.Draws), event.Names[:], units{}, nil, chi2DOF(single), gain(single, r), []degeneracy{}, []solution{}, []solution{}, r.Evaluations, r.Coarse,
		trust{j.Level, j.ESS, j.ESSErr, finite(j.KHat), j.Chi2DOF, r.Walked, rhat, append([]string{}, j.Doubts...)}}
	for _, d := range r.Degeneracies() {
		out.Degenerate = append(out.Degenerate, degeneracy{[2]int{d.Of, d.With}, d.Names})
	}
	for _, m := range r.Modes {
		sigma := named(m.Sigma)
		for k, v := range sigma {
			if v == 0 {
				sigma[k] = math.NaN()
			}
		}
		out.Modes = append(out.Modes, mode{m.Weight, finite(m.LogEvidence), finite(m.LogEvidenceErr), named(m.Params), named(m.Mean), sigma, m.ESS, m.Chi2DOF, m.Origin})
	}
	for _, s := range r.Improbable {
		out.Improbable = append(out.Improbable, solution{named(s.Params), s.Chi2DOF, s.Origin})
	}
	for _, s := range r.Beyond {
		out.Beyond = append(out.Beyond, solution{named(s.Params), s.Chi2DOF, s.Origin})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
