//go:build amd64 && goexperiment.simd

package maf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// available are the kinds of vector instructions that this processor has.
func available() []int {
	var all []int
	for v := scalar; v <= detect(); v++ {
		all = append(all, v)
	}
	return all
}

// Each dense kernel agrees with the plain one, for all sizes of the remainders.
func TestDenseKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const units = 21
	w, b, in := make([]float32, units*units), make([]float32, units), make([]float32, units*tileSize)
	for _, v := range [][]float32{w, b, in} {
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
	}
	defer func() { vectors = detect() }()
	for _, vectors = range available() {
		for _, k := range []int{0, 1, 2, 7, units} {
			for lo := range 5 {
				for hi := lo; hi <= units; hi++ {
					for _, relu := range []bool{false, true} {
						want, got := make([]float32, units*tileSize), make([]float32, units*tileSize)
						denseScalar(want, w, units, b, in, lo, hi, k, relu)
						dense(got, w, units, b, in, lo, hi, k, relu)
						if e := maxDiff(want, got); !(e < 1e-5) {
							t.Fatalf("vectors %d, units %d…%d of %d inputs: differ by %g", vectors, lo, hi, k, e)
						}
					}
				}
			}
		}
	}
}

// Whole flows agree between the kernels.
func TestVectorsAgree(t *testing.T) {
	defer func() { vectors = detect() }()
	flows(t, func(t *testing.T, f *Flow, d *Density) {
		const n = 500
		vectors = scalar
		y, lp := make([]float32, n*f.variables()), make([]float32, n)
		d.SampleLogProb(y, lp, 2)
		want := d.LogProb(nil, y)
		for _, vectors = range available() {
			t.Run(fmt.Sprint(vectors), func(t *testing.T) {
				v, vlp := make([]float32, n*f.variables()), make([]float32, n)
				d.SampleLogProb(v, vlp, 2)
				var worst float64
				for i := range y {
					worst = max(worst, math.Abs(float64(v[i]-y[i]))/max(1, math.Abs(float64(y[i]))))
				}
				e, ways := apart(vlp, lp), apart(d.LogProb(nil, y), want)
				t.Logf("samples differ by %.2g, their densities by %.2g, densities of the same samples by %.2g", worst, e, ways)
				if !(worst < f.rounding()) || !(e < f.rounding()) {
					t.Errorf("samples differ by %g, their densities by %g", worst, e)
				}
				if !(ways < f.rounding()) {
					t.Errorf("densities differ by %g", ways)
				}
			})
		}
	})
}
