package calib

import (
	"math"
	"math/rand/v2"
	"testing"
)

// mixture draws from Gaussians of the given weights.
func mixture(n int, weights, means, sigmas []float64) []float64 {
	r := rand.New(rand.NewPCG(3, 1))
	out := make([]float64, n)
	for i := range out {
		u, k := r.Float64(), 0
		for u > weights[k] && k+1 < len(weights) {
			u -= weights[k]
			k++
		}
		out[i] = means[k] + sigmas[k]*r.NormFloat64()
	}
	return out
}

func TestMarginalModes(t *testing.T) {
	one := NewMarginal(mixture(5000, []float64{1}, []float64{2}, []float64{0.1}), 0)
	if math.Abs(one.Modes[0]-2) > 0.05 {
		t.Errorf("one Gaussian about 2 has its mode at %v", one.Modes)
	}
	if want := 1 / (0.1 * math.Sqrt(2*math.Pi)); math.Abs(one.Density/want-1) > 0.2 { // highest by chance
		t.Errorf("its density is %v instead of about %v", one.Density, want)
	}
	// Few draws of a parameter of which nothing is known must not make it known.
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		flat := make([]float64, 1000)
		for i := range flat {
			flat[i] = r.Float64()
		}
		if d := NewMarginal(flat, 0).Density; d > 1.7 {
			t.Errorf("a thousand uniform draws have a density of %v", d)
		}
	}
	if k := one.Nearest(2.2); k != 0 {
		t.Errorf("2.2 is nearest to mode %d", k)
	}
	for _, far := range []float64{1, 3, -50, 50} {
		if k := one.Nearest(far); k != -1 {
			t.Errorf("%v lies in mode %d", far, k)
		}
	}

	two := NewMarginal(mixture(5000, []float64{0.7, 0.3}, []float64{-1, 1}, []float64{0.1, 0.1}), 0)
	if len(two.Modes) != 2 || math.Abs(two.Modes[0]+1) > 0.1 || math.Abs(two.Modes[1]-1) > 0.1 {
		t.Errorf("two Gaussians have modes at %v", two.Modes)
	}
	for truth, want := range map[float64]int{-1.1: 0, 1.1: 1, -0.1: -1} {
		if k := two.Nearest(truth); k != want {
			t.Errorf("%v lies in mode %d instead of %d", truth, k, want)
		}
	}
}

// A single draw far away is no mode, though its bin has more than those
// around it.
func TestMarginalTail(t *testing.T) {
	draws := append(mixture(2000, []float64{1}, []float64{0}, []float64{1}), 20)
	if m := NewMarginal(draws, 0); len(m.Modes) != 1 {
		t.Errorf("modes at %v", m.Modes)
	}
}

func TestMarginalAngle(t *testing.T) {
	draws := mixture(3000, []float64{1}, []float64{0}, []float64{5})
	for i, d := range draws {
		draws[i] = math.Mod(d+360, 360)
	}
	m := NewMarginal(draws, 360)
	if math.Abs(math.Remainder(m.Modes[0], 360)) > 3 {
		t.Errorf("the mode of angles about 0 is at %v", m.Modes)
	}
	for _, truth := range []float64{1, 359, -1, 361} {
		if k := m.Nearest(truth); k != 0 {
			t.Errorf("%v° lies in mode %d", truth, k)
		}
	}
	if k := m.Nearest(180); k != -1 {
		t.Errorf("180° lies in mode %d", k)
	}
}

func TestMarginalOfOneValue(t *testing.T) {
	m := NewMarginal([]float64{3, 3, 3}, 0)
	if m.Nearest(3) != 0 || m.Nearest(3.1) != -1 || !math.IsInf(m.Density, 1) {
		t.Errorf("%+v", m)
	}
}
