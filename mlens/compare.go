package mlens

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"gonum.org/v1/gonum/mat"

	"github.com/mlens-go/microlens/mlens/event"
)

// A Reference is a solution that somebody has published. Parameters that were not
// given are NaN.
type Reference struct {
	Label  string
	Params event.Theta
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

// find returns the solution nearest to a reference: a mode, or else one of the improbable
// ones, as a mode that has the widths of a parabola and no share, or else nil.
func (r *Refined) find(ref Reference) *RefinedMode {
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

// Compare writes a table of references beside the exact solutions nearest to them,
// with the differences in standard deviations of the exact posterior, and the
// evidence of each solution relative to the best. An improbable one has none: the table says
// by how much its χ² is larger.
func (r *Refined) Compare(w io.Writer, refs []Reference) error {
	var b bytes.Buffer // a notebook shows each Write by itself
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	modes := make([]*RefinedMode, len(refs))
	fmt.Fprint(t, "\t")
	for i, ref := range refs {
		modes[i] = r.find(ref)
		fmt.Fprintf(t, "%s\texact\tσ off\t", ref.Label)
	}
	fmt.Fprintln(t)
	for k, name := range event.Names {
		fmt.Fprintf(t, "%s\t", name)
		for i, ref := range refs {
			v, m := ref.Params[k], modes[i]
			listed := "–"
			if !math.IsNaN(v) {
				listed = fmt.Sprintf("%.4f", v)
			}
			switch {
			case m == nil:
				fmt.Fprintf(t, "%s\tnot found\t\t", listed)
			case m.Sigma[k] == 0:
				fmt.Fprintf(t, "%s\t%.4f\t\t", listed, m.Mean[k])
			case math.IsNaN(v):
				fmt.Fprintf(t, "%s\t%.4f ± %.4f\t\t", listed, m.Mean[k], m.Sigma[k])
			default:
				d := v - m.Mean[k]
				if k == event.Alpha {
					d = math.Remainder(d, 360)
				}
				fmt.Fprintf(t, "%s\t%.4f ± %.4f\t%+.1f\t", listed, m.Mean[k], m.Sigma[k], d/m.Sigma[k])
			}
		}
		fmt.Fprintln(t)
	}
	line := func(name string, f func(m *RefinedMode) string) {
		fmt.Fprintf(t, "%s\t", name)
		for _, m := range modes {
			if m == nil {
				fmt.Fprint(t, "\t\t\t")
			} else {
				fmt.Fprintf(t, "\t%s\t\t", f(m))
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
