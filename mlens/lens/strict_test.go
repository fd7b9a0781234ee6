package lens

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// A light curve of a point source is as good as its epochs solved alone.
func TestLightCurvePointSource(t *testing.T) {
	times := cadence()
	got := make([]float64, len(times))
	worst, where := 0.0, ""
	for i := range stressSize(40) {
		r := rand.New(rand.NewPCG(51, uint64(i)))
		b, tr, _ := priorDraw(r)
		if i%2 == 1 {
			tr.U0 *= 0.1
		}
		if _, err := b.LightCurve(got, times, tr, 0, Options{}); err != nil {
			t.Fatal(err)
		}
		for k := i % 7; k < len(times); k += 7 {
			x, y := tr.At(times[k])
			want, _ := b.PointSource(x, y)
			// Next to a caustic A(x) amplifies the rounding of x like A³.
			e := math.Abs(got[k]-want) / want / math.Max(1, 1e-6*want*want)
			if !(e <= worst) {
				worst = e
				where = fmt.Sprintf("curve %d: %+v %+v at %g (A %g)", i, b, tr, times[k], want)
			}
		}
	}
	if !(worst <= 1e-8) {
		t.Errorf("worst %.3g", worst)
	}
	t.Logf("worst relative error %.3g: %s", worst, where)
}
