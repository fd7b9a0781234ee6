package refine

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

const (
	// Besides its parts, a mixture has an envelope with this share of its weight,
	// and this many times its variance: what lies between the parts and just
	// outside.
	enveloped, envelopeWidth = 0.15, 6
	// Of a mode's two mixtures, one fitted to its draws and one to its emulator,
	// neither gets less than this share. The first is fitted to weights of this power
	// then, and covers what the other may have missed.
	// A quarter of a nat is a factor e in their shares.
	leastTrusted, widened, steepness = 0.25, 0.6, 4
	// What lies along the valleys of a mode gets tracedFirst of its proposals, and then as much as
	// it explains, within limits.
	tracedFirst, tracedLeast, tracedMost = 0.5, 0.2, 0.7
	// A mode with less than this share gets no emulator.
	emulated = 1e-4
	// Beside the 1 that modes share by their evidence, those of which little is known yet
	// share explored, at most exploredEach each; when nothing else is left to do they share
	// exploredLast. Others get idling at least.
	explored, exploredLast, exploredEach, idling = 0.2, 4, 0.1, 0.005
	// The guide is a mixture of guideParts; its share is what it explains of the draws, within
	// limits. In its fits the guide's own draws count guideOld.
	guideParts                        = 32
	guideFirst, guideLeast, guideMost = 0.1, 0.05, 0.5
	guideOld                          = 0.25
	// The share of the Source likewise.
	sourceFirst, sourceLeast, sourceMost = 0.1, 0.02, 0.5
)

// A guide is the mixture fitted to the draws that [SampleOptions] give, then to all draws
// of the density.
type guide struct {
	draws    []*drawn   // half of those given, which are enough for later fits, at half the price
	mixtures [2]mixture // for each half of the draws
	share    float64
	fitted   int // draws that there were
}

// learned is what one half of the draws tells of a mode.
type learned struct {
	draws    int // when the emulator was fitted
	emulator *emulator
	direct   mixture // fitted to the draws
	emulated mixture // fitted to the emulator
}

// adapt fits the proposals to the draws and shares out the next round.
func (r *run) adapt() {
	evidence := make([]float64, len(r.modes))
	next := make([][2]mixture, len(r.modes))
	for k := range evidence {
		evidence[k] = logSum(r.logWeights(0, k))
	}
	total := logSum(evidence)
	forEach(context.Background(), 2*len(r.modes), func(i int) {
		next[i/2][i%2] = r.fit(i/2, i%2, math.Exp(evidence[i/2]-total))
	})
	for k, along := range r.traced {
		if along != nil {
			share := r.tracedShare(k, next[k])
			for half, m := range next[k] {
				next[k][half] = append(m.scaled(1-share), along.scaled(share)...)
			}
		}
	}
	r.modes = next
	var unknown []int
	for k := range r.share {
		r.share[k] = idling
		if !r.isKnown(k, r.first, total) {
			unknown = append(unknown, k)
		}
	}
	for _, k := range unknown {
		r.share[k] = min(explored/float64(len(unknown)), exploredEach)
		if r.enough {
			r.share[k] = exploredLast / float64(len(unknown))
		}
	}
	for k, e := range evidence {
		if w := math.Exp(e - total); w > 0 {
			r.share[k] += w
		}
	}
	r.adaptGuide()
	r.shareOut(total)
}

// tracedShare returns the share of a mode's proposals that what lies along its valleys gets beside
// what has been learned: what it explains of the draws, within limits.
func (r *run) tracedShare(mode int, learned [2]mixture) float64 {
	logW := r.logWeights(0, mode)
	logW = flatten(logW, wanted+wantedEach*float64(len(r.traced[mode])))
	total := logSum(logW)
	var share float64
	i := 0
	for k := range r.draws {
		w := &r.draws[k]
		if w.mode != mode {
			continue
		}
		if p := math.Exp(logW[i] - total); p > 1e-6 {
			along, other := r.traced[mode].logDensity(w.y), learned[w.half].logDensity(w.y)
			share += p / (1 + math.Exp(other-along))
		}
		i++
	}
	return min(max(share, tracedLeast), tracedMost)
}

