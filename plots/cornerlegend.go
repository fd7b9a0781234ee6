package plots

import (
	"fmt"

	"gonum.org/v1/plot/vg"
)

const quantileLabel = "16, 50, 84 % quantiles"

func (c *corner) legendWidth() vg.Length {
	w := max(textWidth(quantileLabel, sizeText), textWidth(c.size(), sizeText))
	for _, m := range c.opt.Marks {
		w = max(w, textWidth(m.Label, sizeText))
	}
	return w
}

// legend explains the regions, the truth and the marks in the empty corner.
func (c *corner) legend(cv vg.Canvas, at vg.Point, n int) {
	st := style{size: sizeText, ay: 0.5}
	line := func(draw func(vg.Point), label string) {
		draw(vg.Point{X: at.X + 9, Y: at.Y})
		write(cv, vg.Point{X: at.X + 24, Y: at.Y}, label, st)
		at.Y -= 1.5 * sizeText
	}
	at.Y -= sizeText
	for s := 1; s <= c.opt.Sigmas; s++ {
		col := fill[regionColor(c.opt.Sigmas-s, c.opt.Sigmas)]
		line(func(q vg.Point) {
			r := rect(q.X-9, q.Y-4.5, q.X+9, q.Y+4.5)
			cv.SetColor(col)
			cv.Fill(r.Path())
			setLine(cv, stroke(fade(fillEdge, 0.7), 0.4))
			cv.Stroke(r.Path())
		}, fmt.Sprintf("%dσ region, %s", s, percent(sigmaMass(s))))
	}
	line(func(q vg.Point) {
		segment(cv, vg.Point{X: q.X, Y: q.Y - 5}, vg.Point{X: q.X, Y: q.Y + 5}, dashed(fillEdge, 0.6, 2, 1.6))
	}, quantileLabel)
	if c.opt.Truth != nil {
		line(func(q vg.Point) {
			segment(cv, vg.Point{X: q.X - 9, Y: q.Y}, vg.Point{X: q.X + 9, Y: q.Y}, truthLine)
			segment(cv, vg.Point{X: q.X, Y: q.Y - 5}, vg.Point{X: q.X, Y: q.Y + 5}, truthLine)
		}, "truth")
	}
	for i, m := range c.opt.Marks {
		line(func(q vg.Point) {
			segment(cv, vg.Point{X: q.X, Y: q.Y - 6}, vg.Point{X: q.X, Y: q.Y + 6}, stroke(Palette(i), 0.9))
			symbol(cv, q, i, 3.4)
		}, m.Label)
	}
	if n > 2 {
		st.color = soft
		line(func(vg.Point) {}, c.size())
	}
}

func (c *corner) size() string {
	s := count(c.n) + " draws"
	if c.w != nil {
		s += fmt.Sprintf(", effective %s", count(int(1/c.sumw2+0.5)))
	}
	return s
}
