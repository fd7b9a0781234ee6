package plots

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// Models that differ by less than the noise show their difference against means of residuals; those
// that differ by more, or not at all, do not need it.
func TestResidualBins(t *testing.T) {
	const n, err = 4000, 0.01
	rng := rand.New(rand.NewPCG(1, 0))
	times, flux, errs := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range times {
		times[i], errs[i] = float64(i)/100, err
		flux[i] = 1 + err*rng.NormFloat64()
	}
	for _, apart := range []float64{0, 0.5, 5} { // σ
		first := Curve{Times: times, Flux: make([]float64, n)}
		second := Curve{Times: times, Flux: make([]float64, n)}
		for i := range times {
			first.Flux[i] = 1
			second.Flux[i] = 1 + apart*err*math.Sin(times[i]/3)
		}
		v, e := newLightView(event.LightCurve{Times: times, Flux: flux, Err: errs}, []Curve{first, second}, LightCurveOptions{})
		if e != nil {
			t.Fatal(e)
		}
		bins, width, lim := v.residualBins()
		if apart != 0.5 {
			if bins != nil || !math.IsInf(lim, 1) {
				t.Errorf("models %v σ apart: %d means to %v", apart, len(bins), lim)
			}
			continue
		}
		total, sum := 0, 0.0
		for _, b := range bins {
			total += b.n
			sum += b.res * b.res * float64(b.n)
			if math.Abs(b.res) > lim {
				t.Errorf("a mean of %.2f beyond ±%.2f", b.res, lim)
			}
		}
		if e := 1 / math.Sqrt(float64(bins[1].n)); total != n || e > 0.11 || e < 0.08 || lim < 0.5 || lim > 1 || width < 0.9 || width > 1.1 {
			t.Errorf("%d of %d measurements in %d means of %.2f d with errors of %.3f σ to ±%.2f", total, n, len(bins), width, e, lim)
		}
		if s := sum / float64(len(bins)); s < 0.5 || s > 1.7 {
			t.Errorf("means scatter by %.2f of their variance", s)
		}
	}
}
