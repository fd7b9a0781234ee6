package plots_test

import (
	"bytes"
	"testing"

	"github.com/mlens-go/microlens/plots"
)

func BenchmarkLightCurve(b *testing.B) {
	lc, models := bumpEvent()
	for b.Loop() {
		fig, err := plots.LightCurve(lc, models, plots.LightCurveOptions{CloseUp: [2]float64{28.5, 31}})
		if err != nil {
			b.Fatal(err)
		}
		var buf bytes.Buffer
		if err := fig.PNG(&buf, 0); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(buf.Len()), "bytes")
	}
}

func TestLookLC(t *testing.T) {
	lc, models := bumpEvent()
	for name, opt := range map[string]plots.LightCurveOptions{
		"lc":     {Title: "A planet's bump", CloseUp: [2]float64{28.5, 31}},
		"lczoom": {Window: [2]float64{24, 33}, Scale: plots.Magnitude, ZeroPoint: 27.6},
	} {
		fig, err := plots.LightCurve(lc, models, opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(fig.Summary())
		fig.Save("/tmp/look/" + name + ".png")
		fig.Save("/tmp/look/" + name + ".svg")
	}
	fig, _ := plots.LightCurve(lc, nil, plots.LightCurveOptions{})
	fig.Save("/tmp/look/lcbare.png")
}
