package flow

import (
	"fmt"
	"math"
	"testing"
)

// This file computes the embedding by plain loops, as its definition reads, to test the graph
// against.

// plainDense is x·w + b, x [n][i], w [i][o]; b may be nil.
func plainDense(x [][]float64, w, b []float32) [][]float64 {
	in := len(x[0])
	out := len(w) / in
	y := make([][]float64, len(x))
	for n := range x {
		y[n] = make([]float64, out)
		for o := range out {
			var s float64
			if b != nil {
				s = float64(b[o])
			}
			for i, v := range x[n] {
				s += v * float64(w[i*out+o])
			}
			y[n][o] = s
		}
	}
	return y
}

func plainReLU(x [][]float64) [][]float64 {
	y := make([][]float64, len(x))
	for n := range x {
		y[n] = make([]float64, len(x[n]))
		for i, v := range x[n] {
			y[n][i] = max(v, 0)
		}
	}
	return y
}

func plainNormReLU(x [][]float64, offset []float32) [][]float64 {
	y := make([][]float64, len(x))
	for n, row := range x {
		var mean, variance float64
		for _, v := range row {
			mean += v / float64(len(row))
		}
		for _, v := range row {
			variance += (v - mean) * (v - mean) / float64(len(row))
		}
		y[n] = make([]float64, len(row))
		for i, v := range row {
			y[n][i] = max(0, (v-mean)/math.Sqrt(variance+normEpsilon)+float64(offset[i]))
		}
	}
	return y
}

