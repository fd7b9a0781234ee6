package flow

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// This file writes a recurrent layer as a loop inside the graph, for backends that compile it (XLA):
// unrolled, the paper's two layers of 56 steps take a minute to compile. The graph library has no
// gradient for loops, so the layer brings its own, a second loop backwards.
//
// A loop's body is a graph of its own: it sees its parameters only, and constants must be made in it
// with graph.Const (the library's helpers for scalars share theirs between graphs).

// gruScan is [builder.gru] as a loop over px [L, B, 3H], the inputs' part of the gates, with the
// recurrent weights wh [H, 3H]: → the states [L, B, H].
func (b *builder) gruScan(px, wh *graph.Node) *graph.Node {
	g := b.g
	d := px.Shape().Dimensions
	l, n, h := d[0], d[1], wh.Shape().Dimensions[0]
	body := func(g *graph.Graph) []*graph.Node {
		p := newLoop(g)
		t, px, wh := p.counter(), p.array(l, n, 3*h), p.array(h, 3*h)
		state, states := p.array(n, h), p.array(l, n, h)
		next := gruCell(row(px, t), state, wh).state
		return []*graph.Node{graph.Add(t, one(g)), px, wh, next, setRow(states, t, next)}
	}
	cond := func(g *graph.Graph) []*graph.Node {
		p := newLoop(g)
		t := p.counter()
		p.array(l, n, 3*h)
		p.array(h, 3*h)
		p.array(n, h)
		p.array(l, n, h)
		return []*graph.Node{graph.LessThan(t, graph.Const(g, int32(l)))}
	}
	out := graph.While(graph.NewClosure(g, cond), graph.NewClosure(g, body),
		graph.Const(g, int32(0)), px, wh, zeros(g, n, h), zeros(g, l, n, h))
	states := out[4]
	loop := states.Inputs()[0] // the loop itself, of which out are the parts
	ownNodes.Store(loop, func(v []*graph.Node) []*graph.Node {
		dpx, dwh, d0 := gruScanVJP(px, wh, states, v[4])
		return []*graph.Node{nil, dpx, dwh, d0, nil}
	})
	b.owned = append(b.owned, loop)
	return states
}

// gruScanVJP is the gradient by px, wh and the first state, given that by the states.
func gruScanVJP(px, wh, states, dstates *graph.Node) (dpx, dwh, d0 *graph.Node) {
	g := px.Graph()
	d := px.Shape().Dimensions
	l, n, h := d[0], d[1], wh.Shape().Dimensions[0]
	before := graph.Concatenate([]*graph.Node{zeros(g, 1, n, h), graph.Slice(states, graph.AxisRange(0, l-1))}, 0)
	params := func(p *loopParams) (t, px, wh, before, dstates, dh, dpx, dq *graph.Node) {
		return p.counter(), p.array(l, n, 3*h), p.array(h, 3*h), p.array(l, n, h), p.array(l, n, h),
			p.array(n, h), p.array(l, n, 3*h), p.array(l, n, 3*h)
	}
	body := func(g *graph.Graph) []*graph.Node {
		t, px, wh, before, dstates, dh, dpx, dq := params(newLoop(g))
		one32 := graph.Const(g, float32(1))
		h0 := row(before, t)
		c := gruCell(row(px, t), h0, wh)
		dh = graph.Add(dh, row(dstates, t))
		dn := graph.Mul(dh, graph.Sub(one32, c.update))
		dz := graph.Mul(dh, graph.Sub(h0, c.candidate))
		dn = graph.Mul(dn, graph.Sub(one32, graph.Square(c.candidate)))
		dr := graph.Mul(graph.Mul(dn, c.recurrent), graph.Mul(c.reset, graph.Sub(one32, c.reset)))
		dz = graph.Mul(dz, graph.Mul(c.update, graph.Sub(one32, c.update)))
		dp := graph.Concatenate([]*graph.Node{dr, dz, dn}, 1)
		dqt := graph.Concatenate([]*graph.Node{dr, dz, graph.Mul(dn, c.reset)}, 1)
		dh = graph.Add(graph.Mul(dh, c.update), graph.Dot(dqt, wh).General([]int{1}, nil, []int{1}, nil))
		return []*graph.Node{graph.Sub(t, one(g)), px, wh, before, dstates, dh, setRow(dpx, t, dp), setRow(dq, t, dqt)}
	}
	cond := func(g *graph.Graph) []*graph.Node {
		t, _, _, _, _, _, _, _ := params(newLoop(g))
		return []*graph.Node{graph.GreaterOrEqual(t, graph.Const(g, int32(0)))}
	}
	out := graph.While(graph.NewClosure(g, cond), graph.NewClosure(g, body), graph.Const(g, int32(l-1)),
		px, wh, before, dstates, zeros(g, n, h), zeros(g, l, n, 3*h), zeros(g, l, n, 3*h))
	// The gradient by wh is one product over all steps.
	dwh = graph.MatMul(graph.Transpose(graph.Reshape(before, l*n, h), 0, 1), graph.Reshape(out[7], l*n, 3*h))
	return out[6], dwh, out[5]
}

