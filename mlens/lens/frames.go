package lens

import "math"

// Trajectory is the straight path of a source in the frame of the package
// comment.
type Trajectory struct {
	U0    float64 // closest approach to the origin, θ_E, at T0
	Alpha float64 // direction of motion, degrees
	T0    float64 // days
	TE    float64 // Einstein time, days; must not be 0
}

// At returns the position of the source at time t, in days.
func (tr Trajectory) At(t float64) (x, y float64) {
	sn, cs := sincosDeg(tr.Alpha)
	tau := (t - tr.T0) / tr.TE
	return tau*cs - tr.U0*sn, tau*sn + tr.U0*cs
}

// Shift returns the same path seen from an origin moved to x = c on the axis
// of the lens: t0' = t0 + c·tE·cos α and u0' = u0 + c·sin α.
func (tr Trajectory) Shift(c float64) Trajectory {
	sn, cs := sincosDeg(tr.Alpha)
	tr.T0 += c * tr.TE * cs
	tr.U0 += c * sn
	return tr
}

// Swap returns the same path for Binary.Swap: the coordinates rotate by
// 180°. The same α + 180° is what MulensModel since version 3 and
// VBMicrolensing call α, without a swap of the masses.
func (tr Trajectory) Swap() Trajectory {
	tr.Alpha = math.Mod(tr.Alpha+180, 360)
	return tr
}

// sincosDeg is exact at multiples of 90°.
func sincosDeg(deg float64) (sn, cs float64) {
	switch r := math.Mod(deg, 360); r {
	case 0:
		return 0, 1
	case 90, -270:
		return 1, 0
	case 180, -180:
		return 0, -1
	case 270, -90:
		return -1, 0
	default:
		return math.Sincos(r * (math.Pi / 180))
	}
}

// CentralCaustic returns the x of the centre of the caustic about the primary
// (Zhang et al. 2021, Eq. 15). For s > 1 the secondary, of mass q/(1+q) at
// distance s, shifts it from the primary at −s·q/(1+q) towards itself by
// q/((1+q)s):
//
//	x = −(s − 1/s)·q/(1+q).
//
// For s ≤ 1 it is the centre of mass, 0. The caustic about the secondary of a
// wide binary is, likewise, at (s − 1/s)/(1+q), which is Swap().CentralCaustic()
// with its sign changed; VBMicrolensing's "W" light curves have it as origin.
func (b Binary) CentralCaustic() float64 {
	b.must()
	return math.Min(0, 1/b.S-b.S) * b.Q / (1 + b.Q)
}

// PlanetaryCaustic returns the x of the centre of the planetary caustics for
// q ≪ 1: the source position of which the primary alone puts an image on the
// planet, s − 1/s from the primary (Griest & Safizadeh 1998), which is
// s − 1/s − s·q/(1+q) in the frame of the centre of mass. For s < 1 it is the
// point on the axis between the two triangular caustics.
func (b Binary) PlanetaryCaustic() float64 {
	b.must()
	return b.S - 1/b.S - b.S*b.Q/(1+b.Q)
}
