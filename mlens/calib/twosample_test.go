package calib

import (
	"math/rand/v2"
	"testing"
)

// Of samples of one distribution p is uniform, wherever the circle is cut; of others it is 0.
func TestTwoSample(t *testing.T) {
	const times = 400
	r := rand.New(rand.NewPCG(1, 2))
	for _, period := range []float64{0, 360} {
		var same, twice []float64
		for range times {
			a, b := make([]float64, 300), make([]float64, 500)
			for i := range a {
				a[i] = 10 + 20*r.NormFloat64() // passes 0
			}
			for i := range b {
				b[i] = 10 + 20*r.NormFloat64()
				if period > 0 {
					b[i] += period * float64(r.IntN(3)-1)
				}
			}
			same = append(same, TwoSample(a, b, 300, 500, period))
			// A chain of which every second value repeats the one before.
			for i := 1; i < len(b); i += 2 {
				b[i] = b[i-1]
			}
			twice = append(twice, TwoSample(a, b, 300, 250, period))
			for i := range b {
				b[i] += 20
			}
			if p := TwoSample(a, b, 300, 250, period); p > 0.01 {
				t.Errorf("period %v: p = %v of samples a standard deviation apart", period, p)
			}
		}
		for name, p := range map[string][]float64{"same": same, "with repetitions": twice} {
			// The asymptotic p is a little too large for Kuiper's statistic.
			if d, chance := KolmogorovUniform(p); chance < 1e-4 && d > 0.1 {
				t.Errorf("period %v, %s: p is not uniform, distance %.3f", period, name, d)
			}
		}
	}
}

// Published values: 1.36 and 1.747 are the scaled statistics of 5 %.
func TestAsymptotic(t *testing.T) {
	if p := kolmogorov(1.358); p < 0.0499 || p > 0.0501 {
		t.Errorf("Kolmogorov: %v at 1.358", p)
	}
	if p := kuiper(1.747); p < 0.0495 || p > 0.0505 {
		t.Errorf("Kuiper: %v at 1.747", p)
	}
}
