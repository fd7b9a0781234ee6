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

// Every sparse-th epoch is looked at first.
const sparse = 8

// NewSelection returns the cut at a residual χ²/dof of the best single lens, as
// the simulations of cfg have it: see [CutPaper].
func NewSelection(cfg Config, cut float64) *Selection {
	cfg = cfg.withDefaults()
	few := cfg
	few.Cadence = event.Cadence{Step: sparse * cfg.Cadence.Step, N: cfg.Cadence.N / sparse}
	return &Selection{cfg: cfg, few: few, cut: cut, times: cfg.Cadence.Times(), fewer: few.Cadence.Times(),
		spare: sync.Pool{New: func() any { return new(lens.Curve) }}}
}

// Passes tells whether an event survives the cut. When it happens within the
// season, how blended it is and how faint does not matter.
func (s *Selection) Passes(p event.Params) bool {
	c := s.spare.Get().(*lens.Curve)
	defer s.spare.Put(c)
	p.T0 = s.cfg.Cadence.Length() / 2
	// χ²/dof of a part of the epochs is that of all, unless it is due to features so short
	// that the part has one epoch of each: folds, of which a source crosses a few. Of 12,000
	// draws of the prior, of which 3,523 pass, 3,293 pass here, none of them wrongly; the
	// whole χ²/dof of one was lower than this one, by 18 %.
	const margin = 1.2
	if chi2, status := s.few.residual(p, s.fewer, c, crossings); status == OK && chi2 > margin*s.cut {
		return true
	}
	chi2, status := s.cfg.residual(p, s.times, c, 0)
	return status == OK && chi2 > s.cut
}

// Clear tells whether an event passes by so much that events near it, that have much the same light
// curve, may be taken to pass.
func (s *Selection) Clear(p event.Params) bool {
	c := s.spare.Get().(*lens.Curve)
	defer s.spare.Put(c)
	p.T0 = s.cfg.Cadence.Length() / 2
	const far = 5
	chi2, status := s.few.residual(p, s.fewer, c, crossings)
	return status == OK && chi2 > far*s.cut
}

// crossings is the number of epochs next to folds that a part of the epochs is judged without.
const crossings = 12

// MayPass looks at an eighth of the epochs only, several times as fast, and is generous: hardly
// any event that passes is refused (a test), but some that do not pass are let through.
func (s *Selection) MayPass(p event.Params) bool {
	c := s.spare.Get().(*lens.Curve)
	defer s.spare.Put(c)
	p.T0 = s.cfg.Cadence.Length() / 2
	const generous = 0.6
	chi2, status := s.few.residual(p, s.fewer, c, 0)
	return status != OK || chi2 > generous*s.cut
}
