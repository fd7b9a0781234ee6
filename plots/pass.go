package plots

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/event"
)

// A PassSeries says which of a set of events pass a cut.
type PassSeries struct {
	Label  string
	Passed []bool // one an event
}

// PassOptions are the options of [Pass]. The zero value draws 24 bins.
type PassOptions struct {
	Title string
	Bins  int     // bins of each histogram; 0: 24
	Width float64 // inches; 0: 9
}

// Pass draws, for each parameter, the fraction of events drawn from a prior
// that pass cuts, with the binomial standard error as a band, and dashed the
// prior's own density in arbitrary units: where it is flat, the fraction is the
// density of the events that pass, the effective prior (Fig. 2 of Zhang et
// al. 2021).
//
// Each series must be as long as events, or it is an error.
func Pass(prior event.Prior, events []event.Theta, series []PassSeries, opt PassOptions) (*Figure, error) {
	if opt.Bins == 0 {
		opt.Bins = 24
	}
	if opt.Bins < 2 {
		panic(fmt.Sprintf("plots: %d bins", opt.Bins))
	}
	for _, s := range series {
		if len(s.Passed) != len(events) {
			return nil, fmt.Errorf("plots: %q says of %d events whether they pass, but there are %d", s.Label, len(s.Passed), len(events))
		}
	}
	bounds := prior.Bounds()
	hs := make([][event.Dim]passHist, len(series))
	most := 0.0
	for i, s := range series {
		for k := range hs[i] {
			hs[i][k] = newPassHist(events, s.Passed, k, bounds[k], opt.Bins)
			for b := range opt.Bins {
				most = max(most, hs[i][k].share[b]+hs[i][k].err[b])
			}
		}
	}
	if most == 0 {
		most = 1
	}
	w := inches(opt.Width, 9)
	const left, right, bottom, gap, rows, cols = vg.Length(46), vg.Length(12), vg.Length(31), vg.Length(22), 2, 4
	top := vg.Length(24)
	if opt.Title != "" {
		top += sizeTitle + 6
	}
	cw := (w-left-right+gap)/cols - gap
	ch := 0.72 * cw
	const between = vg.Length(38)
	h := bottom + top + rows*ch + between
	fig := &Figure{w: w, h: h, summary: passSummary(events, series, hs, bounds)}
	fig.draw = func(c vg.Canvas) {
		y := h - 6
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: y}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
			y -= sizeTitle + 6
		}
		x := left
		key := func(label string, d func(p vg.Point)) {
			d(vg.Point{X: x, Y: y - sizeTick/2})
			write(c, vg.Point{X: x + 22, Y: y}, label, style{size: sizeTick, ay: 1})
			x += 22 + textWidth(label, sizeTick) + 18
		}
		for i, s := range series {
			key(s.Label, func(p vg.Point) {
				segment(c, p, vg.Point{X: p.X + 18, Y: p.Y}, stroke(passColour(i), lineCurve))
			})
		}
		key("the prior, any scale", func(p vg.Point) {
			segment(c, p, vg.Point{X: p.X + 18, Y: p.Y}, dashed(Palette(0), 0.9, 3, 2))
		})
		for k := range event.Dim {
			row, col := k/cols, k%cols
			x := left + vg.Length(col)*(cw+gap)
			y := bottom + vg.Length(rows-1-row)*(ch+between)
			p := &panel{Canvas: c, r: rect(x, y, x+cw, y+ch)}
			lo, hi := bounds[k].Min, bounds[k].Max
			p.x = axis{lo: lo, hi: hi, numbers: true, label: paramLabels[k], ticks: ticks(lo, hi, cw, sizeTick, true, 5)}
			if k == event.Alpha {
				p.x.ticks = nil
				for a := 0; a <= 360; a += 90 {
					p.x.ticks = append(p.x.ticks, tick{at: float64(a), label: fmt.Sprint(a)})
				}
			}
			p.y = axis{lo: 0, hi: 1.15 * most, numbers: col == 0, ticks: ticks(0, 1.15*most, ch, sizeTick, false, 5)}
			if col == 0 {
				p.y.label = "Fraction that passes"
			}
			for i := range hs {
				hs[i][k].draw(p, lo, hi, i)
			}
			drawPrior(p, prior, k, bounds)
			p.frame(0, 0)
		}
	}
	return fig, nil
}

