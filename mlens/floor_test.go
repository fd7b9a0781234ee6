package mlens

import (
	"context"
	"math"
	"testing"

	"github.com/mlens-go/microlens/mlens/bank"
)

// Where the posterior has one mode, the floor is what the exact posterior's NLL is, in the mean
// over noise, and that is below the network's.
func TestFloor(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	e, err := Load(shippedDir)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	events, err := e.HeldOut(ctx, 4, 7, bank.Observing{})
	if err != nil {
		t.Fatal(err)
	}
	one := events[3:] // of one mode, see TestAgainstWalkers
	f, err := e.Floor(ctx, one, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.conditionOn(one[0])
	if err != nil {
		t.Fatal(err)
	}
	solution, ok := p.polish(ctx, one[0].Truth, 100)
	if !ok {
		t.Fatal("no descent from the truth")
	}
	r, err := p.RefineFrom(ctx, []Solution{solution}, RefineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var entropy float64 // of the exact posterior
	for _, d := range r.Draws {
		entropy -= r.LogProb(d) / float64(len(r.Draws))
	}
	t.Logf("floor %.2f, entropy of the exact posterior %.2f, the network is %.2f above", f.RawNLL, entropy, f.Above)
	if math.Abs(f.RawNLL-entropy) > 0.5 {
		t.Errorf("the floor is %.2f, but the entropy of the exact posterior %.2f", f.RawNLL, entropy)
	}
	if f.Above < 0 {
		t.Errorf("the network is %.2f below the floor", -f.Above)
	}
}
