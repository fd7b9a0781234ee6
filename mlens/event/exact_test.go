package event

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/lens"
)

// ln L of a season at S/N 230 is right to 0.05, at the truth and 0.001 in u0 beside it.
func TestExactLikelihood(t *testing.T) {
	n := 60
	if testing.Short() {
		n = 6
	}
	prior := Roman()
	var worst [2]float64 // at the truth, beside it
	late := 0
	for i := range n {
		r := rand.New(rand.NewPCG(5, uint64(i)))
		p := prior.Sample(r)
		p.T0 = 20 + 32*r.Float64()
		lc, err := p.Simulate(Season().Times(), 230, r)
		if err != nil {
			t.Fatal(err)
		}
		e, err := NewExact(lc)
		if err != nil {
			t.Fatal(err)
		}
		for k, by := range []float64{0, 1e-3} {
			p := p
			p.U0 += by
			a, err := e.Magnification(p)
			if err != nil {
				t.Fatal(err)
			}
			fast, _ := lc.LogLikelihood(a, p.Fs)
			tight, err := p.Magnification(nil, lc.Times, lens.Options{AbsTol: 1e-7, RelTol: 1e-7})
			if err != nil {
				t.Fatal(err)
			}
			slow, _ := lc.LogLikelihood(tight, p.Fs)
			d := math.Abs(fast - slow)
			worst[k] = max(worst[k], d)
			if !(d <= 0.05) {
				t.Errorf("event %d, %+v: ln L is off by %.3f, %g in u0 from the truth", i, p, d, by)
			}
			late += e.Late()
		}
	}
	t.Logf("worst error of ln L: %.4f at the truth, %.4f beside it; %d late epochs", worst[0], worst[1], late)
}

func TestNewExact(t *testing.T) {
	lc := LightCurve{Name: "difference", Times: []float64{1, 2, 3}, Flux: []float64{-1, 0, 1}, Err: []float64{1, 1, 1}}
	if _, err := NewExact(lc); err == nil {
		t.Error("no error for a difference flux")
	}
	if _, err := NewExact(LightCurve{Name: "empty"}); err == nil {
		t.Error("no error for an empty light curve")
	}
}
