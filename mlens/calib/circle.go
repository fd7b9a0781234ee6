package calib

import "math"

// Unwrap returns angles of the given period, each moved by whole periods to
// within half a period of their mean direction: there the circle can be
// treated as a line, for medians and quantiles. It is cut where it is farthest
// from the mean direction.
//
// weights, of any scale, are those of the angles; nil means equal ones.
func Unwrap(angles, weights []float64, period float64) []float64 {
	var s, c float64
	for i, a := range angles {
		sin, cos := math.Sincos(2 * math.Pi * a / period)
		if weights != nil {
			sin, cos = weights[i]*sin, weights[i]*cos
		}
		s, c = s+sin, c+cos
	}
	mean := math.Atan2(s, c) / (2 * math.Pi) * period
	out := make([]float64, len(angles))
	for i, a := range angles {
		out[i] = mean + math.Remainder(a-mean, period)
	}
	return out
}
