package flow

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// scalarWidth is the width of the two layers that read an example's scalars.
const scalarWidth = 64

// angleWidth is the width of the layer between the context and the density of an angle.
const angleWidth = 128

// A param is one weight tensor: its name, its shape and how it begins.
type param struct {
	name string
	dims []int
	std  float64 // initial standard deviation, zero: all zeros
	mask []float32
}

func (p param) size() int {
	n := 1
	for _, d := range p.dims {
		n *= d
	}
	return n
}

// params lists all weight tensors of c, in the order in which they are stored and trained: the
// embedding network's, then the flow's.
func (c Config) params() []param { return append(c.embedParams(), c.flowParams()...) }

// A paramList collects weight tensors.
type paramList []param

func (l *paramList) add(std float64, mask []float32, name string, dims ...int) {
	*l = append(*l, param{name: name, dims: dims, std: std, mask: mask})
}

// relu and linear are the standard deviations of the first weights of a layer of n inputs that
// follows a ReLU (He et al. 2015), or not. The last layer of a residual branch starts at 0.3 of
// that, and the output layers of the flow at 0.01, so that the first density is about the base's.
func relu(n int) float64   { return math.Sqrt(2 / float64(n)) }
func linear(n int) float64 { return math.Sqrt(1 / float64(n)) }

// embedParams lists the weight tensors of the embedding network.
func (c Config) embedParams() []param {
	var l paramList
	l.blocks(c.trunk(), "")
	n := c.Context
	d := c.trunk().width()
	if c.GRU == 0 {
		l.head(c.trunk(), "")
	}
	for i := range c.GRU {
		b := fmt.Sprintf("gru%d.", i)
		n := c.Context
		if i == 0 {
			n = d
		}
		l.add(linear(n), nil, b+"wx", n, 3*c.Context)
		l.add(linear(c.Context), nil, b+"wh", c.Context, 3*c.Context)
		l.add(0, nil, b+"b", 3*c.Context)
	}
	if c.Scalars > 0 {
		l.add(linear(c.Scalars), nil, "scalar1.w", c.Scalars, scalarWidth)
		l.add(0, nil, "scalar1.b", scalarWidth)
		l.add(relu(scalarWidth), nil, "scalar2.w", scalarWidth, scalarWidth)
		l.add(0, nil, "scalar2.b", scalarWidth)
		n += scalarWidth
	}
	for i, br := range c.Branches {
		name := branchName(i)
		l.blocks(br, name)
		l.head(br, name)
		n += br.Width
	}
	l.add(relu(n), nil, "mix.w", n, c.Context)
	l.add(0, nil, "mix.b", c.Context)
	return l
}

// branchName begins the names of the weights of branch i.
func branchName(i int) string { return fmt.Sprintf("branch%d.", i) }

// blocks lists the weights of the residual blocks of a sequence.
func (l *paramList) blocks(br Branch, name string) {
	d := br.Dims[0]
	l.add(linear(br.Patch*br.Channels), nil, name+"stem.w", br.Patch*br.Channels, d)
	l.add(0, nil, name+"stem.b", d)
	for i, d2 := range br.Dims {
		b := fmt.Sprintf("%sblock%d.", name, i)
		l.add(0, nil, b+"norm1.b", d)
		l.add(relu(3*d), nil, b+"conv1.w", 3*d, d2)
		l.add(0, nil, b+"norm2.b", d2)
		l.add(0.3*relu(3*d2), nil, b+"conv2.w", 3*d2, d2)
		if d != d2 {
			l.add(linear(d), nil, b+"skip.w", d, d2)
		}
		d = d2
	}
	l.add(0, nil, name+"head.norm.b", d)
}

// head lists the weights that map what the residual blocks make of a sequence to its Width.
func (l *paramList) head(br Branch, name string) {
	n := br.tokens() * br.width()
	l.add(relu(n), nil, name+"head.w", n, br.Width)
	l.add(0, nil, name+"head.b", br.Width)
}