// fit returns the mixture of a mode for one half of the draws, fitted to those of
// the other half, and to what an emulator makes of them if the mode has any share worth
// that.
func (r *run) fit(mode, half int, weight float64) mixture {
	var in []*drawn
	var logW []float64
	for i := range r.draws {
		if w := &r.draws[i]; w.mode == mode && w.half != half && !math.IsInf(w.logP, -1) {
			in = append(in, w)
			logW = append(logW, w.logWeight(0))
		}
	}
	l := &r.learned[mode][half]
	if len(in) < 4*len(r.space) {
		return l.direct
	}
	r.emulate(l, in, uint64(2*mode+half), weight > emulated)
	if l.emulator == nil {
		l.direct = r.space.fit(l.direct, in, logW)
		return l.direct
	}
	wide := slices.Clone(logW)
	for i := range wide {
		wide[i] *= widened
	}
	l.direct = r.space.fit(l.direct, in, wide)
	// Who explains the draws better gets the larger share. Those that a mixture was fitted
	// to, it explains better than others, by a nat for each of its numbers over theirs.
	logW = flatten(logW, float64(wanted+wantedEach*len(l.direct)))
	d := len(r.space)
	numbers := float64(len(l.direct) * (d + 1) * (d + 2) / 2)
	better := r.explain(l.emulated, in, logW) - (r.explain(l.direct, in, logW) - numbers/effective(logW))
	share := min(max(1/(1+math.Exp(-steepness*better)), leastTrusted), 1-leastTrusted)
	return append(l.emulated.scaled(share), l.direct.scaled(1-share)...)
}

// explain is the mean logarithm of a mixture over weighted draws.
func (r *run) explain(m mixture, in []*drawn, logW []float64) (mean float64) {
	total := logSum(logW)
	for i, w := range in {
		if p := math.Exp(logW[i] - total); p > 1e-6 {
			mean += p * m.logDensity(w.y)
		}
	}
	return mean
}

// emulate fits an emulator to draws, and a mixture to that, if there are half as many
// draws again as when that was done last, and it is worth it.
func (r *run) emulate(l *learned, in []*drawn, seed uint64, worth bool) {
	if r.opt.Residuals == 0 {
		return
	}
	best := slices.DeleteFunc(slices.Clone(in), func(w *drawn) bool { return w.residuals == nil })
	slices.SortStableFunc(best, func(a, b *drawn) int { return cmp.Compare(b.logP, a.logP) })
	keep := min(len(best), plenty(len(r.space), true))
	for _, w := range best[keep:] {
		w.residuals = nil // they take much memory
	}
	if !worth || len(in) < l.draws*3/2 {
		return
	}
	e := emulate(r.space, best[:keep], true)
	if e == nil {
		e = emulate(r.space, best[:keep], false)
	}
	if e == nil {
		return
	}
	first, rounds := l.emulated, 4
	if first == nil {
		first, rounds = l.direct, 8
	}
	l.draws, l.emulator, l.emulated = len(in), e, r.pursue(e, first, rounds, seed)
}

// pursue returns a mixture that follows an emulator: fitted to weighted draws from
// itself, which cost next to nothing.
func (r *run) pursue(e *emulator, m mixture, rounds int, seed uint64) mixture {
	const draws = 2000
	g := rand.New(rand.NewPCG(r.opt.Seed, 1<<60+seed<<32+uint64(len(r.past))))
	in := make([]*drawn, draws)
	for i := range in {
		in[i] = &drawn{y: make([]float64, len(r.space))}
	}
	logW := make([]float64, draws)
	for range rounds {
		q := r.enveloped(m, 1)
		for i, w := range in {
			q.draw(w.y, g)
			logW[i] = e.logDensity(w.y) - q.logDensity(w.y)
		}
		m = r.space.fit(m, in, logW)
	}
	return m
}

// adaptGuide fits the guide to the draws.
func (r *run) adaptGuide() {
	g := &r.guide
	if len(g.draws) == 0 {
		return
	}
	if len(r.draws) >= g.fitted*3/2 {
		g.fitted = len(r.draws)
		var next [2]mixture
		forEach(context.Background(), 2, func(half int) { next[half] = r.fitGuide(half) })
		g.mixtures = next
	}
}

