package flow

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// normEpsilon is added to the variance in a layer norm.
const normEpsilon = 1e-5

// A builder writes the network into a graph. The same network runs on every backend; only the kernels differ (see [builder.conv3]).
type builder struct {
	cfg    Config
	g      *graph.Graph
	w      map[string]*graph.Node
	native bool // the backend has a fast convolution of its own (XLA)
	owned  []*graph.Node
}

// newBuilder binds the weight nodes ws, in the order of [Config.params]. Masks are applied here, once.
func newBuilder(cfg Config, g *graph.Graph, ws []*graph.Node, native bool) *builder {
	b := &builder{cfg: cfg, g: g, w: make(map[string]*graph.Node, len(ws)), native: native}
	for i, p := range cfg.params() {
		w := ws[i]
		if p.mask != nil {
			w = graph.Mul(w, b.constant(p.mask, p.dims...))
		}
		b.w[p.name] = w
	}
	return b
}

func (b *builder) weight(format string, args ...any) *graph.Node {
	name := fmt.Sprintf(format, args...)
	w, ok := b.w[name]
	if !ok {
		panic(fmt.Errorf("flow: no weight is called %q", name))
	}
	return w
}

func (b *builder) constant(v []float32, dims ...int) *graph.Node {
	return graph.Reshape(graph.Const(b.g, v), dims...)
}

func (b *builder) zero() *graph.Node { return graph.ScalarZero(b.g, dtypes.Float32) }

func (b *builder) ones(dims ...int) *graph.Node {
	return graph.Ones(b.g, shapes.Make(dtypes.Float32, dims...))
}

// addRow adds the vector v [D] to each row of x [N, D]. The outer product with a column of ones is much faster than a broadcast on
// the Go backend and costs nothing elsewhere.
func (b *builder) addRow(x, v *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	return graph.Add(x, b.matmul(b.ones(d[0], 1), graph.Reshape(v, 1, d[1])))
}

// dense is x·W + b: [N, I] → [N, O], with the weights name.w [I, O] and name.b [O].
func (b *builder) dense(x *graph.Node, name string) *graph.Node {
	return b.addRow(b.matmul(x, b.weight("%s.w", name)), b.weight("%s.b", name))
}

// norm subtracts from each row of x [N, D] its mean, divides by its standard deviation and adds the offset name.b [D]. (A gain would be
// absorbed by the layer after the ReLU.)
func (b *builder) norm(x *graph.Node, name string) *graph.Node {
	return b.addRow(b.standardize(x), b.weight("%s.b", name))
}

// standardize is (x − mean)/√(variance + ε) of each row of x [N, D].
func (b *builder) standardize(x *graph.Node) *graph.Node {
	if !b.native {
		return b.own(graph.BackendFusedLayerNorm(x, []int{1}, normEpsilon, nil, nil), graph.NodeTypeFusedLayerNorm)
	}
	x = graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, -1))
	v := graph.ReduceAndKeep(graph.Square(x), graph.ReduceMean, -1)
	return graph.Div(x, graph.Sqrt(graph.AddScalar(v, normEpsilon)))
}

// conv3 is a convolution over time with a kernel of three points and zeros beyond the ends: [B, L, D] → [B·L, D₂], with the weights
// name.w [3·D, D₂] (the point before, the point itself, the point after).
func (b *builder) conv3(x *graph.Node, name string) *graph.Node {
	d := x.Shape().Dimensions
	n, l, in := d[0], d[1], d[2]
	w := b.weight("%s.w", name)
	out := w.Shape().Dimensions[1]
	if b.native {
		y := graph.Convolve(x, graph.Reshape(w, 3, in, out)).PadSame().Done()
		return graph.Reshape(y, n*l, out)
	}
	pad := graph.Pad(x, b.zero(), compute.PadAxis{}, compute.PadAxis{Start: 1, End: 1}, compute.PadAxis{})
	all := graph.AxisRange()
	col := graph.Concatenate([]*graph.Node{
		graph.Slice(pad, all, graph.AxisRange(0, l), all), x,
		graph.Slice(pad, all, graph.AxisRange(2, l+2), all)}, -1)
	return b.matmul(graph.Reshape(col, n*l, 3*in), w)
}

// pool2 takes the larger of each two neighbours: [B, L, D] → [B, L/2, D].
func (b *builder) pool2(x *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	l := d[1] / 2
	all := graph.AxisRange()
	if d[1]%2 == 1 {
		x = graph.Slice(x, all, graph.AxisRange(0, 2*l), all)
	}
	y := graph.Reshape(x, d[0], l, 2*d[2])
	return graph.Max(graph.Slice(y, all, all, graph.AxisRange(0, d[2])), graph.Slice(y, all, all, graph.AxisRange(d[2], 2*d[2])))
}

// logSumExp is log Σ exp over the last axis of x: [N, K] → [N].
func logSumExp(x *graph.Node) *graph.Node {
	top := graph.StopGradient(graph.ReduceMax(x, -1)) // [N]
	n := top.Shape().Dimensions[0]
	return graph.Add(top, graph.Log(graph.ReduceSum(graph.Exp(graph.Sub(x, graph.Reshape(top, n, 1))), -1)))
}

// log2π enters the normal density.
var log2π = math.Log(2 * math.Pi)
