package event

import (
	"fmt"
	"math"
)

// Frame names a point on the axis of the lens from which u0 and t0 are counted.
// All else is measured in the frame of the package comment.
type Frame int

const (
	CentreOfMass  Frame = iota // the frame of the package comment
	Primary                    // the heavier body, for q ≤ 1
	CausticCentre              // the centre of the caustic about it, Eq. 15: see lens.Binary.CentralCaustic
)

func (f Frame) String() string {
	switch f {
	case CentreOfMass:
		return "centre of mass"
	case Primary:
		return "primary"
	case CausticCentre:
		return "caustic centre"
	}
	return fmt.Sprintf("frame %d", int(f))
}

// origin returns the place of f on the axis.
func (f Frame) origin(p Params) float64 {
	switch f {
	case CentreOfMass:
		return 0
	case Primary:
		return -p.S * p.Q / (1 + p.Q)
	case CausticCentre:
		return p.Binary().CentralCaustic()
	}
	panic(fmt.Sprintf("event: there is no %v", f))
}

// From returns p with u0 and t0 counted from frame f, where p is in the frame of
// the package comment. A path on the other side of the new origin is seen in a
// mirror, u0 → −u0 and α → −α, so that u0 ≥ 0. Nothing else changes.
func (p Params) From(f Frame) Params { return p.about(f.origin(p)) }

// ToCentreOfMass is the inverse of From.
func (p Params) ToCentreOfMass(f Frame) Params { return p.about(-f.origin(p)) }

// about returns p with the origin moved to x = c.
func (p Params) about(c float64) Params {
	tr := p.Trajectory().Shift(c)
	p.U0, p.T0 = tr.U0, tr.T0
	if p.U0 < 0 {
		p.U0, p.Alpha = -p.U0, math.Mod(360-p.Alpha, 360)
	}
	return p
}

// From is [Params.From].
func (t Theta) From(f Frame) Theta {
	if f == CentreOfMass {
		return t // not even a rounding
	}
	return t.Params().From(f).Theta()
}

// ToCentreOfMass is [Params.ToCentreOfMass].
func (t Theta) ToCentreOfMass(f Frame) Theta {
	if f == CentreOfMass {
		return t
	}
	return t.Params().ToCentreOfMass(f).Theta()
}

// InFrame returns draws with u0 and t0 counted from frame f.
func InFrame(draws []Theta, f Frame) []Theta {
	out := make([]Theta, len(draws))
	for i, t := range draws {
		out[i] = t.From(f)
	}
	return out
}
