//go:build amd64 && goexperiment.simd

package lens

import "simd/archsimd"

// Every kernel ends with ClearAVXUpperBits: after vector instructions that
// leave the registers' upper halves in use, math.Exp, which mixes old and new
// instructions, takes up to a hundred times as long.

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
	case archsimd.X86.AVX2():
		return avx2
	}
	return scalar
}

func (p *arcs) image(batch *batch, n, i int) {
	switch vectors {
	case avx512:
		p.imageAVX512(batch, n, i)
	case avx2:
		p.imageAVX2(batch, n, i)
	default:
		p.imagePlain(batch, n, i)
	}
}

// wide holds what a kernel needs for one image, each number in all lanes.
type wide [23][8]float64

// spread prepares them for vectors of n numbers. It is not left to the
// broadcast instructions, because the compiler moves their arguments with
// old instructions, which are slow between new ones.
func (p *arcs) spread(i, n int) *wide {
	c := &p.wide
	all := [23]float64{
		1, 4, settled, p.parity[i], p.s, p.m1, p.m2, p.ex, p.dx, p.ey, p.dy,
		p.x[i][0], p.x[i][1], p.x[i][2], p.x[i][3], p.x[i][4], p.x[i][5],
		p.y[i][0], p.y[i][1], p.y[i][2], p.y[i][3], p.y[i][4], p.y[i][5],
	}
	for k, v := range all {
		w := c[k][:n]
		for l := range w {
			w[l] = v
		}
	}
	return c
}

// imageAVX2 is imagePlain with 4 epochs in a vector.
func (p *arcs) imageAVX2(batch *batch, n, i int) {
	c := p.spread(i, 4)
	load := func(k int) archsimd.Float64x4 { return archsimd.LoadFloat64x4((*[4]float64)(c[k][:])) }
	one, four := load(0), load(1)
	for k := 0; k < n; k += 4 {
		u := archsimd.LoadFloat64x4((*[4]float64)(batch.u[k:]))
		u2 := u.Mul(u)
		x := load(11).Add(u.Mul(load(12))).Add(u2.Mul(load(13).Add(u.Mul(load(14))).Add(u2.Mul(load(15).Add(u.Mul(load(16)))))))
		y := load(17).Add(u.Mul(load(18))).Add(u2.Mul(load(19).Add(u.Mul(load(20))).Add(u2.Mul(load(21).Add(u.Mul(load(22)))))))
		b := x.Add(load(4))
		yy := y.Mul(y)
		p1, p2 := b.Mul(b).Add(yy), x.Mul(x).Add(yy)
		both := one.Div(p1.Mul(p2))
		n1, n2 := both.Mul(p2), both.Mul(p1)
		i1x, i1y, i2x, i2y := b.Mul(n1), y.Mul(n1), x.Mul(n2), y.Mul(n2)
		m1, m2 := load(5), load(6)
		t1x, t1y, t2x, t2y := m1.Mul(i1x), m1.Mul(i1y), m2.Mul(i2x), m2.Mul(i2y)
		rx := load(7).Add(u.Mul(load(8))).Sub(x).Add(t1x.Add(t2x))
		ry := load(9).Add(u.Mul(load(10))).Sub(y).Add(t1y.Add(t2y))
		g1x, g1y := t1x.Mul(i1x).Sub(t1y.Mul(i1y)), t1x.Mul(i1y).Add(t1y.Mul(i1x))
		g2x, g2y := t2x.Mul(i2x).Sub(t2y.Mul(i2y)), t2x.Mul(i2y).Add(t2y.Mul(i2x))
		hx, hy := g1x.Add(g2x), g1y.Add(g2y)
		bx := g1x.Mul(i1x).Sub(g1y.Mul(i1y)).Add(g2x.Mul(i2x).Sub(g2y.Mul(i2y)))
		by := g1x.Mul(i1y).Add(g1y.Mul(i1x)).Add(g2x.Mul(i2y).Add(g2y.Mul(i2x)))
		j := one.Sub(hx.Mul(hx).Add(hy.Mul(hy)))
		inv := one.Div(j)
		dx := inv.Mul(rx.Sub(hx.Mul(rx).Add(hy.Mul(ry))))
		dy := inv.Mul(ry.Sub(hy.Mul(rx).Sub(hx.Mul(ry))))
		d2 := dx.Mul(dx).Add(dy.Mul(dy))
		good := four.Mul(d2.Mul(bx.Mul(bx).Add(by.Mul(by)))).LessEqual(load(2).Mul(j.Mul(j)))
		batch.found[k>>3] &= good.ToBits()<<(k&4) | 0xf0>>(k&4)
		qx, qy := bx.Mul(dx).Add(by.Mul(dy)), bx.Mul(dy).Sub(by.Mul(dx))
		e := four.Mul(inv.Mul(hx.Mul(qx).Sub(hy.Mul(qy))))
		a := (*[4]float64)(batch.a[k:])
		archsimd.LoadFloat64x4(a).Add(load(3).Mul(inv.Mul(one.Sub(e.Mul(one.Sub(e)))))).Store(a)
	}
	archsimd.ClearAVXUpperBits()
}

