package flow

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// context is the embedding network: examples x [B, Length, Channels] and scalars s [B, Scalars] (not used if Scalars is zero) to
// context vectors [B, Context].
func (b *builder) context(x, s *graph.Node) *graph.Node {
	c := b.cfg
	n := x.Shape().Dimensions[0]

	// Stem: non-overlapping patches through a dense layer.
	tokens := c.Length / c.Patch
	if rest := c.Length % c.Patch; rest > 0 {
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, tokens*c.Patch), graph.AxisRange())
	}
	x = graph.Reshape(x, n*tokens, c.Patch*c.Channels)
	x = graph.Reshape(b.dense(x, "stem"), n, tokens, c.Dims[0]) // [B, L, D]

	for i := range c.Dims {
		if c.pool(i) {
			x = b.pool2(x)
		}
		x = b.residual(x, fmt.Sprintf("block%d", i))
	}

	l, d := c.tokens(), c.width()
	x = b.relu(b.norm(graph.Reshape(x, n*l, d), "head.norm")) // [B·L, D]
	var h *graph.Node
	if c.GRU == 0 {
		h = b.relu(b.dense(graph.Reshape(x, n, l*d), "head"))
	} else {
		x = graph.Reshape(x, n, l, d)
		for i := range c.GRU {
			states := b.gru(x, fmt.Sprintf("gru%d", i))
			h = states[l-1]
			if i+1 < c.GRU {
				x = graph.Stack(states, 1) // [B, L, H]
			}
		}
	}
	if c.Scalars > 0 {
		s = b.relu(b.dense(s, "scalar1"))
		s = b.relu(b.dense(s, "scalar2")) // [B, 64]
		h = graph.Concatenate([]*graph.Node{h, s}, -1)
	}
	return b.relu(b.dense(h, "mix"))
}

// residual is a pre-norm residual block of two convolutions, [B, L, D] → [B, L, D₂]: x + conv(relu(norm(conv(relu(norm x))))), where
// x passes a dense layer if the width changes.
func (b *builder) residual(x *graph.Node, name string) *graph.Node {
	dims := x.Shape().Dimensions
	n, l, d := dims[0], dims[1], dims[2]
	flat := graph.Reshape(x, n*l, d)
	y := b.relu(b.norm(flat, name+".norm1"))
	y = b.conv3(graph.Reshape(y, n, l, d), name+".conv1") // [B·L, D₂]
	d2 := y.Shape().Dimensions[1]
	y = b.relu(b.norm(y, name+".norm2"))
	y = b.conv3(graph.Reshape(y, n, l, d2), name+".conv2")
	if d != d2 {
		flat = b.matmul(flat, b.weight("%s.skip.w", name))
	}
	return graph.Reshape(graph.Add(flat, y), n, l, d2)
}

// gru is one gated recurrent layer (Cho et al. 2014), unrolled: x [B, L, D] → the L states [B, H]. The reset gate multiplies the
// recurrent part of the candidate after its matrix product, so that one product serves all three gates.
func (b *builder) gru(x *graph.Node, name string) []*graph.Node {
	dims := x.Shape().Dimensions
	n, l, d := dims[0], dims[1], dims[2]
	wh := b.weight("%s.wh", name)
	h := wh.Shape().Dimensions[0]
	in := b.addRow(b.matmul(graph.Reshape(x, n*l, d), b.weight("%s.wx", name)), b.weight("%s.b", name))
	in = graph.Reshape(in, n, l, 3*h)

	all := graph.AxisRange()
	cols := func(x *graph.Node, from, to int) *graph.Node { return graph.Slice(x, all, graph.AxisRange(from, to)) }
	state := graph.Zeros(b.g, shapes.Make(dtypes.Float32, n, h))
	states := make([]*graph.Node, l)
	for t := range l {
		p := graph.Reshape(graph.Slice(in, all, graph.AxisRange(t, t+1), all), n, 3*h)
		q := b.matmul(state, wh)
		gates := graph.Sigmoid(graph.Add(cols(p, 0, 2*h), cols(q, 0, 2*h)))
		reset, update := cols(gates, 0, h), cols(gates, h, 2*h)
		candidate := graph.Tanh(graph.Add(cols(p, 2*h, 3*h), graph.Mul(reset, cols(q, 2*h, 3*h))))
		state = graph.Add(candidate, graph.Mul(update, graph.Sub(state, candidate)))
		states[t] = state
	}
	return states
}
