package bank

import (
	"sync"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
)

// Selection is the cut as a function of an event's parameters: what turns the
// analytic prior into the one that the events of a bank are drawn from. It may be
// used by many goroutines.
type Selection struct {
	cfg, few     Config // few has every eighth epoch
	times, fewer []float64
	cut          float64
	spare        sync.Pool // of *lens.Curve
}

// Every sparse-th epoch is looked at first; a residual χ² has the degrees of freedom of
// the epochs but for those fitted.
const sparse, fitted = 8, 5

// NewSelection returns the cut at a residual χ²/dof of the best single lens, as
// the simulations of cfg have it: see [CutPaper].
func NewSelection(cfg Config, cut float64) *Selection {
	cfg = cfg.withDefaults()
	few := cfg
	few.Cadence = event.Cadence{Step: sparse * cfg.Cadence.Step, N: cfg.Cadence.N / sparse}
	return &Selection{cfg: cfg, few: few, cut: cut, times: cfg.Cadence.Times(), fewer: few.Cadence.Times()}
}

// Passes tells whether an event survives the cut. When it happens within the
// season, how blended it is and how faint does not matter.
func (s *Selection) Passes(p event.Params) bool {
	c, ok := s.spare.Get().(*lens.Curve)
	if !ok {
		c = new(lens.Curve)
	}
	defer s.spare.Put(c)
	p.T0 = s.cfg.Cadence.Length() / 2
	// The residuals of a part of the epochs add up to at most those of all, whose best
	// single lens is not the best one there; most of those that pass do so with a part.
	const margin = 1.1 // of the search for the best single lens
	all := float64(s.cfg.Cadence.N-fitted) / float64(s.few.Cadence.N-fitted)
	if chi2, status := s.few.residual(p, s.fewer, c); status == OK && chi2 > margin*all*s.cut {
		return true
	}
	chi2, status := s.cfg.residual(p, s.times, c)
	return status == OK && chi2 > s.cut
}
