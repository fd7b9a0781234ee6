package plots_test

import (
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
	"github.com/mlens-go/microlens/plots"
)

func TestLookCaustics(t *testing.T) {
	show := func(name string, f *plots.Figure, err error) {
		if err != nil {
			t.Fatal(err)
		}
		t.Log(f.Summary())
		f.Save("/tmp/look/" + name + ".png")
	}
	f, err := plots.Caustics(table1Solutions(), plots.CausticsOptions{})
	show("caustics", f, err)
	f, err = plots.Caustics(table3Solutions(), plots.CausticsOptions{Title: "Table 3"})
	show("caustics5", f, err)
	f, err = plots.Caustics(table1Solutions(), plots.CausticsOptions{Center: plots.CenterOfMass, Split: true})
	show("causticscom", f, err)
	f, err = plots.Solutions(simulated(table1Truth, 0.01), table1Solutions(), plots.SolutionsOptions{})
	show("solutions", f, err)
	f, err = plots.Solutions(simulated(event.Theta{-0.350, -1.700, 80, 0.1, 26, 1.699, -2.5, 0.2}, 0.05), table3Solutions(), plots.SolutionsOptions{Title: "Binary or planet?", Scale: plots.Magnitude})
	show("solutions5", f, err)
}

func TestLookMaps(t *testing.T) {
	show := func(name string, f *plots.Figure, err error) {
		if err != nil {
			t.Fatal(err)
		}
		t.Log(f.Summary())
		f.Save("/tmp/look/" + name + ".png")
	}
	b := lens.Binary{S: 0.9, Q: 0.3}
	f, err := plots.MagnificationMap(b, plots.MapOptions{Paths: []lens.Trajectory{{U0: 0.1, Alpha: 60, TE: 1}}})
	show("map", f, err)
	f, err = plots.MagnificationMap(lens.Binary{S: 1.2, Q: 1e-3}, plots.MapOptions{Rho: 5e-3, Extent: 0.15, Center: 0.35, Title: "Planetary caustic"})
	show("map2", f, err)
	f, err = plots.Images(b, 0.15, 0.1, 0.08, plots.ImagesOptions{})
	show("images", f, err)
	f, err = plots.Images(lens.Binary{S: 1.5, Q: 0.01}, 0.5, 0.3, 0.01, plots.ImagesOptions{Title: "Small source"})
	show("images2", f, err)
}

func BenchmarkSolutions(b *testing.B) {
	lc := simulated(table1Truth, 0.01)
	for b.Loop() {
		if _, err := plots.Solutions(lc, table1Solutions(), plots.SolutionsOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