// flowParams lists the weight tensors of the flow. Block 0 is M_K, the one nearest the inferred
// quantities; block Blocks−1 is M_1, the one nearest the base.
func (c Config) flowParams() []param {
	var l paramList
	dim := c.vars()
	if c.Circular > 0 {
		l.add(relu(c.Context), nil, "angle1.w", c.Context, angleWidth)
		l.add(0, nil, "angle1.b", angleWidth)
		l.add(0.1*relu(angleWidth), nil, "angle2.w", angleWidth, 3*c.Circular)
		l.add(0, nil, "angle2.b", 3*c.Circular)
	}
	half := (c.Hidden + 1) / 2 // a unit sees half of the others on average
	for k := range c.Blocks {
		b := fmt.Sprintf("made%d.", k)
		m := c.masks(k)
		l.add(relu(c.Context), nil, b+"context.w", c.Context, c.Hidden)
		l.add(0, nil, b+"context.b", c.Hidden)
		in := c.angleFeatures() + dim
		l.add(linear(in), m.in, b+"in.w", in, c.Hidden)
		for i := 1; i < c.HiddenLayers; i++ {
			l.add(relu(half), m.hidden, fmt.Sprintf("%shidden%d.w", b, i), c.Hidden, c.Hidden)
			l.add(0, nil, fmt.Sprintf("%shidden%d.b", b, i), c.Hidden)
		}
		l.add(0.01*relu(half), m.out, b+"out.w", c.Hidden, 2*dim)
		l.add(0.01*relu(c.Context), nil, b+"out.context.w", c.Context, 2*dim)
		l.add(0, nil, b+"out.b", 2*dim)
		c.splineParams(&l, k)
		if k == c.Blocks-1 && c.Mixture > 1 {
			if c.Circular == 0 {
				l.add(0.01*relu(c.Hidden/dim), m.mixture, b+"mixture.w", c.Hidden, c.Mixture)
			}
			l.add(0.01*relu(c.Context), nil, b+"mixture.context.w", c.Context, c.Mixture)
			l.add(0, nil, b+"mixture.b", c.Mixture)
		}
	}
	if c.Mixture > 1 {
		l.add(1, nil, "base.means", c.Mixture, dim)
	}
	return l
}

// initial makes the weights a training run begins with, on the host, so that they are the same on
// every backend. Tensor i draws from rand.NewPCG(seed, i); masked entries are zero.
func (c Config) initial(seed uint64) [][]float32 {
	ps := c.params()
	ws := make([][]float32, len(ps))
	for i, p := range ps {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w := make([]float32, p.size())
		if p.std > 0 {
			for j := range w {
				w[j] = float32(r.NormFloat64() * p.std)
				if p.mask != nil {
					w[j] *= p.mask[j]
				}
			}
		}
		ws[i] = w
	}
	return ws
}

// order returns position[i], the place of variable i in the order of block k: 0 for the one that
// sees only the context.
func (c Config) order(k int) []int {
	r := rand.NewPCG(c.OrderSeed, uint64(k))
	p := make([]int, c.vars())
	for i := range p {
		p[i] = i
	}
	for i := len(p) - 1; i > 0; i-- { // Fisher–Yates, spelt out because an order must never change
		j := int(r.Uint64() % uint64(i+1))
		p[i], p[j] = p[j], p[i]
	}
	return p
}

// degree is the number of variables that hidden unit j of an autoregressive block sees, 0 … n−1 of n:
// the units are sorted by it. Units of degree 0 see the context alone, and through them so does the
// first variable's output.
func (c Config) degree(j int) int { return j * c.vars() / c.Hidden }

// madeMasks are the 0/1 masks of one block's weights, in the layouts of the weights.
type madeMasks struct {
	// in is [angle's inputs, then Dim][Hidden]: the angle's at all, a variable at position < degree.
	in      []float32
	hidden  []float32 // [Hidden][Hidden]: degree of the input ≤ degree of the output
	out     []float32 // [Hidden][2·Dim]: degree ≤ position
	mixture []float32 // [Hidden][Mixture]: degree 0
}

func (c Config) masks(k int) madeMasks {
	pos, dim, angle := c.order(k), c.vars(), c.angleFeatures()
	fill := func(rows, cols int, on func(i, j int) bool) []float32 {
		m := make([]float32, rows*cols)
		for i := range rows {
			for j := range cols {
				if on(i, j) {
					m[i*cols+j] = 1
				}
			}
		}
		return m
	}
	return madeMasks{
		in:      fill(angle+dim, c.Hidden, func(i, j int) bool { return i < angle || pos[i-angle] < c.degree(j) }),
		hidden:  fill(c.Hidden, c.Hidden, func(i, j int) bool { return c.degree(i) <= c.degree(j) }),
		out:     fill(c.Hidden, 2*dim, func(i, j int) bool { return c.degree(i) <= pos[j%dim] }),
		mixture: fill(c.Hidden, c.Mixture, func(i, _ int) bool { return c.degree(i) == 0 }),
	}
}
