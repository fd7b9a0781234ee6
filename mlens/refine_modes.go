package mlens

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// begin makes modes of the solutions, sorted, that differ and promise most of the evidence, and
// returns where sampling begins.
func (r *Refined) begin(ctx context.Context, solutions []Solution) (starts []refine.Start, err error) {
	settled, err := r.post.settle(ctx, solutions)
	if err != nil {
		return nil, err
	}
	params := r.post.ownParameters()
	var chosen []int
	chosen, r.LeftOut = promising(refine.Distinct(settled, params), func(k int) float64 { return settled[k].LogEvidence(params) })
	for _, k := range chosen {
		starts = append(starts, settled[k])
		r.Modes = append(r.Modes, RefinedMode{Solution: solutions[k]})
	}
	return starts, nil
}

// promising returns, sorted, the solutions of most evidence, and number 0, which fits best, in any
// case; and how many of the others would add more than a hundredth to the evidence of these.
func promising(of []int, logEvidence func(k int) float64) (chosen []int, leftOut int) {
	const more = 0.01
	of = slices.Clone(of)
	slices.SortStableFunc(of, func(a, b int) int {
		if (a == 0) != (b == 0) {
			return cmp.Compare(a, b)
		}
		return cmp.Compare(logEvidence(b), logEvidence(a))
	})
	chosen = of[:min(mostModes, len(of))]
	var each []float64
	for _, k := range chosen {
		each = append(each, logEvidence(k))
	}
	for _, k := range of[len(chosen):] {
		if logEvidence(k) > floats.LogSumExp(each)+math.Log(more) {
			leftOut++
		}
	}
	slices.Sort(chosen)
	return chosen, leftOut
}

// settle returns where draws from the neighbourhood of each solution are best
// centred, in the frame of the prior.
func (p *Posterior) settle(ctx context.Context, solutions []Solution) ([]refine.Start, error) {
	out := make([]refine.Start, len(solutions))
	err := parallel(ctx, len(solutions), func(i int) {
		s := solutions[i]
		x := p.own(s.Params[:event.Fs])
		out[i] = refine.Start{X: x, Information: s.Information}
		r, n, err := p.surprise(s.Params, event.Fine)
		if err != nil {
			return
		}
		at, ok, err := refine.Settle(ctx, r, n, x, p.ownParameters(), refine.Options{Iterations: 100})
		if ok && err == nil {
			out[i] = at
		}
	}, nil)
	return out, err
}

// trace adds to the starts that promise most of the evidence the places along their valleys.
func (p *Posterior) trace(ctx context.Context, starts []refine.Start) ([]refine.Start, error) {
	const (
		most = 4
		rest = 0.05 // of the evidence of the best
	)
	params := p.ownParameters()
	promise := func(k int) float64 { return starts[k].LogEvidence(params) }
	order := make([]int, len(starts))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(promise(b), promise(a)) })
	order = order[:min(most, len(order))]
	out := slices.Clone(starts)
	err := parallel(ctx, len(order), func(i int) {
		k := order[i]
		if !(promise(k) > promise(order[0])+math.Log(rest)) {
			return
		}
		var t event.Theta
		copy(t[:], p.fromOwn(starts[k].X))
		t[event.Fs] = 1
		r, n, err := p.surprise(t, rough)
		if err != nil {
			return
		}
		if s, err := refine.Trace(ctx, r, n, starts[k], params); err == nil {
			out[k] = s
		}
	}, nil)
	return out, err
}

// surprise returns residuals and their number, those of the light curve and what the
// prior adds to them, so that the posterior is exp(−½ Σ r²), but for f_s, in the frame of the
// prior. t is where it will be called first, and noise the error of the model's flux.
func (p *Posterior) surprise(t event.Theta, noise float64) (refine.Residuals, int, error) {
	r, err := p.residuals(t, noise, new(event.Fluxes))
	if err != nil {
		return nil, 0, err
	}
	n := p.Window.Len()
	return func(dst, x []float64) error {
		dst[n] = (x[event.LogTE] - p.prior.LogTEMean) / p.prior.LogTESigma
		return r(dst[:n], p.fromOwn(x))
	}, n + 1, nil
}