// passColour is grey for the first series, whose bins are filled too.
func passColour(i int) color.NRGBA {
	if i == 0 {
		return soft
	}
	return Palette(i)
}

// A passHist holds the share of the events of each bin that pass.
type passHist struct{ share, err []float64 }

func newPassHist(events []event.Theta, passed []bool, k int, r event.Range, bins int) passHist {
	n := make([]float64, bins)
	h := passHist{share: make([]float64, bins), err: make([]float64, bins)}
	for i, t := range events {
		b := int((t[k] - r.Min) / (r.Max - r.Min) * float64(bins))
		if b < 0 || b > bins || math.IsNaN(t[k]) {
			continue
		}
		b = min(b, bins-1)
		n[b]++
		if passed[i] {
			h.share[b]++
		}
	}
	for b := range n {
		if n[b] > 0 {
			h.share[b] /= n[b]
			h.err[b] = math.Sqrt(h.share[b] * (1 - h.share[b]) / n[b])
		}
	}
	return h
}

func (h passHist) draw(p *panel, lo, hi float64, series int) {
	bins := float64(len(h.share))
	var xs, ys []float64
	for i, s := range h.share {
		a, b := lo+(hi-lo)*float64(i)/bins, lo+(hi-lo)*float64(i+1)/bins
		if series == 0 {
			p.band(a, 0, b, s, faint)
		}
		p.band(a, s-h.err[i], b, s+h.err[i], fade(passColour(series), 0.35))
		xs, ys = append(xs, a, b), append(ys, s, s)
	}
	p.line(xs, ys, stroke(passColour(series), lineCurve))
}

// drawPrior draws the marginal density of parameter k so that it reaches four
// fifths of the panel.
func drawPrior(p *panel, prior event.Prior, k int, bounds [event.Dim]event.Range) {
	var t event.Theta
	for i, b := range bounds {
		t[i] = (b.Min + b.Max) / 2
	}
	const n = 200
	xs, ys := make([]float64, n+1), make([]float64, n+1)
	most := math.Inf(-1)
	for i := range xs {
		xs[i] = bounds[k].Min + (bounds[k].Max-bounds[k].Min)*float64(i)/n
		t[k] = xs[i]
		ys[i] = prior.LogDensity(t)
		most = max(most, ys[i])
	}
	for i := range ys {
		ys[i] = 0.8 * p.y.hi * math.Exp(ys[i]-most)
	}
	p.line(xs, ys, dashed(Palette(0), 0.9, 3, 2))
}

func passSummary(events []event.Theta, series []PassSeries, hs [][event.Dim]passHist, bounds [event.Dim]event.Range) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Fraction of %s events that passes a cut", count(len(events)))
	for i, s := range series {
		n := 0
		for _, p := range s.Passed {
			if p {
				n++
			}
		}
		fmt.Fprintf(&b, "\n%s: %.1f %%", s.Label, 100*float64(n)/float64(max(1, len(events))))
		for k, name := range event.Names {
			h := hs[i][k]
			lo, hi := 0, 0
			for j, v := range h.share {
				if v < h.share[lo] {
					lo = j
				}
				if v > h.share[hi] {
					hi = j
				}
			}
			centre := func(j int) float64 {
				return bounds[k].Min + (bounds[k].Max-bounds[k].Min)*(float64(j)+0.5)/float64(len(h.share))
			}
			fmt.Fprintf(&b, "\n  %-10s %4.1f %% at %.3g to %4.1f %% at %.3g", name, 100*h.share[lo], centre(lo), 100*h.share[hi], centre(hi))
		}
	}
	return b.String()
}
