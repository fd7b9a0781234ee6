package maf

import "math"

// A rational-quadratic spline (Durkan et al. 2019) maps [−SplineBound, SplineBound] onto itself, in
// bins of at least SplineLeast of the whole, with slopes of at least SplineLeast; outside it is the
// identity. SplineShift makes the slope 1 where its raw value is 0.
const (
	SplineBound = 4.0
	SplineLeast = 1e-3
)

// SplineShift is ln(e^{1−SplineLeast} − 1).
var SplineShift = math.Log(math.Expm1(1 - SplineLeast))

// splines passes a tile of one variable through its splines: raw [3·bins−1][tile] describes them by
// the logits of the bins' widths and heights, and the raw slopes between bins. It replaces v by the
// spline of it, or by the inverse, and stores the logarithm of the spline's slope, at the point on
// its lower side, in logSlope.
func splines(v, logSlope *[tileSize]float32, raw []float32, bins int, inverse bool) {
	// Softmax of both sets of logits, up to the sum.
	var sums [2][tileSize]float32
	for part := range sums {
		var top [tileSize]float32
		for k := range bins {
			r := row(raw, part*bins+k)
			for s, x := range r {
				if k == 0 || x > top[s] {
					top[s] = x
				}
			}
		}
		for k := range bins {
			r := row(raw, part*bins+k)
			expOf(r, &top)
			for s, x := range r {
				sums[part][s] += x
			}
		}
	}
	for s := range v {
		if x := float64(v[s]); x > -SplineBound && x < SplineBound {
			y, l := splineAt(x, raw, s, bins, float64(sums[0][s]), float64(sums[1][s]), inverse)
			v[s], logSlope[s] = float32(y), float32(l)
		} else {
			logSlope[s] = 0
		}
	}
}

// splineAt is the spline of sample s at x, or its inverse at x, and the logarithm of the slope of
// the spline there.
func splineAt(x float64, raw []float32, s, bins int, sumWidth, sumHeight float64, inverse bool) (y, logSlope float64) {
	size := func(part, k int, sum float64) float64 {
		return 2 * SplineBound * (SplineLeast + (1-SplineLeast*float64(bins))*float64(raw[(part*bins+k)*tileSize+s])/sum)
	}
	slope := func(k int) float64 { // at the lower end of bin k
		if k == 0 || k == bins {
			return 1
		}
		r := float64(raw[(2*bins+k-1)*tileSize+s]) + SplineShift
		return SplineLeast + max(r, 0) + math.Log1p(math.Exp(-math.Abs(r)))
	}
	x0, y0 := -SplineBound, -SplineBound
	k := 0
	w, h := size(0, 0, sumWidth), size(1, 0, sumHeight)
	for k < bins-1 && (inverse && x >= y0+h || !inverse && x >= x0+w) {
		x0, y0 = x0+w, y0+h
		k++
		w, h = size(0, k, sumWidth), size(1, k, sumHeight)
	}
	d0, d1, m := slope(k), slope(k+1), h/w
	bend := d0 + d1 - 2*m
	var u float64
	if inverse {
		t := x - y0
		a, b, c := h*(m-d0)+t*bend, h*d0-t*bend, -m*t
		u = 2 * c / (-b - math.Sqrt(max(b*b-4*a*c, 0)))
		u = min(max(u, 0), 1)
		y = x0 + u*w
	} else {
		u = min((x-x0)/w, 1)
	}
	v := 1 - u
	den := m + bend*u*v
	if !inverse {
		y = y0 + h*(m*u*u+d0*u*v)/den
	}
	return y, math.Log(m * m / (den * den) * (d1*u*u + 2*m*u*v + d0*v*v))
}
