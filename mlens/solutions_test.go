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
	at := p.fit(context.Background(), []event.Theta{truth}, nil)[0].Chi2
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
	if again := p.fit(context.Background(), []event.Theta{best.Params}, nil)[0]; math.Abs(again.Chi2-best.Fluxes.Chi2) > 0.01 {
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
