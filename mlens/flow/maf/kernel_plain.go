//go:build !(amd64 && goexperiment.simd)

package maf

func dense(out, w []float32, ld int, b, in []float32, lo, hi, k int, relu bool) {
	denseScalar(out, w, ld, b, in, lo, hi, k, relu)
}

func clampExp(α, scale *[tileSize]float32, c, sign float32) { clampExpScalar(α, scale, c, sign) }
func addExp(sum, a, b *[tileSize]float32)                   { addExpScalar(sum, a, b) }
func addSquare(sum, z *[tileSize]float32, m float32)        { addSquareScalar(sum, z, m) }
func expOf(a, b *[tileSize]float32)                         { expOfScalar(a, b) }
