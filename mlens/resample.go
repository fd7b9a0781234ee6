package mlens

import (
	"math"
	"math/rand/v2"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// The number of draws of equal weight that a refined posterior has is its
// effective sample size within these limits.
const (
	fewestDraws = 200
	mostDraws   = 10_000
)

// resample turns weighted draws into equally likely ones with their f_s, and
// sums up each mode.
func (r *Refined) resample(s *refine.Sampled, d *density, seed uint64) {
	g := rand.New(rand.NewPCG(seed, 1<<62))
	groups := make([][]event.Theta, len(r.Modes))
	// Within each mode systematic resampling, so that improbable ones have draws
	// too; then among all.
	for k := range r.Modes {
		for _, i := range systematic(s.Draws, k, 1000, g) {
			groups[k] = append(groups[k], d.withFs(s.Draws[i].X))
		}
	}
	n := min(max(int(s.ESS), fewestDraws), mostDraws)
	for _, i := range systematic(s.Draws, everyMode, n, g) {
		r.Draws = append(r.Draws, d.withFs(s.Draws[i].X))
	}
	for k := range r.Modes {
		m := &r.Modes[k]
		share := s.Modes[k]
		m.LogEvidence, m.LogEvidenceErr, m.Weight, m.ESS = share.LogEvidence, share.LogEvidenceErr, share.Weight, share.ESS
		const few = 10 // effective draws, which have no width
		if m.Mean, m.Sigma = m.Params, m.parabola(); share.ESS >= few {
			m.Mean, m.Sigma = meanAndSigma(groups[k])
		}
	}
}

// describe sums up each mode from the draws nearest to it: the table must say what
// the figures show.
func (r *Refined) describe() {
	groups := make([][]event.Theta, len(r.Modes))
	for _, t := range r.Draws {
		nearest, best := 0, math.Inf(1)
		for k, m := range r.Modes {
			if d := distance(t, m.Params, sameSolution); d < best {
				nearest, best = k, d
			}
		}
		groups[nearest] = append(groups[nearest], t)
	}
	for k, g := range groups {
		if len(g) > 1 {
			r.Modes[k].Mean, r.Modes[k].Sigma = meanAndSigma(g)
		}
	}
}

// everyMode is the mode of all draws.
const everyMode = -1

// systematic returns the indices of n draws of one mode, each as often as its weight demands.
func systematic(draws []refine.Draw, mode, n int, g *rand.Rand) (out []int) {
	top := math.Inf(-1)
	in := func(d refine.Draw) bool { return mode == everyMode || d.Mode == mode }
	for _, d := range draws {
		if in(d) {
			top = max(top, d.LogWeight)
		}
	}
	if math.IsInf(top, -1) {
		return nil
	}
	var total float64
	for _, d := range draws {
		if in(d) {
			total += math.Exp(d.LogWeight - top)
		}
	}
	step := total / float64(n)
	next := step * g.Float64()
	var sum float64
	for i, d := range draws {
		if !in(d) {
			continue
		}
		for sum += math.Exp(d.LogWeight - top); next < sum && len(out) < n; next += step {
			out = append(out, i)
		}
	}
	return out
}

// meanAndSigma returns mean and standard deviation; α is taken about its circular
// mean.
func meanAndSigma(draws []event.Theta) (mean, sigma event.Theta) {
	var sin, cos float64
	for _, t := range draws {
		s, c := math.Sincos(t[event.Alpha] * math.Pi / 180)
		sin, cos = sin+s, cos+c
	}
	about := math.Atan2(sin, cos) * 180 / math.Pi
	n := float64(len(draws))
	at := func(t event.Theta, k int) float64 {
		if k == event.Alpha {
			return about + math.Remainder(t[k]-about, 360)
		}
		return t[k]
	}
	for k := range mean {
		for _, t := range draws {
			mean[k] += at(t, k) / n
		}
		for _, t := range draws {
			d := at(t, k) - mean[k]
			sigma[k] += d * d / n
		}
		sigma[k] = math.Sqrt(sigma[k])
	}
	mean[event.Alpha] = math.Mod(mean[event.Alpha]+720, 360)
	return mean, sigma
}
