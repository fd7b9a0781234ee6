package event

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// SingleLens is a Paczyński (1L1S) light curve: a point source passing a point
// lens, with two linear fluxes.
type SingleLens struct {
	T0, U0, TE float64 // days, θ_E, days
	Fluxes             // Chi2 is that of the fit
	DOF        int     // measurements less five parameters
}

// Magnification returns A(t) = (u²+2)/(u√(u²+4)), u² = u0² + ((t−t0)/tE)².
func (s SingleLens) Magnification(t float64) float64 {
	tau := (t - s.T0) / s.TE
	return paczynski(s.U0*s.U0 + tau*tau)
}

func paczynski(u2 float64) float64 { return (u2 + 2) / math.Sqrt(u2*(u2+4)) }

// singleBounds keep the fit where a single lens can be told from a slope:
// an event may peak outside the series and be blended, but not arbitrarily.
const (
	minU0, maxU0 = 1e-5, 4.0
)

// FitSingleLens returns the single lens with the smallest χ² that a search
// from many starting points finds.
func (lc LightCurve) FitSingleLens() (SingleLens, error) {
	if lc.Len() < MinPoints {
		return SingleLens{}, fmt.Errorf("event: %s: %d measurements, but a single-lens fit needs at least %d", lc.Name, lc.Len(), MinPoints)
	}
	if err := lc.Check(); err != nil {
		return SingleLens{}, err
	}
	w := make([]float64, lc.Len())
	for i, s := range lc.Err {
		w[i] = 1 / (s * s)
	}
	// The common scale of the fluxes is taken out, so that the fit is the same
	// in any unit.
	base := math.Abs(quantile(lc.Flux, 0.25))
	if base == 0 {
		base = 1
	}
	y := make([]float64, lc.Len())
	for i, f := range lc.Flux {
		y[i] = f / base
		w[i] *= base * base
	}
	s := fitSingle(lc.Times, y, w)
	s.Source *= base
	s.Blend *= base
	s.DOF = lc.Len() - 5
	return s, nil
}

// fitSingle minimises Σ w (y − F_s·A − F_b)² from starting points of its own.
func fitSingle(t, y, w []float64) SingleLens {
	f := &singleFit{t: t, y: y, w: w, a: make([]float64, len(t)), span: slices.Max(t) - slices.Min(t)}
	return f.search()
}

// search minimises from starting points of its own and those given.
func (f *singleFit) search(more ...SingleLens) SingleLens {
	t, y, w, span := f.t, f.y, f.w, f.span
	peak := 0
	for i := range t {
		if y[i] > y[peak] {
			peak = i
		}
	}
	// A second guess of t0: the centre of the brightening.
	base := quantile(y, 0.25)
	var sum, first float64
	for i, v := range y {
		if d := (v - base) * math.Sqrt(w[i]); d > 3 {
			g := (v - base) * w[i]
			sum += g
			first += g * t[i]
		}
	}
	t0s := []float64{t[peak]}
	if sum > 0 {
		t0s = append(t0s, first/sum)
	}
	var starts []SingleLens
	for _, t0 := range t0s {
		best := SingleLens{Fluxes: Fluxes{Chi2: math.Inf(1)}}
		for _, te := range []float64{0.01, 0.03, 0.1, 0.3, 0.8} {
			for _, u0 := range []float64{0.03, 0.2, 0.7} {
				s := SingleLens{T0: t0, U0: u0, TE: te * span}
				f.linear(&s)
				if s.Chi2 < best.Chi2 {
					best = s
				}
			}
		}
		starts = append(starts, best)
	}
	for _, s := range more {
		f.linear(&s)
		starts = append(starts, s)
	}
	best := starts[0]
	for _, s := range starts {
		if s = f.minimise(s); s.Chi2 < best.Chi2 {
			best = s
		}
	}
	return best
}

// singleFit is the least-squares problem with its work space.
type singleFit struct {
	t, y, w []float64
	a       []float64 // magnifications
	span    float64   // of the times

	// A descent ends below the χ² enough, or where a step improves χ² by less
	// than a part: that of settled, or 1e-7.
	enough, settled float64
}

