package calib

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Turning a circle turns its median with it, and leaves the widths.
func TestUnwrap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	angles, weights := make([]float64, 5001), make([]float64, 5001)
	for i := range angles {
		angles[i], weights[i] = 20*r.NormFloat64(), 3
	}
	var want [3]float64
	for k, turn := range []float64{0, 90, 181, 355, -1000} {
		turned := make([]float64, len(angles))
		for i, a := range angles {
			turned[i] = math.Mod(a+turn+3600, 360)
		}
		u := Unwrap(turned, nil, 360)
		if w := Unwrap(turned, weights, 360); math.Abs(w[0]-u[0]) > 1e-9 {
			t.Errorf("turned by %v, equal weights give %v instead of %v", turn, w[0], u[0])
		}
		for i := range u {
			if d := math.Remainder(u[i]-turned[i], 360); math.Abs(d) > 1e-9 {
				t.Fatalf("turned by %v, %v became %v", turn, turned[i], u[i])
			}
		}
		slices.Sort(u)
		got := [3]float64{Quantile(u, 0.16), Quantile(u, 0.5), Quantile(u, 0.84)}
		if k == 0 {
			want = got
		}
		if d := math.Remainder(got[1]-want[1]-turn, 360); math.Abs(d) > 1e-9 || math.Abs(got[2]-got[0]-want[2]+want[0]) > 1e-9 {
			t.Errorf("turned by %v, the quantiles are %v; unturned %v", turn, got, want)
		}
	}
	// A heavy angle draws the others to itself.
	if u := Unwrap([]float64{10, 200}, []float64{9, 1}, 360); u[0] != 10 || u[1] != -160 {
		t.Errorf("weighted: %v", u)
	}
}
