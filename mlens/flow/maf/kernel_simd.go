//go:build amd64 && goexperiment.simd

package maf

import (
	"simd/archsimd"
	"unsafe"
)

// Every kernel ends with ClearAVXUpperBits: after vector instructions that leave the registers'
// upper halves in use, math.Exp, which mixes old and new instructions, takes up to a hundred times
// as long.

// vectors is the kind of vector instructions in use.
var vectors = detect()

const (
	scalar = iota
	avx2
	avx512
)

func detect() int {
	switch {
	case archsimd.X86.AVX512():
		return avx512
	case archsimd.X86.AVX2() && archsimd.X86.FMA():
		return avx2
	}
	return scalar
}

func dense(out, w []float32, ld int, b, in []float32, lo, hi, k int, relu bool) {
	switch vectors {
	case avx512:
		denseAVX512(out, w, ld, b, in, lo, hi, k, relu)
	case avx2:
		denseAVX2(out, w, ld, b, in, lo, hi, k, relu)
	default:
		denseScalar(out, w, ld, b, in, lo, hi, k, relu)
	}
	archsimd.ClearAVXUpperBits()
}

func clampExp(α, scale *[tileSize]float32, c, sign float32) {
	if vectors == scalar {
		clampExpScalar(α, scale, c, sign)
		return
	}
	vc, inv, vs := archsimd.BroadcastFloat32x8(c), archsimd.BroadcastFloat32x8(2/c), archsimd.BroadcastFloat32x8(sign)
	one, two := archsimd.BroadcastFloat32x8(1), archsimd.BroadcastFloat32x8(2)
	for s := 0; s < tileSize; s += 8 {
		a := load8(α, s)
		a = vc.Mul(one.Sub(two.Div(exp8(a.Mul(inv)).Add(one))))
		a.Store((*[8]float32)(α[s:]))
		exp8(a.Mul(vs)).Store((*[8]float32)(scale[s:]))
	}
	archsimd.ClearAVXUpperBits()
}

func addExp(sum, a, b *[tileSize]float32) {
	if vectors == scalar {
		addExpScalar(sum, a, b)
		return
	}
	for s := 0; s < tileSize; s += 8 {
		load8(sum, s).Add(exp8(load8(a, s).Sub(load8(b, s)))).Store((*[8]float32)(sum[s:]))
	}
	archsimd.ClearAVXUpperBits()
}

func expOf(a, b *[tileSize]float32) {
	if vectors == scalar {
		expOfScalar(a, b)
		return
	}
	for s := 0; s < tileSize; s += 8 {
		exp8(load8(a, s).Sub(load8(b, s))).Store((*[8]float32)(a[s:]))
	}
	archsimd.ClearAVXUpperBits()
}

func addSquare(sum, z *[tileSize]float32, m float32) {
	if vectors == scalar {
		addSquareScalar(sum, z, m)
		return
	}
	v := archsimd.BroadcastFloat32x8(m)
	for s := 0; s < tileSize; s += 8 {
		d := load8(z, s).Sub(v)
		d.MulAdd(d, load8(sum, s)).Store((*[8]float32)(sum[s:]))
	}
	archsimd.ClearAVXUpperBits()
}

func load8(a *[tileSize]float32, s int) archsimd.Float32x8 {
	return archsimd.LoadFloat32x8((*[8]float32)(a[s:]))
}

// exp8 is [exp32] of eight numbers.
func exp8(x archsimd.Float32x8) archsimd.Float32x8 {
	c := archsimd.BroadcastFloat32x8
	x = x.Max(c(expMin)).Min(c(expMax))
	n := x.Mul(c(log2e)).RoundToEven()
	r := n.MulAdd(c(-ln2Hi), x)
	r = n.MulAdd(c(-ln2Lo), r)
	p := c(expP0)
	p = p.MulAdd(r, c(expP1))
	p = p.MulAdd(r, c(expP2))
	p = p.MulAdd(r, c(expP3))
	p = p.MulAdd(r, c(expP4))
	p = p.MulAdd(r, c(expP5))
	y := p.Mul(r).MulAdd(r, r).Add(c(1))
	power := n.ConvertToInt32().Add(archsimd.BroadcastInt32x8(127)).ShiftAllLeft(23).AsFloat32x8()
	return y.Mul(power)
}

// at8 and at16 are the numbers from i on; the callers keep within their slices.
func at8(p *float32, i int) *[8]float32 {
	return (*[8]float32)(unsafe.Add(unsafe.Pointer(p), 4*i))
}

func at16(p *float32, i int) *[16]float32 {
	return (*[16]float32)(unsafe.Add(unsafe.Pointer(p), 4*i))
}

