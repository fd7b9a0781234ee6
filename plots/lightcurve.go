package plots

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/event"
)

// LightCurveOptions are the options of [LightCurve]. The zero value shows all
// of the light curve as flux over baseline.
type LightCurveOptions struct {
	Title     string
	Scale     FluxScale
	Baseline  float64    // flux without magnification; 0: estimated from the measurements
	ZeroPoint float64    // magnitude of flux 1 for the scale Magnitude; 0: relative to the baseline
	Window    [2]float64 // times to show; zero: all
	CloseUp   [2]float64 // times to show again, enlarged, in an inset; zero: no inset
	Width     float64    // inches; 0: 7.5
}

// LightCurve draws measurements with their errors, model curves in the colours
// of Palette, and below them the residuals against the first model in units of
// the errors; the other models appear there as their difference from it. Where they differ by less
// than the noise, that panel shows means of residuals over times so long that it can be seen.
//
// Where measurements are dense, consecutive ones that agree are averaged for
// the dark points; the single ones stay behind them as a faint cloud.
// It is an error when fewer than two measurements can be shown.
func LightCurve(lc event.LightCurve, models []Curve, opt LightCurveOptions) (*Figure, error) {
	v, err := newLightView(lc, models, opt)
	if err != nil {
		return nil, err
	}
	w := inches(opt.Width, 7.5)
	const left, right, bottom, gap = vg.Length(52), vg.Length(8), vg.Length(31), vg.Length(5)
	top := vg.Length(8)
	if opt.Title != "" {
		top += sizeTitle + 6
	}
	mainH, resH := 0.46*w, vg.Length(0)
	if len(models) > 0 {
		resH = 0.15 * w
	}
	h := bottom + mainH + top
	if resH > 0 {
		h += resH + gap
	}
	return &Figure{w: w, h: h, summary: v.summary(), draw: func(c vg.Canvas) {
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		y0 := bottom
		if resH > 0 {
			y0 += resH + gap
		}
		ydrop := v.draw(c, rect(left, y0, w-right, y0+mainH), resH == 0)
		if resH > 0 {
			v.residuals(c, rect(left, bottom, w-right, bottom+resH), ydrop)
		}
	}}, nil
}

// A lightView is the part of a light curve that a panel shows.
type lightView struct {
	name   string
	models []Curve
	opt    LightCurveOptions
	t0, t1 float64
	single []sample // the measurements in the view
	shown  []sample // the same, merged
	inset  *lightView
	legend bool
}

func newLightView(lc event.LightCurve, models []Curve, opt LightCurveOptions) (*lightView, error) {
	if n := len(lc.Times); len(lc.Flux) != n || len(lc.Err) != n {
		panic(fmt.Sprintf("plots: light curve of %d times, %d fluxes, %d errors", n, len(lc.Flux), len(lc.Err)))
	}
	for _, m := range models {
		if len(m.Times) != len(m.Flux) {
			panic(fmt.Sprintf("plots: curve %q of %d times, %d fluxes", m.Label, len(m.Times), len(m.Flux)))
		}
	}
	v := &lightView{name: lc.Name, models: models, opt: opt, legend: true}
	all := samples(lc, models, math.Inf(-1), math.Inf(1))
	if len(all) < 2 {
		return nil, fmt.Errorf("plots: %s has %d measurements that can be shown", nameOf(lc.Name), len(all))
	}
	if v.opt.Baseline == 0 {
		v.opt.Baseline = baseline(all)
	}
	v.t0, v.t1 = all[0].t, all[len(all)-1].t
	if opt.Window != [2]float64{} {
		v.t0, v.t1 = opt.Window[0], opt.Window[1]
	} else {
		pad := 0.015 * (v.t1 - v.t0)
		v.t0, v.t1 = v.t0-pad, v.t1+pad
	}
	if !(v.t1 > v.t0) {
		panic(fmt.Sprintf("plots: window from %v to %v", v.t0, v.t1))
	}
	v.cut(all)
	if len(v.single) < 2 {
		return nil, fmt.Errorf("plots: %s has %d measurements between %v and %v", nameOf(lc.Name), len(v.single), v.t0, v.t1)
	}
	if opt.CloseUp != [2]float64{} {
		in := *v
		in.t0, in.t1, in.legend = opt.CloseUp[0], opt.CloseUp[1], false
		if !(in.t1 > in.t0) {
			panic(fmt.Sprintf("plots: close-up from %v to %v", in.t0, in.t1))
		}
		in.cut(all)
		v.inset = &in
	}
	return v, nil
}