// follow goes downhill from the best draw of each mode, if that is better than the mode's
// solution. Where most of the mode's draws, by weight, are nearer to what it comes to, they
// have spread from one solution to another, and the mode becomes that. Modes that turn out
// to be the same become one.
func (r *Refined) follow(ctx context.Context, s *refine.Sampled) error {
	const better, worthwhile = 1, 1e-4 // in χ², in weight
	draws := make([][]refine.Draw, len(r.Modes))
	for _, d := range s.Draws {
		draws[d.Mode] = append(draws[d.Mode], d)
	}
	err := parallel(ctx, len(r.Modes), func(k int) {
		m := &r.Modes[k]
		if s.Modes[k].Weight < worthwhile {
			return
		}
		slices.SortFunc(draws[k], func(a, b refine.Draw) int { return cmp.Compare(b.LogWeight, a.LogWeight) })
		best := slices.MaxFunc(draws[k], func(a, b refine.Draw) int { return cmp.Compare(a.LogProb, b.LogProb) })
		at := m.Params
		copy(at[:], best.X)
		if f := r.post.fit(ctx, []event.Theta{at}, event.Fine, nil)[0]; !(f.Chi2 < m.Fluxes.Chi2-better) {
			return
		}
		if found, ok := r.post.polish(ctx, at, 100); ok && mostAreNearer(draws[k], found.Params, m.Params) {
			found.Origin = FromSampling
			m.Solution = found
		}
	}, nil)
	if err != nil {
		return err
	}
	into := make([]int, len(r.Modes))
	var modes []RefinedMode
	// Those that have not moved come first: what moved to another's solution adds to it.
	for _, moved := range []bool{false, true} {
		for k, m := range r.Modes {
			if moved != (m.Origin == FromSampling) {
				continue
			}
			same := func(o RefinedMode) bool { return distance(m.Params, o.Params, sameSolution) < 1 }
			if into[k] = slices.IndexFunc(modes, same); into[k] < 0 {
				into[k] = len(modes)
				modes = append(modes, m)
			}
		}
	}
	r.Modes = modes
	s.Merge(into)
	return nil
}

// mostAreNearer tells whether most draws, by weight, are nearer to a than to b. The first
// weighs most.
func mostAreNearer(draws []refine.Draw, a, b event.Theta) bool {
	var nearer, all float64
	for _, d := range draws {
		far := func(s event.Theta) float64 {
			t := s // f_s is not looked at
			copy(t[:], d.X)
			return distance(t, s, apart)
		}
		w := math.Exp(d.LogWeight - draws[0].LogWeight)
		if all += w; far(a) < far(b) {
			nearer += w
		}
	}
	return nearer > all/2
}

// explore adds the solutions to which draws lead that are far from all others, where many are
// together. Where a light curve says little its minima are many, and those that fit best are not
// those about which most of the posterior is.
func (r *Refined) explore(ctx context.Context, s *refine.Sampled, seed uint64) error {
	const (
		equal = 500 // draws of equal weight
		crowd = 5   // of them: a hundredth
		most  = 8   // descents
	)
	theta := func(d refine.Draw) (t event.Theta) {
		copy(t[:], d.X)
		return t
	}
	far := func(a, b event.Theta) float64 {
		a[event.Fs], b[event.Fs] = 1, 1
		f := r.post.prior.Frame // a valley of wide pairs is long about the centre of mass
		return distance(a.From(f), b.From(f), apart)
	}
	var alone []refine.Draw
	for _, i := range systematic(s.Draws, everyMode, equal, rand.New(rand.NewPCG(seed, 1<<60))) {
		d := s.Draws[i]
		if !slices.ContainsFunc(r.Modes, func(m RefinedMode) bool { return far(theta(d), m.Params) < 1 }) {
			alone = append(alone, d)
		}
	}
	var found []Solution
	for len(found) < most {
		var largest []refine.Draw
		for _, at := range alone {
			var around []refine.Draw
			for _, d := range alone {
				if far(theta(at), theta(d)) < 1 {
					around = append(around, d)
				}
			}
			if len(around) > len(largest) {
				largest = around
			}
		}
		if len(largest) < crowd {
			break
		}
		top := slices.MaxFunc(largest, func(a, b refine.Draw) int { return cmp.Compare(a.LogProb, b.LogProb) })
		best := theta(top)
		best[event.Fs] = r.Modes[top.Mode].Params[event.Fs] // where the precision of the first step is concerned
		found = append(found, Solution{Params: best, Origin: FromSampling})
		alone = slices.DeleteFunc(alone, func(d refine.Draw) bool {
			return slices.ContainsFunc(largest, func(o refine.Draw) bool { return &o.X[0] == &d.X[0] })
		})
	}
	r.post.descend(ctx, found, 100, event.Fine, nil)
	if err := ctx.Err(); err != nil {
		return err
	}
	old := len(r.Modes)
	for _, f := range distinct(found, sameSolution) {
		known := func(m RefinedMode) bool { return distance(f.Params, m.Params, sameSolution) < 1 }
		if f.Converged && !slices.ContainsFunc(r.Modes, known) {
			f.way = nil
			r.Modes = append(r.Modes, RefinedMode{Solution: f})
		}
	}
	if len(r.Modes) == old {
		return nil
	}
	for i := range s.Draws {
		d := &s.Draws[i]
		nearest := far(theta(*d), r.Modes[d.Mode].Params)
		for k := old; k < len(r.Modes); k++ {
			if x := far(theta(*d), r.Modes[k].Params); x < nearest {
				d.Mode, nearest = k, x
			}
		}
	}
	same := make([]int, len(r.Modes))
	for k := range same {
		same[k] = k
	}
	s.Merge(same)
	return nil
}