// denseAVX2 is [denseScalar] with four units and sixteen samples at a time.
func denseAVX2(out, w []float32, ld int, b, in []float32, lo, hi, k int, relu bool) {
	_, _ = in[:k*tileSize], out[:hi*tileSize]
	x, y := unsafe.SliceData(in), unsafe.SliceData(out)
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
			// Two inputs at a time: the compiler moves all sums about at the end of a loop.
			i := 0
			for ; i+2 <= len(w0); i += 2 {
				o := i*tileSize + t
				x0, x1 := archsimd.LoadFloat32x8(at8(x, o)), archsimd.LoadFloat32x8(at8(x, o+8))
				u := archsimd.BroadcastFloat32x8(w0[i])
				a0, a1 = x0.MulAdd(u, a0), x1.MulAdd(u, a1)
				u = archsimd.BroadcastFloat32x8(w1[i])
				b0, b1 = x0.MulAdd(u, b0), x1.MulAdd(u, b1)
				u = archsimd.BroadcastFloat32x8(w2[i])
				c0, c1 = x0.MulAdd(u, c0), x1.MulAdd(u, c1)
				u = archsimd.BroadcastFloat32x8(w3[i])
				d0, d1 = x0.MulAdd(u, d0), x1.MulAdd(u, d1)
				x0, x1 = archsimd.LoadFloat32x8(at8(x, o+tileSize)), archsimd.LoadFloat32x8(at8(x, o+tileSize+8))
				u = archsimd.BroadcastFloat32x8(w0[i+1])
				a0, a1 = x0.MulAdd(u, a0), x1.MulAdd(u, a1)
				u = archsimd.BroadcastFloat32x8(w1[i+1])
				b0, b1 = x0.MulAdd(u, b0), x1.MulAdd(u, b1)
				u = archsimd.BroadcastFloat32x8(w2[i+1])
				c0, c1 = x0.MulAdd(u, c0), x1.MulAdd(u, c1)
				u = archsimd.BroadcastFloat32x8(w3[i+1])
				d0, d1 = x0.MulAdd(u, d0), x1.MulAdd(u, d1)
			}
			if i < len(w0) {
				o := i*tileSize + t
				x0, x1 := archsimd.LoadFloat32x8(at8(x, o)), archsimd.LoadFloat32x8(at8(x, o+8))
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
				zero := archsimd.BroadcastFloat32x8(0)
				a0, a1, b0, b1 = a0.Max(zero), a1.Max(zero), b0.Max(zero), b1.Max(zero)
				c0, c1, d0, d1 = c0.Max(zero), c1.Max(zero), d0.Max(zero), d1.Max(zero)
			}
			o := j*tileSize + t
			a0.Store(at8(y, o))
			a1.Store(at8(y, o+8))
			b0.Store(at8(y, o+tileSize))
			b1.Store(at8(y, o+tileSize+8))
			c0.Store(at8(y, o+2*tileSize))
			c1.Store(at8(y, o+2*tileSize+8))
			d0.Store(at8(y, o+3*tileSize))
			d1.Store(at8(y, o+3*tileSize+8))
		}
	}
	for ; j < hi; j++ {
		row := w[j*ld : j*ld+k]
		for t := 0; t < tileSize; t += 64 {
			a0 := archsimd.BroadcastFloat32x8(b[j])
			a1, a2, a3, a4, a5, a6, a7 := a0, a0, a0, a0, a0, a0, a0
			for i, v := range row {
				u := archsimd.BroadcastFloat32x8(v)
				o := i*tileSize + t
				a0 = archsimd.LoadFloat32x8(at8(x, o)).MulAdd(u, a0)
				a1 = archsimd.LoadFloat32x8(at8(x, o+8)).MulAdd(u, a1)
				a2 = archsimd.LoadFloat32x8(at8(x, o+16)).MulAdd(u, a2)
				a3 = archsimd.LoadFloat32x8(at8(x, o+24)).MulAdd(u, a3)
				a4 = archsimd.LoadFloat32x8(at8(x, o+32)).MulAdd(u, a4)
				a5 = archsimd.LoadFloat32x8(at8(x, o+40)).MulAdd(u, a5)
				a6 = archsimd.LoadFloat32x8(at8(x, o+48)).MulAdd(u, a6)
				a7 = archsimd.LoadFloat32x8(at8(x, o+56)).MulAdd(u, a7)
			}
			if relu {
				zero := archsimd.BroadcastFloat32x8(0)
				a0, a1, a2, a3 = a0.Max(zero), a1.Max(zero), a2.Max(zero), a3.Max(zero)
				a4, a5, a6, a7 = a4.Max(zero), a5.Max(zero), a6.Max(zero), a7.Max(zero)
			}
			o := j*tileSize + t
			a0.Store(at8(y, o))
			a1.Store(at8(y, o+8))
			a2.Store(at8(y, o+16))
			a3.Store(at8(y, o+24))
			a4.Store(at8(y, o+32))
			a5.Store(at8(y, o+40))
			a6.Store(at8(y, o+48))
			a7.Store(at8(y, o+56))
		}
	}
}
