package flow

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/mlens-go/microlens/mlens/flow/maf"
)

// harmonics is what the autoregressive blocks see of the angles a [B, 1]: the sine and cosine of
// once, twice and three times a, [B, maf.AngleFeatures].
func (b *builder) harmonics(a *graph.Node) *graph.Node {
	s, c := b.smooth(graph.Sin, a), b.smooth(graph.Cos, a)
	out := []*graph.Node{s, c}
	sk, ck := s, c
	for len(out) < maf.AngleFeatures {
		sk, ck = graph.Add(graph.Mul(sk, c), graph.Mul(ck, s)), graph.Sub(graph.Mul(ck, c), graph.Mul(sk, s))
		out = append(out, sk, ck)
	}
	return graph.Concatenate(out, 1)
}

// angleLogProb is the log density per radian of the angles a [B, 1] given h [B, Context] → [B]: Σ_k
// w_k·exp(κ_k·cos(a − μ_k))/(2π·I₀(κ_k)). A layer of h gives the logits of the weights w, the μ less
// an even spacing round the circle, and the raw log κ, which is clamped softly.
func (b *builder) angleLogProb(a, h *graph.Node) *graph.Node {
	n := b.cfg.Circular
	o := b.dense(b.relu(b.dense(h, "angle1")), "angle2") // [B, 3·n]
	cols := func(k int) *graph.Node {
		return graph.Slice(o, graph.AxisRange(), graph.AxisRange(k*n, (k+1)*n))
	}
	logits := cols(0)
	spacing := make([]float32, n)
	for k := range spacing {
		spacing[k] = float32(2 * math.Pi * float64(k) / float64(n))
	}
	μ := b.addRow(cols(1), b.constant(spacing, n))
	raw := graph.MulScalar(graph.AddScalar(cols(2), -maf.LogKappaMiddle), 1/maf.LogKappaHalf)
	logκ := graph.AddScalar(graph.MulScalar(b.smooth(graph.Tanh, raw), maf.LogKappaHalf), maf.LogKappaMiddle)
	κ := b.smooth(graph.Exp, logκ)
	// κ(cos x − 1) = −2κ sin²(x/2), which is exact at small x; a [B, 1] is repeated n times by a
	// product.
	half := graph.MulScalar(graph.Sub(b.matmul(a, b.ones(1, n)), μ), 0.5)
	t := graph.MulScalar(graph.Mul(κ, graph.Square(b.smooth(graph.Sin, half))), -2)
	t = graph.Sub(graph.Add(t, logits), b.logI0(κ, logκ))
	return graph.AddScalar(graph.Sub(b.logSumExp(t), b.logSumExp(logits)), -log2π)
}

// logI0 is ln(I₀(κ)·e^{−κ}), see maf.LogI0: κ and its logarithm, any shape.
func (b *builder) logI0(κ, logκ *graph.Node) *graph.Node {
	polynomial := func(x *graph.Node, c []float64) *graph.Node {
		p := graph.AddScalar(graph.MulScalar(x, c[len(c)-1]), c[len(c)-2])
		for i := len(c) - 3; i >= 0; i-- {
			p = graph.AddScalar(graph.Mul(p, x), c[i])
		}
		return p
	}
	const split = maf.BesselSplit
	at := graph.Scalar(b.g, dtypes.Float32, split)
	large := graph.StopGradient(graph.ConvertDType(graph.GreaterOrEqual(κ, at), dtypes.Float32))
	low, high := graph.Min(κ, at), graph.Max(κ, at)
	small := graph.Sub(b.smooth(graph.Log, polynomial(graph.Square(graph.MulScalar(low, 1/split)), maf.BesselSmall[:])), low)
	big := b.smooth(graph.Log, polynomial(graph.MulScalar(graph.Reciprocal(high), split), maf.BesselLarge[:]))
	big = graph.Sub(big, graph.MulScalar(logκ, 0.5))
	return graph.Add(graph.Mul(large, big), graph.Mul(graph.OneMinus(large), small))
}