// imageAVX512 is imagePlain with 8 epochs in a vector.
func (p *arcs) imageAVX512(batch *batch, n, i int) {
	c := p.spread(i, 8)
	load := func(k int) archsimd.Float64x8 { return archsimd.LoadFloat64x8((*[8]float64)(c[k][:])) }
	one, four := load(0), load(1)
	for k := 0; k < n; k += 8 {
		u := archsimd.LoadFloat64x8((*[8]float64)(batch.u[k:]))
		u2 := u.Mul(u)
		x := load(11).Add(u.Mul(load(12))).Add(u2.Mul(load(13).Add(u.Mul(load(14))).Add(u2.Mul(load(15).Add(u.Mul(load(16)))))))
		y := load(17).Add(u.Mul(load(18))).Add(u2.Mul(load(19).Add(u.Mul(load(20))).Add(u2.Mul(load(21).Add(u.Mul(load(22)))))))
		b := x.Add(load(4))
		yy := y.Mul(y)
		p1, p2 := b.Mul(b).Add(yy), x.Mul(x).Add(yy)
		both := one.Div(p1.Mul(p2))
		n1, n2 := both.Mul(p2), both.Mul(p1)
		i1x, i1y, i2x, i2y := b.Mul(n1), y.Mul(n1), x.Mul(n2), y.Mul(n2)
		m1, m2 := load(5), load(6)
		t1x, t1y, t2x, t2y := m1.Mul(i1x), m1.Mul(i1y), m2.Mul(i2x), m2.Mul(i2y)
		rx := load(7).Add(u.Mul(load(8))).Sub(x).Add(t1x.Add(t2x))
		ry := load(9).Add(u.Mul(load(10))).Sub(y).Add(t1y.Add(t2y))
		g1x, g1y := t1x.Mul(i1x).Sub(t1y.Mul(i1y)), t1x.Mul(i1y).Add(t1y.Mul(i1x))
		g2x, g2y := t2x.Mul(i2x).Sub(t2y.Mul(i2y)), t2x.Mul(i2y).Add(t2y.Mul(i2x))
		hx, hy := g1x.Add(g2x), g1y.Add(g2y)
		bx := g1x.Mul(i1x).Sub(g1y.Mul(i1y)).Add(g2x.Mul(i2x).Sub(g2y.Mul(i2y)))
		by := g1x.Mul(i1y).Add(g1y.Mul(i1x)).Add(g2x.Mul(i2y).Add(g2y.Mul(i2x)))
		j := one.Sub(hx.Mul(hx).Add(hy.Mul(hy)))
		inv := one.Div(j)
		dx := inv.Mul(rx.Sub(hx.Mul(rx).Add(hy.Mul(ry))))
		dy := inv.Mul(ry.Sub(hy.Mul(rx).Sub(hx.Mul(ry))))
		d2 := dx.Mul(dx).Add(dy.Mul(dy))
		good := four.Mul(d2.Mul(bx.Mul(bx).Add(by.Mul(by)))).LessEqual(load(2).Mul(j.Mul(j)))
		batch.found[k>>3] &= good.ToBits()
		qx, qy := bx.Mul(dx).Add(by.Mul(dy)), bx.Mul(dy).Sub(by.Mul(dx))
		e := four.Mul(inv.Mul(hx.Mul(qx).Sub(hy.Mul(qy))))
		a := (*[8]float64)(batch.a[k:])
		archsimd.LoadFloat64x8(a).Add(load(3).Mul(inv.Mul(one.Sub(e.Mul(one.Sub(e)))))).Store(a)
	}
	archsimd.ClearAVXUpperBits()
}

// evaluate is evaluatePlain, mostly with 4 epochs in a vector.
func (h *hop) evaluate(dst, times []float64) {
	n := 0
	if vectors != scalar && len(times) >= 8 {
		n = len(times) &^ 3
		var c [9][4]float64
		for k, v := range [9]float64{h.c[0], h.c[1], h.c[2], h.c[3], h.c[4], h.c[5], h.tau, h.inv, 1} {
			c[k] = [4]float64{v, v, v, v}
		}
		load := archsimd.LoadFloat64x4
		c0, c1, c2, c3, c4, c5 := load(&c[0]), load(&c[1]), load(&c[2]), load(&c[3]), load(&c[4]), load(&c[5])
		start, inv, one := load(&c[6]), load(&c[7]), load(&c[8])
		for k := 0; k < n; k += 4 {
			u := load((*[4]float64)(times[k:])).Sub(start).Mul(inv)
			u2 := u.Mul(u)
			v := c0.Add(u.Mul(c1)).Add(u2.Mul(c2.Add(u.Mul(c3)).Add(u2.Mul(c4.Add(u.Mul(c5))))))
			v.Max(one).Store((*[4]float64)(dst[k:]))
		}
		archsimd.ClearAVXUpperBits()
	}
	h.evaluatePlain(dst[n:], times[n:])
}
