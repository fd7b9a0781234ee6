package refine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// EnsembleOptions of [Ensemble]. The zero value is valid.
type EnsembleOptions struct {
	Seed uint64
	// Walkers is the number of chains; zero means four times the number of
	// parameters, at least 32. It is made even.
	Walkers int
	// Steps is the number of steps of each walker, the first half of which is
	// thrown away; zero means 1,000.
	Steps int
	// Onward says that the walkers go on from the last places of a chain: none of
	// their steps is thrown away. The seed should be another than the chain's.
	Onward bool
	// Before, unless nil, is a cheaper density that is nearly the same: a move that it does not
	// accept is not asked of the other, of which the chain is all the same (Christen & Fox 2005).
	Before LogProb
	// Modes, unless there are less than two, are places in each of several modes, twice as many as
	// parameters at least: every fifth move takes a walker from the mode that it is in to another,
	// by the affine map that takes places of the one to places of the other. The chain is of the same
	// density, wherever they are.
	Modes [][][]float64
	// Progress is told of steps made; may be nil.
	Progress func(done, total int)
}

// Chain is what an ensemble has walked through after its burn-in, if it had one.
type Chain struct {
	// X holds the parameters, [step][walker][parameter]; LogProb the density there.
	X       [][][]float64
	LogProb [][]float64
	// Accepted is the fraction of moves accepted.
	Accepted float64
	// Time is the integrated autocorrelation time, in steps, and RHat the split
	// R̂ of the ensemble, each that of the worst parameter.
	Time, RHat  float64
	Evaluations int // of the density, not of that before it
}

// Ensemble draws from a density by an ensemble of walkers, moved by differential
// evolution (ter Braak 2006) nine times in ten, a tenth of these as long as from mode
// to mode, and else by stretches (Goodman & Weare 2010); both moves are invariant
// under affine maps of the parameters. Where modes are named, one move in five is a
// jump between these instead. Half of the walkers moves
// at a time, in parallel, as the other half directs it (Foreman-Mackey et al.
// 2013).
//
// starts are places of some density, to which the walkers are dealt out in turn:
// draws from a posterior, not single points. The same seed gives the same chain
// on any number of processors. When ctx ends, its error comes with the chain so
// far, nil if no walker has started.
func Ensemble(ctx context.Context, p LogProb, params []Parameter, starts [][]float64, opt EnsembleOptions) (*Chain, error) {
	s := newSpace(params)
	d := len(params)
	if opt.Walkers == 0 {
		opt.Walkers = max(32, 4*d)
	}
	opt.Walkers += opt.Walkers % 2
	if opt.Walkers < 2*(d+1) {
		return nil, fmt.Errorf("refine: %d walkers cannot explore %d parameters; at least %d are needed", opt.Walkers, d, 2*(d+1))
	}
	if opt.Steps == 0 {
		opt.Steps = 1000
	}
	if len(starts) == 0 {
		return nil, fmt.Errorf("refine: no places for the walkers to start from")
	}
	w := &walkers{space: s, p: p, before: opt.Before, seed: opt.Seed}
	if len(opt.Modes) > 1 {
		var err error
		if w.jumps, err = newJumps(s, opt.Modes); err != nil {
			return nil, err
		}
	}
	if err := w.begin(ctx, starts, opt.Walkers); err != nil {
		return nil, err
	}
	out := &Chain{}
	accepted, moves := 0, 0
	for step := range opt.Steps {
		n, err := w.step(ctx, step)
		if err != nil {
			out.sumUp(s, w.calls)
			return out, err
		}
		if opt.Onward || step >= opt.Steps/2 {
			accepted, moves = accepted+n, moves+opt.Walkers
			out.Accepted = float64(accepted) / float64(moves)
			out.add(w)
		}
		if opt.Progress != nil {
			opt.Progress(step+1, opt.Steps)
		}
	}
	out.sumUp(s, w.calls)
	return out, nil
}

type walkers struct {
	space     space
	p, before LogProb
	seed      uint64
	jumps     *jumps // nil: none
	all       []walker
	calls     int
}

type walker struct {
	x, y            []float64
	logP, logBefore float64 // in y; the latter 0 if nothing comes before
	logVolume       float64
}

// place returns a walker at y of which the density is not known yet.
func (w *walkers) place(y []float64) walker {
	n := walker{x: make([]float64, len(y)), y: y}
	n.logVolume = w.space.x(n.x, y)
	if w.before != nil {
		n.logBefore = w.in(w.before, &n)
	}
	return n
}

func (w *walkers) at(y []float64) walker {
	n := w.place(y)
	n.logP = w.in(w.p, &n)
	return n
}

// in returns a density of a walker's y.
func (w *walkers) in(p LogProb, n *walker) float64 {
	ln := p(n.x) + n.logVolume
	if ln != ln {
		return math.Inf(-1)
	}
	return ln
}

