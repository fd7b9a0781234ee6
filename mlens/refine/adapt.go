package refine

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

const (
	// maxParts is the largest number of t distributions of one mode's mixture.
	maxParts = 8
	// wanted is the effective sample size that a fit needs for a mode and for each
	// of its parts; with less the weights are flattened.
	wanted, wantedEach = 30, 10
	// A mixture gets one part more while the efficiency of its draws is below split
	// and they are worth toSplit draws a part.
	split   = 0.6
	toSplit = 40
	// Besides its parts, a mixture has an envelope with this share of its weight,
	// and this many times its variance: what lies between the parts and just
	// outside.
	enveloped, envelopeWidth = 0.15, 2
	// guided is the share of draws from the mixture that is fitted to the guide.
	guided = 0.1
)

// adapt fits the proposals to the draws and shares out the next round.
func (r *run) adapt() {
	evidence := make([]float64, len(r.modes))
	for k := range r.modes {
		r.modes[k] = [2]mixture{r.fit(k, 0), r.fit(k, 1)}
		evidence[k] = logSum(r.logWeights(0, k))
	}
	total := logSum(evidence)
	for k := range r.share {
		r.share[k] = 0.02
		if !(effective(r.logWeights(0, k)) >= 2*known) && !r.idle(k) {
			r.share[k] = 0.4 / float64(len(r.modes))
		}
		if w := math.Exp(evidence[k] - total); w > 0 {
			r.share[k] += w
		}
	}
}

// fit returns the mixture of a mode for one half of the draws, fitted to those of
// the other half, by expectation maximisation for t distributions with the draws'
// weights. The weights are raised to the largest power up to 1 that leaves enough
// of them.
func (r *run) fit(mode, half int) mixture {
	m := r.modes[mode][half]
	var in []*drawn
	var logW []float64
	for i := range r.draws {
		if w := &r.draws[i]; w.mode == mode && w.half != half && !math.IsInf(w.logP, -1) {
			in = append(in, w)
			logW = append(logW, w.logWeight(0))
		}
	}
	if len(in) < 4*len(r.space) {
		return m
	}
	logW = flatten(logW, float64(wanted+wantedEach*len(m)))
	if e := effective(logW); len(m) < maxParts && e < split*float64(len(in)) && e > float64(toSplit*len(m)) {
		m = r.divide(m)
	}
	total := logSum(logW)
	weights := make([]float64, len(in))
	for i, l := range logW {
		weights[i] = math.Exp(l - total)
	}
	return r.improve(m, in, weights, 5)
}

// improve makes steps of expectation maximisation, as long as no part degenerates.
func (r *run) improve(m mixture, in []*drawn, weights []float64, steps int) mixture {
	for range steps {
		next, ok := r.maximise(m, in, weights)
		if !ok {
			break
		}
		m = next
	}
	return m
}

// flatten raises weights to the largest power up to 1 that leaves an effective
// sample size of want.
func flatten(logW []float64, want float64) []float64 {
	want = min(want, float64(len(logW))/2)
	out := make([]float64, len(logW))
	at := func(power float64) float64 {
		for i, l := range logW {
			out[i] = power * l
		}
		return effective(out)
	}
	if at(1) >= want {
		return out
	}
	lo, hi := 0.0, 1.0
	for range 40 {
		if mid := (lo + hi) / 2; at(mid) >= want {
			lo = mid
		} else {
			hi = mid
		}
	}
	at(lo)
	return out
}

// divide replaces the heaviest part by two, one to either side along its longest
// axis.
func (r *run) divide(m mixture) mixture {
	heavy := 0
	for i, c := range m {
		if c.weight > m[heavy].weight {
			heavy = i
		}
	}
	old := m[heavy]
	// In units of the spreads, or the axis would be that of the largest unit.
	var eig mat.EigenSym
	d := len(old.mean)
	scaled := mat.NewSymDense(d, nil)
	for j := range d {
		for k := j; k < d; k++ {
			scaled.SetSym(j, k, old.cov.At(j, k)/math.Sqrt(old.cov.At(j, j)*old.cov.At(k, k)))
		}
	}
	if !eig.Factorize(scaled, true) {
		return m
	}
	var axes mat.Dense
	eig.VectorsTo(&axes)
	length := math.Sqrt(eig.Values(nil)[d-1])
	var out mixture
	for i, c := range m {
		if i != heavy {
			out = append(out, c)
		}
	}
	for _, sign := range []float64{-1, 1} {
		mean := make([]float64, d)
		for k := range mean {
			mean[k] = old.mean[k] + sign*0.7*length*axes.At(k, d-1)*math.Sqrt(old.cov.At(k, k))
		}
		c, ok := newStudent(old.weight/2, mean, old.cov)
		if !ok {
			return m
		}
		out = append(out, c)
	}
	return out
}

