package mlens

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// A baseline that chance alone could have put above 0 is refused, whatever the unit of flux.
func TestBaseline(t *testing.T) {
	for _, unit := range []float64{1, 1e-9, 1e9} {
		for _, test := range []struct {
			flux float64 // in errors of one measurement
			ok   bool
		}{{-1, false}, {0, false}, {0.4, false}, {2, true}, {100, true}} {
			r := rand.New(rand.NewPCG(1, 1))
			lc := event.Binned{Cadence: event.Season(), Flux: make([]float64, 7200), Weight: make([]float64, 7200)}
			for i := range lc.Flux {
				lc.Flux[i], lc.Weight[i] = unit*(test.flux+r.NormFloat64()), 1/(unit*unit)
			}
			if _, err := baseline(lc); (err == nil) != test.ok || err != nil && !strings.Contains(err.Error(), "reference image") {
				t.Errorf("a baseline of %g errors in units of %g: %v", test.flux, unit, err)
			}
		}
	}
}
