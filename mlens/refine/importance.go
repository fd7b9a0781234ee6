package refine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Start is a mode at which sampling begins.
type Start struct {
	X []float64
	// Information is the inverse of the covariance at X as far as the likelihood
	// knows it, as in a [Minimum]; nil where nothing is known but the
	// parameters' scales.
	Information *mat.SymDense
}

// SampleOptions of [Sample]. The zero value is valid.
type SampleOptions struct {
	Seed uint64
	// Budget is the largest number of evaluations of the density; zero means
	// 10,000.
	Budget int
	// ESS is the effective sample size that suffices; zero means 1,000.
	ESS float64
	// Broad is the share of draws from the whole box of the parameters, which
	// keeps weights finite far from the modes; zero means 2 %. There is none
	// where a parameter has no end.
	Broad float64
	// Progress is told of the evaluations made so far and the effective sample
	// size reached; may be nil.
	Progress func(evaluations int, ess float64)
}

func (o SampleOptions) withDefaults(s space) SampleOptions {
	if o.Budget == 0 {
		o.Budget = 10_000
	}
	if o.ESS == 0 {
		o.ESS = 1000
	}
	if o.Broad == 0 {
		o.Broad = 0.02
	}
	for k := range s {
		if math.IsInf(s.spread(k), 1) {
			o.Broad = 0
		}
	}
	return o
}

// Draw is a weighted draw from a density.
type Draw struct {
	X       []float64
	LogProb float64 // of the density at X
	// LogWeight is the logarithm of density over proposal; the mean of the
	// weights estimates the evidence.
	LogWeight float64
	Mode      int // index of the Start to whose neighbourhood it belongs
}

// Share is what a mode has of the density.
type Share struct {
	LogEvidence, LogEvidenceErr float64
	Weight                      float64 // of all the evidence
	ESS                         float64
	Draws                       int
}

// Sampled is a density as importance sampling sees it.
type Sampled struct {
	Draws                       []Draw
	LogEvidence, LogEvidenceErr float64
	ESS, ESSErr                 float64
	KHat                        float64 // see [KHat]
	Modes                       []Share // one for each Start
	Evaluations                 int
}

// Efficiency returns the effective sample size over the evaluations made.
func (s *Sampled) Efficiency() float64 { return s.ESS / float64(s.Evaluations) }

// Sample draws from a density by adaptive importance sampling from mixtures of t
// distributions, which begin at the modes and are fitted to the weighted draws
// round by round: population Monte Carlo (Cappé, Douc, Guillin, Marin & Robert
// 2008), with all draws so far weighted by the mean of all proposals so far
// (Cornuet, Marin, Mira & Robert 2012). Each mode has mixtures of its own and a
// share of the draws also where its evidence is small, so that the evidence of
// each is known. Where weights are concentrated on a few draws, proposals are
// fitted to weights of a lower power first.
//
// It ends at the effective sample size or the budget of the options. The
// same seed gives the same result on any number of processors. When ctx ends,
// its error comes with the result so far.
func Sample(ctx context.Context, p LogProb, params []Parameter, modes []Start, opt SampleOptions) (*Sampled, error) {
	s := newSpace(params)
	if len(modes) == 0 {
		return nil, fmt.Errorf("refine: no modes to begin at")
	}
	for i, m := range modes {
		if len(m.X) != len(params) {
			panic(fmt.Sprintf("refine: mode %d has %d parameters, not %d", i, len(m.X), len(params)))
		}
	}
	r := &run{space: s, p: p, opt: opt.withDefaults(s)}
	for i, m := range modes {
		r.modes = append(r.modes, r.begin(m, i))
	}
	for round := 0; ; round++ {
		n := min(r.roundSize(round), r.opt.Budget-len(r.draws))
		if n <= 0 {
			break
		}
		if err := r.round(ctx, n); err != nil {
			return r.result(), err
		}
		r.weigh()
		ess := r.ess()
		if r.opt.Progress != nil {
			r.opt.Progress(len(r.draws), ess)
		}
		if ess >= r.opt.ESS && round >= 2 && r.allKnown() {
			break
		}
		r.adapt()
	}
	return r.result(), nil
}

