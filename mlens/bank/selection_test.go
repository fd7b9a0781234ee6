package bank

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
)

// The cut as a function of the parameters agrees with that of the simulations, which
// differ from it in the fraction of a step of t0 only.
func TestSelection(t *testing.T) {
	b, err := Simulate(context.Background(), coarse(200), folder(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s := NewSelection(b.Config, CutPaper)
	passed := 0
	for i, rec := range b.Records {
		if math.Abs(math.Log(rec.Chi2/CutPaper)) < 0.3 {
			continue // on the border, where the fraction decides
		}
		p := rec.Params
		p.T0 += 11 // when it happens does not matter
		if got, want := s.Passes(p), rec.Chi2 > CutPaper; got != want {
			t.Errorf("simulation %d: %v, but its χ²/dof is %v", i, got, rec.Chi2)
		} else if got {
			passed++
		}
	}
	if passed < 20 {
		t.Errorf("%d of %d pass", passed, len(b.Records))
	}
}

// A look at every eighth epoch passes no event that all epochs would not.
func TestSelectionShortcut(t *testing.T) {
	s := NewSelection(Config{}, CutPaper)
	passed := 0
	c := new(lens.Curve)
	for i := range 400 {
		p := s.cfg.Prior.Sample(rand.New(rand.NewPCG(3, uint64(i))))
		p.T0 = s.cfg.Cadence.Length() / 2
		chi2, status := s.cfg.residual(p, s.times, c, 0)
		want := status == OK && chi2 > s.cut
		if got := s.Passes(p); got != want {
			t.Errorf("%+v: passes %v, but its χ²/dof is %.3f", p, got, chi2)
		}
		if want {
			passed++
		}
	}
	if passed < 80 {
		t.Errorf("%d pass", passed)
	}
}

// What passes clearly still does with a few per cent off in each parameter; more than half of what
// passes does so clearly.
func TestClear(t *testing.T) {
	s := NewSelection(Config{}, CutPaper)
	prior := event.Roman()
	const n = 600
	var passes, clear int
	for i := range n {
		g := rand.New(rand.NewPCG(12, uint64(i)))
		p := prior.Sample(g)
		if !s.Passes(p) {
			if s.Clear(p) {
				t.Errorf("%+v passes clearly, but does not pass", p)
			}
			continue
		}
		passes++
		if !s.Clear(p) {
			continue
		}
		clear++
		near := func() float64 { return 1 + 0.03*g.NormFloat64() }
		off := p
		off.S, off.Q, off.U0, off.TE = off.S*near(), off.Q*near(), off.U0*near(), off.TE*near()
		off.Alpha += g.NormFloat64()
		if !s.Passes(off) {
			t.Errorf("%+v passes clearly, but %+v does not", p, off)
		}
	}
	if t.Logf("%d of %d pass, %d clearly", passes, n, clear); clear < passes/2 {
		t.Errorf("%d of %d pass clearly", clear, passes)
	}
}

// Hardly an event that passes is refused by an eighth of the epochs, and few others are let through.
func TestMayPass(t *testing.T) {
	s := NewSelection(Config{}, CutPaper)
	prior := event.Roman()
	const n = 2000
	var passes, refused, more int
	for i := range n {
		p := prior.Sample(rand.New(rand.NewPCG(11, uint64(i))))
		may, does := s.MayPass(p), s.Passes(p)
		switch {
		case does && !may:
			refused++
		case !does && may:
			more++
		}
		if does {
			passes++
		}
	}
	if t.Logf("%d of %d pass; %d of them refused, %d others let through", passes, n, refused, more); passes < n/5 || refused > passes/300 || more > n/10 {
		t.Errorf("%d of %d pass; %d of them refused, %d others let through", passes, n, refused, more)
	}
}
