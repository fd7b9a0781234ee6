package refine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Start is a mode at which sampling begins.
type Start struct {
	X []float64
	// Information is the inverse of the covariance at X as far as the likelihood
	// knows it, as in a [Minimum]; nil where nothing is known but the
	// parameters' scales.
	Information *mat.SymDense

	settled *mat.SymDense // all that is known, in the coordinates of a space; see [Settle]
	chi2    float64
	along   []Start // more places of the same mode; see [Trace]
}

// SampleOptions of [Sample]. The zero value is valid.
type SampleOptions struct {
	Seed uint64
	// Budget is the largest number of evaluations of the density, but for Good; zero means
	// 10,000.
	Budget int
	// Good tells, when ESS is reached or the budget is spent, whether the result will do; if not,
	// it goes on, to twice the budget at most. nil: it will.
	Good func(*Sampled) bool
	// ESS is the effective sample size that suffices; zero means 1,000.
	ESS float64
	// Broad is the share of draws from the whole box of the parameters, which
	// keeps weights finite far from the modes; zero means 2 %. There is none
	// where a parameter has no end.
	Broad float64
	// Guide are draws from a density that covers this one, if only roughly; none of them may
	// be the Source's too. A mixture
	// fitted to them, and later to all draws, gets a tenth of the draws at first, and then
	// as many as it explains, from a twentieth to a half: no region is forgotten. At
	// least a hundred are of use.
	Guide [][]float64
	// Source is a density known beside this one, from which some draws come as they are; nil:
	// none.
	Source *Source
	// Residuals is the number of residuals that the density stores where it does not vanish;
	// zero: none, and it is not asked.
	Residuals int
	// Progress is told of the evaluations made so far and the effective sample
	// size reached; may be nil.
	Progress func(evaluations int, ess float64)
}