// A run is the state of a Sample.
type run struct {
	space space
	p     LogProb
	opt   SampleOptions
	modes []mixture // of each mode, weights adding up to 1
	share []float64 // of each mode in the next round
	draws []drawn
	past  []proposal
}

// A proposal is what a round drew from.
type proposal struct {
	n     int
	parts mixture // of all modes
}

type drawn struct {
	x, y      []float64
	logP      float64 // of the density in y
	logVolume float64
	logQ      float64 // of Σ n·q over the past rounds
	mode      int
}

func (d *drawn) logWeight() float64 { return d.logP - d.logQ }

// begin returns the first proposal of a mode: a t distribution with the
// information of likelihood and prior.
func (r *run) begin(m Start, mode int) mixture {
	d := len(m.X)
	info := mat.NewSymDense(d, nil)
	for j := range d {
		for k := j; k < d; k++ {
			if m.Information != nil {
				info.SetSym(j, k, m.Information.At(j, k)*r.space.slope(j, m.X[j])*r.space.slope(k, m.X[k]))
			}
		}
		spread := r.space.spread(j)
		if m.Information == nil || math.IsInf(spread, 1) {
			spread = min(spread, r.space[j].Scale/r.space.slope(j, m.X[j]))
		}
		info.SetSym(j, j, info.At(j, j)+1/(spread*spread))
	}
	cov := mat.NewSymDense(d, nil)
	var chol mat.Cholesky
	if !chol.Factorize(info) || chol.InverseTo(cov) != nil {
		// Not even the prior's diagonal makes it invertible: leave out how
		// parameters depend on each other.
		cov.Zero()
		for j := range d {
			cov.SetSym(j, j, 1/info.At(j, j))
		}
	}
	c, ok := newStudent(1, r.space.y(m.X), cov, mode)
	if !ok {
		diagonal := mat.NewSymDense(d, nil)
		for j := range d {
			diagonal.SetSym(j, j, cov.At(j, j))
		}
		c, _ = newStudent(1, r.space.y(m.X), diagonal, mode)
	}
	r.share = append(r.share, 1)
	return mixture{c}
}

// roundSize begins with few draws, which the first proposals hardly deserve
// more of.
func (r *run) roundSize(round int) int {
	base := max(200, 100*len(r.modes))
	return base * min(1+round, 5)
}

// round draws n times and evaluates the density there.
func (r *run) round(ctx context.Context, n int) error {
	var parts mixture
	for k, m := range r.modes {
		for _, c := range m {
			p := *c
			p.weight *= r.share[k]
			parts = append(parts, &p)
		}
	}
	parts.normalise()
	first := len(r.draws)
	fresh := make([]drawn, n)
	d := len(r.space)
	forEach(ctx, n, func(i int) {
		g := rand.New(rand.NewPCG(r.opt.Seed, uint64(first+i)))
		w := drawn{x: make([]float64, d), y: make([]float64, d)}
		if g.Float64() < r.opt.Broad {
			for k := range w.y {
				u := g.Float64()
				if w.y[k] = math.Log(u / (1 - u)); r.space[k].Period > 0 {
					w.y[k] = r.space[k].Min + u*r.space[k].Period
				}
			}
		} else {
			parts.draw(w.y, g)
		}
		w.logVolume = r.space.x(w.x, w.y)
		w.logP = r.p(w.x) + w.logVolume
		if w.logP != w.logP {
			w.logP = math.Inf(-1)
		}
		w.logQ = math.Inf(-1)
		fresh[i] = w
	})
	if err := ctx.Err(); err != nil {
		return err // the round is incomplete
	}
	// Old draws under the new proposal, new ones under all.
	r.past = append(r.past, proposal{n, parts})
	r.under(r.draws, r.past[len(r.past)-1:])
	r.under(fresh, r.past)
	r.draws = append(r.draws, fresh...)
	return nil
}

