package refine

import (
	"math"
	"slices"
)

// KHat returns the shape k of the generalised Pareto distribution fitted to the
// largest importance weights, the diagnostic of Pareto-smoothed importance
// sampling (Vehtari, Simpson, Gelman, Yao & Gabry 2024): estimates can be
// trusted below 0.7, and the weights have a variance below 0.5. It is NaN if
// fewer than 25 weights are given, all vanish or one is not finite, and −Inf where
// all large weights are equal.
func KHat(logWeights []float64) float64 {
	n := len(logWeights)
	if n < 25 {
		return math.NaN()
	}
	tail := min(n/5, int(3*math.Sqrt(float64(n))))
	sorted := slices.Clone(logWeights)
	slices.Sort(sorted)
	top, threshold := sorted[n-1], sorted[n-tail-1]
	if math.IsNaN(sorted[0]) || math.IsInf(top, 0) { // NaNs are sorted to the front
		return math.NaN()
	}
	x := make([]float64, tail) // exceedances, ascending
	for i := range x {
		x[i] = math.Exp(sorted[n-tail+i]-top) - math.Exp(threshold-top)
	}
	if x[tail-1] <= 0 {
		return math.Inf(-1)
	}
	return paretoShape(x)
}

// paretoShape estimates the shape of a generalised Pareto distribution from
// ascending exceedances, by the quasi-Bayesian method of Zhang & Stephens (2009)
// with the weak prior that draws k to 0.5 of Vehtari et al.
func paretoShape(x []float64) float64 {
	n := len(x)
	m := 30 + int(math.Sqrt(float64(n)))
	quartile := max(x[(n+2)/4-1], 1e-300)
	theta, logL := make([]float64, m), make([]float64, m)
	shape := func(theta float64) (k float64) {
		for _, v := range x {
			k += math.Log1p(-theta * v)
		}
		return k / float64(n)
	}
	for j := range theta {
		theta[j] = 1/x[n-1] + (1-math.Sqrt(float64(m)/(float64(j)+0.5)))/(3*quartile)
		k := shape(theta[j])
		logL[j] = float64(n) * (math.Log(-theta[j]/k) - k - 1)
	}
	var mean, total float64
	for j := range theta {
		var inverse float64
		for _, l := range logL {
			inverse += math.Exp(l - logL[j])
		}
		mean += theta[j] / inverse
		total += 1 / inverse
	}
	k := shape(mean / total)
	return (k*float64(n) + 0.5*10) / (float64(n) + 10)
}
