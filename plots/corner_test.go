package plots_test

import (
	"bytes"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/plots"
)

func table1Corner() *plots.Figure {
	return plots.Corner(table1Posterior(20_000), plots.CornerOptions{
		Truth: &table1Truth,
		Marks: []plots.Mark{{Label: "close", Theta: table1Close}, {Label: "wide", Theta: table1Wide}},
	})
}

func BenchmarkCorner(b *testing.B) {
	draws := table1Posterior(20_000)
	opt := plots.CornerOptions{Truth: &table1Truth}
	for b.Loop() {
		var buf bytes.Buffer
		if err := plots.Corner(draws, opt).PNG(&buf, 0); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(buf.Len()), "bytes")
	}
}

func TestLook(t *testing.T) {
	if err := table1Corner().Save("/tmp/look/corner.png"); err != nil {
		t.Fatal(err)
	}
	if err := table1Corner().Save("/tmp/look/corner.svg"); err != nil {
		t.Fatal(err)
	}
	if err := table1Corner().Save("/tmp/look/corner.pdf"); err != nil {
		t.Fatal(err)
	}
	d := table1Posterior(20000)
	for i := range d {
		d[i][event.Alpha] = d[i][event.Alpha]*3 - 900 + 360
		d[i][event.LogRho] = -4 + 2*float64(i)/20000
	}
	plots.Corner(d, plots.CornerOptions{Params: []int{3, 5}}).Save("/tmp/look/corner2.png")
	plots.Corner(d, plots.CornerOptions{Params: []int{0}}).Save("/tmp/look/corner1.png")
	plots.Corner(d, plots.CornerOptions{Sigmas: 4, Params: []int{event.Alpha, event.LogTE, event.LogRho}, Title: "Three"}).Save("/tmp/look/corner3.png")
}
