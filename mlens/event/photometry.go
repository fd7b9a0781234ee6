package event

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/mlens-go/microlens/mlens/lens"
)

// Cadence is a regular grid of times: N epochs, Step days apart, from 0.
type Cadence struct {
	Step float64
	N    int
}

// Season is the grid of a 72-day Roman season at 0.01 d (§3), the grid that
// the networks see. [LightCurve.Bin] brings any light curve onto it.
func Season() Cadence { return Cadence{Step: 0.01, N: 7200} }

// Length returns the time that the grid covers, in days: N·Step.
func (c Cadence) Length() float64 { return c.Step * float64(c.N) }

// Times returns the epochs 0, Step, 2·Step, …
func (c Cadence) Times() []float64 {
	t := make([]float64, c.N)
	for i := range t {
		t[i] = float64(i) * c.Step
	}
	return t
}

// Photometry converts between magnitudes and photons of one exposure.
type Photometry struct {
	ZeroPoint float64 // magnitude that gives one count a second
	Exposure  float64 // seconds
}

// W149 is Roman's wide filter in the Cycle 7 design (§3.2). Baselines from 25
// to 20 mag have S/N from 23 to 230.
func W149() Photometry { return Photometry{ZeroPoint: 27.615, Exposure: 46.8} }

// Photons returns the expected counts in one exposure of a source of
// magnitude mag.
func (p Photometry) Photons(mag float64) float64 {
	return p.Exposure * math.Pow(10, -0.4*(mag-p.ZeroPoint))
}

// Magnitude is the inverse of [Photometry.Photons].
func (p Photometry) Magnitude(photons float64) float64 {
	return p.ZeroPoint - 2.5*math.Log10(photons/p.Exposure)
}

// SN returns the photon-noise signal-to-noise ratio √photons.
func (p Photometry) SN(mag float64) float64 { return math.Sqrt(p.Photons(mag)) }

// Magnification returns A at the given times, from the exact simulator at the
// tolerance of opt. dst must be as long as times; nil allocates.
func (p Params) Magnification(dst, times []float64, opt lens.Options) ([]float64, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	return p.Binary().LightCurve(dst, times, p.Trajectory(), p.Rho, opt)
}

// Binary returns the lens of the event.
func (p Params) Binary() lens.Binary { return lens.Binary{S: p.S, Q: p.Q} }

// Trajectory returns the path of the source.
func (p Params) Trajectory() lens.Trajectory {
	return lens.Trajectory{U0: p.U0, Alpha: p.Alpha, T0: p.T0, TE: p.TE}
}

// Simulate returns a noisy light curve of the event, in photons (Eqs. 3–4):
// the flux is g = sn²·(1 + f_s·(A − 1)), measured with σ = √g. The error column
// is √(measured flux), because √g would hand over the noise-free curve. The
// magnifications are right to 1e-5.
//
// sn is the signal-to-noise ratio of one measurement of the baseline.
func (p Params) Simulate(times []float64, sn float64, r *rand.Rand) (LightCurve, error) {
	if !(sn > 0) || math.IsInf(sn, 0) {
		return LightCurve{}, fmt.Errorf("event: baseline S/N = %v, but it must be above 0", sn)
	}
	a, err := p.Magnification(nil, times, lens.Options{AbsTol: 1e-5, RelTol: 1e-5})
	if err != nil {
		return LightCurve{}, err
	}
	lc := LightCurve{Name: "simulated", Times: times, Flux: a, Err: make([]float64, len(a))}
	for i, v := range a {
		lc.Flux[i], lc.Err[i] = Measure(sn*sn*(1+p.Fs*(v-1)), r)
	}
	return lc, nil
}

// Measure draws a photon count with expectation g in the Gaussian limit
// (Eq. 3) and returns it with its error, the root of the measured count. A
// count below 1, which only a baseline of a few photons can give, is given the
// error 1.
func Measure(g float64, r *rand.Rand) (flux, sigma float64) {
	flux = g + math.Sqrt(g)*r.NormFloat64()
	return flux, math.Sqrt(max(flux, 1))
}