// linear sets the fluxes and χ² of s to those of the best linear fit.
func (f *singleFit) linear(s *SingleLens) {
	var sw, sa, sy float64
	for i, t := range f.t {
		f.a[i] = s.Magnification(t)
		sw += f.w[i]
		sa += f.w[i] * f.a[i]
		sy += f.w[i] * f.y[i]
	}
	ma, my := sa/sw, sy/sw
	var saa, say, syy float64
	for i, a := range f.a {
		da, dy := a-ma, f.y[i]-my
		saa += f.w[i] * da * da
		say += f.w[i] * da * dy
		syy += f.w[i] * dy * dy
	}
	s.Source = 0
	if saa > 1e-20*sw*ma*ma {
		s.Source = say / saa
	}
	s.Blend = my - s.Source*ma
	s.Chi2 = syy - s.Source*say
}

// minimise runs Levenberg–Marquardt on (t0, ln tE, ln u0) with the fluxes
// eliminated (variable projection, Kaufman's approximation of the Jacobian).
func (f *singleFit) minimise(s SingleLens) SingleLens {
	lambda, span := 1e-3, f.span
	settled := f.settled
	if settled == 0 {
		settled = 1e-7
	}
	var step mat.VecDense
	for range 60 {
		h, g := f.normal(s)
		improved := false
		for range 8 {
			m := mat.NewSymDense(3, nil)
			for i := range 3 {
				for j := i; j < 3; j++ {
					m.SetSym(i, j, h.At(i, j))
				}
				m.SetSym(i, i, h.At(i, i)*(1+lambda)+1e-12*(h.At(0, 0)+h.At(1, 1)+h.At(2, 2))+1e-300)
			}
			var ch mat.Cholesky
			if !ch.Factorize(m) || ch.SolveVecTo(&step, g) != nil {
				lambda *= 10
				continue
			}
			n := s
			limit := func(x, r float64) float64 { return max(-r, min(r, x)) }
			n.T0 += limit(step.AtVec(0), 0.3*span)
			n.TE *= math.Exp(limit(step.AtVec(1), 1))
			n.U0 = min(max(n.U0*math.Exp(limit(step.AtVec(2), 1)), minU0), maxU0)
			n.TE = min(max(n.TE, 1e-4*span), 100*span)
			f.linear(&n)
			if n.Chi2 < s.Chi2 {
				improved = s.Chi2-n.Chi2 > settled*s.Chi2 && n.Chi2 > f.enough
				s = n
				lambda = max(lambda/5, 1e-9)
				break
			}
			lambda *= 6
		}
		if !improved {
			break
		}
	}
	return s
}

// normal returns JᵀWJ and JᵀWr of the projected problem at s.
func (f *singleFit) normal(s SingleLens) (*mat.SymDense, *mat.VecDense) {
	f.linear(&s)
	var sw, sa float64
	var sj [3]float64
	var h [3][3]float64
	var g, ja [3]float64
	var saa float64
	for i, t := range f.t {
		a, w := f.a[i], f.w[i]
		tau := (t - s.T0) / s.TE
		u2 := tau*tau + s.U0*s.U0
		// dA/d(u²) = −4/(u²(u²+4))^{3/2}
		v := u2 * (u2 + 4)
		d := -4 / (v * math.Sqrt(v)) * s.Source
		j := [3]float64{d * -2 * tau / s.TE, d * -2 * tau * tau, d * 2 * s.U0 * s.U0}
		r := f.y[i] - s.Source*a - s.Blend
		sw += w
		sa += w * a
		saa += w * a * a
		for k := range 3 {
			wj := w * j[k]
			sj[k] += wj
			ja[k] += wj * a
			g[k] += wj * r
			for l := k; l < 3; l++ {
				h[k][l] += wj * j[l]
			}
		}
	}
	// Project out the constant and the magnification.
	ma := sa / sw
	caa := saa - sa*ma
	H := mat.NewSymDense(3, nil)
	for k := range 3 {
		for l := k; l < 3; l++ {
			v := h[k][l] - sj[k]*sj[l]/sw
			if caa > 1e-20*saa {
				v -= (ja[k] - sj[k]*ma) * (ja[l] - sj[l]*ma) / caa
			}
			H.SetSym(k, l, v)
		}
	}
	return H, mat.NewVecDense(3, g[:])
}
