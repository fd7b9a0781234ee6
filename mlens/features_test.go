package mlens

import (
	"math"
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
			if _, err := new(featuriser).baseline(lc); (err == nil) != test.ok || err != nil && !strings.Contains(err.Error(), "reference image") {
				t.Errorf("a baseline of %g errors in units of %g: %v", test.flux, unit, err)
			}
		}
	}
}

// BenchmarkFeatures times the features of one light curve, and the fit within.
func BenchmarkFeatures(b *testing.B) {
	p := event.Params{S: 0.7, Q: 0.02, Alpha: 130, U0: 0.2, T0: 31, TE: 12, Rho: 2e-3, Fs: 0.4}
	full, err := p.Simulate(event.Season().Times(), 120, rand.New(rand.NewPCG(5, 0)))
	if err != nil {
		b.Fatal(err)
	}
	lc := full.Bin(event.Season())
	var z featuriser
	f := newFeatures()
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := z.compute(f, lc); err != nil {
				b.Fatal(err)
			}
		}
	})
	base, err := z.baseline(lc)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("fit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			z.fitter.fit(lc, base)
		}
	})
}

func TestLogarithms(t *testing.T) {
	for l := -300.0; l < 300; l += 0.0137 {
		x := math.Exp(l)
		if e := math.Abs(ln(x) - math.Log(x)); !(e < 1e-9) {
			t.Fatalf("ln %g is wrong by %g", x, e)
		}
		for _, z := range []float64{x, -x, 0} {
			if e := math.Abs(asinh(z) - math.Asinh(z)); math.Abs(z) < 1e100 && !(e < 1e-8) {
				t.Fatalf("asinh %g is wrong by %g", z, e)
			}
		}
	}
}