// shareOut gives guide and Source the shares of the draws that they explain, if those weigh
// e^total.
func (r *run) shareOut(total float64) {
	ofModes := [2]mixture{r.ofModes(0), r.ofModes(1)}
	var modes, guide, source float64
	for i := range r.draws {
		w := &r.draws[i]
		p := math.Exp(w.logWeight(0) - total)
		if p < 1e-6 {
			continue
		}
		// Of each a term of the density of the next round, in units of what is not the Source's.
		m := ofModes[w.half].logDensity(w.y)
		g, o := math.Inf(-1), math.Inf(-1)
		if r.guide.share > 0 {
			g = math.Log(r.guide.share) + r.guide.mixtures[w.half].logDensity(w.y)
			m += math.Log1p(-r.guide.share)
		}
		if r.source > 0 {
			o = w.logSource + math.Log(r.source) - math.Log1p(-r.source)
		}
		all := logAdd(logAdd(m, g), o)
		modes += p * math.Exp(m-all)
		guide += p * math.Exp(g-all)
		source += p * math.Exp(o-all)
	}
	if modes+guide > 0 && r.guide.share > 0 {
		r.guide.share = min(max(guide/(modes+guide), guideLeast), guideMost)
	}
	if all := modes + guide + source; all > 0 && r.source > 0 {
		r.source = min(max(source/all, sourceLeast), sourceMost)
	}
}

// fitGuide returns the guide's mixture for one half of the draws.
func (r *run) fitGuide(half int) mixture {
	g := &r.guide
	var own []*drawn
	for i := range r.draws {
		if w := &r.draws[i]; w.half != half && !math.IsInf(w.logP, -1) {
			own = append(own, w)
		}
	}
	m := g.mixtures[half]
	var weights []float64
	for range g.draws {
		weights = append(weights, guideOld/float64(len(g.draws)))
	}
	for _, p := range flattened(own, wanted+wantedEach*len(m)) {
		weights = append(weights, (1-guideOld)*p)
	}
	return r.space.improve(m, append(slices.Clone(g.draws), own...), weights, 3)
}

// follow returns a guide fitted to draws of equal weight, none if they are too few.
func (r *run) follow(draws [][]float64) (g guide) {
	const most = 4000
	if len(draws) < 100 {
		return g
	}
	in := make([]*drawn, min(len(draws), most))
	weights := make([]float64, len(in))
	for i := range in {
		in[i] = &drawn{y: r.space.y(draws[i])}
		weights[i] = 1 / float64(len(in))
	}
	cov := mat.NewSymDense(len(r.space), nil)
	for k := range r.space {
		w := r.space.spread(k)
		cov.SetSym(k, k, w*w)
	}
	one, ok := r.space.student(1, in[0].y, cov)
	if !ok {
		return g
	}
	whole := r.space.improve(mixture{one}, in, weights, 10)[0]
	var m mixture
	for i := range guideParts {
		if c, ok := r.space.student(1.0/guideParts, in[i*len(in)/guideParts].y, whole.cov); ok {
			m = append(m, c)
		}
	}
	m = r.space.improve(m, in, weights, 30)
	return guide{draws: in[:len(in)/2], mixtures: [2]mixture{m, m}, share: guideFirst}
}

// enveloped returns a mixture with its envelope, of the weight given in all.
func (r *run) enveloped(m mixture, weight float64) mixture {
	if len(m) == 1 {
		return m.scaled(weight)
	}
	c, ok := r.envelope(m)
	if !ok {
		return m.scaled(weight)
	}
	c.weight = weight * enveloped
	return append(m.scaled(weight*(1-enveloped)), c)
}

// envelope is one t distribution with the mean of a mode's mixture, and wider.
func (r *run) envelope(m mixture) (*student, bool) {
	d := len(r.space)
	delta, shift := mat.NewVecDense(d, nil), mat.NewVecDense(d, nil) // the latter from the first mean
	var total float64
	for _, c := range m {
		r.space.delta(delta.RawVector().Data, c.mean, m[0].mean)
		shift.AddScaledVec(shift, c.weight, delta)
		total += c.weight
	}
	shift.ScaleVec(1/total, shift)
	mean := slices.Clone(m[0].mean)
	for k := range mean {
		mean[k] += shift.AtVec(k)
	}
	cov := mat.NewSymDense(d, nil)
	for _, c := range m {
		r.space.delta(delta.RawVector().Data, c.mean, mean)
		cov.SymRankOne(cov, envelopeWidth*c.weight/total, delta)
		for j := range d {
			for k := j; k < d; k++ {
				cov.SetSym(j, k, cov.At(j, k)+envelopeWidth*c.weight/total*c.cov.At(j, k))
			}
		}
	}
	// An angle of which nothing is known needs no more than its circle.
	for k, p := range r.space {
		if wide := math.Sqrt(cov.At(k, k)) / r.space.spread(k); p.Period > 0 && wide > 1 {
			for j := range d {
				cov.SetSym(j, k, cov.At(j, k)/wide)
			}
			cov.SetSym(k, k, cov.At(k, k)/wide)
		}
	}
	return r.space.student(1, mean, cov)
}
