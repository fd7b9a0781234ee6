package refine

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// AutocorrelationTime returns the integrated autocorrelation time of chains,
// [chain][step], in steps: as many steps are worth one independent draw. The
// autocorrelations are averaged over the chains and summed up to five times the
// result (Sokal 1997; Foreman-Mackey et al. 2013). It can be trusted where the
// chains are some fifty times as long. A chain that stands still is one whose steps are all the same.
func AutocorrelationTime(chains [][]float64) float64 {
	n := len(chains[0])
	rho, still := make([]float64, n), 0
	for _, c := range chains {
		mean, variance := stat.PopMeanVariance(c, nil)
		if variance == 0 {
			still++
			continue
		}
		for lag := range min(n, n/2+1) {
			var s float64
			for t := lag; t < n; t++ {
				s += (c[t] - mean) * (c[t-lag] - mean)
			}
			rho[lag] += s / (float64(n) * variance * float64(len(chains)))
		}
	}
	if still == len(chains) {
		return math.Inf(1)
	}
	const window = 5
	tau := 1.0
	for lag := 1; lag <= n/2; lag++ {
		tau += 2 * (rho[lag] + float64(still)/float64(len(chains)))
		if float64(lag) >= window*tau {
			break
		}
	}
	return max(tau, 1)
}

// SplitRHat returns the potential scale reduction R̂ of chains, [chain][step],
// each split into halves (Gelman et al. 2013): close to 1, say below 1.1, where
// they have forgotten where they started. It is +Inf where chains stand still in
// different places.
func SplitRHat(chains [][]float64) float64 {
	var means, variances []float64
	half := len(chains[0]) / 2
	for _, c := range chains {
		for _, part := range [][]float64{c[:half], c[len(c)-half:]} {
			m, v := stat.MeanVariance(part, nil)
			means, variances = append(means, m), append(variances, v)
		}
	}
	within := stat.Mean(variances, nil)
	between := stat.Variance(means, nil)
	if within == 0 && between == 0 {
		return 1
	}
	n := float64(half)
	return math.Sqrt(((n-1)/n*within + between) / within)
}