func (w *walkers) begin(ctx context.Context, starts [][]float64, n int) error {
	w.all = make([]walker, n)
	calls := make([]int, n)
	at := func(i int, y []float64) {
		w.all[i] = w.at(y)
		calls[i]++
	}
	forEach(ctx, n, func(i int) {
		start := w.space.y(starts[i%len(starts)])
		if i < len(starts) {
			at(i, start)
			return
		}
		// Walkers in one place would never part; but beside it the density may vanish.
		g := rand.New(rand.NewPCG(w.seed, 1<<61+uint64(i)))
		for beside := 1e-3; beside > 1e-9; beside /= 4 {
			y := slices.Clone(start)
			for k := range y {
				y[k] += beside * min(w.space.spread(k), w.space[k].Scale) * g.NormFloat64()
			}
			if at(i, y); w.all[i].alive() {
				return
			}
		}
	})
	for _, c := range calls {
		w.calls += c
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range w.all {
		if !w.all[i].alive() {
			return fmt.Errorf("refine: the density vanishes where walker %d starts, at %.6g", i, w.all[i].x)
		}
	}
	return nil
}

func (n *walker) alive() bool { return !math.IsInf(n.logP, -1) && !math.IsInf(n.logBefore, -1) }

// step moves each half once and returns how many moves were accepted.
func (w *walkers) step(ctx context.Context, step int) (accepted int, err error) {
	half := len(w.all) / 2
	for side := range 2 {
		moving, others := w.all[side*half:][:half], w.all[(1-side)*half:][:half]
		moved, asked := make([]bool, half), make([]bool, half)
		forEach(ctx, half, func(i int) {
			g := rand.New(rand.NewPCG(w.seed, (uint64(step)*2+uint64(side))*uint64(half)+uint64(i)))
			y, logFactor := w.propose(moving[i].y, others, g)
			if math.IsInf(logFactor, -1) {
				return
			}
			next := w.place(y)
			if w.before != nil {
				gain := next.logBefore - moving[i].logBefore
				if !(math.Log(g.Float64()) < logFactor+gain) {
					return
				}
				logFactor = -gain
			}
			asked[i] = true
			next.logP = w.in(w.p, &next)
			if math.Log(g.Float64()) < logFactor+next.logP-moving[i].logP {
				moving[i], moved[i] = next, true
			}
		})
		if err := ctx.Err(); err != nil {
			return accepted, err
		}
		for i := range half {
			if asked[i] {
				w.calls++
			}
			if moved[i] {
				accepted++
			}
		}
	}
	return accepted, nil
}

// propose returns a place for a walker at y, as the others direct it, and the
// logarithm of the factor in its acceptance.
func (w *walkers) propose(y []float64, others []walker, g *rand.Rand) ([]float64, float64) {
	if w.jumps != nil && g.Float64() < 0.2 {
		return w.jumps.from(y, g)
	}
	d := len(y)
	next := make([]float64, d)
	if g.Float64() < 0.1 { // a stretch
		const a = 2
		o := others[g.IntN(len(others))].y
		u := g.Float64()
		z := (1 + u*(a-1)) * (1 + u*(a-1)) / a // density ∝ 1/√z on [1/a, a]
		for k := range next {
			d := z * w.difference(k, y[k], o[k])
			if p := w.space[k].Period; p > 0 && math.Abs(d) > p/2 {
				return y, math.Inf(-1) // the way back would be the other way round
			}
			next[k] = o[k] + d
		}
		return next, float64(d-1) * math.Log(z)
	}
	i := g.IntN(len(others))
	j := g.IntN(len(others) - 1)
	if j >= i {
		j++
	}
	gamma := 2.38 / math.Sqrt(2*float64(d))
	switch u := g.Float64(); {
	case u < 0.1: // from mode to mode
		gamma = 1
	case u < 0.5: // round the bends of what is not Gaussian
		gamma *= 0.3
	}
	for k := range next {
		delta := w.difference(k, others[i].y[k], others[j].y[k])
		next[k] = y[k] + gamma*delta + 1e-5*min(w.space.spread(k), w.space[k].Scale)*g.NormFloat64()
	}
	return next, 0
}

// difference is a − b, the short way round for an angle.
func (w *walkers) difference(k int, a, b float64) float64 {
	if p := w.space[k]; p.Period > 0 {
		return p.short(a - b)
	}
	return a - b
}

func (c *Chain) add(w *walkers) {
	x, l := make([][]float64, len(w.all)), make([]float64, len(w.all))
	for i, v := range w.all {
		x[i], l[i] = v.x, v.logP-v.logVolume
	}
	c.X, c.LogProb = append(c.X, x), append(c.LogProb, l)
}

// Thinned returns n of the places as a sample of equal weights, all of one mode: to be taken to
// another density by [Sampled.Reweight], or as guides. It says nothing of the evidence, and nothing
// of how few of the draws are independent.
func (c *Chain) Thinned(n int) *Sampled {
	out := &Sampled{Modes: make([]Share, 1), drawn: n}
	for i := range n {
		step, w := i*len(c.X)/n, i%len(c.X[0]) // each walker as often as others
		out.Draws = append(out.Draws, Draw{X: c.X[step][w], LogProb: c.LogProb[step][w], kept: 1})
	}
	return out
}

// sumUp fills in the diagnostics.
func (c *Chain) sumUp(s space, calls int) {
	c.Evaluations = calls
	if len(c.X) < 4 {
		c.Time, c.RHat = math.NaN(), math.NaN()
		return
	}
	for k := range s {
		series := make([][]float64, len(c.X[0])) // of each walker
		for i := range series {
			series[i] = make([]float64, len(c.X))
			for t := range c.X {
				series[i][t] = c.X[t][i][k]
				if p := s[k]; p.Period > 0 {
					series[i][t] = p.short(series[i][t] - c.X[0][0][k])
				}
			}
		}
		c.Time = max(c.Time, AutocorrelationTime(series))
		c.RHat = max(c.RHat, SplitRHat(series))
	}
}