// maximise makes one step of expectation maximisation. It returns false if a
// part would degenerate.
func (r *run) maximise(m mixture, in []*drawn, weights []float64) (mixture, bool) {
	d := len(r.space)
	type sums struct {
		w, wu float64 // Σ weight·responsibility, and times the t distribution's own weight
		y     []float64
		cov   *mat.SymDense
	}
	acc := make([]sums, len(m))
	for i := range acc {
		acc[i] = sums{y: make([]float64, d), cov: mat.NewSymDense(d, nil)}
	}
	terms, near := workspace(len(m), d)
	pull := make([][]float64, len(in)) // weight of each draw in each part's mean
	images := make([][][]float64, len(in))
	for j, w := range in {
		total := m.terms(terms, near, w.y, r.space)
		pull[j], images[j] = make([]float64, len(m)), make([][]float64, len(m))
		for i, c := range m {
			share := weights[j] * math.Exp(terms[i]-total)
			u := share * (degrees + float64(d)) / (degrees + c.distance2(near[i]))
			acc[i].w += share
			acc[i].wu += u
			pull[j][i] = u
			images[j][i] = slices.Clone(near[i])
			for k := range d {
				acc[i].y[k] += u * near[i][k]
			}
		}
	}
	for i := range m {
		if !(acc[i].wu > 0) {
			return nil, false
		}
		for k := range d {
			acc[i].y[k] /= acc[i].wu
		}
	}
	delta := mat.NewVecDense(d, nil)
	for j := range in {
		for i := range m {
			for k := range d {
				delta.SetVec(k, images[j][i][k]-acc[i].y[k])
			}
			acc[i].cov.SymRankOne(acc[i].cov, pull[j][i], delta)
		}
	}
	// As many draws' worth of the old shape keeps a part from collapsing onto a
	// few draws.
	ess := 0.0
	for _, w := range weights {
		ess += w * w
	}
	ess = 1 / ess
	var out mixture
	for i, c := range m {
		n := acc[i].w * ess // effective draws in this part
		keep := float64(d) / (float64(d) + n)
		cov := mat.NewSymDense(d, nil)
		for j := range d {
			for k := j; k < d; k++ {
				cov.SetSym(j, k, (1-keep)*acc[i].cov.At(j, k)/max(acc[i].w, 1e-300)+keep*c.cov.At(j, k))
			}
		}
		mean := make([]float64, d)
		for k := range mean {
			mean[k] = (1-keep)*acc[i].y[k] + keep*c.mean[k]
		}
		next, ok := newStudent(max(acc[i].w, 0.01), mean, cov)
		if !ok {
			return nil, false
		}
		out = append(out, next)
	}
	out.normalise()
	return out, true
}

// envelope is one t distribution with the mean of a mode's mixture, and wider.
func (r *run) envelope(m mixture) (*student, bool) {
	d := len(r.space)
	mean := make([]float64, d)
	var total float64
	for _, c := range m {
		near := r.space.image(c.mean, m[0].mean)
		for k := range mean {
			mean[k] += c.weight * near[k]
		}
		total += c.weight
	}
	for k := range mean {
		mean[k] /= total
	}
	cov := mat.NewSymDense(d, nil)
	delta := mat.NewVecDense(d, nil)
	for _, c := range m {
		near := r.space.image(c.mean, mean)
		for k := range mean {
			delta.SetVec(k, near[k]-mean[k])
		}
		cov.SymRankOne(cov, envelopeWidth*c.weight/total, delta)
		for j := range d {
			for k := j; k < d; k++ {
				cov.SetSym(j, k, cov.At(j, k)+envelopeWidth*c.weight/total*c.cov.At(j, k))
			}
		}
	}
	return newStudent(1, mean, cov)
}

// follow fits a mixture to draws of equal weight, nil if they are too few.
func (r *run) follow(draws [][]float64) mixture {
	const parts, most = 8, 2000
	if len(draws) < 100 {
		return nil
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
	one, ok := newStudent(1, in[0].y, cov)
	if !ok {
		return nil
	}
	whole := r.improve(mixture{one}, in, weights, 10)[0]
	var m mixture
	for i := range parts {
		if c, ok := newStudent(1.0/parts, in[i*len(in)/parts].y, whole.cov); ok {
			m = append(m, c)
		}
	}
	return r.improve(m, in, weights, 30)
}
