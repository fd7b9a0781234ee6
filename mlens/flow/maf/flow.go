// Package maf evaluates and samples a conditional masked autoregressive flow (Papamakarios et al.
// 2017) in plain Go.
//
// A flow of K blocks maps base noise z to y. Block by block, from the base to y, variable i of the
// result is zᵢ·exp(αᵢ) + μᵢ, where μᵢ and αᵢ come from a masked network (MADE, Germain et al. 2015)
// that sees the context h and those variables of the result that come before i in the block's
// order. A density therefore needs one pass through each network, a sample one pass for each
// variable; but hidden units are sorted here by the number of variables they see, so over the
// passes of a sample each weight is used once, and sampling costs about as much as a density.
//
// Samples are computed in tiles of 64, each from a random sequence of its own, so results do not
// depend on the number of processors. With GOEXPERIMENT=simd on amd64 the inner loops use AVX2 or AVX-512;
// without it they are plain Go and agree to rounding.
//
// The package imports the standard library only. The training side (package flow) exports its
// weights to it.
package maf

import (
	"fmt"
	"math"
)

// Weights are one block's weights, all matrices flat, [inputs][outputs]. Entries that a mask
// removes must be zero or are ignored.
type Weights struct {
	Position []int // [Dim]: the place of each variable in the block's order

	Context, ContextBias []float32   // [Context][Hidden], [Hidden]: of the first layer
	In                   []float32   // [Dim][Hidden], after [AngleFeatures][Hidden] if there is an angle
	Hidden, HiddenBias   [][]float32 // the further hidden layers: [Hidden][Hidden], [Hidden]
	Out, OutBias         []float32   // [Hidden][2·Dim], [2·Dim]: μ, then α
	OutContext           []float32   // [Context][2·Dim]

	// Spline, if there are bins, describes the splines that follow the affine maps on the way from
	// y to the base.
	Spline, SplineBias []float32 // [Hidden][Dim·(3·bins−1)], [Dim·(3·bins−1)]
	SplineContext      []float32 // [Context][Dim·(3·bins−1)]
}

// Mixture is the base density Σ_k w_k N(m_k, 1). Its weights w are the softmax of logits that
// depend on the context, directly and, if there is no angle, through those last hidden units of the
// block nearest the base that see nothing else.
type Mixture struct {
	Means              []float32 // [K][Dim]
	Logits, LogitsBias []float32 // [Hidden][K] (nil: directly only), [K]
	LogitsContext      []float32 // [Context][K]
}

// A Flow is a family of densities over Dim variables, one for each context vector. If the first
// variable is an angle, the blocks transform the others.
type Flow struct {
	dim, hidden, context int     // dim counts what the blocks transform
	angle                *Angle  // or nil
	features             int     // inputs of the blocks that depend on the angle
	maxLogScale          float32 // c in α → c·tanh(α/c)
	from                 []int   // from[d] … from[d+1] are the hidden units that see d variables
	blocks               []block // from y to the base
	mixture              *Mixture
	k                    int // components
	bins                 int // of the splines; 0: none
}

// A block's matrices have their outputs as rows, so that a dense layer reads them along.
type block struct {
	variable []int // by place in the order

	context, contextBias []float32   // [Hidden][Context]
	in                   []float32   // [Hidden][features+Dim]: the angle's, then inputs by place
	layers, biases       [][]float32 // [Hidden][Hidden]
	out, outBias         []float32   // [2·Dim][Hidden]: rows μ and α of each variable in order
	outContext           []float32   // [2·Dim][Context]

	spline, splineBias []float32 // [Dim·(3·bins−1)][Hidden], in the same order
	splineContext      []float32 // [Dim·(3·bins−1)][Context]
}

// New builds a flow from its blocks, ordered from y to the base. degree[j] is the number of
// variables, the first ones in a block's order, that hidden unit j may see; it must be sorted and
// take all values 0 … dim−1. maxLogScale is c in α → c·tanh(α/c), bins the number of bins of the
// splines, 0 for none; mixture is nil for a standard Gaussian base. angle, if there is one, is the
// density of the first of the dim variables; the sizes of all else then count the others only. New
// panics if sizes do not agree.
func New(dim, context int, degree []int, maxLogScale float64, bins int, blocks []Weights, mixture *Mixture, angle *Angle) *Flow {
	f := &Flow{dim: dim, hidden: len(degree), context: context, maxLogScale: float32(maxLogScale), bins: bins, mixture: mixture, angle: angle}
	if angle != nil {
		angle.check(context)
		dim--
		f.dim, f.features = dim, AngleFeatures
	}
	f.from = make([]int, dim+1)
	for d, j := 0, 0; d < dim; d++ {
		f.from[d] = j
		for j < len(degree) && degree[j] == d {
			j++
		}
		f.from[d+1] = j
		if f.from[d] == j {
			panic(fmt.Sprintf("maf: no hidden unit sees %d variables", d))
		}
	}
	if f.from[dim] != len(degree) {
		panic("maf: degrees are not sorted, or too large")
	}
	h := f.hidden
	for _, w := range blocks {
		b := block{
			variable:    make([]int, dim),
			context:     transpose(w.Context, context, h),
			contextBias: sized(w.ContextBias, h),
		}
		for i, p := range w.Position {
			b.variable[p] = i
		}
		inputs := make([]int, f.features, f.features+dim)
		for i := range inputs {
			inputs[i] = i
		}
		for _, i := range b.variable {
			inputs = append(inputs, f.features+i)
		}
		in := sized(w.In, len(inputs)*h)
		b.in = make([]float32, len(in))
		for p, i := range inputs {
			for j := range h {
				b.in[j*len(inputs)+p] = in[i*h+j]
			}
		}
		// The columns of the outputs, in the order of the variables' places.
		var outputs, raw []int
		for _, i := range b.variable {
			outputs = append(outputs, i, dim+i)
			for j := range f.splineSize() {
				raw = append(raw, i*f.splineSize()+j)
			}
		}
		b.out, b.outBias, b.outContext = columns(w.Out, h, outputs), columns(w.OutBias, 1, outputs), columns(w.OutContext, context, outputs)
		if bins > 0 {
			b.spline, b.splineBias, b.splineContext = columns(w.Spline, h, raw), columns(w.SplineBias, 1, raw), columns(w.SplineContext, context, raw)
		}
		for l := range w.Hidden {
			b.layers = append(b.layers, transpose(w.Hidden[l], h, h))
			b.biases = append(b.biases, sized(w.HiddenBias[l], h))
		}
		f.blocks = append(f.blocks, b)
	}
	f.k = 1
	if mixture != nil {
		f.k = len(mixture.LogitsBias)
		sized(mixture.Means, f.k*dim)
		if mixture.Logits != nil {
			sized(mixture.Logits, h*f.k)
		}
		sized(mixture.LogitsContext, context*f.k)
	}
	return f
}

