//go:build amd64 && goexperiment.simd

package maf

import (
	"simd/archsimd"
	"unsafe"
)

// denseAVX512 is [denseScalar] with four units and half a tile at a time: more sums than these
// eight do not fit into the fifteen registers that the compiler uses, and half a tile of a hundred
// units fits into the nearest cache.
func denseAVX512(out, w []float32, ld int, b, in []float32, lo, hi, k int, relu bool) {
	_, _ = in[:k*tileSize], out[:hi*tileSize]
	x, y := unsafe.SliceData(in), unsafe.SliceData(out)
	j := lo
	for ; j+4 <= hi; j += 4 {
		w0, w1, w2, w3 := w[j*ld:j*ld+k], w[(j+1)*ld:(j+1)*ld+k], w[(j+2)*ld:(j+2)*ld+k], w[(j+3)*ld:(j+3)*ld+k]
		w1, w2, w3 = w1[:len(w0)], w2[:len(w0)], w3[:len(w0)]
		for t := 0; t < tileSize; t += 32 {
			a0 := archsimd.BroadcastFloat32x16(b[j])
			b0 := archsimd.BroadcastFloat32x16(b[j+1])
			c0 := archsimd.BroadcastFloat32x16(b[j+2])
			d0 := archsimd.BroadcastFloat32x16(b[j+3])
			a1, b1, c1, d1 := a0, b0, c0, d0
			// Two inputs at a time: the compiler moves all sums about at the end of a loop.
			i := 0
			for ; i+2 <= len(w0); i += 2 {
				o := i*tileSize + t
				x0, x1 := archsimd.LoadFloat32x16(at16(x, o)), archsimd.LoadFloat32x16(at16(x, o+16))
				u := archsimd.BroadcastFloat32x16(w0[i])
				a0, a1 = x0.MulAdd(u, a0), x1.MulAdd(u, a1)
				u = archsimd.BroadcastFloat32x16(w1[i])
				b0, b1 = x0.MulAdd(u, b0), x1.MulAdd(u, b1)
				u = archsimd.BroadcastFloat32x16(w2[i])
				c0, c1 = x0.MulAdd(u, c0), x1.MulAdd(u, c1)
				u = archsimd.BroadcastFloat32x16(w3[i])
				d0, d1 = x0.MulAdd(u, d0), x1.MulAdd(u, d1)
				x0, x1 = archsimd.LoadFloat32x16(at16(x, o+tileSize)), archsimd.LoadFloat32x16(at16(x, o+tileSize+16))
				u = archsimd.BroadcastFloat32x16(w0[i+1])
				a0, a1 = x0.MulAdd(u, a0), x1.MulAdd(u, a1)
				u = archsimd.BroadcastFloat32x16(w1[i+1])
				b0, b1 = x0.MulAdd(u, b0), x1.MulAdd(u, b1)
				u = archsimd.BroadcastFloat32x16(w2[i+1])
				c0, c1 = x0.MulAdd(u, c0), x1.MulAdd(u, c1)
				u = archsimd.BroadcastFloat32x16(w3[i+1])
				d0, d1 = x0.MulAdd(u, d0), x1.MulAdd(u, d1)
			}
			if i < len(w0) {
				o := i*tileSize + t
				x0, x1 := archsimd.LoadFloat32x16(at16(x, o)), archsimd.LoadFloat32x16(at16(x, o+16))
				u := archsimd.BroadcastFloat32x16(w0[i])
				a0, a1 = x0.MulAdd(u, a0), x1.MulAdd(u, a1)
				u = archsimd.BroadcastFloat32x16(w1[i])
				b0, b1 = x0.MulAdd(u, b0), x1.MulAdd(u, b1)
				u = archsimd.BroadcastFloat32x16(w2[i])
				c0, c1 = x0.MulAdd(u, c0), x1.MulAdd(u, c1)
				u = archsimd.BroadcastFloat32x16(w3[i])
				d0, d1 = x0.MulAdd(u, d0), x1.MulAdd(u, d1)
			}
			if relu {
				zero := archsimd.BroadcastFloat32x16(0)
				a0, a1, b0, b1 = a0.Max(zero), a1.Max(zero), b0.Max(zero), b1.Max(zero)
				c0, c1, d0, d1 = c0.Max(zero), c1.Max(zero), d0.Max(zero), d1.Max(zero)
			}
			o := j*tileSize + t
			a0.Store(at16(y, o))
			a1.Store(at16(y, o+16))
			b0.Store(at16(y, o+tileSize))
			b1.Store(at16(y, o+tileSize+16))
			c0.Store(at16(y, o+2*tileSize))
			c1.Store(at16(y, o+2*tileSize+16))
			d0.Store(at16(y, o+3*tileSize))
			d1.Store(at16(y, o+3*tileSize+16))
		}
	}
	for ; j < hi; j++ {
		a0 := archsimd.BroadcastFloat32x16(b[j])
		a1, a2, a3 := a0, a0, a0
		for i, v := range w[j*ld : j*ld+k] {
			u := archsimd.BroadcastFloat32x16(v)
			o := i * tileSize
			a0 = archsimd.LoadFloat32x16(at16(x, o)).MulAdd(u, a0)
			a1 = archsimd.LoadFloat32x16(at16(x, o+16)).MulAdd(u, a1)
			a2 = archsimd.LoadFloat32x16(at16(x, o+32)).MulAdd(u, a2)
			a3 = archsimd.LoadFloat32x16(at16(x, o+48)).MulAdd(u, a3)
		}
		if relu {
			zero := archsimd.BroadcastFloat32x16(0)
			a0, a1, a2, a3 = a0.Max(zero), a1.Max(zero), a2.Max(zero), a3.Max(zero)
		}
		o := j * tileSize
		a0.Store(at16(y, o))
		a1.Store(at16(y, o+16))
		a2.Store(at16(y, o+32))
		a3.Store(at16(y, o+48))
	}
}
