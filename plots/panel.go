package plots

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// An axis is a linear scale; lo > hi draws it backwards.
type axis struct {
	lo, hi  float64
	ticks   []tick
	label   string
	numbers bool // draw the tick labels
}

// A panel is a rectangle of a figure with two axes: the rectangle is that of
// the data, so that panels align and aspect ratios hold to the last digit.
type panel struct {
	vg.Canvas
	r    vg.Rectangle
	x, y axis
	size vg.Length // of the tick labels; 0: sizeTick
}

const (
	lineThin  = vg.Length(0.6)
	lineCurve = vg.Length(1.2)
	tickMajor = vg.Length(4)
	tickMinor = vg.Length(2.2)
)

func rect(x0, y0, x1, y1 vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: x0, Y: y0}, Max: vg.Point{X: x1, Y: y1}}
}

func stroke(c color.Color, w vg.Length) draw.LineStyle { return draw.LineStyle{Color: c, Width: w} }

func dashed(c color.Color, w vg.Length, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: w, Dashes: dashes}
}

// px and py map data to the canvas.
func (p *panel) px(x float64) vg.Length {
	return p.r.Min.X + vg.Length((x-p.x.lo)/(p.x.hi-p.x.lo))*(p.r.Max.X-p.r.Min.X)
}

func (p *panel) py(y float64) vg.Length {
	return p.r.Min.Y + vg.Length((y-p.y.lo)/(p.y.hi-p.y.lo))*(p.r.Max.Y-p.r.Min.Y)
}

func (p *panel) at(x, y float64) vg.Point { return vg.Point{X: p.px(x), Y: p.py(y)} }

// clip returns a canvas that cuts lines and polygons at the panel's frame.
func (p *panel) clip() *draw.Canvas { return &draw.Canvas{Canvas: p.Canvas, Rectangle: p.r} }

// line draws a curve through data points, broken where one is not finite and
// cut at the frame.
func (p *panel) line(xs, ys []float64, st draw.LineStyle) {
	c := p.clip()
	var pts []vg.Point
	flush := func() {
		if len(pts) > 1 {
			c.StrokeLines(st, c.ClipLinesXY(simplify(pts, 0.04))...)
		}
		pts = pts[:0]
	}
	// Far outside points are brought nearer, so that the clipping arithmetic
	// keeps its digits.
	far := 20 * (p.r.Max.Y - p.r.Min.Y)
	for i := range xs {
		q := p.at(xs[i], ys[i])
		if bad(float64(q.X)) || bad(float64(q.Y)) {
			flush()
			continue
		}
		q.Y = min(max(q.Y, p.r.Min.Y-far), p.r.Max.Y+far)
		pts = append(pts, q)
	}
	flush()
}

// hline and vline draw a guide across the panel, if it lies inside.
func (p *panel) hline(y float64, st draw.LineStyle) {
	if v := p.py(y); v >= p.r.Min.Y && v <= p.r.Max.Y {
		p.segment(vg.Point{X: p.r.Min.X, Y: v}, vg.Point{X: p.r.Max.X, Y: v}, st)
	}
}

func (p *panel) vline(x float64, st draw.LineStyle) {
	if v := p.px(x); v >= p.r.Min.X && v <= p.r.Max.X {
		p.segment(vg.Point{X: v, Y: p.r.Min.Y}, vg.Point{X: v, Y: p.r.Max.Y}, st)
	}
}

func (p *panel) segment(a, b vg.Point, st draw.LineStyle) { segment(p.Canvas, a, b, st) }

func segment(c vg.Canvas, a, b vg.Point, st draw.LineStyle) {
	setLine(c, st)
	var path vg.Path
	path.Move(a)
	path.Line(b)
	c.Stroke(path)
}

func setLine(c vg.Canvas, st draw.LineStyle) {
	c.SetColor(st.Color)
	c.SetLineWidth(st.Width)
	c.SetLineDash(st.Dashes, st.DashOffs)
}

// band fills the part of the panel between two data rectangles' corners.
func (p *panel) band(x0, y0, x1, y1 float64, c color.Color) {
	a, b := p.at(x0, y0), p.at(x1, y1)
	r := rect(min(a.X, b.X), min(a.Y, b.Y), max(a.X, b.X), max(a.Y, b.Y))
	r = rect(max(r.Min.X, p.r.Min.X), max(r.Min.Y, p.r.Min.Y), min(r.Max.X, p.r.Max.X), min(r.Max.Y, p.r.Max.Y))
	if r.Max.X > r.Min.X && r.Max.Y > r.Min.Y {
		p.SetColor(c)
		p.Fill(r.Path())
	}
}

// inside says whether a data point lies in the panel.
func (p *panel) inside(x, y float64) bool {
	q := p.at(x, y)
	return q.X >= p.r.Min.X && q.X <= p.r.Max.X && q.Y >= p.r.Min.Y && q.Y <= p.r.Max.Y
}

