package lens

import "math"

// quadrupole returns the term of order ρ² of the magnification of a uniform
// disc, (ρ²/8)∇²A = (ρ²/2) Σ ∂_ζ∂_ζ̄ |J|⁻¹ (Pejcha & Heyrovský 2009, ApJ 690,
// 1772), and an estimate of what the higher orders add. With
// N = h²·h̄' − h'·h̄
//
//	∂_ζ∂_ζ̄ J⁻¹ = [3|N|² − J(2 Re(h''·h̄²) − |h'|²(1+2|h|²))]/J⁵.
//
// The series converges like (ρ/l)², where l is the distance to the nearest
// singularity of an image. Those on the caustics are at distance d or more.
// There are complex ones besides, next to which a ridge of magnification
// stands away from any caustic; their distance is estimated from J and its
// derivatives, with no credit for terms that cancel.
//
// worst is the largest (ρ/l)² of an image.
func (g *geom) quadrupole(im *images, rho, d float64) (q, err, worst float64) {
	r2 := rho * rho
	near := r2 / (d * d)
	for i := range im.n {
		h, h1, h2 := g.shears(im.w[i])
		j := im.j[i]
		hc, hh := conj(h), norm(h)
		n2 := norm(h*h*conj(h1) - h1*hc)
		bend := norm(h1) * (1 + 2*hh)
		a := 1 / math.Abs(j)
		i2 := a * a
		k := 0.5 * r2 * i2 * i2 // over a
		q += k * a * (3*n2 - j*(2*real(h2*hc*hc)-bend))
		all := k * (3*n2 + math.Abs(j)*(2*abs(h2)*hh+bend))
		e := near + 10*all
		err += 0.15 * a * e * e
		worst = math.Max(worst, e)
	}
	return q, err, worst
}

// nearest is the distance to the caustics, in source radii, below which the
// expansion is never used.
const nearest = 2.5
