package plots

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// bandwidth returns the standard deviation of the Gaussian kernel for a
// one-dimensional density, in bins, by the fixed point of Botev, Grotowski &
// Kroese (2010, Ann. Statist. 38, 2916; Eqs. 28–30). Unlike a rule of thumb it
// does not blur narrow modes that lie far apart.
//
// counts [n] is a histogram of any normalisation and neff the effective number
// of draws behind it.
func bandwidth(counts []float64, neff float64) float64 {
	n := len(counts)
	var total float64
	for _, c := range counts {
		total += c
	}
	if total == 0 || neff < 2 {
		return 1
	}
	// The squared cosine coefficients a_k², k ≥ 1 (a DCT-II by one FFT).
	seq := make([]float64, 2*n)
	for i, c := range counts {
		seq[i] = c / total
	}
	coef := fourier.NewFFT(2*n).Coefficients(nil, seq)
	k2, a2 := make([]float64, n-1), make([]float64, n-1)
	for k := 1; k < n; k++ {
		sin, cos := math.Sincos(-math.Pi * float64(k) / float64(2*n))
		a := 2 * (real(coef[k])*cos - imag(coef[k])*sin)
		k2[k-1], a2[k-1] = float64(k*k), a*a
	}
	// ‖f^(s)‖² of the density smoothed with time t, on the unit interval.
	norm := func(s int, t float64) float64 {
		var sum float64
		for i, k := range k2 {
			e := math.Exp(-k * math.Pi * math.Pi * t)
			if e < 1e-20 {
				break
			}
			p := k * k // k^s, s ≥ 2
			for m := 2; m < s; m++ {
				p *= k
			}
			sum += p * a2[i] * e
		}
		return 0.5 * math.Pow(math.Pi, float64(2*s)) * sum
	}
	gap := func(t float64) float64 {
		f := norm(7, t)
		for s := 6; s >= 2; s-- {
			odd := 1.0 // (2s−1)!!
			for m := 3; m <= 2*s-1; m += 2 {
				odd *= float64(m)
			}
			c := (1 + math.Pow(0.5, float64(s)+0.5)) / 3
			f = norm(s, math.Pow(2*c*odd/(neff*math.Sqrt(math.Pi/2)*f), 2/float64(3+2*s)))
		}
		return t - math.Pow(2*neff*math.Sqrt(math.Pi)*f, -0.4)
	}
	// The root nearest zero, by a walk in log t and a bisection.
	lo := 1e-8
	for hi := lo * 4; hi < 0.1; lo, hi = hi, hi*4 {
		if gap(lo) < 0 && gap(hi) >= 0 {
			for range 9 { // to 0.3 %
				if mid := math.Sqrt(lo * hi); gap(mid) < 0 {
					lo = mid
				} else {
					hi = mid
				}
			}
			return math.Sqrt(hi) * float64(n)
		}
	}
	// No root: Silverman's rule on the spread of the histogram.
	var mean, sq float64
	for i, c := range counts {
		mean += float64(i) * c / total
		sq += float64(i) * float64(i) * c / total
	}
	return math.Max(1, 1.06*math.Sqrt(math.Max(sq-mean*mean, 0))*math.Pow(neff, -0.2))
}
