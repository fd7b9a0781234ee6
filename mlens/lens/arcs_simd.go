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

// imageAVX2 is imagePlain with 4 epochs in a vector.
func (p *arcs) imageAVX2(batch *batch, n, i int) {
	bc := archsimd.BroadcastFloat64x4
	one, four, tol, parity := bc(1), bc(4), bc(settled), bc(p.parity[i])
	s, m1, m2 := bc(p.s), bc(p.m1), bc(p.m2)
	ex, ey, mx, my := bc(p.ex), bc(p.ey), bc(p.dx), bc(p.dy)
	cx, cy := &p.x[i], &p.y[i]
	x0, x1, x2, x3, x4, x5 := bc(cx[0]), bc(cx[1]), bc(cx[2]), bc(cx[3]), bc(cx[4]), bc(cx[5])
	y0, y1, y2, y3, y4, y5 := bc(cy[0]), bc(cy[1]), bc(cy[2]), bc(cy[3]), bc(cy[4]), bc(cy[5])
	for k := 0; k < n; k += 4 {
		u := archsimd.LoadFloat64x4((*[4]float64)(batch.u[k:]))
		u2 := u.Mul(u)
		x := x0.Add(u.Mul(x1)).Add(u2.Mul(x2.Add(u.Mul(x3)).Add(u2.Mul(x4.Add(u.Mul(x5))))))
		y := y0.Add(u.Mul(y1)).Add(u2.Mul(y2.Add(u.Mul(y3)).Add(u2.Mul(y4.Add(u.Mul(y5))))))
		b := x.Add(s)
		yy := y.Mul(y)
		p1, p2 := b.Mul(b).Add(yy), x.Mul(x).Add(yy)
		both := one.Div(p1.Mul(p2))
		n1, n2 := both.Mul(p2), both.Mul(p1)
		i1x, i1y, i2x, i2y := b.Mul(n1), y.Mul(n1), x.Mul(n2), y.Mul(n2)
		t1x, t1y, t2x, t2y := m1.Mul(i1x), m1.Mul(i1y), m2.Mul(i2x), m2.Mul(i2y)
		rx, ry := ex.Add(u.Mul(mx)).Sub(x).Add(t1x.Add(t2x)), ey.Add(u.Mul(my)).Sub(y).Add(t1y.Add(t2y))
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
		good := four.Mul(d2.Mul(bx.Mul(bx).Add(by.Mul(by)))).LessEqual(tol.Mul(j.Mul(j)))
		batch.found[k>>3] &= good.ToBits()<<(k&4) | 0xf0>>(k&4)
		qx, qy := bx.Mul(dx).Add(by.Mul(dy)), bx.Mul(dy).Sub(by.Mul(dx))
		e := four.Mul(inv.Mul(hx.Mul(qx).Sub(hy.Mul(qy))))
		a := (*[4]float64)(batch.a[k:])
		archsimd.LoadFloat64x4(a).Add(parity.Mul(inv.Mul(one.Sub(e.Mul(one.Sub(e)))))).Store(a)
	}
	archsimd.ClearAVXUpperBits()
}

// imageAVX512 is imagePlain with 8 epochs in a vector.
func (p *arcs) imageAVX512(batch *batch, n, i int) {
	bc := archsimd.BroadcastFloat64x8
	one, four, tol, parity := bc(1), bc(4), bc(settled), bc(p.parity[i])
	s, m1, m2 := bc(p.s), bc(p.m1), bc(p.m2)
	ex, ey, mx, my := bc(p.ex), bc(p.ey), bc(p.dx), bc(p.dy)
	cx, cy := &p.x[i], &p.y[i]
	x0, x1, x2, x3, x4, x5 := bc(cx[0]), bc(cx[1]), bc(cx[2]), bc(cx[3]), bc(cx[4]), bc(cx[5])
	y0, y1, y2, y3, y4, y5 := bc(cy[0]), bc(cy[1]), bc(cy[2]), bc(cy[3]), bc(cy[4]), bc(cy[5])
	for k := 0; k < n; k += 8 {
		u := archsimd.LoadFloat64x8((*[8]float64)(batch.u[k:]))
		u2 := u.Mul(u)
		x := x0.Add(u.Mul(x1)).Add(u2.Mul(x2.Add(u.Mul(x3)).Add(u2.Mul(x4.Add(u.Mul(x5))))))
		y := y0.Add(u.Mul(y1)).Add(u2.Mul(y2.Add(u.Mul(y3)).Add(u2.Mul(y4.Add(u.Mul(y5))))))
		b := x.Add(s)
		yy := y.Mul(y)
		p1, p2 := b.Mul(b).Add(yy), x.Mul(x).Add(yy)
		both := one.Div(p1.Mul(p2))
		n1, n2 := both.Mul(p2), both.Mul(p1)
		i1x, i1y, i2x, i2y := b.Mul(n1), y.Mul(n1), x.Mul(n2), y.Mul(n2)
		t1x, t1y, t2x, t2y := m1.Mul(i1x), m1.Mul(i1y), m2.Mul(i2x), m2.Mul(i2y)
		rx, ry := ex.Add(u.Mul(mx)).Sub(x).Add(t1x.Add(t2x)), ey.Add(u.Mul(my)).Sub(y).Add(t1y.Add(t2y))
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
		good := four.Mul(d2.Mul(bx.Mul(bx).Add(by.Mul(by)))).LessEqual(tol.Mul(j.Mul(j)))
		batch.found[k>>3] &= good.ToBits()
		qx, qy := bx.Mul(dx).Add(by.Mul(dy)), bx.Mul(dy).Sub(by.Mul(dx))
		e := four.Mul(inv.Mul(hx.Mul(qx).Sub(hy.Mul(qy))))
		a := (*[8]float64)(batch.a[k:])
		archsimd.LoadFloat64x8(a).Add(parity.Mul(inv.Mul(one.Sub(e.Mul(one.Sub(e)))))).Store(a)
	}
	archsimd.ClearAVXUpperBits()
}
