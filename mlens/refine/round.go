package refine

import (
	"context"
	"math"
	"math/rand/v2"
)

// A proposal is what a round drew from.
type proposal struct {
	n      int
	parts  [2]mixture // of all modes and the guide, for each half of the draws
	source float64    // share of the Source beside them
	each   []float64  // draws from each mode, in the mean
}

// roundSize is small, because the first proposals hardly deserve more, but gives
// each mode a chance to show what it weighs; and it grows, because each draw is
// weighed against all rounds, and late ones learn little that is new.
func (r *run) roundSize() int {
	return max(250, min(50*len(r.modes), 600), r.opt.Budget/40, len(r.draws)/8)
}

// round draws n times and evaluates the density there.
func (r *run) round(ctx context.Context, n int) error {
	now := proposal{n: n, parts: [2]mixture{r.proposal(0), r.proposal(1)}, source: r.source}
	if now.source > 0 && r.taken+n > len(r.opt.Source.Draws) {
		now.source, r.source = 0, 0 // it might run dry
	}
	r.sourced = r.sourced || now.source > 0
	var all float64
	for _, share := range r.share {
		all += share
	}
	for _, share := range r.share {
		now.each = append(now.each, float64(n)*share/all*(1-r.guide.share)*(1-now.source))
	}
	first := len(r.draws)
	fresh := make([]drawn, n)
	d := len(r.space)
	broad := r.opt.Broad / (1 - now.source*(1-r.opt.Broad)) // of those that are not the Source's
	from := make([]int, n)                                  // which of the Source's draws each is; −1: none
	random := make([]*rand.Rand, n)
	for i := range fresh {
		random[i] = rand.New(rand.NewPCG(r.opt.Seed, uint64(first+i)))
		from[i] = -1
		if now.source > 0 && random[i].Float64() < now.source*(1-r.opt.Broad) {
			from[i] = r.taken
			r.taken++
		}
	}
	forEach(ctx, n, func(i int) {
		g := random[i]
		alive := true
		w := drawn{half: (first + i) % 2, round: len(r.past), logP: math.Inf(-1), logSource: math.Inf(-1)}
		if from[i] >= 0 {
			w.x, w.y = r.opt.Source.Draws[from[i]], make([]float64, d)
			w.logVolume, alive = r.space.exactly(w.y, w.x)
		} else {
			w.x, w.y = make([]float64, d), make([]float64, d)
			if g.Float64() < broad {
				for k := range w.y {
					u := g.Float64()
					if w.y[k] = math.Log(u / (1 - u)); r.space[k].Period > 0 {
						w.y[k] = r.space[k].Min + u*r.space[k].Period
					}
				}
			} else {
				now.parts[w.half].draw(w.y, g)
			}
			w.logVolume = r.space.x(w.x, w.y)
		}
		if alive {
			if r.opt.Residuals > 0 {
				w.residuals = make([]float32, r.opt.Residuals)
			}
			w.logP = r.p(w.x, w.residuals) + w.logVolume
		}
		if !(w.logP > math.Inf(-1)) {
			w.logP, w.residuals = math.Inf(-1), nil
		}
		fresh[i] = w
	})
	if err := ctx.Err(); err != nil {
		return err // the round is incomplete
	}
	r.underSource(fresh)
	// Old draws under the new proposal, new ones under all.
	r.under(r.draws, []proposal{now})
	r.past = append(r.past, now)
	r.under(fresh, r.past)
	r.draws = append(r.draws, fresh...)
	r.assign()
	return nil
}

// underSource sets the Source's density at draws.
func (r *run) underSource(draws []drawn) {
	if !r.sourced {
		return // it has no share in any proposal, and will have none
	}
	var alive []*drawn
	var xs [][]float64
	for i := range draws {
		if w := &draws[i]; !math.IsInf(w.logP, -1) {
			alive, xs = append(alive, w), append(xs, w.x)
		}
	}
	ln := make([]float64, len(xs))
	r.opt.Source.LogDensity(ln, xs)
	const most = 1e6 // +Inf would make NaN of sums; the weight vanishes in both cases
	for i, w := range alive {
		if ln[i] == ln[i] {
			w.logSource = min(ln[i]+w.logVolume, most)
		}
	}
}

// proposal returns the mixture from which a half of the draws comes.
func (r *run) proposal(half int) mixture {
	m, g := r.ofModes(half), r.guide.mixtures[half]
	if len(g) == 0 {
		return m
	}
	return append(m.scaled(1-r.guide.share), g.scaled(r.guide.share)...)
}

// ofModes returns the part of a proposal that comes from the modes.
func (r *run) ofModes(half int) (all mixture) {
	for k, m := range r.modes {
		all = append(all, r.enveloped(m[half], r.share[k])...)
	}
	all.normalise()
	return all
}

// under adds the proposals' densities at the draws.
func (r *run) under(draws []drawn, past []proposal) {
	forEach(context.Background(), len(draws), func(i int) {
		w := &draws[i]
		for _, p := range past {
			q := p.parts[w.half].logDensity(w.y)
			if p.source > 0 {
				q = logAdd(q+math.Log1p(-p.source), w.logSource+math.Log(p.source))
			}
			q += math.Log1p(-r.opt.Broad)
			if r.opt.Broad > 0 {
				q = logAdd(q, math.Log(r.opt.Broad)+r.broad(w.logVolume))
			}
			w.logQ = append(w.logQ, math.Log(float64(p.n))+q)
		}
	})
}

// broad is the density of the whole box in y.
func (r *run) broad(logVolume float64) float64 {
	for _, p := range r.space {
		if p.Period > 0 {
			logVolume -= math.Log(p.Period)
		} else {
			logVolume -= math.Log(p.Max - p.Min)
		}
	}
	return logVolume
}

// assign gives each draw to the mode whose proposal is the densest there.
func (r *run) assign() {
	forEach(context.Background(), len(r.draws), func(i int) {
		w := &r.draws[i]
		best := math.Inf(-1)
		for k, m := range r.modes {
			if q := logAdd(m[0].logDensity(w.y), m[1].logDensity(w.y)); q > best {
				best, w.mode = q, k
			}
		}
	})
}
