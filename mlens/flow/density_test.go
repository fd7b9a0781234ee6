package flow

import (
	"fmt"
	"math"
	"testing"
)

// The graph is the oracle of the plain Go flow, and of the embedding.
func TestDensityAgreesWithGraph(t *testing.T) {
	small := Small(640, 3, 1)
	for _, c := range []Config{
		tiny(),
		func() Config { c := tiny(); c.Mixture = 1; c.HiddenLayers = 1; return c }(),
		func() Config { c := tiny(); c.Dim, c.HiddenLayers, c.Scalars = 1, 3, 0; return c }(),
		func() Config { c := tiny(); c.GRU = 2; return c }(),
		small,
		func() Config { c := tiny(); c.Bins = 5; return c }(),
		func() Config { c := small; c.Bins = 8; return c }(),
		branched(),
		func() Config { c := branched(); c.Circular, c.Mixture = 16, 1; return c }(),
	} {
		t.Run(fmt.Sprintf("dim%d_layers%d_mixture%d_gru%d_bins%d", c.Dim, c.HiddenLayers, c.Mixture, c.GRU, c.Bins)+fmt.Sprintf("_circular%d", c.Circular), func(t *testing.T) {
			m := randomModel(c, 3)
			b := randomBatch(c, 21, 4)
			want := graphLogProb(t, m, b)
			h, err := m.Context(b.X, b.C, b.Branches...)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, b.N)
			for i := range b.N {
				d := m.Density(h[i*c.Context : (i+1)*c.Context])
				d.LogProb(got[i:i+1], b.Y[i*c.Dim:(i+1)*c.Dim])
			}
			var size float64
			for _, v := range want {
				size = max(size, math.Abs(float64(v)))
			}
			t.Logf("|log p| up to %.3g, largest difference %.2g, relative %.2g", size, maxDiff(got, want), apart(got, want))
			if d := apart(got, want); !(d < 1e-5) {
				t.Errorf("log densities differ by %g", d)
			}
			one, err := m.Context(b.X[:c.Length*c.Channels], b.C[:c.Scalars], part(c, b, 0)...)
			if err != nil {
				t.Fatal(err)
			}
			if d := maxDiff(one, h[:c.Context]); !(d < 1e-5) {
				t.Errorf("one example alone embeds differently by %g", d)
			}
		})
	}
}

// Samples and their densities come from the same flow.
func TestSampleLogProb(t *testing.T) {
	c := tiny()
	m := randomModel(c, 3)
	h, err := m.Context(randomBatch(c, 1, 4).X, randomBatch(c, 1, 4).C)
	if err != nil {
		t.Fatal(err)
	}
	d := m.Density(h)
	const n = 1000
	y, lp := make([]float32, n*c.Dim), make([]float32, n)
	d.SampleLogProb(y, lp, 7)
	if diff := apart(lp, d.LogProb(nil, y)); !(diff < 1e-5) {
		t.Errorf("the density of samples differs by %g", diff)
	}
	short := make([]float32, 100*c.Dim)
	d.Sample(short, 7)
	if diff := maxDiff(short, y); diff != 0 {
		t.Errorf("the first samples of few and of many differ by %g", diff)
	}
}
