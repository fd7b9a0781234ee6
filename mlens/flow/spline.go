package flow

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/mlens-go/microlens/mlens/flow/maf"
)

// splineSize is the number of numbers that describe the spline of one variable: widths and heights
// of the bins, and the slopes between them.
func (c Config) splineSize() int { return 3*c.Bins - 1 }

// spline passes each variable of z [B, Dim] through the monotonic rational-quadratic spline (Durkan
// et al. 2019) that raw [B, Dim·(3·Bins−1)] describes. It returns the result [B, Dim] and the sum
// of the logarithms of its slopes [B]. Outside of ±maf.SplineBound the spline is the identity. With
// raw = 0 it is so everywhere.
func (b *builder) spline(z, raw *graph.Node) (y, logSlope *graph.Node) {
	c := b.cfg
	k, rows := c.Bins, z.Shape().Dimensions[0]*c.vars()
	raw = graph.Reshape(raw, rows, c.splineSize())
	x := graph.Reshape(z, rows, 1)
	const bound = maf.SplineBound
	all := graph.AxisRange()
	cols := func(from, to int) *graph.Node { return graph.Slice(raw, all, graph.AxisRange(from, to)) }
	f32 := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.Float32) }

	// Sizes of the bins [rows, Bins], which sum to 2·bound, and their lower ends.
	const least = maf.SplineLeast
	sizes := func(raw *graph.Node) *graph.Node {
		s := b.smooth(graph.Exp, graph.Sub(raw, graph.StopGradient(graph.ReduceAndKeep(raw, graph.ReduceMax, -1))))
		s = graph.Div(s, graph.ReduceAndKeep(s, graph.ReduceSum, -1))
		return graph.MulScalar(graph.AddScalar(graph.MulScalar(s, 1-least*float64(k)), least), 2*bound)
	}
	below := make([]float32, k*k)
	for i := range k {
		for j := i + 1; j < k; j++ {
			below[i*k+j] = 1
		}
	}
	lower := func(sizes *graph.Node) *graph.Node {
		return graph.AddScalar(b.matmul(sizes, b.constant(below, k, k)), -bound)
	}
	width, height := sizes(cols(0, k)), sizes(cols(k, 2*k))
	left, bottom := lower(width), lower(height)
	// Slopes at the lower and the upper ends [rows, Bins], one at the outermost: softplus(r +
	// shift) + least, one at r = 0.
	r := graph.AddScalar(cols(2*k, 3*k-1), maf.SplineShift)
	softplus := graph.Add(b.relu(r), graph.Log1P(b.smooth(graph.Exp, graph.Neg(graph.Abs(r)))))
	slopes := graph.AddScalar(softplus, maf.SplineLeast)
	one := b.ones(rows, 1)
	slope0 := graph.Concatenate([]*graph.Node{one, slopes}, 1)
	slope1 := graph.Concatenate([]*graph.Node{slopes, one}, 1)

	// The bin of x: where x ≥ its left end and not ≥ the next one's.
	inside := graph.StopGradient(f32(graph.LessThan(graph.Abs(x), graph.Scalar(b.g, dtypes.Float32, bound)))) // [rows, 1]
	at := graph.Mul(x, inside)                                                                                // 0 outside
	reached := f32(graph.GreaterOrEqual(at, left))                                                            // 1 … 1 0 … 0
	next := graph.Concatenate([]*graph.Node{graph.Slice(reached, all, graph.AxisRange(1, k)), graph.Zeros(b.g, one.Shape())}, 1)
	here := graph.StopGradient(graph.Sub(reached, next)) // one-hot
	pick := func(v *graph.Node) *graph.Node { return graph.ReduceAndKeep(graph.Mul(v, here), graph.ReduceSum, -1) }
	x0, w, y0, h, d0, d1 := pick(left), pick(width), pick(bottom), pick(height), pick(slope0), pick(slope1)

	s := graph.Div(h, w)
	u := graph.Div(graph.Sub(at, x0), w)
	v := graph.OneMinus(u)
	uv := graph.Mul(u, v)
	bend := graph.Sub(graph.Add(d0, d1), graph.MulScalar(s, 2))
	den := graph.Add(s, graph.Mul(bend, uv))
	inner := graph.Add(y0, graph.Div(graph.Mul(h, graph.Add(graph.Mul(s, graph.Square(u)), graph.Mul(d0, uv))), den))
	slope := graph.Add(graph.Add(graph.Mul(d1, graph.Square(u)), graph.MulScalar(graph.Mul(s, uv), 2)), graph.Mul(d0, graph.Square(v)))
	log := graph.Add(graph.MulScalar(graph.Sub(graph.Log(s), graph.Log(den)), 2), graph.Log(slope))

	y = graph.Add(graph.Mul(inner, inside), graph.Mul(x, graph.OneMinus(inside)))
	n := z.Shape().Dimensions[0]
	return graph.Reshape(y, n, c.vars()), graph.ReduceSum(graph.Reshape(graph.Mul(log, inside), n, c.vars()), 1)
}

// splineParams lists the weights that describe the splines of block k.
func (c Config) splineParams(l *paramList, k int) {
	if c.Bins == 0 {
		return
	}
	name, n := fmt.Sprintf("made%d.spline.", k), c.splineSize()*c.vars()
	pos := c.order(k)
	mask := make([]float32, c.Hidden*n)
	for j := range c.Hidden {
		for i := range n {
			if c.degree(j) <= pos[i/c.splineSize()] {
				mask[j*n+i] = 1
			}
		}
	}
	l.add(0.01*math.Sqrt(2/float64((c.Hidden+1)/2)), mask, name+"w", c.Hidden, n)
	l.add(0.01*math.Sqrt(2/float64(c.Context)), nil, name+"context.w", c.Context, n)
	l.add(0, nil, name+"b", n)
}
