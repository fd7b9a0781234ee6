package lens

import "math"

// quadrupole returns the term of order ρ² of the magnification of a uniform
// disc, (ρ²/8)∇²A = (ρ²/2) Σ ∂_ζ∂_ζ̄ |J|⁻¹ (Pejcha & Heyrovský 2009, ApJ 690,
// 1772), and an estimate of what the higher orders add. With
// N = J ∂_ζJ = h²·h̄' − h'·h̄
//
//	∂_ζ∂_ζ̄ J⁻¹ = (3|N|² − J·M)/J⁵,  M = J ∂_ζ̄N = 2 Re(h''·h̄²) − |h'|²(1+2|h|²).
//
// The series converges like (ρ/l)², where l is the distance to the nearest
// singularity of an image. Those on the caustics are at distance d or more.
// There are complex ones besides, where J² = 0 for ζ and ζ̄ taken as
// independent, next to which a ridge of magnification stands away from any
// caustic. To second order J² falls to 0 at a distance l of
//
//	1/l² ≈ 16|N|²/J⁴ + 2(|M| + |J ∂_ζN|)/|J|³,  J ∂_ζN = 3h|h'|² − h''·h̄ − h³·h̄''.
//
// The ridge of a very light companion lies on the axis of the lens and may
// hide from this; a source next to the axis (axis is true) gets no
// credit for terms of M that cancel, and ten times the error.
//
// worst is the largest (ρ/l)² of an image.
func (g *geom) quadrupole(im *images, rho, d float64, axis bool) (q, err, worst float64) {
	r2 := rho * rho
	near := r2 / (d * d)
	for i := range im.n {
		h, h1, h2 := g.shears(im.w[i])
		j := im.j[i]
		hc, hh, b2 := conj(h), norm(h), norm(h1)
		n2 := norm(h*h*conj(h1) - h1*hc)
		mixed := 2*real(h2*hc*hc) - b2*(1+2*hh) // J·∂N/∂ζ̄
		pure := scale(3*b2, h) - h2*hc - h*h*h*conj(h2)
		a := 1 / math.Abs(j)
		i2 := a * a
		k := r2 * i2 * i2
		q += 0.5 * k * a * (3*n2 - j*mixed)
		bend := math.Abs(mixed) + abs(pure)
		if axis {
			bend = 2*abs(h2)*hh + b2*(1+2*hh)
		}
		e := near + k*(15*n2+5*math.Abs(j)*bend)
		err += 0.3 * a * e * e
		worst = math.Max(worst, e)
	}
	if axis {
		err *= 10
	}
	return q, err, worst
}

// onAxis tells quadrupole of a source next to the axis of a light companion.
func (g *geom) onAxis(eta complex128, rho float64) bool {
	return g.q < 1e-3 && math.Abs(imag(eta)) < 12*rho
}

// nearest is the distance to the caustics, in source radii, below which the
// expansion is never used.
const nearest = 2.5
