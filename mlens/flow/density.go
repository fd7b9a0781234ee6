package flow

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// logProb is the log density log p̂(y|h): y [B, Dim], h [B, Context] → [B].
func (b *builder) logProb(y, h *graph.Node) *graph.Node {
	if b.cfg.Circular == 0 {
		return b.flowLogProb(y, nil, h)
	}
	all := graph.AxisRange()
	a := graph.Slice(y, all, graph.AxisRange(0, 1))
	rest := graph.Slice(y, all, graph.AxisRange(1, b.cfg.Dim))
	return graph.Add(b.angleLogProb(a, h), b.flowLogProb(rest, b.harmonics(a), h))
}

// flowLogProb is the flow's log density, Eq. 12: y [B, n], what its blocks see of an angle [B,
// maf.AngleFeatures] or nil, h [B, Context] → [B].
func (b *builder) flowLogProb(y, angle, h *graph.Node) *graph.Node {
	c := b.cfg
	n := c.vars()
	all := graph.AxisRange()
	parts := b.contextParts(h)
	z := y
	var logDet, weights *graph.Node
	for k := range c.Blocks { // from M_K to M_1
		var out, raw *graph.Node
		out, raw, weights = b.made(z, angle, parts, k)
		μ := graph.Slice(out, all, graph.AxisRange(0, n))
		α := graph.Slice(out, all, graph.AxisRange(n, 2*n))
		α = graph.MulScalar(b.smooth(graph.Tanh, graph.MulScalar(α, 1/c.MaxLogScale)), c.MaxLogScale)
		z = graph.Mul(graph.Sub(z, μ), b.smooth(graph.Exp, graph.Neg(α))) // Eq. 6
		s := graph.ReduceSum(α, 1)                                        // Eq. 9
		if raw != nil {
			var slopes *graph.Node
			z, slopes = b.spline(z, raw)
			s = graph.Sub(s, slopes)
		}
		if logDet == nil {
			logDet = s
		} else {
			logDet = graph.Add(logDet, s)
		}
	}
	return graph.Sub(b.baseLogProb(z, weights), logDet)
}

// baseLogProb is the log density of the base at z [B, Dim] → [B]: Σ_k w_k N(z; m_k, 1), with the
// logits of the weights [B, Mixture], or the standard Gaussian if logits is nil.
func (b *builder) baseLogProb(z, logits *graph.Node) *graph.Node {
	norm := -0.5 * float64(b.cfg.vars()) * log2π
	zz := graph.MulScalar(graph.ReduceSum(graph.Square(z), 1), -0.5) // [B]
	if logits == nil {
		return graph.AddScalar(zz, norm)
	}
	// −½|z − m|² = −½|z|² + z·m − ½|m|²
	m := b.weight("base.means") // [K, Dim]
	mm := graph.MulScalar(graph.ReduceSum(graph.Square(m), 1), -0.5)
	s := b.addRow(graph.Add(logits, b.matmul(z, graph.Transpose(m, 0, 1))), mm) // [B, K]
	s = graph.Sub(b.logSumExp(s), b.logSumExp(logits))
	return graph.Add(zz, graph.AddScalar(s, norm))
}

// contextParts is h·W for all the weights W that meet the context vectors h [B, Context], by their
// names. They are joined to one product, since the Go backend is slow at small ones.
func (b *builder) contextParts(h *graph.Node) map[string]*graph.Node {
	var names []string
	var ws []*graph.Node
	for k := range b.cfg.Blocks {
		names = append(names, fmt.Sprintf("made%d.context.w", k), fmt.Sprintf("made%d.out.context.w", k))
		if b.cfg.Bins > 0 {
			names = append(names, fmt.Sprintf("made%d.spline.context.w", k))
		}
	}
	if b.cfg.Mixture > 1 {
		names = append(names, fmt.Sprintf("made%d.mixture.context.w", b.cfg.Blocks-1))
	}
	for _, name := range names {
		ws = append(ws, b.weight("%s", name))
	}
	all := b.matmul(h, graph.Concatenate(ws, 1))
	parts := make(map[string]*graph.Node)
	from := 0
	for i, name := range names {
		to := from + ws[i].Shape().Dimensions[1]
		parts[name] = graph.Slice(all, graph.AxisRange(), graph.AxisRange(from, to))
		from = to
	}
	return parts
}

// made is the masked network of block k (Germain et al. 2015), Eqs. 7–8: z [B, Dim], what it sees
// of an angle, and the products of the context vectors → μ and α side by side [B, 2·Dim]; what describes the splines [B,
// Dim·(3·Bins−1)] or nil; of the block nearest the base also the logits of the mixture's weights
// [B, Mixture], else nil. Output i depends on h and on the variables before i in the block's order;
// the logits on h alone.
func (b *builder) made(z, angle *graph.Node, context map[string]*graph.Node, k int) (out, raw, logits *graph.Node) {
	c := b.cfg
	name := fmt.Sprintf("made%d", k)
	if angle != nil {
		z = graph.Concatenate([]*graph.Node{angle, z}, 1)
	}
	u := graph.Add(context[name+".context.w"], b.matmul(z, b.weight("%s.in.w", name)))
	u = b.relu(b.addRow(u, b.weight("%s.context.b", name)))
	for l := 1; l < c.HiddenLayers; l++ {
		u = b.relu(b.dense(u, fmt.Sprintf("%s.hidden%d", name, l)))
	}
	out = graph.Add(b.dense(u, name+".out"), context[name+".out.context.w"])
	if k == c.Blocks-1 && c.Mixture > 1 {
		logits = context[name+".mixture.context.w"]
		if c.Circular > 0 { // of h alone
			logits = b.addRow(logits, b.weight("%s.mixture.b", name))
		} else {
			logits = graph.Add(b.dense(u, name+".mixture"), logits)
		}
	}
	if c.Bins > 0 {
		raw = graph.Add(b.dense(u, name+".spline"), context[name+".spline.context.w"])
	}
	return out, raw, logits
}
