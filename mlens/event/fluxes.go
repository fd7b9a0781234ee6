package event

import (
	"fmt"
	"math"
)

// Fluxes are the two linear parameters of a light curve (Eq. 4): the flux is
// A·Source + Blend, in the unit of the light curve.
type Fluxes struct {
	Source, Blend float64
	Chi2          float64 // of the light curve at these fluxes
}

// Baseline returns the flux without magnification.
func (f Fluxes) Baseline() float64 { return f.Source + f.Blend }

// Fs returns the source's share of the baseline flux (Eq. 14).
func (f Fluxes) Fs() float64 { return f.Source / f.Baseline() }

// Model returns the flux at magnifications a. dst is reused when it is long
// enough; nil allocates.
func (f Fluxes) Model(dst, a []float64) []float64 {
	if cap(dst) < len(a) {
		dst = make([]float64, len(a))
	}
	dst = dst[:len(a)]
	for i, v := range a {
		dst[i] = f.Source*v + f.Blend
	}
	return dst
}

// FitFluxes returns the fluxes that minimise χ² for magnifications a at the
// light curve's times, by linear least squares. Nothing keeps either flux
// positive. A magnification that does not vary leaves Source at 0.
func (lc LightCurve) FitFluxes(a []float64) (Fluxes, error) {
	if len(a) != lc.Len() {
		panic(fmt.Sprintf("event: %d magnifications for %d measurements", len(a), lc.Len()))
	}
	if lc.Len() < 3 {
		return Fluxes{}, fmt.Errorf("event: %s: %d measurements do not determine two fluxes", lc.Name, lc.Len())
	}
	// Means first: centred sums do not cancel.
	var sw, sa, sf float64
	for i, s := range lc.Err {
		w := 1 / (s * s)
		sw += w
		sa += w * a[i]
		sf += w * lc.Flux[i]
	}
	ma, mf := sa/sw, sf/sw
	var saa, saf float64
	for i, s := range lc.Err {
		w := 1 / (s * s)
		saa += w * (a[i] - ma) * (a[i] - ma)
		saf += w * (a[i] - ma) * (lc.Flux[i] - mf)
	}
	var f Fluxes
	if saa > 1e-24*sw*ma*ma {
		f.Source = saf / saa
	}
	f.Blend = mf - f.Source*ma
	f.Chi2 = lc.Chi2(f, a)
	return f, nil
}

// Chi2 returns χ² of the light curve for magnifications a and given fluxes.
func (lc LightCurve) Chi2(f Fluxes, a []float64) float64 {
	var chi2 float64
	for i, v := range a {
		z := (lc.Flux[i] - f.Source*v - f.Blend) / lc.Err[i]
		chi2 += z * z
	}
	return chi2
}

// LogLikelihood returns the Gaussian log-likelihood −½χ² − Σ ln(σ√2π) of the
// light curve for magnifications a and source fraction fs, at the baseline flux
// that maximises it; that flux comes with it as Fluxes.
func (lc LightCurve) LogLikelihood(a []float64, fs float64) (float64, Fluxes) {
	var mm, mf, ln float64
	for i, s := range lc.Err {
		m := (1 + fs*(a[i]-1)) / s
		mm += m * m
		mf += m * lc.Flux[i] / s
		ln += math.Log(s)
	}
	base := mf / mm
	f := Fluxes{Source: fs * base, Blend: (1 - fs) * base}
	f.Chi2 = lc.Chi2(f, a)
	return -f.Chi2/2 - ln - float64(lc.Len())*math.Log(2*math.Pi)/2, f
}
