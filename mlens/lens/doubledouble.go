package lens

import "math"

// dd is an unevaluated sum of two floats, about 32 decimal digits
// (Dekker 1971, Numer. Math. 18, 224). Only the residual of the lens
// equation of a highly magnified image needs it: an error ε in the residual
// is an error of ε/J² in its magnification.
type dd struct{ hi, lo float64 }

func twoSum(a, b float64) dd {
	s := a + b
	t := s - a
	return dd{s, (a - (s - t)) + (b - t)}
}

func quickSum(a, b float64) dd {
	s := a + b
	return dd{s, b - (s - a)}
}

func ddAdd(a, b dd) dd {
	s := twoSum(a.hi, b.hi)
	t := twoSum(a.lo, b.lo)
	s = quickSum(s.hi, s.lo+t.hi)
	return quickSum(s.hi, s.lo+t.lo)
}

func ddNeg(a dd) dd { return dd{-a.hi, -a.lo} }

func ddMul(a, b dd) dd {
	p := a.hi * b.hi
	e := math.FMA(a.hi, b.hi, -p)
	return quickSum(p, e+a.hi*b.lo+a.lo*b.hi)
}

func ddDiv(a, b dd) dd {
	q := a.hi / b.hi
	r := ddAdd(a, ddNeg(ddMul(dd{hi: q}, b)))
	q2 := r.hi / b.hi
	r = ddAdd(r, ddNeg(ddMul(dd{hi: q2}, b)))
	q3 := r.hi / b.hi
	return ddAdd(quickSum(q, q2), dd{hi: q3})
}

// residual returns η − (w − m1/(w̄+s) − m2/w̄) to twice the working
// precision, for the source at (x, y) of the rotated centre-of-mass frame.
func (g *geom) residual(w complex128, x, y float64) complex128 {
	wr, wi := dd{hi: real(w)}, dd{hi: imag(w)}
	ur := twoSum(real(w), g.s)
	f1 := ddDiv(dd{g.m1, g.m1lo}, ddAdd(ddMul(ur, ur), ddMul(wi, wi)))
	f2 := ddDiv(dd{g.m2, g.m2lo}, ddAdd(ddMul(wr, wr), ddMul(wi, wi)))
	er := ddAdd(dd{hi: x}, dd{-g.x2, -g.x2lo})
	re := ddAdd(ddAdd(er, ddNeg(wr)), ddAdd(ddMul(ur, f1), ddMul(wr, f2)))
	im := ddAdd(ddAdd(dd{hi: y}, ddNeg(wi)), ddMul(wi, ddAdd(f1, f2)))
	return complex(re.hi, im.hi)
}
