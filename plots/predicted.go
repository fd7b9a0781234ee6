package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/calib"
	"github.com/mlens-go/microlens/mlens/event"
)

// A Prediction is what an event's posterior says of its parameters, beside the truth.
type Prediction struct {
	Truth   event.Theta
	Nearest event.Theta // of the modes of each marginal, the one nearest to the truth
	Highest event.Theta // the highest
}

// PredictedOptions are the options of [Predicted]. The zero value is valid.
type PredictedOptions struct {
	Title string
	// Constrained and Correct are shares of the events, written into the panels; nil: not.
	Constrained, Correct *[event.Dim]float64
	Width                float64 // inches; 0: 9
}

// Predicted draws, for each parameter, predictions against truths, as Fig. 6 of Zhang et al.
// (2021): a black dot where the highest mode is the nearest to the truth, else an orange one for
// the nearest and a blue one for the highest. Shaded are the ranges of the nearest modes that hold
// 68 and 90 % of the events in a bin of the truth, where a bin has enough of them.
func Predicted(events []Prediction, opt PredictedOptions) *Figure {
	w := inches(opt.Width, 9)
	const left, right, bottom, rows, cols = vg.Length(46), vg.Length(8), vg.Length(34), 2, 4
	const across, between = vg.Length(36), vg.Length(30)
	const key = vg.Length(14)
	top := 18 + key
	if opt.Title != "" {
		top += sizeTitle + 6
	}
	side := (w-left-right+across)/cols - across
	h := bottom + top + rows*(side+between) - between
	bounds := event.Roman().Bounds()
	return &Figure{w: w, h: h, summary: predictedSummary(events, opt), draw: func(c vg.Canvas) {
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		predictedKey(&panel{Canvas: c}, vg.Point{X: left, Y: h - top + 18 + key/2})
		for k, b := range bounds {
			row, col := k/cols, k%cols
			x := left + vg.Length(col)*(side+across)
			y := bottom + vg.Length(rows-1-row)*(side+between)
			p := &panel{Canvas: c, r: rect(x, y, x+side, y+side)}
			p.x = axis{lo: b.Min, hi: b.Max, numbers: true, ticks: ticks(b.Min, b.Max, side, sizeTick, true, 4)}
			p.y = axis{lo: b.Min, hi: b.Max, numbers: true, ticks: ticks(b.Min, b.Max, side, sizeTick, false, 4)}
			if row == rows-1 {
				p.x.label = "Truth"
			}
			if col == 0 {
				p.y.label = "Predicted"
			}
			predictedPanel(p, events, k)
			p.frame(0, 0)
			write(p, vg.Point{X: p.r.Min.X, Y: p.r.Max.Y + 5}, paramLabels[k], style{size: sizeLabel})
			if opt.Constrained != nil && opt.Correct != nil {
				shares(p, 100*opt.Constrained[k], 100*opt.Correct[k])
			}
		}
	}}
}

// predictedKey says in one line what the colours mean.
func predictedKey(p *panel, at vg.Point) {
	const size, apart = sizeTick, vg.Length(16)
	entry := func(text string) {
		at.X += 6
		write(p, at, text, style{size: size, ay: 0.5})
		at.X += textWidth(text, size) + apart
	}
	disc := func(c color.NRGBA, text string) {
		p.SetColor(c)
		p.Fill(circle(at, 2))
		entry(text)
	}
	disc(ink, "highest mode, nearest to the truth")
	disc(Palette(5), "nearest mode, if another is higher")
	disc(Palette(1), "that higher mode")
	for i, text := range []string{"68 %", "90 % of the nearest"} {
		p.SetColor(fill[2-i])
		p.Fill(rect(at.X-8, at.Y-4, at.X+2, at.Y+4).Path())
		entry(text)
	}
}

// shares writes two of them, in per cent, over the points.
func shares(p *panel, constrained, correct float64) {
	const size = sizeTick - 1
	lines := []string{fmt.Sprintf("constrained %.0f %%", constrained), fmt.Sprintf("correct %.0f %%", correct)}
	at := vg.Point{X: p.r.Min.X + 4, Y: p.r.Max.Y - 4}
	p.SetColor(color.NRGBA{0xFF, 0xFF, 0xFF, 0xD8})
	p.Fill(rect(at.X-2, at.Y-2.5*size, at.X+textWidth(lines[0], size)+2, at.Y+2).Path())
	for i, l := range lines {
		write(p, vg.Point{X: at.X, Y: at.Y - vg.Length(i)*1.25*size}, l, style{size: size, ay: 1})
	}
}

// predictedPanel draws one parameter.
func predictedPanel(p *panel, events []Prediction, k int) {
	for i, share := range []float64{0.9, 0.68} {
		predictedBand(p, events, k, share, fill[i+1])
	}
	p.line([]float64{p.x.lo, p.x.hi}, []float64{p.x.lo, p.x.hi}, dashed(soft, 0.8, 3, 2))
	radius := vg.Length(0.9)
	if len(events) > 3000 {
		radius = 0.5
	}
	dot := func(x, y float64, c color.NRGBA) { p.dot(x, y, radius, fade(c, 0.75)) }
	for _, e := range events {
		if e.Nearest[k] == e.Highest[k] {
			dot(e.Truth[k], e.Nearest[k], ink)
		}
	}
	for _, e := range events {
		if e.Nearest[k] != e.Highest[k] {
			dot(e.Truth[k], e.Highest[k], Palette(1))
			dot(e.Truth[k], e.Nearest[k], Palette(5))
		}
	}
}

// predictedBand fills the range that holds a share of the nearest modes in each bin of the truth.
func predictedBand(p *panel, events []Prediction, k int, share float64, c color.NRGBA) {
	const bins, enough = 16, 15
	in := make([][]float64, bins)
	width := (p.x.hi - p.x.lo) / bins
	for _, e := range events {
		i := min(max(int((e.Truth[k]-p.x.lo)/width), 0), bins-1)
		v := e.Nearest[k]
		if k == event.Alpha { // the short way round
			v = e.Truth[k] + math.Remainder(v-e.Truth[k], 360)
		}
		in[i] = append(in[i], v)
	}
	for i, v := range in {
		if len(v) < enough {
			continue
		}
		slices.Sort(v)
		from := p.x.lo + float64(i)*width
		p.band(from, calib.Quantile(v, (1-share)/2), from+width, calib.Quantile(v, (1+share)/2), c)
	}
}

func predictedSummary(events []Prediction, opt PredictedOptions) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Predicted parameters of %s events against the truth", count(len(events)))
	for k, name := range event.Names {
		minor := 0
		for _, e := range events {
			if e.Nearest[k] != e.Highest[k] {
				minor++
			}
		}
		fmt.Fprintf(&b, "\n%-12s %s with the truth nearer to a minor mode", name, count(minor))
		if opt.Constrained != nil && opt.Correct != nil {
			fmt.Fprintf(&b, "; constrained %.1f %%, correct %.1f %%", 100*opt.Constrained[k], 100*opt.Correct[k])
		}
	}
	return b.String()
}
