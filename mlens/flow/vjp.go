package flow

import (
	"sync"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// ownNodes holds the nodes made by [builder.matmul] and [builder.relu] while their graph is being built, so that their gradients, and
// no one else's, follow the rules below.
var ownNodes sync.Map

// own marks y, a node of type t; a node that GoMLX has simplified to something else is left alone.
func (b *builder) own(y *graph.Node, t graph.NodeType) *graph.Node {
	if y.Type() == t {
		ownNodes.Store(y, true)
		b.owned = append(b.owned, y)
	}
	return y
}

// release forgets the marks, once the graph is built.
func (b *builder) release() {
	for _, y := range b.owned {
		ownNodes.Delete(y)
	}
	b.owned = nil
}

// matmul is the product x·w: [N, K] × [K, M] → [N, M].
func (b *builder) matmul(x, w *graph.Node) *graph.Node {
	return b.own(graph.MatMul(x, w), graph.NodeTypeDotGeneral)
}

// relu is max(x, 0), any shape.
func (b *builder) relu(x *graph.Node) *graph.Node {
	return b.own(graph.Max(x, b.zero()), graph.NodeTypeMax)
}

func init() {
	override(graph.NodeTypeDotGeneral, matmulVJP)
	override(graph.NodeTypeMax, reluVJP)
	override(graph.NodeTypeFusedLayerNorm, standardizeVJP)
}

// override registers a gradient for our nodes of type t and keeps the original rule for all others.
func override(t graph.NodeType, rule func(node, v *graph.Node) []*graph.Node) {
	original := graph.VJPRegistration[t]
	graph.VJPRegistration[t] = func(node *graph.Node, v []*graph.Node, s shapes.Shape) []*graph.Node {
		if _, ours := ownNodes.Load(node); !ours {
			return original(node, v, s)
		}
		return rule(node, v[0])
	}
}

// matmulVJP is laid out for the Go backend, whose kernels want the contracted axis last on the left and first or last on the right: a
// transposition there costs as much as the product itself.
func matmulVJP(node, dy *graph.Node) []*graph.Node {
	x, w := node.Inputs()[0], node.Inputs()[1]
	dx := graph.Dot(dy, w).General([]int{1}, nil, []int{1}, nil) // dy·wᵀ without a transposition
	k, m := w.Shape().Dimensions[0], w.Shape().Dimensions[1]
	var dw *graph.Node // xᵀ·dy, transposing the narrower of the two
	if k <= m {
		dw = graph.MatMul(graph.Transpose(x, 0, 1), dy)
	} else {
		dw = graph.Transpose(graph.MatMul(graph.Transpose(dy, 0, 1), x), 0, 1)
	}
	return []*graph.Node{dx, dw}
}

// reluVJP passes the gradient where the result is positive; a sign and a product are faster than a comparison and a choice.
func reluVJP(node, dy *graph.Node) []*graph.Node {
	return []*graph.Node{graph.Mul(dy, graph.Sign(node)), nil}
}

// standardizeVJP is the gradient of y = (x − mean)/σ, σ² = variance + ε, over rows: dx = (dy − mean(dy) − y·mean(dy·y))/σ. The backend
// does not keep 1/σ, but mean(x·y) = variance/σ = σ − ε/σ, so 1/σ = 2/(q + √(q² + 4ε)) with q = mean(x·y).
func standardizeVJP(node, dy *graph.Node) []*graph.Node {
	x, y := node.Inputs()[0], node
	q := rowMeans(graph.Mul(x, y)) // [N, 1]
	inv := graph.Add(q, graph.Sqrt(graph.AddScalar(graph.Square(q), 4*normEpsilon)))
	inv = graph.MulScalar(graph.Reciprocal(inv), 2)
	d := x.Shape().Dimensions[1]
	dx := graph.Sub(dy, graph.Mul(y, spread(rowMeans(graph.Mul(dy, y)), d)))
	dx = graph.Sub(dx, spread(rowMeans(dy), d))
	return []*graph.Node{graph.Mul(dx, spread(inv, d))}
}

// largeProduct is the number of multiplications from which on the Go backend's products use their fast kernel.
const largeProduct = 4 << 20

// rowMeans is the mean of each row of x [N, D] → [N, 1], as a product with enough equal columns of 1/D for the fast kernel: ten times
// faster on the Go backend than one column.
func rowMeans(x *graph.Node) *graph.Node {
	n, d := x.Shape().Dimensions[0], x.Shape().Dimensions[1]
	cols := 8
	for cols < 64 && n*d*cols < largeProduct {
		cols *= 2
	}
	ones := graph.Ones(x.Graph(), shapes.Make(x.DType(), d, cols))
	m := graph.MatMul(x, graph.MulScalar(ones, 1/float64(d)))
	return graph.Slice(m, graph.AxisRange(), graph.AxisRange(0, 1))
}

// spread repeats the column x [N, 1] d times: → [N, d].
func spread(x *graph.Node, d int) *graph.Node {
	return graph.MatMul(x, graph.Ones(x.Graph(), shapes.Make(x.DType(), 1, d)))
}
