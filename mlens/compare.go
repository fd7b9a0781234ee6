package mlens

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/mlens-go/microlens/mlens/event"
)

// A Reference is a solution that somebody has published. Parameters that were not
// given are NaN.
type Reference struct {
	Label  string
	Params event.Theta
	Sigma  event.Theta // published standard errors; 0: none
}

// nearReference are differences within which a solution may be the published one.
var nearReference = event.Theta{event.LogS: 0.03, event.LogQ: 0.3, event.Alpha: 6, event.U0: 0.03, event.T0: 0.5, event.LogTE: 0.08, event.LogRho: math.Inf(1), event.Fs: 0.06}

// Nearest returns the index of the solution nearest to a reference, or −1 where
// none is near: within 0.03 in log10 s, 0.3 in log10 q, 6° in α and so on.
func (r *Refined) Nearest(ref Reference) int {
	modes := make([]event.Theta, len(r.Modes))
	for i, m := range r.Modes {
		modes[i] = m.Params
	}
	return ref.nearest(modes)
}

// nearest returns the index of the nearest of solutions, or −1.
func (ref Reference) nearest(solutions []event.Theta) int {
	best, at := 1.0, -1
	for i, s := range solutions {
		t := ref.Params
		for k, v := range t {
			if math.IsNaN(v) {
				t[k] = s[k]
			}
		}
		if d := distance(t, s, nearReference); d < best {
			best, at = d, i
		}
	}
	return at
}

// Find returns the solution nearest to a reference: a mode, or else one of the improbable
// ones, as a mode that has the widths of a parabola and no share, or else nil.
func (r *Refined) Find(ref Reference) *RefinedMode {
	if k := r.Nearest(ref); k >= 0 {
		return &r.Modes[k]
	}
	others := make([]event.Theta, len(r.Improbable))
	for i, s := range r.Improbable {
		others[i] = s.Params
	}
	k := ref.nearest(others)
	if k < 0 {
		return nil
	}
	s := r.Improbable[k]
	return &RefinedMode{Solution: s, LogEvidence: math.Inf(-1), Mean: s.Params, Sigma: s.parabola()}
}

// parabola returns the standard deviations of all parameters but f_s where χ² is a parabola, 0
// where they are not known.
func (s Solution) parabola() (sigma event.Theta) {
	var chol mat.Cholesky
	var cov mat.SymDense
	if s.Information != nil && chol.Factorize(s.Information) && chol.InverseTo(&cov) == nil {
		// What is wider than any prior is not known.
		bounds := event.Roman().Bounds()
		for k, b := range bounds[:event.Fs] {
			if σ := math.Sqrt(cov.At(k, k)); σ < b.Max-b.Min {
				sigma[k] = σ
			}
		}
	}
	return sigma
}

// EvidenceOf returns the logarithm of the evidence of the solution nearest to a reference, −Inf where none
// is near.
func (r *Refined) EvidenceOf(ref Reference) float64 {
	if i := r.Nearest(ref); i >= 0 {
		return r.Modes[i].LogEvidence
	}
	return math.Inf(-1)
}

// Compare writes a table of references beside what the network's draws say near them, if there
// are any, and beside the exact solutions nearest to them, with the differences of published and
// exact in standard deviations, those of both in quadrature, and the
// evidence of each solution relative to the best. An improbable one has none: the table says
// by how much its χ² is larger.
func (r *Refined) Compare(w io.Writer, refs []Reference) error {
	var b bytes.Buffer // a notebook shows each Write by itself
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	modes := make([]*RefinedMode, len(refs))
	near := make([][]event.Theta, len(refs))
	fmt.Fprint(t, "\t")
	for i, ref := range refs {
		if modes[i] = r.Find(ref); modes[i] != nil {
			near[i] = drawsNear(r.proposed, modes[i].Params)
		}
		fmt.Fprintf(t, "%s\tnetwork\texact\tσ off\t", ref.Label)
	}
	fmt.Fprintln(t)
	for k, name := range event.Names {
		fmt.Fprintf(t, "%s\t", name)
		for i, ref := range refs {
			v, m := ref.Params[k], modes[i]
			if m == nil {
				fmt.Fprintf(t, "%s\t\tnot found\t\t", valueAndError(v, ref.Sigma[k]))
				continue
			}
			mean, sigma := meanAndWidth(near[i], k)
			fmt.Fprintf(t, "%s\t%s\t%s\t", valueAndError(v, ref.Sigma[k]), valueAndError(mean, sigma), valueAndError(m.Mean[k], m.Sigma[k]))
			if d := v - m.Mean[k]; m.Sigma[k] != 0 && !math.IsNaN(d) {
				if k == event.Alpha {
					d = math.Remainder(d, 360)
				}
				fmt.Fprintf(t, "%+.1f", d/math.Hypot(m.Sigma[k], ref.Sigma[k]))
			}
			fmt.Fprint(t, "\t")
		}
		fmt.Fprintln(t)
	}
	line := func(name string, f func(m *RefinedMode) string) {
		fmt.Fprintf(t, "%s\t", name)
		for _, m := range modes {
			if m == nil {
				fmt.Fprint(t, "\t\t\t\t")
			} else {
				fmt.Fprintf(t, "\t\t%s\t\t", f(m))
			}
		}
		fmt.Fprintln(t)
	}
	line("Δln Z", func(m *RefinedMode) string {
		if math.IsInf(m.LogEvidence, -1) {
			return fmt.Sprintf("Δχ² %+.0f", m.Fluxes.Chi2-r.Modes[0].Fluxes.Chi2)
		}
		return fmt.Sprintf("%.2f ± %.2f", m.LogEvidence-r.Modes[0].LogEvidence, m.LogEvidenceErr)
	})
	line("χ²/dof", func(m *RefinedMode) string { return fmt.Sprintf("%.4f", m.Chi2DOF) })
	line("found from", func(m *RefinedMode) string { return m.Origin })
	t.Flush() // a Buffer takes everything
	_, err := w.Write(b.Bytes())
	return err
}

// valueAndError formats a value that may be unknown, NaN, or without an error, 0.
func valueAndError(v, sigma float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case sigma == 0:
		return fmt.Sprintf("%.4f", v)
	}
	return fmt.Sprintf("%.4f ± %.4f", v, sigma)
}

// drawsNear returns the draws that are near a solution, with angles about its own.
func drawsNear(draws []event.Theta, t event.Theta) (near []event.Theta) {
	const wide = 3 // times as far as solutions may be apart
	for _, d := range draws {
		if distance(d, t, nearReference) < wide {
			d[event.Alpha] = t[event.Alpha] + math.Remainder(d[event.Alpha]-t[event.Alpha], 360)
			near = append(near, d)
		}
	}
	return near
}

// meanAndWidth returns mean and standard deviation of a parameter, NaN where draws are too few
// to say.
func meanAndWidth(draws []event.Theta, k int) (mean, sd float64) {
	const few = 20
	if len(draws) < few {
		return math.NaN(), 0
	}
	column := make([]float64, len(draws))
	for i, d := range draws {
		column[i] = d[k]
	}
	return stat.MeanStdDev(column, nil)
}
