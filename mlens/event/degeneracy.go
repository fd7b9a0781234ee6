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
	BinaryPlanetary = "binary–planetary"
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
//   - binary–planetary: where the path runs across the axis of a planet, behind the
//     arrowhead of its central caustic, or between two cusps of the diamond of a close
//     pair of stars (Han & Gaudi 2008; Choi et al. 2012). A planet's arrowhead of length
//     4q/(s−1/s)² looks like a diamond twice as long, turned by 45°, 135°, 225° or 315°
//     (the ratio is that of our own fits to Table 3's event); the diamond's length is four
//     times the shear s²q/(1+q)². Pairs of one shear look alike: of those the one with
//     q = 0.5 is returned, and of planets those of log s = ±0.35.
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
	out = append(out, p.binaryPlanetary()...)
	mirror, turn := p, p
	mirror.Alpha = math.Mod(360-p.Alpha, 360)
	turn.Alpha = math.Mod(p.Alpha+180, 360)
	return append(out, Partner{Mirror, mirror}, Partner{HalfTurn, turn})
}

func (p Params) binaryPlanetary() (out []Partner) {
	const (
		planet = 0.1 // q below which the companion is one
		close  = 0.5 // s of a pair below which its caustic is a diamond
		pairQ  = 0.5
		across = 0.7 // |sin α| of a path by a planet
	)
	steep := func(alpha float64) bool { return math.Abs(math.Sin(alpha*math.Pi/180)) > across }
	turned := func(s, q, turn float64) {
		t := p.moved(-p.Binary().CentralCaustic(), 1) // about the caustic
		t.Alpha = math.Mod(t.Alpha+turn+360, 360)
		t.S, t.Q = s, q
		out = append(out, Partner{BinaryPlanetary, t.moved(t.Binary().CentralCaustic(), 1)})
	}
	turns := []float64{45, 135, 225, 315}
	reach := func(s float64) float64 { return 2 / ((s - 1/s) * (s - 1/s)) } // shear of a pair over q
	if p.Q < planet && steep(p.Alpha) {
		shear := p.Q * reach(p.S)
		if s := math.Sqrt(shear/pairQ) * (1 + pairQ); s < close {
			for _, turn := range turns {
				turned(s, pairQ, turn)
			}
		}
	}
	if p.Q >= planet && p.S < close {
		shear := p.S * p.S * p.Q / ((1 + p.Q) * (1 + p.Q))
		for _, logS := range []float64{-0.35, 0.35} {
			s := math.Pow(10, logS)
			for _, turn := range turns {
				if q := shear / reach(s); q < planet && steep(p.Alpha-turn) {
					turned(s, q, -turn)
				}
			}
		}
	}
	return out
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
