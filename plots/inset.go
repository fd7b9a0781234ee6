package plots

import "gonum.org/v1/plot/vg"

// freeSide returns the emptier upper corner: 0 left, 1 right.
func (v *lightView) freeSide(p *panel) int {
	var n [2]int
	mid := (p.r.Min.Y + p.r.Max.Y) / 2
	for _, s := range v.shown {
		if p.py(v.y(s.f)) > mid {
			switch f := (s.t - v.t0) / (v.t1 - v.t0); {
			case f < 0.42:
				n[0]++
			case f > 0.58:
				n[1]++
			}
		}
	}
	if n[0] <= n[1] {
		return 0
	}
	return 1
}

func (v *lightView) drawLegend(p *panel, side int) {
	y := p.r.Max.Y - 12
	var widest vg.Length
	for _, m := range v.models {
		widest = max(widest, textWidth(m.Label, sizeText))
	}
	x := p.r.Min.X + 10
	if side == 1 {
		x = p.r.Max.X - 10 - widest - 26
	}
	for i, m := range v.models {
		if m.Label == "" {
			continue
		}
		st := stroke(Palette(i), lineCurve)
		st.Dashes = dashesOf(i)
		p.segment(vg.Point{X: x, Y: y}, vg.Point{X: x + 20, Y: y}, st)
		write(p, vg.Point{X: x + 26, Y: y}, m.Label, style{size: sizeText, ay: 0.5})
		y -= 1.45 * sizeText
	}
}

// drawInset draws the close-up in an upper corner and its extent as a box.
func (v *lightView) drawInset(p *panel, side int) {
	in := v.inset
	w, h := p.r.Max.X-p.r.Min.X, p.r.Max.Y-p.r.Min.Y
	r := rect(p.r.Min.X+34, p.r.Max.Y-0.62*h, p.r.Min.X+34+0.33*w, p.r.Max.Y-12)
	if side == 1 {
		r = rect(p.r.Max.X-14-0.33*w, r.Min.Y, p.r.Max.X-14, r.Max.Y)
	}
	q := in.panel(p.Canvas, r, sizeTick-1)
	q.x.ticks = ticks(in.t0, in.t1, r.Max.X-r.Min.X, q.size, true, 4)
	q.y.ticks = ticks(q.y.lo, q.y.hi, r.Max.Y-r.Min.Y, q.size, false, 4)
	q.SetColor(white)
	q.Fill(r.Path())
	in.points(q, func(s sample) (y, lo, hi float64) { return v.y(s.f), v.y(s.f - s.err), v.y(s.f + s.err) })
	in.curves(q, lineCurve)
	q.frame(0, 0)
	a, b := p.at(q.x.lo, q.y.lo), p.at(q.x.hi, q.y.hi)
	setLine(p, stroke(soft, 0.6))
	p.Stroke(rect(max(a.X, p.r.Min.X), max(a.Y, p.r.Min.Y), min(b.X, p.r.Max.X), min(b.Y, p.r.Max.Y)).Path())
}
