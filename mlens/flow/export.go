package flow

import "github.com/mlens-go/microlens/mlens/flow/maf"

// Density is the density over y that the flow assigns to one context vector h [Context] (see
// [Model.Context]), to be sampled and evaluated in plain Go. It panics if h has another length.
func (m *Model) Density(h []float32) *maf.Density {
	m.exportOnce.Do(func() { m.exported = m.export() })
	return m.exported.At(h)
}

// export gives the flow's weights to package maf.
func (m *Model) export() *maf.Flow {
	c := m.Config
	degree := make([]int, c.Hidden)
	for j := range degree {
		degree[j] = c.degree(j)
	}
	blocks := make([]maf.Weights, c.Blocks)
	for k := range blocks {
		w := maf.Weights{
			Position:    c.order(k),
			Context:     m.weight("made%d.context.w", k),
			ContextBias: m.weight("made%d.context.b", k),
			In:          m.weight("made%d.in.w", k),
			Out:         m.weight("made%d.out.w", k),
			OutBias:     m.weight("made%d.out.b", k),
			OutContext:  m.weight("made%d.out.context.w", k),
		}
		if c.Bins > 0 {
			w.Spline, w.SplineBias = m.weight("made%d.spline.w", k), m.weight("made%d.spline.b", k)
			w.SplineContext = m.weight("made%d.spline.context.w", k)
		}
		for l := 1; l < c.HiddenLayers; l++ {
			w.Hidden = append(w.Hidden, m.weight("made%d.hidden%d.w", k, l))
			w.HiddenBias = append(w.HiddenBias, m.weight("made%d.hidden%d.b", k, l))
		}
		blocks[k] = w
	}
	var mixture *maf.Mixture
	if last := c.Blocks - 1; c.Mixture > 1 {
		mixture = &maf.Mixture{
			Means:         m.weight("base.means"),
			LogitsBias:    m.weight("made%d.mixture.b", last),
			LogitsContext: m.weight("made%d.mixture.context.w", last),
		}
		if c.Circular == 0 {
			mixture.Logits = m.weight("made%d.mixture.w", last)
		}
	}
	var angle *maf.Angle
	if c.Circular > 0 {
		angle = &maf.Angle{
			Components: c.Circular,
			Hidden:     m.weight("angle1.w"), HiddenBias: m.weight("angle1.b"),
			Out: m.weight("angle2.w"), OutBias: m.weight("angle2.b"),
		}
	}
	return maf.New(c.Dim, c.Context, degree, c.MaxLogScale, c.Bins, blocks, mixture, angle)
}
