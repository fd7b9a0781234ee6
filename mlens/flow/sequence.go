package flow

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// A sequence is a batch of sequences of feature vectors, laid out as the rows of one matrix: row
// front + b·stride + t is point t of example b, 0 ≤ t < length. All other rows are without meaning,
// and layers treat them as zeros.
//
// On a backend with its own convolution there are none, front = 0 and stride = length. The Go
// backend has none worth using, and is slow at cutting pieces out of arrays but not at joining
// arrays. There a convolution is a product with three copies of the matrix side by side, shifted by
// one row against each other: a meaningless row between examples keeps them apart, and each
// convolution leaves one meaningless row more before and behind all, instead of cutting it off.
type sequence struct {
	x                     *graph.Node // [rows, D]
	batch, length, stride int
	front                 int
}

func (s sequence) rows() int  { return s.x.Shape().Dimensions[0] }
func (s sequence) width() int { return s.x.Shape().Dimensions[1] }

// packed says whether all rows have a meaning.
func (s sequence) packed() bool { return s.rows() == s.batch*s.length }

// with is s with other features.
func (s sequence) with(x *graph.Node) sequence { s.x = x; return s }

// strideOf is the stride in which examples of length points enter the network: room for a
// meaningless row after each example, also after all halvings to come.
func (b *builder) strideOf(length int, br Branch) int {
	if b.native {
		return length
	}
	unit := 1
	for i := range br.Dims {
		if br.pool(i) {
			unit *= 2
		}
	}
	return (length/unit + 1) * unit
}

// normReLU normalises each row, adds the offset name.b [D], and replaces what is negative by zero.
// (A gain would be absorbed by the next layer.) Rows without meaning become zero.
func (b *builder) normReLU(s sequence, name string) sequence {
	y, offset := b.standardize(s.x), b.weight("%s.b", name)
	if s.packed() {
		return s.with(b.relu(b.addRow(y, offset)))
	}
	// The offset is added as a product [rows, 2]·[2, D] whose second part puts the meaningless rows
	// far below zero.
	const below = -1e6
	rows, d := s.rows(), s.width()
	left := make([]float32, 2*rows)
	for r := range rows {
		left[2*r] = 1
		if i := r - s.front; i < 0 || i >= s.batch*s.stride || i%s.stride >= s.length {
			left[2*r+1] = 1
		}
	}
	right := graph.Concatenate([]*graph.Node{graph.Reshape(offset, 1, d), graph.MulScalar(b.ones(1, d), below)}, 0)
	return s.with(b.relu(graph.Add(y, b.matmul(b.constant(left, rows, 2), right))))
}

// conv3 is a convolution over time with a kernel of three points and zeros beyond the ends; the
// weights are name.w [3·D, D₂]: the point before, the point itself, the point after. Meaningless
// rows of s must be zero, as [builder.normReLU] makes them; in the result they are not.
func (b *builder) conv3(s sequence, name string) sequence {
	w := b.weight("%s.w", name)
	d, d2 := s.width(), w.Shape().Dimensions[1]
	if b.native {
		x := graph.Reshape(s.x, s.batch, s.length, d)
		y := graph.Convolve(x, graph.Reshape(w, 3, d, d2)).PadSame().Done()
		return s.with(graph.Reshape(y, s.rows(), d2))
	}
	s.x = b.custom(func(in ...*graph.Node) *graph.Node {
		return graph.MatMul(b.window3(in[0]), in[1])
	}, func(in []*graph.Node, _, dy *graph.Node) []*graph.Node {
		x, w := in[0], in[1]
		dw := leftGradient(b.window3(x), dy) // [3·D, D₂]
		// dx is the convolution with the kernel turned round and transposed, less the two rows more
		// at either end.
		back := graph.Reshape(w, 3, d, d2)
		back = graph.Reshape(graph.TransposeAllAxes(graph.Reverse(back, 0), 0, 2, 1), 3*d2, d)
		dx := graph.MatMul(b.window3(dy), back)
		rows := x.Shape().Dimensions[0]
		return []*graph.Node{graph.Slice(dx, graph.AxisRange(2, rows+2), graph.AxisRange()), dw}
	}, s.x, w)
	s.front++
	return s
}

