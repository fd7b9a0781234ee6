//go:build amd64 && goexperiment.simd

package lens

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A light curve has the same bits with any kind of vector instructions.
func TestVectorsSameBits(t *testing.T) {
	defer func() { vectors = detect() }()
	times := cadence()
	for i := range stressSize(20) {
		r := rand.New(rand.NewPCG(41, uint64(i)))
		b, tr, rho := priorDraw(r)
		opt := Options{Interpolate: 1e-4 * float64(i%2)}
		var want []float64
		for vectors = scalar; vectors <= detect(); vectors++ {
			a, err := b.LightCurve(nil, times, tr, rho, opt)
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = a
			} else if !slices.Equal(a, want) {
				t.Fatalf("curve %d: vectors %d differ from plain", i, vectors)
			}
		}
	}
}
