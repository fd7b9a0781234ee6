package lens

import "math"

// quadrupole returns the term of order ρ² of the magnification of a uniform
// disc, (ρ²/8)∇²A = (ρ²/2) Σ ∂_ζ∂_ζ̄ |J|⁻¹ (Pejcha & Heyrovský 2009, ApJ 690,
// 1772), and the sum of its moduli over the images. With
// N = h²·h̄' − h'·h̄
//
//	∂_ζ∂_ζ̄ J⁻¹ = [3|N|² − J(2 Re(h''·h̄²) − |h'|²(1+2|h|²))]/J⁵.
func (g *geom) quadrupole(im *images, rho float64) (q, size float64) {
	for i := range im.n {
		h, h1, h2 := g.shears(im.w[i])
		j := im.j[i]
		hc := conj(h)
		n := h*h*conj(h1) - h1*hc
		v := 3*norm(n) - j*(2*real(h2*hc*hc)-norm(h1)*(1+2*norm(h)))
		j2 := j * j
		v *= 0.5 * rho * rho / (j2 * j2 * math.Abs(j))
		q += v
		size += math.Abs(v)
	}
	return q, size
}

// The expansion is used only where the caustics are at least nearest radii
// away; the next term is then taken to be below nextTerm·(ρ/d)² times the
// present one, and a floor covers an accidental zero of the present one.
const (
	nearest  = 2.5
	nextTerm = 6.0
	floor4   = 0.5
)

// expansionError bounds the error of the expansion to order ρ² at distance d
// from the caustics, given the size of the term of that order.
func expansionError(a, size, rho, d float64) float64 {
	e := rho / d
	e *= e
	return e * (nextTerm*size + floor4*(a-1)*e)
}
