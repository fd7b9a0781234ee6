package flow

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// This file gives products, ReLU and normalisation gradients that are laid out for the Go backend.
// Its kernels for products want the contracted axis last on the left, and first or last on the
// right (a transposition costs as much as the product itself), and more than largeProduct
// multiplications; a product with a small matrix of ones is faster there than a sum or a broadcast.

// custom is forward(inputs), differentiated by backward(inputs, result, gradient of the loss by the
// result), which returns the gradient by each input, in the shape of the input. forward must be
// differentiable by the graph library, but that gradient is never computed: nothing uses it.
func (b *builder) custom(forward func(in ...*graph.Node) *graph.Node, backward func(in []*graph.Node, y, dy *graph.Node) []*graph.Node, inputs ...*graph.Node) *graph.Node {
	var grads []*graph.Node
	in := make([]*graph.Node, len(inputs))
	for i, x := range inputs {
		in[i] = graph.IdentityWithCustomGradient(x, func(_, _ *graph.Node) *graph.Node { return grads[i] })
	}
	// The graph library visits a result before that from which it was computed.
	return graph.IdentityWithCustomGradient(forward(in...), func(y, dy *graph.Node) *graph.Node {
		grads = backward(in, y, dy)
		return dy
	})
}

// matmul is the product x·w: [N, K] × [K, M] → [N, M].
func (b *builder) matmul(x, w *graph.Node) *graph.Node {
	return b.own(graph.MatMul(x, w), graph.NodeTypeDotGeneral)
}

// matmulVJP is the gradient of x·w: dx = dy·wᵀ, dw = xᵀ·dy.
func matmulVJP(node, dy *graph.Node) []*graph.Node {
	x, w := node.Inputs()[0], node.Inputs()[1]
	var dx *graph.Node
	if n := dy.Shape().Dimensions[0]; n*w.Shape().Size() < largeProduct {
		// The kernel for small products is slow at the other layout.
		dx = graph.MatMul(dy, graph.Transpose(w, 0, 1))
	} else {
		dx = graph.Dot(dy, w).General([]int{1}, nil, []int{1}, nil)
	}
	return []*graph.Node{dx, leftGradient(x, dy)}
}

// leftGradient is xᵀ·dy for x [N, K] and dy [N, M]: → [K, M]; only the narrower of the two is
// transposed.
func leftGradient(x, dy *graph.Node) *graph.Node {
	if x.Shape().Dimensions[1] <= dy.Shape().Dimensions[1] {
		return graph.MatMul(graph.Transpose(x, 0, 1), dy)
	}
	return graph.Transpose(graph.MatMul(graph.Transpose(dy, 0, 1), x), 0, 1)
}

// relu is max(x, 0), any shape.
func (b *builder) relu(x *graph.Node) *graph.Node {
	return b.own(graph.Max(x, b.zero()), graph.NodeTypeMax)
}

// reluVJP passes the gradient where the result is positive; a sign and a product are faster than a
// comparison and a choice.
func reluVJP(node, dy *graph.Node) []*graph.Node {
	return []*graph.Node{graph.Mul(dy, graph.Sign(node)), nil}
}

// standardize is y = (x − mean)/σ with σ² = variance + ε, of each row of x [N, D].
func (b *builder) standardize(x *graph.Node) *graph.Node {
	if !b.native {
		return b.own(graph.BackendFusedLayerNorm(x, []int{1}, normEpsilon, nil, nil), graph.NodeTypeFusedLayerNorm)
	}
	x = graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, -1))
	v := graph.ReduceAndKeep(graph.Square(x), graph.ReduceMean, -1)
	return graph.Div(x, graph.Sqrt(graph.AddScalar(v, normEpsilon)))
}

// standardizeVJP is the gradient of standardize: dx = (dy − mean(dy) − y·mean(dy·y))/σ. The backend
// does not keep 1/σ, but mean(x·y) = variance/σ = σ − ε/σ, so 1/σ = 2/(q + √(q² + 4ε)) with q =
// mean(x·y).
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

// largeProduct is the number of multiplications from which on the Go backend's products use their
// fast kernel.
var largeProduct = 4 << 20 // a variable for tests

// rowMeans is the mean of each row of x [N, D] → [N, 1]. Where that is large enough for the fast
// kernel it is a product with a few equal columns of 1/D, twice as fast on the Go backend as a sum.
func rowMeans(x *graph.Node) *graph.Node {
	n, d := x.Shape().Dimensions[0], x.Shape().Dimensions[1]
	for cols := 8; cols <= 32; cols *= 2 {
		if n*d*cols >= largeProduct {
			ones := graph.Ones(x.Graph(), shapes.Make(x.DType(), d, cols))
			m := graph.MatMul(x, graph.MulScalar(ones, 1/float64(d)))
			return graph.Slice(m, graph.AxisRange(), graph.AxisRange(0, 1))
		}
	}
	return graph.ReduceAndKeep(x, graph.ReduceMean, -1)
}

// spread repeats the column x [N, 1] d times: → [N, d].
func spread(x *graph.Node, d int) *graph.Node {
	return graph.MatMul(x, graph.Ones(x.Graph(), shapes.Make(x.DType(), 1, d)))
}