func nameOf(s string) string {
	if s == "" {
		return "the light curve"
	}
	return s
}

// cut selects the samples of the view.
func (v *lightView) cut(all []sample) {
	v.single = nil
	for _, s := range all {
		if s.t >= v.t0 && s.t <= v.t1 {
			v.single = append(v.single, s)
		}
	}
	v.shown = merge(v.single, (v.t1-v.t0)/400)
}

// y maps a flux to the vertical scale.
func (v *lightView) y(flux float64) float64 {
	switch v.opt.Scale {
	case Flux:
		return flux
	case Magnitude:
		if v.opt.ZeroPoint != 0 {
			return v.opt.ZeroPoint - 2.5*math.Log10(flux)
		}
		return -2.5 * math.Log10(flux/v.opt.Baseline)
	}
	return flux / v.opt.Baseline
}

func (v *lightView) label() string {
	switch {
	case v.opt.Scale == Flux:
		return "Flux"
	case v.opt.Scale == Magnitude && v.opt.ZeroPoint == 0:
		return "Magnitude − baseline"
	case v.opt.Scale == Magnitude:
		return "Magnitude"
	}
	return "Flux / baseline"
}

// yRange returns the range of the vertical axis, the bright end last.
func (v *lightView) yRange() (lo, hi float64) {
	var ys []float64
	for _, s := range v.shown {
		ys = append(ys, v.y(s.f-s.err), v.y(s.f+s.err))
	}
	// Lone outliers may leave the panel; the models may not.
	if len(ys) > 200 {
		slices.SortFunc(ys, func(a, b float64) int { return cmpNaN(a, b) })
		k := len(ys) / 1000
		ys = ys[k : len(ys)-k]
	}
	for _, m := range v.models {
		for i, t := range m.Times {
			if t >= v.t0 && t <= v.t1 {
				ys = append(ys, v.y(m.Flux[i]))
			}
		}
	}
	lo, hi = padded(0.06, ys)
	if v.opt.Scale == Magnitude {
		lo, hi = hi, lo
	}
	return lo, hi
}

func cmpNaN(a, b float64) int {
	switch {
	case a < b || math.IsNaN(a) && !math.IsNaN(b):
		return -1
	case a > b || math.IsNaN(b) && !math.IsNaN(a):
		return 1
	}
	return 0
}

// panel returns the view's panel on a rectangle.
func (v *lightView) panel(c vg.Canvas, r vg.Rectangle, size vg.Length) *panel {
	lo, hi := v.yRange()
	p := &panel{Canvas: c, r: r, size: size}
	p.x = axis{lo: v.t0, hi: v.t1, numbers: true, ticks: ticks(v.t0, v.t1, r.Max.X-r.Min.X, size, true, 8)}
	p.y = axis{lo: lo, hi: hi, numbers: true, ticks: ticks(lo, hi, r.Max.Y-r.Min.Y, size, false, 6)}
	return p
}

// draw draws measurements, models, legend and inset; it returns the distance
// of the vertical label from the frame.
func (v *lightView) draw(c vg.Canvas, r vg.Rectangle, bottom bool) vg.Length {
	p := v.panel(c, r, sizeTick)
	p.x.numbers = bottom
	if bottom {
		p.x.label = "Time [d]"
	}
	p.y.label = v.label()
	v.points(p, func(s sample) (y, lo, hi float64) { return v.y(s.f), v.y(s.f - s.err), v.y(s.f + s.err) })
	v.curves(p, lineCurve)
	var widest vg.Length
	for _, t := range p.y.ticks {
		widest = max(widest, textWidth(t.label, sizeTick))
	}
	side := v.freeSide(p)
	if v.inset != nil {
		v.drawInset(p, side)
		side = 1 - side
	}
	if v.legend {
		v.drawLegend(p, side)
	}
	ydrop := max(11+widest, 30)
	p.frame(0, ydrop)
	return ydrop
}