// window3 puts three neighbouring rows side by side, zeros beyond the ends: x [N, D] → [N+2, 3·D],
// where row i holds x[i−2], x[i−1], x[i].
func (b *builder) window3(x *graph.Node) *graph.Node {
	return graph.Concatenate([]*graph.Node{b.padRows(x, 2, 0), b.padRows(x, 1, 1), b.padRows(x, 0, 2)}, 1)
}

// padRows puts rows of zeros before and behind x [N, D]. (Joining is faster than padding on the Go
// backend.)
func (b *builder) padRows(x *graph.Node, before, behind int) *graph.Node {
	d := x.Shape().Dimensions[1]
	var parts []*graph.Node
	if before > 0 {
		parts = append(parts, graph.Zeros(b.g, shapes.Make(dtypes.Float32, before, d)))
	}
	parts = append(parts, x)
	if behind > 0 {
		parts = append(parts, graph.Zeros(b.g, shapes.Make(dtypes.Float32, behind, d)))
	}
	return graph.Concatenate(parts, 0)
}

// add is s + t, where t may have come through more convolutions than s.
func (b *builder) add(s, t sequence) sequence {
	if n := t.front - s.front; n > 0 {
		s.x = b.custom(func(in ...*graph.Node) *graph.Node { return b.padRows(in[0], n, n) },
			func(in []*graph.Node, _, dy *graph.Node) []*graph.Node {
				return []*graph.Node{graph.Slice(dy, graph.AxisRange(n, n+in[0].Shape().Dimensions[0]), graph.AxisRange())}
			}, s.x)
	}
	return t.with(graph.Add(s.x, t.x))
}

// pool2 takes the larger of each two neighbours: length L → ⌊L/2⌋.
func (b *builder) pool2(s sequence) sequence {
	if b.native {
		x := graph.Reshape(s.x, s.batch, s.length, s.width())
		x = graph.MaxPool(x).Window(2).Strides(2).NoPadding().Done()
		s.length /= 2
		s.stride = s.length
		s.x = graph.Reshape(x, s.batch*s.length, s.width())
		return s
	}
	// Pairs start at even rows.
	before := s.front % 2
	behind := (s.rows() + before) % 2
	if before+behind > 0 {
		s.x = b.padRows(s.x, before, behind)
	}
	d := s.width()
	x := graph.Reshape(s.x, s.rows()/2, 2*d)
	all := graph.AxisRange()
	s.x = b.custom(func(in ...*graph.Node) *graph.Node {
		return graph.Max(graph.Slice(in[0], all, graph.AxisRange(0, d)), graph.Slice(in[0], all, graph.AxisRange(d, 2*d)))
	}, func(in []*graph.Node, y, dy *graph.Node) []*graph.Node {
		second := graph.Slice(in[0], all, graph.AxisRange(d, 2*d))
		// y > second where the first is larger.
		first := graph.Mul(dy, graph.Sign(graph.Sub(y, second)))
		return []*graph.Node{graph.Concatenate([]*graph.Node{first, graph.Sub(dy, first)}, 1)}
	}, x)
	s.front = (s.front + before) / 2
	s.length /= 2
	s.stride /= 2
	return s
}

// unpack cuts the meaningless rows out: → [B, L, D].
func (s sequence) unpack() *graph.Node {
	x, d := s.x, s.width()
	if s.packed() {
		return graph.Reshape(x, s.batch, s.length, d)
	}
	n := s.batch * s.stride
	x = graph.Slice(x, graph.AxisRange(s.front, s.front+n), graph.AxisRange())
	x = graph.Reshape(x, s.batch, s.stride, d)
	return graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, s.length), graph.AxisRange())
}

// patches is the input layer's view of the sequences x [B, Length, Channels]: each patch of points
// is one row of Patch·Channels numbers.
func (b *builder) patches(x *graph.Node, c Branch) sequence {
	n, tokens := x.Shape().Dimensions[0], c.Length/c.Patch
	if tokens*c.Patch < c.Length {
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, tokens*c.Patch), graph.AxisRange())
	}
	s := sequence{batch: n, length: tokens, stride: b.strideOf(tokens, c)}
	if s.stride > s.length {
		zero := graph.ScalarZero(b.g, dtypes.Float32)
		x = graph.Pad(x, zero, compute.PadAxis{}, compute.PadAxis{End: (s.stride - s.length) * c.Patch}, compute.PadAxis{})
	}
	s.x = graph.Reshape(x, n*s.stride, c.Patch*c.Channels)
	return s
}
