package event

import "math"

// Partner is an event that a known degeneracy predicts to look like another.
type Partner struct {
	Degeneracy string
	Params     Params
}

// The degeneracies of [Params.Partners].
const (
	CloseWide       = "close–wide"
	BinaryCloseWide = "close–wide of binaries"
	Resonant        = "close–resonant"
	Offset          = "offset"
	Mirror          = "mirror"
	HalfTurn        = "half turn"
)

// Partners returns the events that the known degeneracies of binary lenses
// predict to look like p, approximately: starting points of a fit. They need not
// lie within any prior (see §4.3 of Zhang et al. 2021).
//
//   - close–wide: s → 1/s with the same path about the central caustic (Griest &
//     Safizadeh 1998; Dominik 1999; Eq. 15).
//   - close–wide of binaries of any mass ratio: the wide partner's mass ratio is
//     q/(1−q)², its separation (1+q)/((1−q)s) in Einstein radii of its primary,
//     whose mass is the close binary's (An 2005).
//   - close–resonant: near the Einstein ring, |log s| < 0.3, and for q < 0.1, another
//     lens on the same path whose log s is 4.5 times smaller, of either sign, or as much
//     larger (Table 2; the numbers are those of planets in our own fits).
//   - offset: a source that crosses the axis at x from the primary cannot tell
//     s₁ − 1/s₁ + s₂ − 1/s₂ = 2x (Zhang & Gaudi 2022); inner–outer of planetary
//     caustics, and close–wide again where x = 0.
//   - mirror: the other side of the lens, α → −α, and half turn, α → α + 180°, for
//     caustics that are nearly symmetric (§4.4 of Zhang et al. 2021).
func (p Params) Partners() []Partner {
	out := []Partner{{CloseWide, p.aboutPrimary(1/p.S, p.Q, 1)}}
	if p.S < 1 && p.Q < 0.95 {
		q := p.Q / ((1 - p.Q) * (1 - p.Q))
		s := (1 + p.Q) / ((1 - p.Q) * p.S)
		grow := math.Sqrt(1 + q) // of θ_E, with the mass of the companion added
		out = append(out, Partner{BinaryCloseWide, p.aboutPrimary(s/grow, q, grow)})
	}
	if p.S > 1 {
		// The inverse: q/(1−q)² = Q for q ≤ 1.
		q := (2*p.Q + 1 - math.Sqrt(4*p.Q+1)) / (2 * p.Q)
		if q > 0 && q < 1 {
			shrink := 1 / math.Sqrt(1+p.Q)
			s := (1 + q) / ((1 - q) * p.S / shrink)
			out = append(out, Partner{BinaryCloseWide, p.aboutPrimary(s, q, shrink)})
		}
	}
	if ls := math.Log10(p.S); math.Abs(ls) < 0.3 && p.Q < 0.1 {
		for _, c := range []struct{ stretch, q float64 }{{1 / 4.5, 0.7}, {-1 / 4.5, 0.7}, {4.5, 1.4}, {-4.5, 1.4}} {
			if s := c.stretch * ls; math.Abs(s) > 0.003 && math.Abs(s) < 0.3 {
				out = append(out, Partner{Resonant, p.aboutPrimary(math.Pow(10, s), c.q*p.Q, 1)})
			}
		}
	}
	// Where the path crosses the axis, from the primary.
	if sn, _ := math.Sincos(p.Alpha * math.Pi / 180); math.Abs(sn) > 0.05 {
		x := -p.U0/sn + p.S*p.Q/(1+p.Q)
		d := 2*x - (p.S - 1/p.S)
		s := (d + math.Sqrt(d*d+4)) / 2
		if math.Abs(math.Log(s/p.S)) > 0.01 {
			out = append(out, Partner{Offset, p.withPrimaryAt(s, p.Q)})
		}
	}
	mirror, turn := p, p
	mirror.Alpha = math.Mod(360-p.Alpha, 360)
	turn.Alpha = math.Mod(p.Alpha+180, 360)
	return append(out, Partner{Mirror, mirror}, Partner{HalfTurn, turn})
}

// aboutPrimary returns p with another companion and the same path about the
// central caustic; grow is what θ_E is multiplied by.
func (p Params) aboutPrimary(s, q, grow float64) Params {
	from := p.Binary().CentralCaustic()
	p.S, p.Q = s, q
	to := p.Binary().CentralCaustic() * grow // in the old unit
	return p.moved(to-from, grow)
}

// withPrimaryAt returns p with another companion and the same path about the
// primary.
func (p Params) withPrimaryAt(s, q float64) Params {
	from := -p.S * p.Q / (1 + p.Q)
	p.S, p.Q = s, q
	return p.moved(-s*q/(1+q)-from, 1)
}

// moved returns p with the path moved by c along the axis, and lengths in a unit
// larger by grow.
func (p Params) moved(c, grow float64) Params {
	tr := p.Trajectory().Shift(-c)
	p.U0, p.T0 = tr.U0/grow, tr.T0
	p.TE *= grow
	p.Rho /= grow
	if p.U0 < 0 { // the same event seen in a mirror
		p.U0, p.Alpha = -p.U0, math.Mod(360-p.Alpha, 360)
	}
	return p
}
