package lens

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Times with gaps, bursts, repetitions, a single time, or a source that comes
// the other way: each epoch is what it is alone, and every copy has the same bits.
func TestLightCurveIrregularTimes(t *testing.T) {
	worst := 0.0
	for i := range stressSize(60) {
		r := rand.New(rand.NewPCG(91, uint64(i)))
		b, tr, rho := priorDraw(r)
		tr.U0 *= 0.2
		var times []float64
		for t := 0.0; t < 144 && i%20 != 19; {
			switch r.IntN(40) {
			case 0:
				t += 20 * r.Float64()
			case 1:
				times = append(times, t)
			}
			t += 0.05 * r.ExpFloat64()
			times = append(times, t)
		}
		if i%20 == 19 {
			times = []float64{tr.T0}
		}
		if i%5 == 4 {
			tr.TE = -tr.TE
		}
		for _, interpolate := range []float64{0, 1e-4} {
			opt := Options{AbsTol: 1e-4, RelTol: 1e-4, Interpolate: interpolate}
			got, err := b.LightCurve(nil, times, tr, rho, opt)
			if err != nil {
				t.Fatal(err)
			}
			again := make(chan []float64)
			for range 2 {
				go func() {
					a, _ := b.LightCurve(nil, times, tr, rho, opt)
					again <- a
				}()
			}
			for range 2 {
				if !slices.Equal(<-again, got) {
					t.Error("goroutines differ")
				}
			}
			for k := 0; k < len(times); k += 3 {
				x, y := tr.At(times[k])
				want := b.Magnification(x, y, rho, Options{AbsTol: 1e-7, RelTol: 1e-7}).Magnification
				worst = math.Max(worst, math.Abs(got[k]-want)/((1e-4+interpolate)*want))
			}
		}
	}
	t.Logf("worst error %.3g of the tolerance", worst)
	if !(worst <= 1) {
		t.Error("tolerance exceeded")
	}
}
