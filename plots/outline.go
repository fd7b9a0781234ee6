package plots

import (
	"fmt"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
)

// outlines are the glyphs of one font, in units of the font size.
type outlines struct {
	mu     sync.Mutex
	font   *sfnt.Font
	buf    sfnt.Buffer
	glyphs map[rune]glyph
	kerns  map[[2]sfnt.GlyphIndex]float64
}

type glyph struct {
	index    sfnt.GlyphIndex
	advance  float64
	segments []segment2
}

// A segment2 is a piece of a glyph's outline, y upwards.
type segment2 struct {
	op   sfnt.SegmentOp
	x, y [3]float64
}

// typeface returns Liberation Sans, or Serif Italic for variables.
func typeface(bold, italic bool) *outlines {
	k := 0
	if bold {
		k |= 1
	}
	if italic {
		k |= 2
	}
	return typefaces()[k]
}

var typefaces = sync.OnceValue(func() [4]*outlines {
	cache := plotfont.NewCache(liberation.Collection())
	var out [4]*outlines
	for k := range out {
		f := plotfont.Font{Typeface: "Liberation", Variant: "Sans"}
		if k&1 != 0 {
			f.Weight = font.WeightBold
		}
		if k&2 != 0 {
			f.Variant, f.Style = "Serif", font.StyleItalic
		}
		out[k] = &outlines{
			font:   cache.Lookup(f, 1).Face,
			glyphs: map[rune]glyph{},
			kerns:  map[[2]sfnt.GlyphIndex]float64{},
		}
	}
	return out
})

// each calls f with the glyphs of s and their offsets from its start, and
// returns its width; all in units of the font size.
func (o *outlines) each(s string, f func(g glyph, x float64)) (width float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var last sfnt.GlyphIndex
	for i, r := range s {
		g := o.glyph(r)
		if i > 0 {
			width += o.kern(last, g.index)
		}
		if f != nil {
			f(g, width)
		}
		width += g.advance
		last = g.index
	}
	return width
}

// em is one font unit times 64, so that no digit of an outline is rounded.
func (o *outlines) em() (fixed.Int26_6, float64) {
	u := o.font.UnitsPerEm()
	return fixed.I(int(u)), float64(u) * 64
}

func (o *outlines) glyph(r rune) glyph {
	if g, ok := o.glyphs[r]; ok {
		return g
	}
	ppem, unit := o.em()
	index, err := o.font.GlyphIndex(&o.buf, r)
	must(err)
	adv, err := o.font.GlyphAdvance(&o.buf, index, ppem, font.HintingNone)
	must(err)
	segs, err := o.font.LoadGlyph(&o.buf, index, ppem, nil)
	must(err)
	g := glyph{index: index, advance: float64(adv) / unit}
	for _, s := range segs {
		t := segment2{op: s.Op}
		for i, a := range s.Args {
			t.x[i], t.y[i] = float64(a.X)/unit, -float64(a.Y)/unit
		}
		g.segments = append(g.segments, t)
	}
	o.glyphs[r] = g
	return g
}

func (o *outlines) kern(a, b sfnt.GlyphIndex) float64 {
	key := [2]sfnt.GlyphIndex{a, b}
	if k, ok := o.kerns[key]; ok {
		return k
	}
	ppem, unit := o.em()
	k, err := o.font.Kern(&o.buf, a, b, ppem, font.HintingNone)
	if err != nil { // the pair, or the whole table, is missing
		k = 0
	}
	o.kerns[key] = float64(k) / unit
	return o.kerns[key]
}

// must panics where a font of this package cannot be read.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("plots: font: %v", err))
	}
}

func (r run) width() vg.Length { return vg.Length(r.font.each(r.s, nil)) * r.size }

// outline appends the run's glyphs to a path; at maps a position relative to
// the line's anchor to the canvas.
func (r run) outline(path *vg.Path, at func(x, y vg.Length) vg.Point) {
	r.font.each(r.s, func(g glyph, x0 float64) {
		open := false
		for _, s := range g.segments {
			var p [3]vg.Point
			for i := range p {
				p[i] = at(r.dx+vg.Length(x0+s.x[i])*r.size, r.dy+vg.Length(s.y[i])*r.size)
			}
			switch s.op {
			case sfnt.SegmentOpMoveTo:
				if open {
					path.Close()
				}
				path.Move(p[0])
				open = true
			case sfnt.SegmentOpLineTo:
				path.Line(p[0])
			case sfnt.SegmentOpQuadTo:
				path.QuadTo(p[0], p[1])
			case sfnt.SegmentOpCubeTo:
				path.CubeTo(p[0], p[1], p[2])
			}
		}
		if open {
			path.Close()
		}
	})
}
