package plots

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
)

// LossPoint is one entry of a training history. NaN marks what was not
// measured at that point.
type LossPoint struct {
	Seen       float64 // light curves seen, or steps
	Train      float64 // mean negative log-likelihood, nats
	Validation float64
}

// Level is a labelled horizontal line, such as the loss of a density that
// ignores the data.
type Level struct {
	Label string
	Value float64
}

// LossOptions are the options of [Loss]. The zero value draws the history
// alone against light curves seen.
type LossOptions struct {
	Title     string
	XLabel    string  // "": light curves seen
	YLabel    string  // "": negative log-likelihood [nats]
	Log       bool    // logarithmic axis of Seen; points at 0 are left out
	Baselines []Level // lines to compare with: the prior, a Gaussian, the exact posterior
	Width     float64 // inches; 0: 6.5
}

// Loss draws a training history: the training loss with a running mean over
// it where it is noisy, the validations as points joined by straight lines,
// and the best of them marked. The
// vertical range leaves out the steep start when the rest would be flat.
// An empty history gives empty axes, so that a live figure can start with it.
func Loss(history []LossPoint, opt LossOptions) *Figure {
	l := newLossView(history, opt)
	w := inches(opt.Width, 6.5)
	const left, right, bottom = vg.Length(52), vg.Length(12), vg.Length(31)
	top := vg.Length(8)
	if opt.Title != "" {
		top += sizeTitle + 6
	}
	h := 0.52*w + bottom + top
	return &Figure{w: w, h: h, summary: l.summary(), draw: func(c vg.Canvas) {
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		l.draw(&panel{Canvas: c, r: rect(left, bottom, w-right, h-top)})
	}}
}

// A lossView is a history split into its curves.
type lossView struct {
	opt            LossOptions
	tx, ty, mean   []float64 // training
	vx, vy         []float64 // validation
	best           int       // index of the lowest validation loss, −1
	x0, x1, y0, y1 float64
}

func newLossView(history []LossPoint, opt LossOptions) *lossView {
	l := &lossView{opt: opt, best: -1}
	if l.opt.XLabel == "" {
		l.opt.XLabel = "Light curves seen"
	}
	if l.opt.YLabel == "" {
		l.opt.YLabel = "Negative log-likelihood [nats]"
	}
	for _, p := range history {
		x := p.Seen
		if opt.Log {
			x = math.Log10(x)
		}
		if bad(x) {
			continue
		}
		if !bad(p.Train) {
			l.tx, l.ty = append(l.tx, x), append(l.ty, p.Train)
		}
		if !bad(p.Validation) {
			l.vx, l.vy = append(l.vx, x), append(l.vy, p.Validation)
			if l.best < 0 || p.Validation < l.vy[l.best] {
				l.best = len(l.vy) - 1
			}
		}
	}
	l.mean = runningMean(l.ty)
	l.x0, l.x1 = padded(0.02, l.tx, l.vx)
	if !opt.Log && l.x0 < 0 {
		l.x0 = 0
	}
	var levels []float64
	for _, b := range opt.Baselines {
		levels = append(levels, b.Value)
	}
	l.y0, l.y1 = padded(0.06, settled(l.ty), settled(l.vy), l.mean[len(l.mean)/20:], levels)
	return l
}

// settled drops the first twentieth of a curve, at least one point if there
// are ten.
func settled(y []float64) []float64 {
	k := len(y) / 20
	if k == 0 && len(y) >= 10 {
		k = 1
	}
	return y[k:]
}

// runningMean smooths with a centred window of a hundredth of the points,
// narrower where the curve starts, and one-sided where it ends.
func runningMean(y []float64) []float64 {
	half := len(y) / 200
	out := make([]float64, len(y))
	sums := make([]float64, len(y)+1)
	for i, v := range y {
		sums[i+1] = sums[i] + v
	}
	for i := range y {
		a, b := i-min(half, i/4), min(i+min(half, i/4), len(y)-1)
		out[i] = (sums[b+1] - sums[a]) / float64(b+1-a)
	}
	return out
}

