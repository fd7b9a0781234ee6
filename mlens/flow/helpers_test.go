package flow

import (
	"math"
	"math/rand/v2"
	"testing"
)

// tiny is a network small enough for tests of a second.
func tiny() Config {
	return Config{
		Length: 24, Channels: 2, Scalars: 3, Patch: 2, Dims: []int{8, 12}, Pool: []bool{false, true},
		Context: 10, Dim: 3, Blocks: 3, Hidden: 14, HiddenLayers: 2, Mixture: 3, MaxLogScale: 3, OrderSeed: 5,
	}
}

// branched is tiny with an angle and two branches.
func branched() Config {
	c := tiny()
	c.Circular, c.Bins = 3, 5
	c.Branches = []Branch{
		{Length: 13, Channels: 2, Patch: 2, Dims: []int{6, 8}, Pool: []bool{false, true}, Width: 5},
		{Length: 8, Channels: 1, Patch: 1, Dims: []int{4}, Width: 3},
	}
	return c
}

// randomModel has weights that are far from their beginnings, so that every part of the network
// matters.
func randomModel(c Config, seed uint64) *Model {
	w := c.initial(seed)
	r := rand.New(rand.NewPCG(seed, 1<<40))
	for i, p := range c.params() {
		for j := range w[i] {
			if p.std < 0.05 {
				w[i][j] = float32(r.NormFloat64() * math.Sqrt(0.05/float64(p.dims[0])))
				if p.mask != nil {
					w[i][j] *= p.mask[j]
				}
			}
		}
	}
	return newModel(c, w)
}

// randomBatch is n examples of normal numbers.
func randomBatch(c Config, n int, seed uint64) *Batch {
	b := NewBatch(c, n)
	r := rand.New(rand.NewPCG(seed, 2))
	for _, v := range append([][]float32{b.X, b.C, b.Y}, b.Branches...) {
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
	}
	return b
}

// graphLogProb is the log density from the graph that training uses.
func graphLogProb(t testing.TB, m *Model, b *Batch) []float32 {
	t.Helper()
	backend, err := openBackend("go")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newLogProb(backend, m.Config)
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.tensors(m.weights)
	if err != nil {
		t.Fatal(err)
	}
	lp := make([]float32, b.N)
	if err := p.run(w, b, 0, b.N, true, func(int) []float32 { return lp }); err != nil {
		t.Fatal(err)
	}
	return lp
}

// apart is how far log densities are from others at most: absolutely where those are small, relative
// to them where they are larger than 1.
func apart(a, b []float32) float64 {
	var d float64
	for i := range a {
		if v := math.Abs(float64(a[i])-float64(b[i])) / max(1, math.Abs(float64(b[i]))); v > d || math.IsNaN(v) {
			d = v
		}
	}
	return d
}

// maxDiff is the largest absolute difference.
func maxDiff(a, b []float32) float64 {
	var d float64
	for i := range a {
		if v := math.Abs(float64(a[i]) - float64(b[i])); v > d || math.IsNaN(v) {
			d = v
		}
	}
	return d
}
