package refine

import (
	"math"
	"testing"
)

// Where one draw has nearly all the weight, walkers still start in many places, and in none where
// the density vanishes; weights are of any scale.
func TestSpread(t *testing.T) {
	const n = 48
	s := &Sampled{}
	for i := range 2000 {
		w := -45_000 - 0.01*float64(i)
		switch {
		case i == 0:
			w += 30
		case i%2 == 1:
			w = math.Inf(-1)
		}
		s.Draws = append(s.Draws, Draw{X: []float64{float64(i)}, LogWeight: w})
	}
	places := s.Spread(n, 1)
	if len(places) < n/2 || len(places) > n {
		t.Errorf("%d places, want nearly %d", len(places), n)
	}
	seen := map[float64]bool{}
	for _, p := range places {
		if int(p[0])%2 == 1 || seen[p[0]] {
			t.Errorf("place %v: of no weight, or twice", p[0])
		}
		seen[p[0]] = true
	}
	if !seen[0] {
		t.Error("the draw that weighs most is missing")
	}
}
