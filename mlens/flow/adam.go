package flow

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// Adam's constants (Kingma & Ba 2015).
const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

// state is all that training changes: weights, their moving average, and Adam's moments.
type state struct {
	step    int // steps done
	updates int // steps that changed the weights (the others had a gradient that is not finite)
	w       [][]float32
	avg     [][]float32 // nil: no average is kept
	m, v    [][]float32
}

func newState(w [][]float32, average bool) *state {
	s := &state{w: w, m: zerosLike(w), v: zerosLike(w)}
	if average {
		s.avg = zerosLike(w)
		for i := range w {
			copy(s.avg[i], w[i])
		}
	}
	return s
}

func zerosLike(w [][]float32) [][]float32 {
	z := make([][]float32, len(w))
	for i := range w {
		z[i] = make([]float32, len(w[i]))
	}
	return z
}

// best is the set of weights a user gets: the average if there is one.
func (s *state) best() [][]float32 {
	if s.avg != nil {
		return s.avg
	}
	return s.w
}

// chunk is the number of weights that one goroutine updates at a time; sums over a chunk are taken
// in order and added in order, so the result does not depend on the number of processors.
const chunk = 1 << 14

// update takes one step of Adam with the gradient Σ_i grads[i] / n, its global norm limited to clip
// (if positive), and moves the average by 1 − decay. It reports the norm before clipping; if that
// is not finite nothing has changed. grads[0] is overwritten.
func (s *state) update(grads [][][]float32, n int, rate, clip, decay float64) (norm float64) {
	type piece struct{ i, from, to int }
	var pieces []piece
	for i := range s.w {
		for from := 0; from < len(s.w[i]); from += chunk {
			pieces = append(pieces, piece{i, from, min(from+chunk, len(s.w[i]))})
		}
	}
	squares := make([]float64, len(pieces))
	inv := float32(1 / float64(n))
	parallel(len(pieces), func(k int) {
		p := pieces[k]
		g := grads[0][p.i][p.from:p.to]
		for _, more := range grads[1:] {
			for j, v := range more[p.i][p.from:p.to] {
				g[j] += v
			}
		}
		var sum float64
		for j := range g {
			g[j] *= inv
			sum += float64(g[j]) * float64(g[j])
		}
		squares[k] = sum
	})
	for _, q := range squares {
		norm += q
	}
	norm = math.Sqrt(norm)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm
	}
	scale := float32(1)
	if clip > 0 && norm > clip {
		scale = float32(clip / norm)
	}
	s.updates++
	t := float64(s.updates)
	c1, c2 := 1-math.Pow(beta1, t), 1-math.Pow(beta2, t)
	stepSize := float32(rate / c1)
	root2 := float32(1 / math.Sqrt(c2))
	// The average starts at the first weights and forgets them quickly.
	keep := float32(min(decay, (1+t)/(10+t)))
	parallel(len(pieces), func(k int) {
		p := pieces[k]
		g := grads[0][p.i][p.from:p.to]
		w, m, v := s.w[p.i][p.from:p.to], s.m[p.i][p.from:p.to], s.v[p.i][p.from:p.to]
		for j, x := range g {
			x *= scale
			m[j] = beta1*m[j] + (1-beta1)*x
			v[j] = beta2*v[j] + (1-beta2)*x*x
			w[j] -= stepSize * m[j] / (float32(math.Sqrt(float64(v[j])))*root2 + epsilon)
		}
		if s.avg != nil {
			a := s.avg[p.i][p.from:p.to]
			for j := range a {
				a[j] += (1 - keep) * (w[j] - a[j])
			}
		}
	})
	return norm
}

// parallel calls f(0) … f(n−1) from as many goroutines as there are processors.
func parallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		}()
	}
	wg.Wait()
}

// learningRate is the rate of a step: a linear rise over the first warmup steps, under a cosine
// from rate to zero at the last.
func learningRate(step, steps, warmup int, rate float64) float64 {
	r := rate * 0.5 * (1 + math.Cos(math.Pi*float64(step)/float64(steps)))
	if step < warmup {
		r *= float64(step+1) / float64(warmup)
	}
	return r
}
