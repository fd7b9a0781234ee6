//go:build !(amd64 && goexperiment.simd)

package maf

func dense(out, w []float32, ld int, b, in []float32, lo, hi, k int, relu bool) {
	denseScalar(out, w, ld, b, in, lo, hi, k, relu)
}

func softClampExp(α, scale []float32, c, sign float32) { softClampExpScalar(α, scale, c, sign) }
