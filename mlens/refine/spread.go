package refine

import (
	"math"
	"math/rand/v2"
)

// Spread returns up to n of the draws, none twice, drawn by their weights if those are as good as n
// equal ones, and else by weights of the power that makes them so: places to start walkers at that
// do not all stand on the few draws that weigh most. Draws of no weight are left out.
func (s *Sampled) Spread(n int, seed uint64) [][]float64 {
	logW := make([]float64, len(s.Draws))
	for i, d := range s.Draws {
		logW[i] = d.LogWeight
	}
	logW = flatten(logW, float64(n))
	total := logSum(logW) - math.Log(float64(n))
	sum := rand.New(rand.NewPCG(seed, 1<<58)).Float64()
	var out [][]float64
	for i, l := range logW {
		before := math.Floor(sum)
		if sum += math.Exp(l - total); math.Floor(sum) > before {
			out = append(out, s.Draws[i].X) // once, however much it weighs
		}
	}
	return out
}
