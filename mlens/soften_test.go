package mlens

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// A bright star that crosses a large caustic: from places as far from the truth as a network's
// draws, softer light curves lead to it, and descents on the light curve itself do not.
func TestSoften(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	ctx := context.Background()
	truth := event.Theta{-0.175, -1.82, 107.5, 0.88, 40, 1.3, -3.35, 0.3}
	lc, err := truth.Params().Simulate(event.Season().Times(), 150, rand.New(rand.NewPCG(3, 4)))
	if err != nil {
		t.Fatal(err)
	}
	p := &Posterior{Window: lc, prior: event.Roman()}
	at, ok := p.polish(ctx, truth, 100)
	if !ok {
		t.Fatal("no minimum")
	}
	from := p.fitted(ctx, scattered(truth, event.Theta{0.02, 0.15, 6, 0.05, 1, 0.06, 0.3, 0}, 24), FromGiven, nil)
	reached := func(starts []Solution) (n int) {
		p.descend(ctx, starts, 100, rough, nil)
		for _, s := range starts {
			if s.Fluxes.Chi2 < at.Fluxes.Chi2+100 {
				n++
			}
		}
		return n
	}
	hard := reached(pick(from, event.Theta{}, len(from)))
	soft := reached(p.soften(ctx, from, softer[0], nil))
	t.Logf("%d of %d reach the truth, and %d with softer light curves before", hard, len(from), soft)
	if soft < 3 || soft <= hard {
		t.Errorf("%d of %d starts lead to the truth, %d without softening", soft, len(from), hard)
	}
	// A solution a little beside the minimum misses, if not by its χ² of a single measurement.
	beside := at
	beside.Params[event.T0] += 0.1
	if !p.misfit(beside) || p.misfit(at) {
		t.Error("the minimum misses, or what is beside it does not")
	}
}