// A Source is a density that others know: that of a network, say. It gets a tenth of the draws
// at first, and then as many as it explains, from a fiftieth to a half.
type Source struct {
	// Draws are independent and from it; where one is outside of the parameters' ranges there
	// is nothing. None is used twice, and some not at all. They become X of a [Draw] as they are.
	Draws [][]float64
	// LogDensity stores its logarithm, normalised, at places where the density p that is sampled
	// has just been evaluated and does not vanish.
	//
	// The Source may be a density s(x, z) of more variables, of which p(x) is the integral
	// of p(x)·p(z|x). Each draw of the Source has its z then, each other one gets one from
	// p(z|x), and this is ln s(x, z) − ln p(z|x).
	LogDensity func(dst []float64, xs [][]float64)
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

	kept float64 // probability with which [Sampled.Reweight] kept it; 1 in a Sample's own
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

	drawn int // those of the Draws included that Reweight did not keep
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
// fitted to weights of a lower power first. What no proposal ever draws, no
// diagnostic misses: where valleys may be thin and bent, let [Trace] go along them first.
//
// Where the density tells its residuals, a few hundred draws of a mode are worth far more
// than their weights: polynomials through the residuals emulate the density about the mode,
// and one more mixture is fitted to that, at no price in evaluations. The emulator decides
// only where draws come from.
//
// Draws of a [Source], and from the whole box, mix with these, and count like all others.
//
// The draws are two halves, each with a proposal that is fitted to the other: a
// proposal that has been fitted to the very draws that it weighs makes them too
// light, and the evidence too small. What is left of that is a few hundredths of ln Z
// where tails are heavy, with errors that are then too small by a factor of two. The first
// rounds teach, and do not count.
//
// It ends at the effective sample size or the budget of the options. The
// same seed gives the same result on any number of processors. When ctx ends,
// its error comes with the result so far.
func Sample(ctx context.Context, p Observed, params []Parameter, modes []Start, opt SampleOptions) (*Sampled, error) {
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
	for _, m := range modes {
		first := mixture{r.begin(m)}
		of := learned{direct: first}
		along := r.beginAlong(m)
		r.traced = append(r.traced, along)
		if along != nil {
			first = append(first.scaled(1-tracedFirst), along.scaled(tracedFirst)...)
		}
		r.modes = append(r.modes, [2]mixture{first, first})
		r.learned = append(r.learned, [2]learned{of, of})
		r.share = append(r.share, 1)
	}
	r.guide = r.follow(r.opt.Guide)
	if r.opt.Source != nil && len(r.opt.Source.Draws) > 0 {
		r.source = sourceFirst
	}
	limit := r.opt.Budget
	for {
		if err := r.round(ctx, min(r.roundSize(), limit-len(r.draws))); err != nil {
			return r.result(), err
		}
		r.graduate()
		ess := effective(r.logWeights(r.first, everything))
		if r.opt.Progress != nil {
			r.opt.Progress(len(r.draws), ess)
		}
		r.enough = ess >= r.opt.ESS
		good := func() bool { return r.opt.Good == nil || r.opt.Good(r.result()) }
		if r.enough && len(r.past) > 2*fewestToLearn && r.allKnown() && good() {
			break
		}
		if len(r.draws) >= limit {
			if limit > r.opt.Budget || good() {
				break
			}
			limit *= 2
		}
		r.adapt()
	}
	return r.result(), nil
}

// The first rounds do not count: these, and all in the first fifth.
const fewestToLearn = 4

// graduate decides from which round on draws count.
func (r *run) graduate() {
	var n int
	for i, p := range r.past {
		if i >= min(fewestToLearn, len(r.past)/2) && n >= len(r.draws)/5 {
			r.first = i
			return
		}
		n += p.n
	}
}

// A run is the state of a Sample.
type run struct {
	space   space
	p       Observed
	opt     SampleOptions
	modes   [][2]mixture // of each mode and half, weights adding up to 1
	learned [][2]learned
	traced  []mixture // of each mode, along its valleys: it stays in its proposals
	guide   guide
	source  float64   // share of the Source in the next round
	sourced bool      // it has had one in some round
	taken   int       // of its draws
	share   []float64 // of each mode in the next round
	draws   []drawn
	past    []proposal
	first   int  // of the rounds whose draws count
	enough  bool // of them are effective: what is left is to know each mode
}

type drawn struct {
	x, y      []float64
	logP      float64 // of the density in y
	logVolume float64
	logSource float64 // density of the Source in y
	half      int     // 0 or 1
	round     int
	logQ      []float64 // of n·q of each round, q being the proposal of its half
	mode      int
	residuals []float32 // nil: not known, or not worth keeping
}

// logWeight is the log of the weight among the draws since a round.
func (d *drawn) logWeight(since int) float64 { return d.logP - logSum(d.logQ[since:]) }

// begin returns the first proposal of a mode: a t distribution with the
// information of likelihood and prior.
func (r *run) begin(m Start) *student {
	info := m.settled
	if info == nil {
		info = r.space.widths(m)
	} else {
		info = r.space.turned(info)
	}
	if c, ok := r.space.studentOf(info, 1, r.space.y(m.X)); ok {
		return c
	}
	// Not even the prior makes it invertible: leave out how parameters depend on
	// each other.
	d := len(m.X)
	cov := mat.NewSymDense(d, nil)
	for j := range d {
		cov.SetSym(j, j, 1/info.At(j, j))
	}
	c, ok := r.space.student(1, r.space.y(m.X), cov)
	if !ok {
		panic("refine: a diagonal of positive numbers is not positive definite")
	}
	return c
}

// beginAlong returns a t distribution at each place along the valleys of a mode, nil if it has none.
func (r *run) beginAlong(m Start) (along mixture) {
	const least = 0.1 // of the weight of the start: what is seldom drawn from is not known
	for _, a := range m.along {
		c := r.begin(a)
		c.weight = min(max(math.Exp(a.LogEvidence(r.space)-m.LogEvidence(r.space)), least), 1)
		along = append(along, c)
	}
	along.normalise()
	return along
}

// known is the effective sample size with which a mode's evidence is known to a
// fifth. One with less than minor of all needs to be glimpsed only, to a third, or to have
// had its chance in so many draws from it; a negligible one a smaller chance.
const (
	known, glimpsed     = 25, 9
	minor, negligible   = 1e-2, 1e-6
	chance, smallChance = 200, 50
)

// isKnown tells whether the evidence of a mode is known, by its draws since a round, of which
// all weigh e^total.
func (r *run) isKnown(mode, since int, total float64) bool {
	w := r.logWeights(since, mode)
	var tried float64
	for _, p := range r.past[since:] {
		tried += p.each[mode]
	}
	ess, share := effective(w), math.Exp(logSum(w)-total)
	switch {
	case share < negligible:
		return ess >= glimpsed || tried >= smallChance
	case share < minor:
		return ess >= glimpsed || tried >= chance
	}
	return ess >= known
}

// allKnown tells whether the evidence of every mode is.
func (r *run) allKnown() bool {
	total := logSum(r.logWeights(r.first, everything))
	for k := range r.modes {
		if !r.isKnown(k, r.first, total) {
			return false
		}
	}
	return true
}

// everything is the mode of all draws.
const everything = -1

// logWeights returns those of a mode's draws since a round.
func (r *run) logWeights(since, mode int) (w []float64) {
	for i := range r.draws {
		if d := &r.draws[i]; d.round >= since && (mode == everything || d.mode == mode) {
			w = append(w, d.logWeight(since))
		}
	}
	return w
}

// result pools the draws.
func (r *run) result() *Sampled {
	logW := r.logWeights(r.first, everything)
	n := float64(len(logW))
	out := &Sampled{Evaluations: len(r.draws), Modes: make([]Share, len(r.modes))}
	for i := range r.draws {
		w := &r.draws[i]
		if w.round < r.first {
			continue
		}
		k := len(out.Draws)
		logW[k] += math.Log(n)
		out.Draws = append(out.Draws, Draw{X: w.x, LogProb: w.logP - w.logVolume, LogWeight: logW[k], Mode: w.mode, kept: 1})
	}
	out.drawn = len(out.Draws)
	out.KHat = KHat(logW)
	out.sumUp(r.opt.Seed)
	return out
}

// sumUp sets all that the weights say but k̂.
func (s *Sampled) sumUp(seed uint64) {
	all := s.logWeights(everything)
	s.ESS, s.ESSErr = effective(all), bootstrapESS(all, seed)
	s.LogEvidence, s.LogEvidenceErr = s.evidence(everything)
	s.sumUpModes()
}

func (s *Sampled) sumUpModes() {
	for k := range s.Modes {
		m, w := &s.Modes[k], s.logWeights(k)
		m.ESS, m.Draws = effective(w), len(w)
		m.LogEvidence, m.LogEvidenceErr = s.evidence(k)
		if m.Weight = 0; m.LogEvidence > math.Inf(-1) {
			m.Weight = math.Exp(m.LogEvidence - s.LogEvidence)
		}
	}
}

// logWeights returns those of a mode's draws.
func (s *Sampled) logWeights(mode int) (w []float64) {
	for _, d := range s.Draws {
		if mode == everything || d.Mode == mode {
			w = append(w, d.LogWeight)
		}
	}
	return w
}

// evidence returns that of a mode, and its error: that of the mean of weights, and where draws
// were chosen, what the choice adds to it (Hájek 1964).
func (s *Sampled) evidence(mode int) (ln, err float64) {
	total := logSum(s.logWeights(mode))
	if math.IsInf(total, -1) {
		return total, 0
	}
	// Shares of the evidence, and the probability of not having been kept.
	var squares, lost, lostShare, scatter float64
	share := func(d Draw) float64 {
		if mode == everything || d.Mode == mode {
			return math.Exp(d.LogWeight - total)
		}
		return 0
	}
	for _, d := range s.Draws {
		v := share(d)
		squares += d.kept * v * v // of a weight before the choice, times that after it
		lost += 1 - d.kept
		lostShare += (1 - d.kept) * v
	}
	if lost > 0 {
		for _, d := range s.Draws {
			e := share(d) - lostShare/lost
			scatter += (1 - d.kept) * e * e
		}
	}
	mean := max(0, squares-1/float64(s.drawn))
	return total - math.Log(float64(len(s.Draws))), math.Sqrt(mean + scatter)
}

// Merge gives the draws of each mode k to the mode into[k]; there are as many modes then as
// the largest of these says.
func (s *Sampled) Merge(into []int) {
	for i := range s.Draws {
		s.Draws[i].Mode = into[s.Draws[i].Mode]
	}
	s.Modes = make([]Share, slices.Max(into)+1)
	s.sumUpModes()
}
