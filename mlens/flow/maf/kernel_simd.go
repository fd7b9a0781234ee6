//go:build amd64 && goexperiment.simd

package maf

import "simd/archsimd"

// hasAVX2 is whether the vector kernels can run here.
var hasAVX2 = archsimd.X86.AVX2() && archsimd.X86.FMA()

func dense(out, w []float32, ld int, b, in []float32, lo, hi, k int, relu bool) {
	if hasAVX2 {
		denseAVX2(out, w, ld, b, in, lo, hi, k, relu)
	} else {
		denseScalar(out, w, ld, b, in, lo, hi, k, relu)
	}
}

func softClampExp(α, scale []float32, c, sign float32) {
	softClampExpScalar(α, scale, c, sign)
}

// denseAVX2 is [denseScalar] with four units and sixteen samples at a time.
func denseAVX2(out, w []float32, ld int, b, in []float32, lo, hi, k int, relu bool) {
	zero := archsimd.BroadcastFloat32x8(0)
	j := lo
	for ; j+4 <= hi; j += 4 {
		w0, w1, w2, w3 := w[j*ld:j*ld+k], w[(j+1)*ld:(j+1)*ld+k], w[(j+2)*ld:(j+2)*ld+k], w[(j+3)*ld:(j+3)*ld+k]
		w1, w2, w3 = w1[:len(w0)], w2[:len(w0)], w3[:len(w0)]
		for t := 0; t < tileSize; t += 16 {
			a0 := archsimd.BroadcastFloat32x8(b[j])
			b0 := archsimd.BroadcastFloat32x8(b[j+1])
			c0 := archsimd.BroadcastFloat32x8(b[j+2])
			d0 := archsimd.BroadcastFloat32x8(b[j+3])
			a1, b1, c1, d1 := a0, b0, c0, d0
			for i := range w0 {
				x := (*[16]float32)(in[i*tileSize+t:])
				x0, x1 := archsimd.LoadFloat32x8((*[8]float32)(x[:8])), archsimd.LoadFloat32x8((*[8]float32)(x[8:]))
				u := archsimd.BroadcastFloat32x8(w0[i])
				a0, a1 = x0.MulAdd(u, a0), x1.MulAdd(u, a1)
				u = archsimd.BroadcastFloat32x8(w1[i])
				b0, b1 = x0.MulAdd(u, b0), x1.MulAdd(u, b1)
				u = archsimd.BroadcastFloat32x8(w2[i])
				c0, c1 = x0.MulAdd(u, c0), x1.MulAdd(u, c1)
				u = archsimd.BroadcastFloat32x8(w3[i])
				d0, d1 = x0.MulAdd(u, d0), x1.MulAdd(u, d1)
			}
			if relu {
				a0, a1, b0, b1 = a0.Max(zero), a1.Max(zero), b0.Max(zero), b1.Max(zero)
				c0, c1, d0, d1 = c0.Max(zero), c1.Max(zero), d0.Max(zero), d1.Max(zero)
			}
			store16(out[j*tileSize+t:], a0, a1)
			store16(out[(j+1)*tileSize+t:], b0, b1)
			store16(out[(j+2)*tileSize+t:], c0, c1)
			store16(out[(j+3)*tileSize+t:], d0, d1)
		}
	}
	for ; j < hi; j++ {
		row := w[j*ld : j*ld+k]
		for t := 0; t < tileSize; t += 32 {
			a0 := archsimd.BroadcastFloat32x8(b[j])
			a1, a2, a3 := a0, a0, a0
			for i, u := range row {
				x := (*[32]float32)(in[i*tileSize+t:])
				v := archsimd.BroadcastFloat32x8(u)
				a0 = archsimd.LoadFloat32x8((*[8]float32)(x[:8])).MulAdd(v, a0)
				a1 = archsimd.LoadFloat32x8((*[8]float32)(x[8:])).MulAdd(v, a1)
				a2 = archsimd.LoadFloat32x8((*[8]float32)(x[16:])).MulAdd(v, a2)
				a3 = archsimd.LoadFloat32x8((*[8]float32)(x[24:])).MulAdd(v, a3)
			}
			if relu {
				a0, a1, a2, a3 = a0.Max(zero), a1.Max(zero), a2.Max(zero), a3.Max(zero)
			}
			store16(out[j*tileSize+t:], a0, a1)
			store16(out[j*tileSize+t+16:], a2, a3)
		}
	}
}

// store16 writes two vectors side by side.
func store16(dst []float32, lo, hi archsimd.Float32x8) {
	d := (*[16]float32)(dst)
	lo.Store((*[8]float32)(d[:8]))
	hi.Store((*[8]float32)(d[8:]))
}