// points draws the single measurements as a cloud, if they were merged, and
// the shown ones with errors.
func (v *lightView) points(p *panel, at func(sample) (y, lo, hi float64)) {
	dot := func(path *vg.Path, q vg.Point, r vg.Length) {
		path.Move(vg.Point{X: q.X - r, Y: q.Y - r})
		path.Line(vg.Point{X: q.X + r, Y: q.Y - r})
		path.Line(vg.Point{X: q.X + r, Y: q.Y + r})
		path.Line(vg.Point{X: q.X - r, Y: q.Y + r})
		path.Close()
	}
	if len(v.shown) < len(v.single) {
		var cloud vg.Path
		stride := 1 + (len(v.single)-1)/3000
		for i := 0; i < len(v.single); i += stride {
			if y, _, _ := at(v.single[i]); p.inside(v.single[i].t, y) {
				dot(&cloud, p.at(v.single[i].t, y), 0.35)
			}
		}
		p.SetColor(fade(soft, 0.45))
		p.Fill(cloud)
	}
	v.marks(p, v.shown, at)
}

// marks draws dots with errors.
func (v *lightView) marks(p *panel, shown []sample, at func(sample) (y, lo, hi float64)) {
	var bars, dots vg.Path
	for _, s := range shown {
		y, lo, hi := at(s)
		if bad(y) || s.t < v.t0 || s.t > v.t1 {
			continue
		}
		a, b := p.py(lo), p.py(hi)
		a, b = min(max(min(a, b), p.r.Min.Y), p.r.Max.Y), max(min(max(a, b), p.r.Max.Y), p.r.Min.Y)
		if b-a > 1.6 {
			bars.Move(vg.Point{X: p.px(s.t), Y: a})
			bars.Line(vg.Point{X: p.px(s.t), Y: b})
		}
		if p.inside(s.t, y) {
			q := p.at(s.t, y)
			dots.Move(vg.Point{X: q.X + 0.9, Y: q.Y})
			dots.Arc(q, 0.9, 0, 2*math.Pi)
			dots.Close()
		}
	}
	setLine(p, stroke(fade(ink, 0.45), 0.5))
	p.Stroke(bars)
	p.SetColor(fade(ink, 0.75))
	p.Fill(dots)
}

// dashesOf is the dash pattern of the i-th model: curves that coincide stay
// visible.
func dashesOf(i int) []vg.Length {
	return [][]vg.Length{nil, {5, 3}, {1.5, 2}, {7, 2, 1.5, 2}, {9, 4}}[i%5]
}

func (v *lightView) curves(p *panel, width vg.Length) {
	for i, m := range v.models {
		xs, ys := within(m, v.t0, v.t1)
		for j := range ys {
			ys[j] = v.y(ys[j])
		}
		st := stroke(Palette(i), width)
		st.Dashes = dashesOf(i)
		p.line(xs, ys, st)
	}
}

// within returns the part of a curve that the window needs, one point more on
// each side.
func within(m Curve, t0, t1 float64) (ts, fs []float64) {
	a, b := 0, len(m.Times)
	for a+1 < b && m.Times[a+1] < t0 {
		a++
	}
	for b-2 > a && m.Times[b-2] > t1 {
		b--
	}
	return m.Times[a:b], append([]float64(nil), m.Flux[a:b]...)
}

func (v *lightView) summary() string {
	var b strings.Builder
	peak := v.shown[0]
	for _, s := range v.shown {
		if s.f > peak.f {
			peak = s
		}
	}
	fmt.Fprintf(&b, "Light curve %s: %s measurements", v.name, count(len(v.single)))
	if len(v.shown) < len(v.single) {
		fmt.Fprintf(&b, " (drawn as %s points)", count(len(v.shown)))
	}
	fmt.Fprintf(&b, " from %.2f to %.2f d; baseline flux %.4g, peak %.3f times that at %.2f d",
		v.single[0].t, v.single[len(v.single)-1].t, v.opt.Baseline, peak.f/v.opt.Baseline, peak.t)
	var first float64
	for i, m := range v.models {
		chi2, n := v.chi2(i)
		fmt.Fprintf(&b, "\n%-16s χ² = %.1f for %s measurements", m.Label, chi2, count(n))
		if i == 0 {
			first = chi2
		} else {
			fmt.Fprintf(&b, ", %+.1f from the first", chi2-first)
		}
	}
	return strings.Replace(b.String(), "Light curve :", "Light curve:", 1)
}
