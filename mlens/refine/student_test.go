package refine

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// What is drawn on a circle has a density on it that adds up to 1, however wide it is; else
// evidences would be too large.
func TestWound(t *testing.T) {
	s := newSpace([]Parameter{{Min: 0, Max: 360, Period: 360, Scale: 10}})
	mass := func(c *student) (sum float64) {
		const n = 3600
		for i := range n {
			sum += math.Exp(mixture{c}.logDensity([]float64{360 * (float64(i) + 0.5) / n})) * 360 / n
		}
		return sum
	}
	for _, sigma := range []float64{3, 20, 60, s.spread(0)} {
		c, ok := s.student(1, []float64{50}, mat.NewSymDense(1, []float64{sigma * sigma}))
		if !ok {
			t.Fatal("no distribution")
		}
		if m := mass(c); math.Abs(m-1) > 1e-3 {
			t.Errorf("σ = %.0f°: the density adds up to %.4f", sigma, m)
		}
	}
	// The envelope of two parts half a circle apart is no wider than the circle.
	var m mixture
	for _, at := range []float64{10, 190} {
		c, _ := s.student(0.5, []float64{at}, mat.NewSymDense(1, []float64{30 * 30}))
		m = append(m, c)
	}
	r := &run{space: s}
	c, ok := r.envelope(m)
	if !ok {
		t.Fatal("no envelope")
	}
	if sum := mass(c); math.Abs(sum-1) > 1e-3 {
		t.Errorf("the envelope adds up to %.4f", sum)
	}
}