// frame draws the box, the inward ticks on all four sides, the numbers and
// the axis labels. xdrop and ydrop are the distances of the axis labels'
// nearest edge from the box, 0 for just outside the numbers.
func (p *panel) frame(xdrop, ydrop vg.Length) {
	setLine(p.Canvas, stroke(ink, lineThin))
	p.Stroke(p.r.Path())
	size := p.size
	if size == 0 {
		size = sizeTick
	}
	var widest vg.Length
	for _, t := range p.x.ticks {
		x, l := p.px(t.at), tickLen(t)
		p.segment(vg.Point{X: x, Y: p.r.Min.Y}, vg.Point{X: x, Y: p.r.Min.Y + l}, stroke(ink, lineThin))
		p.segment(vg.Point{X: x, Y: p.r.Max.Y}, vg.Point{X: x, Y: p.r.Max.Y - l}, stroke(ink, lineThin))
		if p.x.numbers && t.label != "" {
			write(p, vg.Point{X: x, Y: p.r.Min.Y - 4}, t.label, style{size: size, ax: 0.5, ay: 1})
		}
	}
	for _, t := range p.y.ticks {
		y, l := p.py(t.at), tickLen(t)
		p.segment(vg.Point{X: p.r.Min.X, Y: y}, vg.Point{X: p.r.Min.X + l, Y: y}, stroke(ink, lineThin))
		p.segment(vg.Point{X: p.r.Max.X, Y: y}, vg.Point{X: p.r.Max.X - l, Y: y}, stroke(ink, lineThin))
		if p.y.numbers && t.label != "" {
			widest = max(widest, textWidth(t.label, size))
			write(p, vg.Point{X: p.r.Min.X - 4, Y: y}, t.label, style{size: size, ax: 1, ay: 0.5})
		}
	}
	if p.x.label != "" {
		if xdrop == 0 {
			xdrop = 4 + size + 4
		}
		write(p, vg.Point{X: (p.r.Min.X + p.r.Max.X) / 2, Y: p.r.Min.Y - xdrop}, p.x.label, style{size: sizeLabel, ax: 0.5, ay: 1})
	}
	if p.y.label != "" {
		if ydrop == 0 {
			ydrop = 4 + widest + 7
		}
		write(p, vg.Point{X: p.r.Min.X - ydrop, Y: (p.r.Min.Y + p.r.Max.Y) / 2}, p.y.label,
			style{size: sizeLabel, ax: 0.5, ay: 0, rot: math.Pi / 2})
	}
}

func tickLen(t tick) vg.Length {
	if t.minor {
		return tickMinor
	}
	return tickMajor
}

func bad(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// padded returns the range of the finite values widened by a fraction f on
// both sides; an empty or single-valued range becomes one of width 1 or more.
func padded(f float64, values ...[]float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, vs := range values {
		for _, v := range vs {
			if !bad(v) {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	if lo > hi {
		return 0, 1
	}
	if lo == hi {
		w := math.Max(math.Abs(lo)*1e-3, 1e-3)
		lo, hi = lo-w, hi+w
	}
	w := f * (hi - lo)
	return lo - w, hi + w
}

// dot draws a filled circle at a data point inside the panel, ring an open one.
func (p *panel) dot(x, y float64, r vg.Length, c color.Color) {
	if p.inside(x, y) {
		p.SetColor(c)
		p.Fill(circle(p.at(x, y), r))
	}
}

func (p *panel) ring(x, y float64, r vg.Length, c color.Color) {
	if p.inside(x, y) {
		setLine(p, stroke(c, 0.9))
		p.Stroke(circle(p.at(x, y), r))
	}
}

// plus draws an upright cross at a data point inside the panel.
func (p *panel) plus(x, y float64, r vg.Length, c color.Color) {
	if !p.inside(x, y) {
		return
	}
	q := p.at(x, y)
	p.segment(vg.Point{X: q.X - r, Y: q.Y}, vg.Point{X: q.X + r, Y: q.Y}, stroke(c, 0.9))
	p.segment(vg.Point{X: q.X, Y: q.Y - r}, vg.Point{X: q.X, Y: q.Y + r}, stroke(c, 0.9))
}

func circle(q vg.Point, r vg.Length) vg.Path {
	var path vg.Path
	path.Move(vg.Point{X: q.X + r, Y: q.Y})
	path.Arc(q, r, 0, 2*math.Pi)
	path.Close()
	return path
}

// arrow draws an arrow head with its tip at a point of the data, along d.
func (p *panel) arrow(tip, d complex128, size vg.Length, c color.Color) {
	q := p.at(real(tip), imag(tip))
	e := p.at(real(tip)+real(d), imag(tip)+imag(d))
	dx, dy := e.X-q.X, e.Y-q.Y
	norm := vg.Length(math.Hypot(float64(dx), float64(dy)))
	dx, dy = dx/norm*size, dy/norm*size
	var path vg.Path
	path.Move(q)
	path.Line(vg.Point{X: q.X - dx - 0.38*dy, Y: q.Y - dy + 0.38*dx})
	path.Line(vg.Point{X: q.X - 0.75*dx, Y: q.Y - 0.75*dy})
	path.Line(vg.Point{X: q.X - dx + 0.38*dy, Y: q.Y - dy - 0.38*dx})
	path.Close()
	p.SetColor(c)
	p.Fill(path)
}

// loop draws a closed curve of the complex plane, moved by −origin.
func (p *panel) loop(z []complex128, origin complex128, st draw.LineStyle) {
	xs, ys := make([]float64, len(z)+1), make([]float64, len(z)+1)
	for i := range xs {
		w := z[i%len(z)] - origin
		xs[i], ys[i] = real(w), imag(w)
	}
	p.line(xs, ys, st)
}
