package refine

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// Reweight takes s for a sample from another density, p, of which the one that was sampled is a
// cheap approximation: p is evaluated at some n of the draws, and they are weighted by it.
// Draws are chosen by their weights: the heaviest as they are, of the others each with a
// probability as its weight, and then all with the same one; beside the n also of modes that weigh
// little, forty of each. Where the approximation is right to a factor that does not vary much, nothing
// of it is left in the result; where it varies, that costs effective draws; what it says is not there,
// though p is, nobody will miss. The errors of evidences are those
// of both stages.
//
// Draws of the result have p as their LogProb. KHat is that of the stage that is worse, as equal
// weights say nothing of the tail that the first one had. Where no draw has any weight there are
// none in the result, and its LogEvidence is −Inf. When ctx ends there is no result but its error.
func (s *Sampled) Reweight(ctx context.Context, p LogProb, n int, seed uint64) (*Sampled, error) {
	const ofEach = 40
	logW := make([]float64, len(s.Draws))
	byMode := make([][]float64, len(s.Modes))
	for i, d := range s.Draws {
		logW[i] = d.LogWeight
		byMode[d.Mode] = append(byMode[d.Mode], d.LogWeight)
	}
	all := threshold(logW, n)
	least := make([]float64, len(s.Modes))
	for k, w := range byMode {
		least[k] = min(all, threshold(w, ofEach))
	}
	out := &Sampled{Modes: make([]Share, len(s.Modes)), drawn: s.drawn}
	// As often as the sum of the probabilities passes a whole number.
	sum := rand.New(rand.NewPCG(seed, 1<<59)).Float64()
	for _, d := range s.Draws {
		if math.IsInf(d.LogWeight, -1) {
			continue
		}
		kept := math.Exp(min(0, d.LogWeight-least[d.Mode]))
		before := math.Floor(sum)
		if sum += kept; math.Floor(sum) > before || kept == 1 {
			d.LogWeight, d.kept = max(d.LogWeight, least[d.Mode]), kept*d.kept
			out.Draws = append(out.Draws, d)
		}
	}
	out.Evaluations = len(out.Draws)
	if math.IsInf(all, -1) { // all draws are kept
		all = math.Inf(1)
	}
	second := make([]float64, len(out.Draws)) // the weights, had the first stage spread them evenly
	forEach(ctx, len(out.Draws), func(i int) {
		d := &out.Draws[i]
		exact := p(d.X)
		if exact != exact {
			exact = math.Inf(-1)
		}
		second[i] = min(d.LogWeight, all) + exact - d.LogProb
		d.LogWeight += exact - d.LogProb
		d.LogProb = exact
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// The mean of the weights is that over all draws there were.
	scale := math.Log(float64(len(out.Draws))) - math.Log(float64(len(s.Draws)))
	for i := range out.Draws {
		out.Draws[i].LogWeight += scale
	}
	out.KHat = max(s.KHat, KHat(second))
	out.sumUp(seed)
	return out, nil
}

// threshold returns the logarithm of the weight c for which Σ min(1, w/c) is n, −Inf if there are
// no more than n weights.
func threshold(logW []float64, n int) float64 {
	sorted := slices.DeleteFunc(slices.Clone(logW), func(l float64) bool { return math.IsInf(l, -1) })
	if len(sorted) <= n {
		return math.Inf(-1)
	}
	slices.Sort(sorted)
	slices.Reverse(sorted)
	// Of the heaviest k all are kept, and of the others so many as are left of n.
	rest := logSum(sorted)
	for k, l := range sorted {
		c := rest - math.Log(float64(n-k))
		if l <= c || k+1 == n {
			return c
		}
		// rest without l
		if rest = logSum(sorted[k+1:]); math.IsInf(rest, -1) {
			return l
		}
	}
	return math.Inf(-1)
}