func (l *lossView) draw(p *panel) {
	w, h := p.r.Max.X-p.r.Min.X, p.r.Max.Y-p.r.Min.Y
	p.x = axis{lo: l.x0, hi: l.x1, numbers: true, label: l.opt.XLabel}
	if l.opt.Log {
		p.x.ticks = decadeTicks(l.x0, l.x1, w, sizeTick)
	} else {
		p.x.ticks = ticksFunc(l.x0, l.x1, w, sizeTick, true, 7, w, short)
	}
	p.y = axis{lo: l.y0, hi: l.y1, numbers: true, label: l.opt.YLabel, ticks: ticks(l.y0, l.y1, h, sizeTick, false, 7)}

	labels := l.levelLabels(p)
	for _, b := range l.opt.Baselines {
		l.levelLine(p, b.Value, labels)
	}
	for _, b := range labels {
		write(p, b.box.Min, b.text, style{size: sizeText, color: soft})
	}
	if len(l.ty) > 200 {
		p.line(l.tx, l.ty, stroke(fade(Palette(1), 0.25), 0.5))
		p.line(l.tx, l.mean, stroke(Palette(1), lineCurve))
	} else {
		p.line(l.tx, l.ty, stroke(Palette(1), lineCurve))
	}
	p.line(l.vx, l.vy, stroke(Palette(0), lineCurve))
	radius := vg.Length(1.8)
	if len(l.vy) > 60 {
		radius = 1.2
	}
	for i := range l.vy {
		p.dot(l.vx[i], l.vy[i], radius, Palette(0))
	}
	y := l.legendTop(p, labels)
	entry := func(label string, i int) {
		x := p.r.Max.X - 12 - textWidth(label, sizeText)
		p.segment(vg.Point{X: x - 26, Y: y}, vg.Point{X: x - 6, Y: y}, stroke(Palette(i), lineCurve))
		write(p, vg.Point{X: x, Y: y}, label, style{size: sizeText, ay: 0.5})
		y -= legendStep
	}
	if l.best >= 0 {
		p.ring(l.vx[l.best], l.vy[l.best], 3.6, Palette(0))
	}
	for _, e := range l.legend() {
		entry(e.label, e.colour)
	}
	p.frame(0, 0)
}

const legendStep = 1.45 * sizeText

type lossEntry struct {
	label  string
	colour int
}

func (l *lossView) legend() (out []lossEntry) {
	if len(l.ty) > 0 {
		out = append(out, lossEntry{"training", 1})
	}
	if l.best >= 0 {
		out = append(out, lossEntry{"validation, best " + number(l.vy[l.best], 3), 0})
	}
	return out
}

// short formats large round numbers with k, M and G.
func short(v float64, dec int) string {
	for _, u := range []struct {
		f float64
		s string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if math.Abs(v) >= u.f {
			return number3(v/u.f) + u.s
		}
	}
	return number(v, dec)
}

func (l *lossView) summary() string {
	var b strings.Builder
	x := func(v float64) string {
		if l.opt.Log {
			v = math.Pow(10, v)
		}
		return strings.ReplaceAll(short(v, 0), " ", "")
	}
	fmt.Fprintf(&b, "%s against %s", unmark(l.opt.YLabel), strings.ToLower(unmark(l.opt.XLabel)))
	if n := len(l.ty); n > 0 {
		fmt.Fprintf(&b, "\ntraining:   %s at %s", number(l.mean[n-1], 3), x(l.tx[n-1]))
	}
	if n := len(l.vy); n > 0 {
		fmt.Fprintf(&b, "\nvalidation: %s at %s, best %s at %s", number(l.vy[n-1], 3), x(l.vx[n-1]), number(l.vy[l.best], 3), x(l.vx[l.best]))
	}
	for _, v := range l.opt.Baselines {
		fmt.Fprintf(&b, "\n%s: %s", unmark(v.Label), number(v.Value, 3))
	}
	return b.String()
}
