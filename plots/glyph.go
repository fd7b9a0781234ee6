package plots

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var white = color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}

// crossGlyph is a bold ×, heavier than gonum's.
type crossGlyph struct{}

func (crossGlyph) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	r := sty.Radius
	c.SetLineStyle(stroke(sty.Color, r*0.55))
	var p vg.Path
	p.Move(vg.Point{X: pt.X - r, Y: pt.Y - r})
	p.Line(vg.Point{X: pt.X + r, Y: pt.Y + r})
	p.Move(vg.Point{X: pt.X - r, Y: pt.Y + r})
	p.Line(vg.Point{X: pt.X + r, Y: pt.Y - r})
	c.Stroke(p)
}

// diamondGlyph is a filled diamond.
type diamondGlyph struct{}

func (diamondGlyph) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	r := sty.Radius * 1.2
	c.SetColor(sty.Color)
	var p vg.Path
	p.Move(vg.Point{X: pt.X - r, Y: pt.Y})
	p.Line(vg.Point{X: pt.X, Y: pt.Y + r})
	p.Line(vg.Point{X: pt.X + r, Y: pt.Y})
	p.Line(vg.Point{X: pt.X, Y: pt.Y - r})
	p.Close()
	c.Fill(p)
}

// symbol draws the i-th solution's mark.
func symbol(c vg.Canvas, q vg.Point, i int, radius vg.Length) {
	shapes := []draw.GlyphDrawer{crossGlyph{}, diamondGlyph{}, draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}}
	halo := draw.GlyphStyle{Color: white, Radius: radius + 0.8, Shape: shapes[i%len(shapes)]}
	cv := draw.Canvas{Canvas: c}
	cv.DrawGlyphNoClip(halo, q)
	cv.DrawGlyphNoClip(draw.GlyphStyle{Color: Palette(i), Radius: radius, Shape: shapes[i%len(shapes)]}, q)
}
