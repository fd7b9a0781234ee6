package event

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Range is a closed interval.
type Range struct{ Min, Max float64 }

func (r Range) contains(v float64) bool { return v >= r.Min && v <= r.Max }

func (r Range) uniform(u float64) float64 { return r.Min + (r.Max-r.Min)*u }

func (r Range) logUniform(u float64) float64 {
	return r.Min * math.Exp(u*math.Log(r.Max/r.Min))
}

// Prior is the analytic prior of Eq. 13. Each Range is in the parameter's own
// unit (see [Params]); s, q, ρ and f_s are log-uniform in theirs, α, u0 and t0
// uniform, and tE is log-normal, truncated. It marshals to JSON.
//
// The prior that a network learns is narrower: it is this one, less the events
// that look like a single lens (see package bank).
type Prior struct {
	S, Q, Alpha, U0, T0, TE, Rho, Fs Range
	LogTEMean, LogTESigma            float64 // of log10 tE, before truncation
	// Frame is where U0 and T0 are counted from. The zero value, the centre of
	// mass, is the paper's choice, and that of all networks. A Theta is in the
	// frame of the package comment in any case.
	Frame Frame `json:",omitempty"`
}

// Roman returns the prior of Eq. 13 for a 72-day season.
func Roman() Prior {
	return Prior{
		S: Range{0.2, 5}, Q: Range{1e-6, 1}, Alpha: Range{0, 360}, U0: Range{0, 2}, T0: Range{0, 72},
		TE: Range{1, 100}, Rho: Range{1e-4, 1e-2}, Fs: Range{0.1, 1},
		LogTEMean: 1.15, LogTESigma: 0.45,
	}
}

// Sample draws an event.
func (p Prior) Sample(r *rand.Rand) Params {
	v := Params{
		S: p.S.logUniform(r.Float64()), Q: p.Q.logUniform(r.Float64()),
		Alpha: p.Alpha.uniform(r.Float64()), U0: p.U0.uniform(r.Float64()), T0: p.T0.uniform(r.Float64()),
		Rho: p.Rho.logUniform(r.Float64()), Fs: p.Fs.logUniform(r.Float64()),
	}
	for {
		v.TE = math.Pow(10, p.LogTEMean+p.LogTESigma*r.NormFloat64())
		if p.TE.contains(v.TE) {
			break
		}
	}
	if p.Frame == CentreOfMass {
		return v
	}
	return v.ToCentreOfMass(p.Frame)
}

// Bounds returns a box that holds the support of the prior, in the coordinates of
// a Theta: the support itself where Frame is the centre of mass.
func (p Prior) Bounds() [Dim]Range {
	b := p.bounds()
	if p.Frame == CentreOfMass {
		return b
	}
	// The primary of the widest and most equal pair is farthest from the centre of
	// mass.
	far := p.S.Max * p.Q.Max / (1 + p.Q.Max)
	b[U0] = Range{max(0, p.U0.Min-far), p.U0.Max + far}
	b[T0] = Range{p.T0.Min - far*p.TE.Max, p.T0.Max + far*p.TE.Max}
	return b
}

// bounds returns the support in the prior's own frame.
func (p Prior) bounds() [Dim]Range {
	log := func(r Range) Range { return Range{math.Log10(r.Min), math.Log10(r.Max)} }
	return [Dim]Range{log(p.S), log(p.Q), p.Alpha, p.U0, p.T0, log(p.TE), log(p.Rho), p.Fs}
}

// Contains reports whether the prior density is above zero at t.
func (p Prior) Contains(t Theta) bool { return p.outside(t) < 0 }

// outside returns the first parameter of t outside the prior, or −1.
func (p Prior) outside(t Theta) int {
	t = p.own(t)
	for i, b := range p.bounds() {
		// A power of ten of a logarithm may miss the bound by a rounding.
		if !(t[i] >= b.Min-1e-12 && t[i] <= b.Max+1e-12) {
			return i
		}
	}
	return -1
}

// own returns t in the prior's own frame, or as it is where it is no event.
func (p Prior) own(t Theta) Theta {
	if p.Frame == CentreOfMass || t.Params().Check() != nil {
		return t
	}
	return t.From(p.Frame)
}

// Check reports the first parameter outside the prior, or nil.
func (p Prior) Check(t Theta) error {
	if i := p.outside(t); i >= 0 {
		b, v := p.bounds()[i], p.own(t)[i]
		return fmt.Errorf("event: %s = %.6g is outside the prior's range %.4g … %.4g", Names[i], v, b.Min, b.Max)
	}
	return nil
}

// LogDensity returns the natural logarithm of the prior density at t, per unit
// of the coordinates of a Theta; −Inf outside.
func (p Prior) LogDensity(t Theta) float64 {
	if !p.Contains(t) {
		return math.Inf(-1)
	}
	return p.LogDensityOfCurve(t) - math.Log(t[Fs]*math.Log(p.Fs.Max/p.Fs.Min)) // log-uniform, but the coordinate is f_s itself
}

// LogDensityOfCurve returns the natural logarithm of the prior density of the
// seven parameters that decide the magnification, per unit of the coordinates of
// a Theta; −Inf where t is outside the prior.
func (p Prior) LogDensityOfCurve(t Theta) float64 {
	t[Fs] = p.Fs.Min
	if !p.Contains(t) {
		return math.Inf(-1)
	}
	var ld float64
	// The way from one frame to another keeps the volume.
	for i, b := range p.bounds() {
		switch i {
		case LogTE:
			z := (t[i] - p.LogTEMean) / p.LogTESigma
			cdf := func(x float64) float64 { return 0.5 * math.Erfc(-(x-p.LogTEMean)/(p.LogTESigma*math.Sqrt2)) }
			ld += -z*z/2 - math.Log(p.LogTESigma*math.Sqrt(2*math.Pi)*(cdf(b.Max)-cdf(b.Min)))
		case Fs:
		default:
			ld -= math.Log(b.Max - b.Min)
		}
	}
	return ld
}