func plainConv3(x [][]float64, w []float32) [][]float64 {
	d := len(x[0])
	wide := make([][]float64, len(x))
	for t := range x {
		wide[t] = make([]float64, 3*d)
		for k := range 3 {
			if i := t + k - 1; i >= 0 && i < len(x) {
				copy(wide[t][k*d:], x[i])
			}
		}
	}
	return plainDense(wide, w, nil)
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// plainContext embeds one example.
func plainContext(m *Model, x, s []float32, branches ...[]float32) []float64 {
	c := m.Config
	rows := plainBlocks(m, c.trunk(), "", x)
	var h []float64
	if c.GRU == 0 {
		h = plainHead(m, "", rows)
	}
	for i := range c.GRU {
		n := c.Context
		state := make([]float64, n)
		states := make([][]float64, len(rows))
		for t, p := range plainDense(rows, m.weight("gru%d.wx", i), m.weight("gru%d.b", i)) {
			q := plainDense([][]float64{state}, m.weight("gru%d.wh", i), nil)[0]
			next := make([]float64, n)
			for j := range n {
				r, u := sigmoid(p[j]+q[j]), sigmoid(p[n+j]+q[n+j])
				candidate := math.Tanh(p[2*n+j] + r*q[2*n+j])
				next[j] = (1-u)*candidate + u*state[j]
			}
			state = next
			states[t] = state
		}
		rows, h = states, state
	}
	if c.Scalars > 0 {
		var v []float64
		for _, e := range s {
			v = append(v, float64(e))
		}
		a := plainReLU(plainDense([][]float64{v}, m.weight("scalar1.w"), m.weight("scalar1.b")))
		a = plainReLU(plainDense(a, m.weight("scalar2.w"), m.weight("scalar2.b")))
		h = append(append([]float64{}, h...), a[0]...)
	}
	for i, br := range c.Branches {
		name := branchName(i)
		h = append(append([]float64{}, h...), plainHead(m, name, plainBlocks(m, br, name, branches[i]))...)
	}
	return plainReLU(plainDense([][]float64{h}, m.weight("mix.w"), m.weight("mix.b")))[0]
}

// plainHead flattens and maps what the residual blocks made.
func plainHead(m *Model, name string, rows [][]float64) []float64 {
	var h []float64
	for _, r := range rows {
		h = append(h, r...)
	}
	return plainReLU(plainDense([][]float64{h}, m.weight("%shead.w", name), m.weight("%shead.b", name)))[0]
}

// plainBlocks takes one sequence through its residual blocks.
func plainBlocks(m *Model, c Branch, name string, x []float32) [][]float64 {
	rows := make([][]float64, c.Length/c.Patch)
	size := c.Patch * c.Channels
	for t := range rows {
		for _, v := range x[t*size : (t+1)*size] {
			rows[t] = append(rows[t], float64(v))
		}
	}
	rows = plainDense(rows, m.weight("%sstem.w", name), m.weight("%sstem.b", name))
	for i := range c.Dims {
		if c.pool(i) {
			half := make([][]float64, len(rows)/2)
			for t := range half {
				for j, v := range rows[2*t] {
					half[t] = append(half[t], max(v, rows[2*t+1][j]))
				}
			}
			rows = half
		}
		y := plainConv3(plainNormReLU(rows, m.weight("%sblock%d.norm1.b", name, i)), m.weight("%sblock%d.conv1.w", name, i))
		y = plainConv3(plainNormReLU(y, m.weight("%sblock%d.norm2.b", name, i)), m.weight("%sblock%d.conv2.w", name, i))
		if len(rows[0]) != len(y[0]) {
			rows = plainDense(rows, m.weight("%sblock%d.skip.w", name, i), nil)
		}
		for t := range y {
			for j := range y[t] {
				y[t][j] += rows[t][j]
			}
		}
		rows = y
	}
	rows = plainNormReLU(rows, m.weight("%shead.norm.b", name))
	return rows
}

// architectures are the shapes that the embedding must get right: odd lengths, points left over,
// all places of pooling, changes of width, recurrent layers, no scalars.
func architectures() []Config {
	change := func(f func(c *Config)) Config { c := tiny(); f(&c); return c }
	return []Config{
		tiny(),
		change(func(c *Config) { c.Length, c.Dims, c.Pool = 31, []int{8, 8, 8}, []bool{true, true, false} }),
		change(func(c *Config) { c.Length, c.Patch, c.Scalars = 14, 1, 0; c.Pool = nil }),
		change(func(c *Config) { c.GRU = 2 }),
		change(func(c *Config) { c.Bins = 5 }),
		branched(),
		change(func(c *Config) {
			c.Length, c.Patch, c.Dims, c.Pool = 113, 3, []int{6, 8, 8, 10, 10}, []bool{false, false, true, false, true}
		}),
		change(func(c *Config) { c.Dims, c.Pool = []int{8, 8, 8, 8}, []bool{true, true, true, false} }),
	}
}

func TestContextAgreesWithDefinition(t *testing.T) {
	for _, c := range architectures() {
		t.Run(fmt.Sprintf("length%d_patch%d_gru%d_bins%d", c.Length, c.Patch, c.GRU, c.Bins)+fmt.Sprintf("_circular%d", c.Circular), func(t *testing.T) {
			m := randomModel(c, 8)
			b := randomBatch(c, 5, 9)
			h, err := m.Context(b.X, b.C, b.Branches...)
			if err != nil {
				t.Fatal(err)
			}
			var size float64
			for i := range b.N {
				want := plainContext(m, b.X[i*c.Length*c.Channels:(i+1)*c.Length*c.Channels], b.C[i*c.Scalars:(i+1)*c.Scalars], part(c, b, i)...)
				for j, v := range want {
					size = max(size, v)
					if d := math.Abs(v - float64(h[i*c.Context+j])); !(d < 1e-4) {
						t.Fatalf("example %d, h[%d] is %g, by definition %g", i, j, h[i*c.Context+j], v)
					}
				}
			}
			if size < 0.1 {
				t.Errorf("the embedding is nearly zero (at most %g), the test says nothing", size)
			}
		})
	}
}

// part is what belongs to example i in the branches of a batch.
func part(c Config, b *Batch, i int) [][]float32 {
	var parts [][]float32
	for k, br := range c.Branches {
		parts = append(parts, b.Branches[k][i*br.size():(i+1)*br.size()])
	}
	return parts
}

// lossAndGradient is the sum of −log p over a batch and its gradient, from the kernels for the Go
// backend or from those for others.
func lossAndGradient(t *testing.T, m *Model, b *Batch, native bool) (float64, [][]float32) {
	t.Helper()
	backend, err := openBackend("go")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newGradient(backend, m.Config, 0)
	if err != nil {
		t.Fatal(err)
	}
	p.native = native
	w, err := p.tensors(m.weights)
	if err != nil {
		t.Fatal(err)
	}
	grads := zerosLike(m.weights)
	loss := make([]float32, 1)
	if err := p.run(w, b, 0, b.N, true, func(k int) []float32 {
		if k == 0 {
			return loss
		}
		return grads[k-1]
	}); err != nil {
		t.Fatal(err)
	}
	return float64(loss[0]), grads
}

// The kernels for the Go backend, with gradients of our own, and those for other backends, with the
// graph library's gradients, are the same functions.
func TestKernelsAgree(t *testing.T) {
	for _, c := range architectures() {
		t.Run(fmt.Sprintf("length%d_patch%d_gru%d_bins%d", c.Length, c.Patch, c.GRU, c.Bins)+fmt.Sprintf("_circular%d", c.Circular), func(t *testing.T) {
			m, b := randomModel(c, 8), randomBatch(c, 6, 9)
			loss, grads := lossAndGradient(t, m, b, false)
			other, others := lossAndGradient(t, m, b, true)
			if e := math.Abs(loss-other) / math.Abs(loss); !(e < 1e-5) {
				t.Errorf("the losses are %g and %g", loss, other)
			}
			// Once more with the layouts for large products.
			defer func(n int) { largeProduct = n }(largeProduct)
			largeProduct = 1
			_, large := lossAndGradient(t, m, b, false)
			for i, p := range m.params {
				var size float64
				for _, g := range others[i] {
					size = max(size, math.Abs(float64(g)))
				}
				if e := maxDiff(large[i], others[i]); !(e < 1e-3*size+1e-4) {
					t.Errorf("the gradients of %s, up to %g, differ by %g with layouts for large products", p.name, size, e)
				}
				if e := maxDiff(grads[i], others[i]); !(e < 1e-3*size+1e-4) {
					t.Errorf("the gradients of %s, up to %g, differ by %g", p.name, size, e)
				}
			}
		})
	}
}

// TestGradient compares the gradient that training uses, along random directions, with central
// differences.
func TestGradient(t *testing.T) {
	for _, c := range architectures() {
		t.Run(fmt.Sprintf("length%d_patch%d_gru%d_bins%d", c.Length, c.Patch, c.GRU, c.Bins)+fmt.Sprintf("_circular%d", c.Circular), func(t *testing.T) {
			m, b := randomModel(c, 8), randomBatch(c, 6, 9)
			_, grads := lossAndGradient(t, m, b, false)
			for i, par := range m.params {
				// Along the sign of the gradient the derivative is the sum of its sizes.
				var want float64
				for j, g := range grads[i] {
					want += math.Abs(float64(g))
					if par.mask != nil && par.mask[j] == 0 && g != 0 {
						t.Fatalf("%s has a gradient where it is masked", par.name)
					}
				}
				const ε = 1e-3
				var ends [2]float64
				for e, sign := range []float64{1, -1} {
					moved := newModel(c, zerosLike(m.weights))
					for k := range m.weights {
						copy(moved.weights[k], m.weights[k])
					}
					step := ε / math.Sqrt(float64(len(grads[i])))
					for j, g := range grads[i] {
						if g != 0 {
							moved.weights[i][j] += float32(sign * math.Copysign(step, float64(g)))
						}
					}
					for _, lp := range graphLogProb(t, moved, b) {
						ends[e] -= float64(lp)
					}
				}
				got := (ends[0] - ends[1]) / (2 * ε) * math.Sqrt(float64(len(grads[i])))
				if d := math.Abs(got - want); !(d <= 0.04*want+2e-2*math.Sqrt(float64(len(grads[i])))) {
					t.Errorf("%s: the derivative is %.6g, by differences %.6g", par.name, want, got)
				}
			}
		})
	}
}
