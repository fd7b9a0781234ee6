package flow

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// context is the embedding network: examples in to context vectors [B, Context].
func (b *builder) context(in inputs) *graph.Node {
	c := b.cfg
	x := b.blocks(in.x, c.trunk(), "") // [B, L, D]
	var h *graph.Node
	if c.GRU == 0 {
		h = b.head(x, "")
	}
	for i := range c.GRU {
		x, h = b.gru(x, fmt.Sprintf("gru%d", i), i+1 < c.GRU)
	}
	parts := []*graph.Node{h}
	if c.Scalars > 0 {
		s := b.relu(b.dense(in.s, "scalar1"))
		parts = append(parts, b.relu(b.dense(s, "scalar2"))) // [B, 64]
	}
	for i, br := range c.Branches {
		name := branchName(i)
		parts = append(parts, b.head(b.blocks(in.branches[i], br, name), name)) // [B, Width]
	}
	if len(parts) > 1 {
		h = graph.Concatenate(parts, -1)
	}
	return b.relu(b.dense(h, "mix"))
}

// blocks takes a sequence x [B, Length, Channels] through its residual blocks: → [B, L, D].
func (b *builder) blocks(x *graph.Node, br Branch, name string) *graph.Node {
	seq := b.patches(x, br)
	seq.x = b.dense(seq.x, name+"stem")
	for i := range br.Dims {
		if br.pool(i) {
			seq = b.pool2(seq)
		}
		seq = b.residual(seq, fmt.Sprintf("%sblock%d", name, i))
	}
	return b.normReLU(seq, name+"head.norm").unpack()
}

// head flattens what residual blocks made of a sequence, x [B, L, D], and maps it to its Width.
func (b *builder) head(x *graph.Node, name string) *graph.Node {
	d := x.Shape().Dimensions
	return b.relu(b.dense(graph.Reshape(x, d[0], d[1]*d[2]), name+"head"))
}

// residual is a pre-norm residual block of two convolutions, of width D to D₂: x +
// conv(relu(norm(conv(relu(norm x))))), where x passes a dense layer if the width changes.
func (b *builder) residual(x sequence, name string) sequence {
	y := b.conv3(b.normReLU(x, name+".norm1"), name+".conv1")
	y = b.conv3(b.normReLU(y, name+".norm2"), name+".conv2")
	if x.width() != y.width() {
		x = x.with(b.matmul(x.x, b.weight("%s.skip.w", name)))
	}
	return b.add(x, y)
}

// gru is one gated recurrent layer (Cho et al. 2014): x [B, L, D] → the states [B, L, H], nil unless
// all are wanted, and the last one [B, H]. The reset gate multiplies the recurrent part of the
// candidate after its matrix product, so that one product serves all three gates. The Go backend,
// which has no loops worth using, gets it unrolled.
func (b *builder) gru(x *graph.Node, name string, all bool) (states, last *graph.Node) {
	dims := x.Shape().Dimensions
	n, l, d := dims[0], dims[1], dims[2]
	wh := b.weight("%s.wh", name)
	h := wh.Shape().Dimensions[0]
	in := b.addRow(b.matmul(graph.Reshape(x, n*l, d), b.weight("%s.wx", name)), b.weight("%s.b", name))
	in = graph.Reshape(in, n, l, 3*h)
	if !isGo(b.g.Backend()) {
		states = b.gruScan(graph.TransposeAllAxes(in, 1, 0, 2), wh) // [L, B, H]
		last = graph.Reshape(graph.Slice(states, graph.AxisRange(l-1, l)), n, h)
		return graph.TransposeAllAxes(states, 1, 0, 2), last
	}
	state := graph.Zeros(b.g, shapes.Make(dtypes.Float32, n, h))
	steps := make([]*graph.Node, l)
	for t := range l {
		p := graph.Reshape(graph.Slice(in, graph.AxisRange(), graph.AxisRange(t, t+1), graph.AxisRange()), n, 3*h)
		q := b.matmul(state, wh)
		gates := b.smooth(graph.Sigmoid, graph.Add(columns(p, 0, 2*h), columns(q, 0, 2*h)))
		reset, update := columns(gates, 0, h), columns(gates, h, 2*h)
		candidate := b.smooth(graph.Tanh, graph.Add(columns(p, 2*h, 3*h), graph.Mul(reset, columns(q, 2*h, 3*h))))
		state = graph.Add(candidate, graph.Mul(update, graph.Sub(state, candidate)))
		steps[t] = state
	}
	if all {
		states = graph.Stack(steps, 1)
	}
	return states, state
}
