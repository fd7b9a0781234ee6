//go:build amd64 && goexperiment.simd

package maf

import (
	"simd/archsimd"
	"unsafe"
)

// denseAVX512 is [denseScalar] with four units and a whole tile at a time.
func denseAVX512(out, w []float32, ld int, b, in []float32, lo, hi, k int, relu bool) {
	_, _ = in[:k*tileSize], out[:hi*tileSize]
	x, y := unsafe.SliceData(in), unsafe.SliceData(out)
	zero := archsimd.BroadcastFloat32x16(0)
	j := lo
	for ; j+4 <= hi; j += 4 {
		w0, w1, w2, w3 := w[j*ld:j*ld+k], w[(j+1)*ld:(j+1)*ld+k], w[(j+2)*ld:(j+2)*ld+k], w[(j+3)*ld:(j+3)*ld+k]
		w1, w2, w3 = w1[:len(w0)], w2[:len(w0)], w3[:len(w0)]
		a0 := archsimd.BroadcastFloat32x16(b[j])
		b0 := archsimd.BroadcastFloat32x16(b[j+1])
		c0 := archsimd.BroadcastFloat32x16(b[j+2])
		d0 := archsimd.BroadcastFloat32x16(b[j+3])
		a1, a2, a3 := a0, a0, a0
		b1, b2, b3 := b0, b0, b0
		c1, c2, c3 := c0, c0, c0
		d1, d2, d3 := d0, d0, d0
		for i := range w0 {
			o := i * tileSize
			x0, x1 := archsimd.LoadFloat32x16(at16(x, o)), archsimd.LoadFloat32x16(at16(x, o+16))
			x2, x3 := archsimd.LoadFloat32x16(at16(x, o+32)), archsimd.LoadFloat32x16(at16(x, o+48))
			u := archsimd.BroadcastFloat32x16(w0[i])
			a0, a1, a2, a3 = x0.MulAdd(u, a0), x1.MulAdd(u, a1), x2.MulAdd(u, a2), x3.MulAdd(u, a3)
			u = archsimd.BroadcastFloat32x16(w1[i])
			b0, b1, b2, b3 = x0.MulAdd(u, b0), x1.MulAdd(u, b1), x2.MulAdd(u, b2), x3.MulAdd(u, b3)
			u = archsimd.BroadcastFloat32x16(w2[i])
			c0, c1, c2, c3 = x0.MulAdd(u, c0), x1.MulAdd(u, c1), x2.MulAdd(u, c2), x3.MulAdd(u, c3)
			u = archsimd.BroadcastFloat32x16(w3[i])
			d0, d1, d2, d3 = x0.MulAdd(u, d0), x1.MulAdd(u, d1), x2.MulAdd(u, d2), x3.MulAdd(u, d3)
		}
		if relu {
			a0, a1, a2, a3 = a0.Max(zero), a1.Max(zero), a2.Max(zero), a3.Max(zero)
			b0, b1, b2, b3 = b0.Max(zero), b1.Max(zero), b2.Max(zero), b3.Max(zero)
			c0, c1, c2, c3 = c0.Max(zero), c1.Max(zero), c2.Max(zero), c3.Max(zero)
			d0, d1, d2, d3 = d0.Max(zero), d1.Max(zero), d2.Max(zero), d3.Max(zero)
		}
		o := j * tileSize
		store64(y, o, a0, a1, a2, a3)
		store64(y, o+tileSize, b0, b1, b2, b3)
		store64(y, o+2*tileSize, c0, c1, c2, c3)
		store64(y, o+3*tileSize, d0, d1, d2, d3)
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
			a0, a1, a2, a3 = a0.Max(zero), a1.Max(zero), a2.Max(zero), a3.Max(zero)
		}
		store64(y, j*tileSize, a0, a1, a2, a3)
	}
}

// store64 writes a tile of four vectors.
func store64(p *float32, o int, a, b, c, d archsimd.Float32x16) {
	a.Store(at16(p, o))
	b.Store(at16(p, o+16))
	c.Store(at16(p, o+32))
	d.Store(at16(p, o+48))
}
