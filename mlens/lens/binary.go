package lens

import (
	"errors"
	"math"
	"strconv"
)

// Binary is a lens of two point masses.
//
// S is their projected separation in angular Einstein radii of the total
// mass, Q the mass of the secondary over that of the primary. Any Q above 0
// is accepted, above 1 too: then the body at negative x is the lighter one.
// The zero value is not a lens; Check says so.
type Binary struct {
	S float64 // separation, θ_E
	Q float64 // mass ratio, secondary over primary
}

// Lenses outside these bounds are single lenses to every observer, and the
// arithmetic is not meant for them.
const (
	maxS = 1e4
	maxQ = 1e12
)

// Check returns an error that names the first parameter that the engine does not
// take: a separation outside 1e-4 … 1e4 or a mass ratio outside 1e-12 … 1e12.
func (b Binary) Check() error {
	if !(b.S >= 1/maxS && b.S <= maxS) {
		return errors.New("lens: s = " + show(b.S) + ", but a separation must be between 1e-4 and 1e4")
	}
	if !(b.Q >= 1/maxQ && b.Q <= maxQ) {
		return errors.New("lens: q = " + show(b.Q) + ", but a mass ratio must be between 1e-12 and 1e12")
	}
	return nil
}

// must panics where Check reports an error: methods that return no error
// treat a bad lens as a mistake of the caller.
func (b Binary) must() {
	if err := b.Check(); err != nil {
		panic(err.Error())
	}
}

// Positions returns the x of the primary, −s·q/(1+q), and of the secondary,
// +s/(1+q); both lie on the x axis, the centre of mass at the origin.
func (b Binary) Positions() (primary, secondary float64) {
	return -b.S * b.Q / (1 + b.Q), b.S / (1 + b.Q)
}

// Swap returns the same pair of masses with the labels exchanged,
// (s, 1/q). In the frame of the swapped lens the source is at (−x, −y).
func (b Binary) Swap() Binary { return Binary{S: b.S, Q: 1 / b.Q} }

// geom is a Binary in the frame of all computations: masses m1 ≥ m2, origin
// at the lighter body, the heavier at −s. Images near a light secondary then
// keep their relative precision, which is what makes q of 1e-9 harmless.
type geom struct {
	s, m1, m2 float64
	x1, x2    float64 // the bodies in the centre-of-mass frame after the swap
	sign      float64 // −1 if the labels were exchanged (coordinates rotate by 180°)
	q         float64 // ≤ 1
	m1lo      float64 // m1 + m1lo is 1/(1+q) to twice the precision
	m2lo      float64
	x2lo      float64
}

func (b Binary) geom() geom {
	g := geom{s: b.S, q: b.Q, sign: 1}
	if g.q > 1 {
		g.q, g.sign = 1/g.q, -1
	}
	one := ddAdd(dd{hi: 1}, dd{hi: g.q})
	m1 := ddDiv(dd{hi: 1}, one)
	m2 := ddDiv(dd{hi: g.q}, one)
	g.m1, g.m1lo = m1.hi, m1.lo
	g.m2, g.m2lo = m2.hi, m2.lo
	x2 := ddMul(dd{hi: g.s}, m1)
	g.x2, g.x2lo = x2.hi, x2.lo
	g.x1 = -g.s * g.m2
	return g
}

// source converts a position in the public frame to positions relative to
// the lighter body (eta) and to the heavier (beta).
func (g *geom) source(x, y float64) (eta, beta complex128) {
	x *= g.sign
	y *= g.sign
	return complex(x-g.x2, y), complex(x-g.x1, y)
}

// public converts a position relative to the lighter body to the public frame.
func (g *geom) public(w complex128) (x, y float64) {
	return g.sign * (real(w) + g.x2), g.sign * imag(w)
}

// inv is 1/z without the special cases of Go's complex division.
func inv(z complex128) complex128 {
	d := 1 / (real(z)*real(z) + imag(z)*imag(z))
	return complex(real(z)*d, -imag(z)*d)
}

func conj(z complex128) complex128 { return complex(real(z), -imag(z)) }

// norm is |z|².
func norm(z complex128) float64 { return real(z)*real(z) + imag(z)*imag(z) }

// abs1 is |Re z| + |Im z|, a cheap size within √2 of |z|.
func abs1(z complex128) float64 { return math.Abs(real(z)) + math.Abs(imag(z)) }

func abs(z complex128) float64 { return math.Sqrt(norm(z)) }

func scale(a float64, z complex128) complex128 { return complex(a*real(z), a*imag(z)) }

// lensMap is the lens equation in the frame of geom,
// η = w − m1/(w̄+s) − m2/w̄.
func (g *geom) lensMap(w complex128) complex128 {
	i1 := inv(complex(real(w)+g.s, -imag(w)))
	i2 := inv(conj(w))
	return w - scale(g.m1, i1) - scale(g.m2, i2)
}

// shear is h(w) = m1/(w+s)² + m2/w², so that ∂ζ/∂z̄ is its conjugate and
// the Jacobian determinant is J = 1 − |h|².
func (g *geom) shear(w complex128) complex128 {
	i1 := inv(complex(real(w)+g.s, imag(w)))
	i2 := inv(w)
	return scale(g.m1, i1*i1) + scale(g.m2, i2*i2)
}

// shear1 returns h and its first derivative.
func (g *geom) shear1(w complex128) (h, h1 complex128) {
	i1 := inv(complex(real(w)+g.s, imag(w)))
	i2 := inv(w)
	a, b := scale(g.m1, i1*i1), scale(g.m2, i2*i2)
	return a + b, scale(-2, a*i1+b*i2)
}

// shears returns h and its first two derivatives.
func (g *geom) shears(w complex128) (h, h1, h2 complex128) {
	i1 := inv(complex(real(w)+g.s, imag(w)))
	i2 := inv(w)
	a, b := scale(g.m1, i1*i1), scale(g.m2, i2*i2)
	h = a + b
	a, b = a*i1, b*i2
	h1 = scale(-2, a+b)
	h2 = scale(6, a*i1+b*i2)
	return h, h1, h2
}

// show formats a number for a message. Package fmt would add a third to the
// size of this package in a web page.
func show(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
