package flow

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// normEpsilon is added to the variance in a layer norm.
const normEpsilon = 1e-5

// A builder writes the network into a graph. The same network runs on every backend; only the
// kernels differ (see [sequence]).
type builder struct {
	cfg    Config
	g      *graph.Graph
	params map[string]param
	given  map[string]*graph.Node // the weights as they are stored
	used   map[string]*graph.Node // after their masks
	native bool                   // the backend has a fast convolution of its own (XLA)
	owned  []*graph.Node
}

// newBuilder binds the nodes ws to the weights ps.
func newBuilder(cfg Config, g *graph.Graph, ps []param, ws []*graph.Node, native bool) *builder {
	b := &builder{cfg: cfg, g: g, params: map[string]param{}, given: map[string]*graph.Node{}, used: map[string]*graph.Node{}, native: native}
	for i, p := range ps {
		b.params[p.name], b.given[p.name] = p, ws[i]
	}
	return b
}

// weight is the weight of that name, masked.
func (b *builder) weight(format string, args ...any) *graph.Node {
	name := fmt.Sprintf(format, args...)
	if w, ok := b.used[name]; ok {
		return w
	}
	w, ok := b.given[name]
	if !ok {
		panic(fmt.Errorf("flow: no weight is called %q", name))
	}
	if p := b.params[name]; p.mask != nil {
		w = graph.Mul(w, b.constant(p.mask, p.dims...))
	}
	b.used[name] = w
	return w
}

func (b *builder) constant(v []float32, dims ...int) *graph.Node {
	return graph.Reshape(graph.Const(b.g, v), dims...)
}

func (b *builder) zero() *graph.Node { return graph.ScalarZero(b.g, dtypes.Float32) }

func (b *builder) ones(dims ...int) *graph.Node {
	return graph.Ones(b.g, shapes.Make(dtypes.Float32, dims...))
}

// addRow adds the vector v [D] to each row of x [N, D]. The outer product with a column of ones is
// much faster than a broadcast on the Go backend and costs nothing elsewhere.
func (b *builder) addRow(x, v *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	return graph.Add(x, b.matmul(b.ones(d[0], 1), graph.Reshape(v, 1, d[1])))
}

// dense is x·W + b: [N, I] → [N, O], with the weights name.w [I, O] and name.b [O].
func (b *builder) dense(x *graph.Node, name string) *graph.Node {
	return b.addRow(b.matmul(x, b.weight("%s.w", name)), b.weight("%s.b", name))
}

// smooth is f(x) for one of the functions that the Go backend computes with math.Exp, element by
// element. That takes up to a hundred times as long just after a product, whose kernels leave the
// upper halves of the processor's vector registers in use, unless something clears them first. Go's
// own copying of 256 to 2,047 bytes does: so some zeros are joined to x.
func (b *builder) smooth(f func(*graph.Node) *graph.Node, x *graph.Node) *graph.Node {
	if b.native {
		return f(x)
	}
	n, dims := x.Shape().Size(), x.Shape().Dimensions
	zeros := graph.Zeros(b.g, shapes.Make(dtypes.Float32, 128))
	y := f(graph.Concatenate([]*graph.Node{graph.Reshape(x, n), zeros}, 0))
	return graph.Reshape(graph.Slice(y, graph.AxisRange(0, n)), dims...)
}

// logSumExp is log Σ exp over the last axis of x: [N, K] → [N].
func (b *builder) logSumExp(x *graph.Node) *graph.Node {
	top := graph.StopGradient(graph.ReduceMax(x, -1)) // [N]
	n := top.Shape().Dimensions[0]
	return graph.Add(top, graph.Log(graph.ReduceSum(b.smooth(graph.Exp, graph.Sub(x, graph.Reshape(top, n, 1))), -1)))
}

// log2π enters the normal density.
var log2π = math.Log(2 * math.Pi)
