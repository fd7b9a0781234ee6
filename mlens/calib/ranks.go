package calib

import (
	"math"
	"sort"
)

// Rank returns the fraction of draws below the truth. Over many events whose
// truths are draws of the prior, the ranks of exact posteriors are uniform on
// [0, 1] (simulation-based calibration, Talts et al. 2018).
func Rank(draws []float64, truth float64) float64 {
	var below, equal float64
	for _, d := range draws {
		switch {
		case d < truth:
			below++
		case d == truth:
			equal++
		}
	}
	return (below + equal/2) / float64(len(draws))
}

// Deviation returns δ, the mean over bins of the absolute difference between
// the fraction of ranks in the bin and 1/bins.
func Deviation(ranks []float64, bins int) float64 {
	count := make([]float64, bins)
	for _, r := range ranks {
		count[min(bins-1, max(0, int(r*float64(bins))))]++
	}
	var d float64
	for _, c := range count {
		d += math.Abs(c/float64(len(ranks)) - 1/float64(bins))
	}
	return d / float64(bins)
}

// KolmogorovUniform returns the Kolmogorov–Smirnov distance of ranks from the
// uniform distribution and the probability of a larger one (asymptotic,
// Stephens 1970).
func KolmogorovUniform(ranks []float64) (distance, p float64) {
	s := append([]float64(nil), ranks...)
	sort.Float64s(s)
	n := float64(len(s))
	for i, r := range s {
		distance = max(distance, float64(i+1)/n-r, r-float64(i)/n)
	}
	return distance, kolmogorov(distance * (math.Sqrt(n) + 0.12 + 0.11/math.Sqrt(n)))
}

// Quantile returns the q-quantile of sorted values.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	x := q * float64(len(sorted)-1)
	i := int(x)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
}