// under adds the proposals' densities to logQ.
func (r *run) under(draws []drawn, past []proposal) {
	forEach(context.Background(), len(draws), func(i int) {
		w := &draws[i]
		for _, p := range past {
			terms, near := workspace(len(p.parts), len(r.space))
			q := p.parts.terms(terms, near, w.y, r.space) + math.Log1p(-r.opt.Broad)
			if r.opt.Broad > 0 {
				q = logAdd(q, math.Log(r.opt.Broad)+r.broad(w.logVolume))
			}
			w.logQ = logAdd(w.logQ, math.Log(float64(p.n))+q)
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

// weigh assigns each draw to the mode whose proposal is the densest there.
func (r *run) weigh() {
	forEach(context.Background(), len(r.draws), func(i int) {
		w := &r.draws[i]
		best := math.Inf(-1)
		for k, m := range r.modes {
			terms, near := workspace(len(m), len(r.space))
			if q := m.terms(terms, near, w.y, r.space); q > best {
				best, w.mode = q, k
			}
		}
	})
}

func (r *run) ess() float64 {
	w := make([]float64, len(r.draws))
	for i := range w {
		w[i] = r.draws[i].logWeight()
	}
	return effective(w)
}

// known is the effective sample size with which a mode's evidence is known to a
// fifth.
const known = 25

// allKnown tells whether the evidence of every mode is.
func (r *run) allKnown() bool {
	for k := range r.modes {
		if effective(r.weightsOf(k)) < known {
			return false
		}
	}
	return true
}

func (r *run) weightsOf(mode int) (w []float64) {
	for i := range r.draws {
		if r.draws[i].mode == mode {
			w = append(w, r.draws[i].logWeight())
		}
	}
	return w
}

// adapt fits the proposals to the draws and shares out the next round.
func (r *run) adapt() {
	evidence := make([]float64, len(r.modes))
	for k := range r.modes {
		r.modes[k] = r.fit(k)
		evidence[k] = logSum(r.weightsOf(k))
	}
	total := logSum(evidence)
	for k := range r.share {
		r.share[k] = 0.02
		if !(effective(r.weightsOf(k)) >= 2*known) {
			r.share[k] = 0.4 / float64(len(r.modes))
		}
		if w := math.Exp(evidence[k] - total); w > 0 {
			r.share[k] += w
		}
	}
}

// result pools the draws.
func (r *run) result() *Sampled {
	n := float64(len(r.draws))
	out := &Sampled{Evaluations: len(r.draws), Modes: make([]Share, len(r.modes))}
	logW := make([]float64, len(r.draws))
	byMode := make([][]float64, len(r.modes))
	for i := range r.draws {
		w := &r.draws[i]
		logW[i] = w.logWeight() + math.Log(n)
		out.Draws = append(out.Draws, Draw{X: w.x, LogProb: w.logP - w.logVolume, LogWeight: logW[i], Mode: w.mode})
		byMode[w.mode] = append(byMode[w.mode], logW[i])
	}
	out.LogEvidence = logSum(logW) - math.Log(n)
	out.ESS = effective(logW)
	out.LogEvidenceErr = math.Sqrt(max(0, 1/out.ESS-1/n))
	out.ESSErr = bootstrapESS(logW, r.opt.Seed)
	out.KHat = KHat(logW)
	for k, w := range byMode {
		m := &out.Modes[k]
		m.LogEvidence, m.ESS, m.Draws = logSum(w)-math.Log(n), effective(w), len(w)
		m.LogEvidenceErr = math.Sqrt(max(0, 1/m.ESS-1/n))
		m.Weight = math.Exp(m.LogEvidence - out.LogEvidence)
	}
	return out
}

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

// workspace is what [mixture.terms] writes to.
func workspace(n, dim int) ([]float64, [][]float64) {
	terms, near := make([]float64, n), make([][]float64, n)
	for i := range near {
		near[i] = make([]float64, dim)
	}
	return terms, near
}

// forEach calls f(0) … f(n−1) from as many goroutines as there are processors,
// until ctx ends.
func forEach(ctx context.Context, n int, f func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wg.Wait()
}
