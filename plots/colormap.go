package plots

import (
	"image/color"
	"math"
)

// viridis are 11 even steps of matplotlib's colour map of that name (Smith &
// van der Walt 2015, public domain): even in lightness, safe for colour-blind
// readers.
var viridis = [...][3]float64{
	{68, 1, 84}, {72, 36, 117}, {65, 68, 135}, {53, 95, 141}, {42, 120, 142}, {33, 145, 140},
	{34, 168, 132}, {68, 191, 112}, {122, 209, 81}, {189, 223, 38}, {253, 231, 37},
}

// colorOf maps t in [0, 1], cut at the ends, to viridis.
func colorOf(t float64) color.NRGBA {
	t = math.Min(math.Max(t, 0), 1) * float64(len(viridis)-1)
	i := min(int(t), len(viridis)-2)
	f := t - float64(i)
	mix := func(k int) uint8 { return uint8(viridis[i][k]*(1-f) + viridis[i+1][k]*f + 0.5) }
	return color.NRGBA{mix(0), mix(1), mix(2), 0xFF}
}
