package refine

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat"
)

// effective returns the effective sample size (Σw)²/Σw².
func effective(logW []float64) float64 {
	top := math.Inf(-1)
	for _, l := range logW {
		top = max(top, l)
	}
	if math.IsInf(top, -1) {
		return 0
	}
	var s, s2 float64
	for _, l := range logW {
		w := math.Exp(l - top)
		s += w
		s2 += w * w
	}
	return s * s / s2
}

// bootstrapESS returns the standard deviation of the effective sample size over
// resamplings of the weights.
func bootstrapESS(logW []float64, seed uint64) float64 {
	const times = 50
	g := rand.New(rand.NewPCG(seed, 1<<63))
	ess, again := make([]float64, times), make([]float64, len(logW))
	for b := range ess {
		for i := range again {
			again[i] = logW[g.IntN(len(logW))]
		}
		ess[b] = effective(again)
	}
	return stat.StdDev(ess, nil)
}

func logSum(l []float64) float64 {
	top := math.Inf(-1)
	for _, v := range l {
		top = max(top, v)
	}
	if math.IsInf(top, -1) {
		return top
	}
	var s float64
	for _, v := range l {
		s += math.Exp(v - top)
	}
	return top + math.Log(s)
}

func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(a, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}
