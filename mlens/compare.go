package mlens

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
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

// Compare writes for each reference a table of what is published, what the network's draws nearest
// to it say, if there are enough, and the exact solution nearest to it, with the differences of
// published and exact in standard deviations, those of both in quadrature, and the
// evidence of the solution relative to the best. An improbable one has none: the table says
// by how much its χ² is larger than that of the most probable, and its f_s has no error. A star
// marks what is at an end of the prior. Where the truth is known, of a simulated event (nil: it is
// not), the solution nearest to it has a column of that. Last come the known degeneracies of the
// solutions found, as [Refined.Degeneracies] has them.
func (r *Refined) Compare(w io.Writer, refs []Reference, truth *event.Theta) error {
	var b bytes.Buffer // a notebook shows each Write by itself
	modes := make([]*RefinedMode, len(refs))
	for i, ref := range refs {
		modes[i] = r.Find(ref)
	}
	near := nearestDraws(r.proposed, modes)
	starred := false
	trueOne := -1
	if truth != nil {
		trueOne = Reference{Params: *truth}.nearest(paramsOf(modes))
	}
	for i, ref := range refs {
		if i > 0 {
			fmt.Fprintln(&b)
		}
		if m := modes[i]; m != nil {
			var of *event.Theta
			if i == trueOne {
				of = truth
			}
			starred = r.compare(&b, ref, m, near[i], of) || starred
		} else {
			fmt.Fprintf(&b, "%s: not found\n", ref.Label)
		}
	}
	if starred {
		fmt.Fprintln(&b, "\n* at an end of the prior")
	}
	var labels []string
	var found []event.Theta
	for i, m := range modes {
		if m != nil {
			labels, found = append(labels, refs[i].Label), append(found, m.Params)
		}
	}
	for i, d := range degeneracies(found) {
		if i == 0 {
			fmt.Fprintln(&b, "\nKnown degeneracies:")
		}
		fmt.Fprintf(&b, "  %s and %s: %s\n", labels[d.Of], labels[d.With], strings.Join(d.Names, ", "))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// paramsOf returns the parameters of solutions, NaN of those that are nil.
func paramsOf(modes []*RefinedMode) []event.Theta {
	out := make([]event.Theta, len(modes))
	for i, m := range modes {
		if m != nil {
			out[i] = m.Params
		} else {
			out[i][event.LogS] = math.NaN()
		}
	}
	return out
}

// compare writes the table of one reference, with the truth where it is not nil, and tells whether
// there is a star in it.
func (r *Refined) compare(w io.Writer, ref Reference, m *RefinedMode, near []event.Theta, truth *event.Theta) (starred bool) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name, is, published, network, exact, off string) {
		cells := []string{name}
		if truth != nil {
			cells = append(cells, is)
		}
		cells = append(cells, published)
		if len(near) >= fewNear {
			cells = append(cells, network)
		}
		fmt.Fprintf(t, "%s\t\n", strings.Join(append(cells, exact, off), "\t"))
	}
	row(ref.Label, "truth", "published", "network", "exact", "σ off")
	units := map[int]string{event.Alpha: " [deg]", event.U0: " [θE]", event.T0: " [d]", event.LogTE: " [d]"}
	for k, name := range event.Names {
		mean, sd := meanAndWidth(near, k)
		exact, off := valueAndError(m.Mean[k], m.Sigma[k]), ""
		if r.atEnd(m.Params, k) {
			exact, starred = exact+"*", true
		} else if d := ref.Params[k] - m.Mean[k]; m.Sigma[k] != 0 && !math.IsNaN(d) {
			if k == event.Alpha {
				d = math.Remainder(d, 360)
			}
			off = fmt.Sprintf("%+.1f", d/math.Hypot(m.Sigma[k], ref.Sigma[k]))
		}
		var is string
		if truth != nil {
			is = valueAndError(truth[k], 0)
		}
		row(name+units[k], is, valueAndError(ref.Params[k], ref.Sigma[k]), valueAndError(mean, sd), exact, off)
	}
	if math.IsInf(m.LogEvidence, -1) {
		row("Δχ²", "", "", "", fmt.Sprintf("%+.0f", m.Fluxes.Chi2-r.Modes[0].Fluxes.Chi2), "")
	} else {
		ln, err := r.RelativeEvidence(m)
		row("Δln Z", "", "", "", fmt.Sprintf("%.2f ± %.2f", ln, err), "")
	}
	row("χ²/dof", "", "", "", fmt.Sprintf("%.4f", m.Chi2DOF), "")
	row("found from", "", "", "", m.Origin, "")
	t.Flush() // a Buffer takes everything
	return starred
}

// atEnd tells whether a solution's parameter is at an end of the prior.
func (r *Refined) atEnd(t event.Theta, k int) bool {
	prior := event.Roman()
	if r.post != nil {
		prior = r.post.prior
	}
	b := prior.Bounds()[k]
	near := 1e-3 * (b.Max - b.Min)
	return k != event.Alpha && (t[k] < b.Min+near || t[k] > b.Max-near)
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

// nearestDraws returns the draws nearest to each solution, as far as they are near at all, with
// angles about its own; nil solutions have none.
func nearestDraws(draws []event.Theta, solutions []*RefinedMode) [][]event.Theta {
	const wide = 3 // times as far as solutions may be apart
	near := make([][]event.Theta, len(solutions))
	for _, d := range draws {
		best, at := float64(wide), -1
		for i, s := range solutions {
			if s == nil {
				continue
			}
			if far := distance(d, s.Params, nearReference); far < best {
				best, at = far, i
			}
		}
		if at >= 0 {
			α := solutions[at].Params[event.Alpha]
			d[event.Alpha] = α + math.Remainder(d[event.Alpha]-α, 360)
			near[at] = append(near[at], d)
		}
	}
	return near
}

// fewNear are too few draws to say what a network thinks of a solution.
const fewNear = 20

// meanAndWidth returns mean and standard deviation of a parameter, NaN where draws are too few
// to say.
func meanAndWidth(draws []event.Theta, k int) (mean, sd float64) {
	if len(draws) < fewNear {
		return math.NaN(), 0
	}
	column := make([]float64, len(draws))
	for i, d := range draws {
		column[i] = d[k]
	}
	return stat.MeanStdDev(column, nil)
}
