package plots

import (
	"testing"

	"gonum.org/v1/plot/vg"
)

// However close the baselines, no label touches another, a line or the legend.
func TestLossLabels(t *testing.T) {
	history := []LossPoint{{Seen: 1, Train: 12, Validation: 12}, {Seen: 2, Train: 9, Validation: 9}}
	var cases [][]float64
	for _, base := range []float64{8.82, 10.61, 12.1} { // the bottom, the middle, the top
		for _, d := range []float64{0, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.69, 2} {
			cases = append(cases, []float64{base, base + d}, []float64{base + d, base, base - d},
				[]float64{base - 2*d, base - d, base, base + d})
		}
	}
	for _, values := range cases {
		var opt LossOptions
		for i, v := range values {
			opt.Baselines = append(opt.Baselines, Level{[]string{"the prior", "one Gaussian", "flow", "exact"}[i], v})
		}
		l := newLossView(history, opt)
		p := &panel{r: rect(52, 31, 456, 274), x: axis{lo: l.x0, hi: l.x1}, y: axis{lo: l.y0, hi: l.y1}}
		labels := l.levelLabels(p)
		if len(labels) != len(values) {
			t.Errorf("%v: %d labels", values, len(labels))
		}
		for i, a := range labels {
			if a.box.Min.Y < p.r.Min.Y || a.box.Max.Y > p.r.Max.Y || a.box.Min.X < p.r.Min.X {
				t.Errorf("%v: %s is outside the panel", values, a.text)
			}
			for _, b := range labels[:i] {
				if near(a.box, b.box, 2) {
					t.Errorf("%v: %s touches %s", values, a.text, b.text)
				}
			}
			for _, v := range values {
				y := p.py(v)
				for _, s := range levelPieces(p, y, labels) {
					if near(a.box, rect(s[0], y, s[1], y), 2) {
						t.Errorf("%v: %s touches the line at %v", values, a.text, v)
					}
				}
			}
		}
		top := l.legendTop(p, labels)
		legend := rect(p.r.Min.X, top-legendStep-sizeText/2, p.r.Max.X, top+sizeText/2)
		obstacles := make([]vg.Rectangle, 0, 2*len(labels))
		for _, b := range labels {
			obstacles = append(obstacles, b.box)
		}
		for _, v := range values {
			obstacles = append(obstacles, rect(p.r.Min.X, p.py(v), p.r.Max.X, p.py(v)))
		}
		for _, o := range obstacles {
			if near(legend, o, 0) {
				t.Errorf("%v: the legend at %.0f is crossed at %.0f", values, top, o.Min.Y)
			}
		}
	}
}
