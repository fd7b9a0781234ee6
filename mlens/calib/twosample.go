package calib

import (
	"math"
	"slices"
)

// TwoSample returns the probability that two samples of one distribution differ as much as a and b
// or more, by the statistic of Kolmogorov and Smirnov, or by Kuiper's where period is not 0:
// that one does not depend on where the circle is cut. na and nb are the numbers of independent
// values that the samples are worth. Both are asymptotic (Stephens 1970). Neither sample may be
// empty.
func TwoSample(a, b []float64, na, nb, period float64) (p float64) {
	a, b = slices.Clone(a), slices.Clone(b)
	if period > 0 {
		for _, s := range [][]float64{a, b} {
			for i, v := range s {
				s[i] = v - period*math.Floor(v/period)
			}
		}
	}
	slices.Sort(a)
	slices.Sort(b)
	var above, below float64
	for i, j := 0, 0; i < len(a) && j < len(b); {
		at := min(a[i], b[j])
		for i < len(a) && a[i] == at {
			i++
		}
		for j < len(b) && b[j] == at {
			j++
		}
		d := float64(i)/float64(len(a)) - float64(j)/float64(len(b))
		above, below = max(above, d), max(below, -d)
	}
	root := math.Sqrt(na * nb / (na + nb))
	if period > 0 {
		return kuiper((above + below) * (root + 0.155 + 0.24/root))
	}
	return kolmogorov(max(above, below) * (root + 0.12 + 0.11/root))
}

// kolmogorov returns the probability of a scaled distance of lambda or more.
func kolmogorov(lambda float64) float64 {
	if lambda < 0.2 { // the series converges slowly, and is 1 to twelve digits
		return 1
	}
	p, sign := 0.0, 2.0
	for k := 1.0; k <= 100; k++ {
		term := math.Exp(-2 * k * k * lambda * lambda)
		p += sign * term
		if term < 1e-12 {
			break
		}
		sign = -sign
	}
	return min(1, max(0, p))
}

// kuiper is kolmogorov for the sum of the distances to both sides.
func kuiper(lambda float64) float64 {
	if lambda < 0.4 {
		return 1
	}
	p := 0.0
	for k := 1.0; k <= 100; k++ {
		x := k * k * lambda * lambda
		term := 2 * (4*x - 1) * math.Exp(-2*x)
		p += term
		if math.Abs(term) < 1e-12 {
			break
		}
	}
	return min(1, max(0, p))
}
