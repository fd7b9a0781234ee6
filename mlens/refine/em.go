package refine

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

const (
	// maxParts is the largest number of t distributions that are fitted to a mode's draws, and
	// again to its emulator; what lies along its valleys comes on top.
	maxParts = 8
	// wanted is the effective sample size that a fit needs for a mode and for each
	// of its parts; with less the weights are flattened.
	wanted, wantedEach = 30, 10
	// A mixture gets one part more while the efficiency of its draws is below split
	// and they are worth toSplit draws a part.
	split   = 0.6
	toSplit = 40
)

// fit fits a mixture to weighted draws by expectation maximisation. The weights are
// raised to the largest power up to 1 that leaves enough of them.
func (s space) fit(m mixture, in []*drawn, logW []float64) mixture {
	logW = flatten(logW, float64(wanted+wantedEach*len(m)))
	if e := effective(logW); len(m) < maxParts && e < split*float64(len(in)) && e > float64(toSplit*len(m)) {
		m = s.divide(m)
	}
	total := logSum(logW)
	weights := make([]float64, len(in))
	for i, l := range logW {
		weights[i] = math.Exp(l - total)
	}
	return s.improve(m, in, weights, 5)
}

// improve makes steps of expectation maximisation, as long as no part degenerates.
func (s space) improve(m mixture, in []*drawn, weights []float64, steps int) mixture {
	for range steps {
		next, ok := s.maximise(m, in, weights)
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
	finite := 0
	out := slices.Clone(logW)
	for _, l := range logW {
		if !math.IsInf(l, -1) {
			finite++
		}
	}
	want = min(want, float64(finite)/2)
	at := func(power float64) float64 {
		for i, l := range logW {
			if !math.IsInf(l, -1) {
				out[i] = power * l
			}
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

// flattened returns the weights of draws as flatten leaves them, adding up to 1.
func flattened(in []*drawn, want int) []float64 {
	weights := make([]float64, len(in))
	for i, w := range in {
		weights[i] = w.logWeight(0)
	}
	weights = flatten(weights, float64(want))
	total := logSum(weights)
	for i, l := range weights {
		weights[i] = math.Exp(l - total)
	}
	return weights
}

// divide replaces the heaviest part by two, one to either side along its longest
// axis.
func (s space) divide(m mixture) mixture {
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
		c, ok := s.student(old.weight/2, mean, old.cov)
		if !ok {
			return m
		}
		out = append(out, c)
	}
	return out
}

// maximise makes one step of expectation maximisation. It returns false if a
// part would degenerate.
func (s space) maximise(m mixture, in []*drawn, weights []float64) (mixture, bool) {
	d := len(s)
	type sums struct {
		w, u float64   // Σ weight·responsibility, and times the t distribution's own weight
		y    []float64 // Σ u·(y − mean)
		yy   []float64 // and of the products, by rows up to the diagonal
	}
	acc := make([]sums, len(m))
	for i := range acc {
		acc[i] = sums{y: make([]float64, d), yy: make([]float64, d*(d+1)/2)}
	}
	density, distance2 := make([]float64, len(m)), make([]float64, len(m))
	deltas := make([]float64, len(m)*d)
	var squares float64
	for j, w := range in {
		squares += weights[j] * weights[j]
		var total float64
		for i, c := range m {
			delta := deltas[i*d : (i+1)*d]
			s.delta(delta, w.y, c.mean)
			distance2[i] = c.distance2(delta)
			density[i] = c.weight * c.wound(delta, distance2[i])
			total += density[i]
		}
		if total == 0 {
			continue
		}
		for i := range m {
			share := weights[j] * density[i] / total
			if share < 1e-9*weights[j] {
				continue
			}
			u := share * (degrees + float64(d)) / (degrees + distance2[i])
			a, delta := &acc[i], deltas[i*d:(i+1)*d]
			a.w += share
			a.u += u
			yy := a.yy
			for k := range delta {
				v := u * delta[k]
				a.y[k] += v
				for l, z := range delta[:k+1] {
					yy[l] += v * z
				}
				yy = yy[k+1:]
			}
		}
	}
	// As many draws' worth of the old shape keeps a part from collapsing onto a
	// few draws.
	var out mixture
	for i, c := range m {
		a := acc[i]
		if !(a.u > 0) {
			return nil, false
		}
		n := a.w / squares // effective draws in this part
		keep := float64(d) / (float64(d) + n)
		cov := mat.NewSymDense(d, nil)
		mean := make([]float64, d)
		yy := a.yy
		for k := range mean {
			mean[k] = c.mean[k] + (1-keep)*a.y[k]/a.u
			for l := range k + 1 {
				about := yy[l] - a.y[k]*a.y[l]/a.u // the new mean
				cov.SetSym(k, l, (1-keep)*about/a.w+keep*c.cov.At(k, l))
			}
			yy = yy[k+1:]
		}
		next, ok := s.student(max(a.w, 0.01), mean, cov)
		if !ok {
			return nil, false
		}
		out = append(out, next)
	}
	out.normalise()
	return out, true
}
