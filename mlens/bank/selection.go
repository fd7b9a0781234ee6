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
	cfg   Config
	cut   float64
	times []float64
	spare sync.Pool // of *lens.Curve
}

// NewSelection returns the cut at a residual χ²/dof of the best single lens, as
// the simulations of cfg have it: see [CutPaper].
func NewSelection(cfg Config, cut float64) *Selection {
	cfg = cfg.withDefaults()
	return &Selection{cfg: cfg, cut: cut, times: cfg.Cadence.Times()}
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
	chi2, status := s.cfg.residual(p, s.times, c)
	return status == OK && chi2 > s.cut
}