// sized returns v, which must have n numbers.
func sized(v []float32, n int) []float32 {
	if len(v) != n {
		panic(fmt.Sprintf("maf: a weight has %d numbers instead of %d", len(v), n))
	}
	return v
}

// splineSize is the number of numbers that describe one variable's spline.
func (f *Flow) splineSize() int { return max(3*f.bins-1, 0) }

// columns is a, [rows][len(order)], transposed, with its columns in another order.
func columns(a []float32, rows int, order []int) []float32 {
	sized(a, rows*len(order))
	t := make([]float32, 0, len(a))
	for _, c := range order {
		for r := range rows {
			t = append(t, a[r*len(order)+c])
		}
	}
	return t
}

// transpose turns a [rows][cols] into [cols][rows].
func transpose(a []float32, rows, cols int) []float32 {
	sized(a, rows*cols)
	t := make([]float32, len(a))
	for i := range rows {
		for j := range cols {
			t[j*rows+i] = a[i*cols+j]
		}
	}
	return t
}

// A Density is the flow's density for one context vector. It is read-only, and its methods may be
// called concurrently.
type Density struct {
	f          *Flow
	bias       [][]float32 // of each block's first layer, [Hidden]
	outBias    [][]float32 // of each block's output, [2·Dim]
	splineBias [][]float32 // of each block's splines, [Dim·(3·bins−1)]
	logWeight  []float32   // of the base's components, [K]
	cumulated  []float64   // sums of the weights, [K]
	angle      *vonMises   // of the first variable, or nil
	degrees    int         // of freedom of the base's components; 0: they are Gaussians
}

// Heavy is the density with heavier tails: its base has t distributions with so many degrees of
// freedom in place of Gaussians, and a share of the angles, if there are any, is nearly uniform.
func (d *Density) Heavy(degrees int, share float64) *Density {
	heavy := *d
	heavy.degrees = degrees
	if d.angle != nil {
		heavy.angle = d.angle.widened(share)
	}
	return &heavy
}

// At is the density for the context vector h [Context]: the parts of all layers that depend on h
// alone are computed here, once.
func (f *Flow) At(h []float32) *Density {
	sized(h, f.context)
	d := &Density{f: f}
	for i := range f.blocks {
		b := &f.blocks[i]
		d.bias = append(d.bias, affine(b.context, b.contextBias, h))
		d.outBias = append(d.outBias, affine(b.outContext, b.outBias, h))
		d.splineBias = append(d.splineBias, affine(b.splineContext, b.splineBias, h))
	}
	if f.mixture != nil {
		d.mix(h)
	}
	if f.angle != nil {
		d.angle = f.angle.at(h)
	}
	return d
}

// affine is b + a·x, a [len(b)][len(x)].
func affine(a, b, x []float32) []float32 {
	y := make([]float32, len(b))
	n := len(x)
	for i := range y {
		var s float64
		for j, v := range a[i*n : (i+1)*n] {
			s += float64(v) * float64(x[j])
		}
		y[i] = b[i] + float32(s)
	}
	return y
}

// mix computes the weights of the base's components from h.
func (d *Density) mix(h []float32) {
	f, m := d.f, d.f.mixture
	b := &f.blocks[len(f.blocks)-1]
	// The units that see no variable, through all layers.
	n := f.from[1]
	if m.Logits == nil {
		n = 0
	}
	u := make([]float64, n)
	for j := range u {
		u[j] = max(0, float64(d.bias[len(f.blocks)-1][j]))
	}
	for l, w := range b.layers {
		next := make([]float64, n)
		for j := range next {
			s := float64(b.biases[l][j])
			for i, v := range u {
				s += float64(w[j*f.hidden+i]) * v
			}
			next[j] = max(0, s)
		}
		u = next
	}
	logit := make([]float64, f.k)
	top := math.Inf(-1)
	for k := range logit {
		s := float64(m.LogitsBias[k])
		for i, v := range u {
			s += float64(m.Logits[i*f.k+k]) * v
		}
		for i, v := range h {
			s += float64(m.LogitsContext[i*f.k+k]) * float64(v)
		}
		logit[k] = s
		top = max(top, s)
	}
	var sum float64
	for _, l := range logit {
		sum += math.Exp(l - top)
	}
	var cum float64
	for _, l := range logit {
		lw := l - top - math.Log(sum)
		cum += math.Exp(lw)
		d.logWeight = append(d.logWeight, float32(lw))
		d.cumulated = append(d.cumulated, cum)
	}
}
