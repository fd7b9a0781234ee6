package plots

import (
	"math"
	"sort"
)

// cellEdges divides the range [lo, hi] into cells for the density of a pair,
// and returns their borders with the kernel's standard deviation in cells.
//
// Cells are as wide as a third of the kernel would be in place: the bandwidth
// h, in units of the range, but wide enough for a few of the draws where these
// are sparse. A heavy tail thus has wide cells and kernels along its own axis,
// whatever the other axis is, and a narrow core has fine ones. sorted are the
// draws in order, with the share of the weight up to each.
func cellEdges(lo, hi, h float64, sorted, cum []float64, neff float64) (borders []float64, kernel float64) {
	const fine = 2048
	share := math.Max(1.0/300, math.Min(30/neff, 0.05)) // of the draws, to be inside ±1 kernel
	below := func(x float64) float64 {
		if i := sort.SearchFloat64s(sorted, x); i > 0 {
			return cum[i-1]
		}
		return 0
	}
	dx := (hi - lo) / fine
	least, most := h*(hi-lo), math.Max(h, 0.06)*(hi-lo)
	var width [fine]float64
	for i := range fine {
		x := lo + (float64(i)+0.5)*dx
		a, b := least, most
		if below(x+a)-below(x-a) >= share {
			b = a
		}
		for b-a > 0.02*b {
			if m := (a + b) / 2; below(x+m)-below(x-m) >= share {
				b = m
			} else {
				a = m
			}
		}
		width[i] = b
	}
	// Widths change slowly, so that a kernel is nearly the same on both sides.
	const slope = 0.1
	for i := 1; i < fine; i++ {
		width[i] = math.Min(width[i], width[i-1]+slope*dx)
	}
	for i := fine - 2; i >= 0; i-- {
		width[i] = math.Min(width[i], width[i+1]+slope*dx)
	}
	// The widths' reciprocals, summed, count the kernels up to a place.
	var count [fine + 1]float64
	for i, w := range width {
		count[i+1] = count[i] + dx/w
	}
	n := min(max(int(3*count[fine]), 64), 240)
	borders = make([]float64, n+1)
	borders[0], borders[n] = lo, hi
	i := 0
	for k := 1; k < n; k++ {
		want := count[fine] * float64(k) / float64(n)
		for count[i+1] < want {
			i++
		}
		borders[k] = lo + dx*(float64(i)+(want-count[i])/(count[i+1]-count[i]))
	}
	return borders, float64(n) / count[fine]
}

// cellOf returns the cell of v, −1 outside.
func cellOf(borders []float64, v float64) int32 {
	n := len(borders) - 1
	if v < borders[0] || v > borders[n] {
		return -1
	}
	return int32(min(max(sort.SearchFloat64s(borders, v)-1, 0), n-1))
}