// A gruStep holds the gates of one step, all [B, H].
type gruStep struct{ reset, update, candidate, recurrent, state *graph.Node }

// gruCell is one step: the inputs' part of the gates px [B, 3H], the state [B, H], wh [H, 3H].
func gruCell(px, state, wh *graph.Node) (c gruStep) {
	h := wh.Shape().Dimensions[0]
	q := graph.MatMul(state, wh)
	gates := graph.Sigmoid(graph.Add(columns(px, 0, 2*h), columns(q, 0, 2*h)))
	c.reset, c.update = columns(gates, 0, h), columns(gates, h, 2*h)
	c.recurrent = columns(q, 2*h, 3*h)
	c.candidate = graph.Tanh(graph.Add(columns(px, 2*h, 3*h), graph.Mul(c.reset, c.recurrent)))
	c.state = graph.Add(c.candidate, graph.Mul(c.update, graph.Sub(state, c.candidate)))
	return c
}

// columns cuts columns [from, to) out of x [N, D].
func columns(x *graph.Node, from, to int) *graph.Node {
	return graph.Slice(x, graph.AxisRange(), graph.AxisRange(from, to))
}

// loopParams makes the parameters of a loop's body, in their order.
type loopParams struct {
	g *graph.Graph
	n int
}

func newLoop(g *graph.Graph) *loopParams { return &loopParams{g: g} }

func (p *loopParams) make(s shapes.Shape) *graph.Node {
	p.n++
	return graph.Parameter(p.g, "p"+string(rune('a'+p.n)), s)
}

func (p *loopParams) counter() *graph.Node { return p.make(shapes.Make(dtypes.Int32)) }

func (p *loopParams) array(dims ...int) *graph.Node {
	return p.make(shapes.Make(dtypes.Float32, dims...))
}

func zeros(g *graph.Graph, dims ...int) *graph.Node {
	return graph.Zeros(g, shapes.Make(dtypes.Float32, dims...))
}

func one(g *graph.Graph) *graph.Node { return graph.Const(g, int32(1)) }

// row is x[t]: x [L, B, D] → [B, D].
func row(x, t *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	zero := graph.Const(x.Graph(), int32(0))
	return graph.Reshape(graph.DynamicSlice(x, []*graph.Node{t, zero, zero}, []int{1, d[1], d[2]}), d[1], d[2])
}

// setRow is x with x[t] = y.
func setRow(x, t, y *graph.Node) *graph.Node {
	d := y.Shape().Dimensions
	zero := graph.Const(x.Graph(), int32(0))
	return graph.DynamicUpdateSlice(x, graph.Reshape(y, 1, d[0], d[1]), []*graph.Node{t, zero, zero})
}

func init() {
	graph.VJPRegistration[graph.NodeTypeWhile] = func(node *graph.Node, v []*graph.Node, _ shapes.Shape) []*graph.Node {
		rule, ours := ownNodes.Load(node)
		if !ours {
			panic("flow: " + node.Type().String() + " has no gradient")
		}
		return rule.(func([]*graph.Node) []*graph.Node)(v)
	}
}
