package mlens

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/mlens-go/microlens/mlens/event"
)

// A Degeneracy is the known reason, or reasons, for two solutions of an event to look alike.
type Degeneracy struct {
	Of, With int      // the solutions, by their indices among [Refined].Modes, the more probable first
	Names    []string // see [event.Params.Partners], the one that predicts best first
}

// Degeneracies returns for each pair of solutions the known degeneracies that predict one as a
// partner of the other: near its place, and no other solution nearer. Pairs that none explains are
// not among them.
func (r *Refined) Degeneracies() []Degeneracy {
	at := make([]event.Theta, len(r.Modes))
	for i, m := range r.Modes {
		at[i] = m.Params
	}
	return degeneracies(at)
}

func degeneracies(solutions []event.Theta) (out []Degeneracy) {
	const (
		near   = 3 // times as far as a published solution may be from ours
		nearly = 1 // further than the prediction that is best: as good
	)
	type pair struct{ of, with int }
	off := map[pair]map[string]float64{}
	for i, s := range solutions {
		for _, partner := range s.Params().Partners() {
			t := partner.Params.Theta()
			nearest, at := near*1.0, i
			for j, o := range solutions {
				t[event.Fs] = o[event.Fs] // nobody predicts it
				if d := distance(t, o, nearReference); d < nearest {
					nearest, at = d, j
				}
			}
			if at == i {
				continue
			}
			k := pair{min(i, at), max(i, at)}
			if off[k] == nil {
				off[k] = map[string]float64{}
			}
			if d, ok := off[k][partner.Degeneracy]; !ok || nearest < d {
				off[k][partner.Degeneracy] = nearest
			}
		}
	}
	for k, names := range off {
		d := Degeneracy{Of: k.of, With: k.with}
		best := slices.Min(slices.Collect(maps.Values(names)))
		for name, off := range names {
			if off < best+nearly {
				d.Names = append(d.Names, name)
			}
		}
		slices.SortFunc(d.Names, func(a, b string) int { return cmp.Or(cmp.Compare(names[a], names[b]), cmp.Compare(a, b)) })
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Degeneracy) int { return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.With, b.With)) })
	return out
}

// RelativeEvidence returns the logarithm of the evidence of a solution over that of the most
// probable one, and its standard deviation: 0 and 0 for that itself.
func (r *Refined) RelativeEvidence(m *RefinedMode) (ln, err float64) {
	best := &r.Modes[0]
	if m.Params == best.Params {
		return 0, 0
	}
	return m.LogEvidence - best.LogEvidence, math.Hypot(m.LogEvidenceErr, best.LogEvidenceErr)
}
