package mlens

import (
	"context"
	"math"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// Draws scattered about the truth lead to a minimum at least as deep as the
// truth's, whatever network they come from.
func TestSolutions(t *testing.T) {
	p, truth := blind(t, "close-wide.csv"), table1
	draws := scattered(truth, nearby1, 40)
	all, err := p.Solutions(context.Background(), draws, len(draws), 2)
	if err != nil {
		t.Fatal(err)
	}
	at := p.fit(context.Background(), []event.Theta{truth}, event.Fine, nil)[0].Chi2
	best := all[0]
	if !best.Converged {
		t.Errorf("the best descent has not converged: %+v", best)
	}
	if best.Fluxes.Chi2 > at {
		t.Errorf("χ² = %.1f at the best solution %.3f, but %.1f at the truth", best.Fluxes.Chi2, best.Params, at)
	}
	if distance(best.Params, truth, sameSolution) > 1 {
		t.Errorf("the best solution is %.3f, the truth %.3f", best.Params, truth)
	}
	if again := p.fit(context.Background(), []event.Theta{best.Params}, event.Fine, nil)[0]; math.Abs(again.Chi2-best.Fluxes.Chi2) > 0.01 {
		t.Errorf("χ² of the best solution is %.3f, but was given as %.3f", again.Chi2, best.Fluxes.Chi2)
	}
}

func TestSolutionsWithoutDraws(t *testing.T) {
	if _, err := (&Posterior{}).Solutions(context.Background(), nil, 10, 1); err == nil {
		t.Error("no error for no draws")
	}
}

func TestSolutionsCancelled(t *testing.T) {
	p := blind(t, "close-wide.csv")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if s, err := p.Solutions(ctx, scattered(table1, nearby1, 100), 50, 4); err == nil || s != nil {
		t.Errorf("cancelled, but %v, %v", s, err)
	}
}

// The close binary of Table 3's event has wide partners whose centre of mass passes
// the source long before the season: beyond the prior, but not beyond one about
// the centre of the caustic.
func TestBeyond(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	p := blind(t, "binary-planetary.csv").thinned(8)
	ctx := context.Background()
	near, err := p.Polish(ctx, event.Theta{-0.6227, -0.4318, 209.33, 0.1087, 25.8835, 1.6793, -3, 0.2141})
	if err != nil {
		t.Fatal(err)
	}
	beyond, err := p.Beyond(ctx, []Solution{near})
	if err != nil {
		t.Fatal(err)
	}
	if len(beyond) == 0 {
		t.Fatal("no solution beyond the prior")
	}
	wide := beyond[0].Params
	if p.prior.Contains(wide) || !(wide[event.LogS] > 0.5 && wide[event.T0] < 0) || beyond[0].Chi2DOF > 1.1*near.Chi2DOF {
		t.Errorf("beyond the prior: %.4v, χ²/dof %.3f", wide, beyond[0].Chi2DOF)
	}
	about := p.prior
	about.Frame = event.CausticCentre
	if !about.Contains(wide) {
		t.Errorf("a prior about the caustic does not contain %.4v", wide)
	}
	q := p.Under(about)
	s, err := q.Polish(ctx, wide)
	if err != nil || !s.Converged || distance(s.Params, wide, sameSolution) > 1 {
		t.Errorf("under a prior about the caustic %.4v goes to %.4v, %v", wide, s.Params, err)
	}
	if again, err := q.Beyond(ctx, []Solution{near}); err != nil || len(again) > 0 {
		t.Errorf("under a prior about the caustic %d solutions lie beyond, %v", len(again), err)
	}
}
