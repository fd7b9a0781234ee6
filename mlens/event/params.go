package event

import (
	"fmt"
	"math"

	"github.com/mlens-go/microlens/mlens/internal/spell"
)

// Params are the eight parameters of a 2L1S event in the frame of the
// package comment.
type Params struct {
	S     float64 // projected separation of the lenses, θ_E
	Q     float64 // mass ratio, secondary over primary
	Alpha float64 // direction of the source's motion, degrees, [0, 360)
	U0    float64 // impact parameter to the centre of mass, θ_E
	T0    float64 // time of closest approach to the centre of mass, days
	TE    float64 // Einstein ring crossing time, days
	Rho   float64 // source radius, θ_E
	Fs    float64 // source flux over total baseline flux (Eq. 14)
}

// Dim is the number of parameters.
const Dim = 8

// The order of the parameters in a Theta.
const (
	LogS = iota
	LogQ
	Alpha
	U0
	T0
	LogTE
	LogRho
	Fs
)

// Theta holds the parameters in the coordinates of the prior and the
// network, in this order: log10 s, log10 q, α [deg], u0, t0 [d], log10 tE [d],
// log10 ρ, f_s.
type Theta [Dim]float64

// Names are the column names of a Theta in files.
var Names = [Dim]string{"log10_s", "log10_q", "alpha", "u0", "t0", "log10_tE", "log10_rho", "f_s"}

// Theta returns the parameters in the coordinates of the prior.
func (p Params) Theta() Theta {
	return Theta{math.Log10(p.S), math.Log10(p.Q), p.Alpha, p.U0, p.T0, math.Log10(p.TE), math.Log10(p.Rho), p.Fs}
}

// Params returns the physical parameters.
func (t Theta) Params() Params {
	return Params{
		S: math.Pow(10, t[LogS]), Q: math.Pow(10, t[LogQ]), Alpha: t[Alpha], U0: t[U0],
		T0: t[T0], TE: math.Pow(10, t[LogTE]), Rho: math.Pow(10, t[LogRho]), Fs: t[Fs],
	}
}

// Check reports the first parameter that no event can have, or nil.
// It knows nothing of priors.
func (p Params) Check() error {
	if err := p.Binary().Check(); err != nil {
		return fmt.Errorf("event: %w", spell.Bare(err))
	}
	for _, c := range []struct {
		name string
		v    float64
		ok   bool
		want string
	}{
		{"alpha", p.Alpha, true, "finite"},
		{"u0", p.U0, true, "finite"},
		{"t0", p.T0, true, "finite"},
		{"tE", p.TE, p.TE > 0, "above 0"},
		{"rho", p.Rho, p.Rho >= 0, "0 or above"},
		{"f_s", p.Fs, p.Fs > 0, "above 0"},
	} {
		if !c.ok || math.IsNaN(c.v) || math.IsInf(c.v, 0) {
			return fmt.Errorf("event: %s = %v, but it must be %s", c.name, c.v, c.want)
		}
	}
	return nil
}
