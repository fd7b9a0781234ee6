package refine

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

const (
	// maxParts is the largest number of t distributions of one mode.
	maxParts = 4
	// wanted is the effective sample size that a fit needs for each of its
	// parts; with less the weights are flattened.
	wanted = 30
	// split is the efficiency of a mode's draws below which it gets one part
	// more.
	split = 0.5
)

// fit returns a mixture fitted to the draws of a mode, by expectation
// maximisation for t distributions with the draws' weights. The weights are
// raised to the largest power up to 1 that leaves enough of them.
func (r *run) fit(mode int) mixture {
	m := r.modes[mode]
	var in []*drawn
	var logW []float64
	for i := range r.draws {
		if w := &r.draws[i]; w.mode == mode && !math.IsInf(w.logP, -1) {
			in = append(in, w)
			logW = append(logW, w.logWeight())
		}
	}
	d := len(r.space)
	if len(in) < 4*d {
		return m
	}
	logW, power := flatten(logW, float64(wanted*len(m)))
	if power == 1 && len(m) < maxParts && effective(logW) < split*float64(len(in)) && effective(logW) > 2*wanted*float64(len(m)) {
		m = r.divide(m)
	}
	total := logSum(logW)
	weights := make([]float64, len(in))
	for i, l := range logW {
		weights[i] = math.Exp(l - total)
	}
	for range 5 {
		next, ok := r.maximise(m, in, weights)
		if !ok {
			break
		}
		m = next
	}
	return m
}

// flatten raises weights to the largest power up to 1 that leaves an effective
// sample size of want, and returns that power.
func flatten(logW []float64, want float64) ([]float64, float64) {
	want = min(want, float64(len(logW))/2)
	out := make([]float64, len(logW))
	at := func(power float64) float64 {
		for i, l := range logW {
			out[i] = power * l
		}
		return effective(out)
	}
	if at(1) >= want {
		return out, 1
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
	return out, lo
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
		c, ok := newStudent(old.weight/2, mean, old.cov, old.mode)
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
			images[j][i] = append([]float64(nil), near[i]...)
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
		next, ok := newStudent(max(acc[i].w, 0.01), mean, cov, c.mode)
		if !ok {
			return nil, false
		}
		out = append(out, next)
	}
	out.normalise()
	return out, true
}
