package plots

import (
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
)

// Font sizes, in points, one place for all figures.
const (
	sizeTitle = vg.Length(11)
	sizeLabel = vg.Length(10) // axis labels
	sizeText  = vg.Length(9)  // legends, notes
	sizeTick  = vg.Length(8)
)

// style says how a string is set: anchor ax, ay in [0, 1] is the point of the
// text's box that lies on the given position, (0, 0) its lower left corner.
type style struct {
	size   vg.Length
	color  color.Color
	ax, ay float64
	rot    float64 // radians, counter-clockwise
	bold   bool
}

// A run is a piece of a line in one font.
type run struct {
	s      string
	font   *outlines
	size   vg.Length
	dx, dy vg.Length // from the start of the line, on its baseline
}

// layout splits markup into runs: _{…} lowered, ^{…} raised, $…$ italic. A
// raised piece directly after a lowered one, or before, is set above it.
func layout(s string, size vg.Length, bold bool) (runs []run, width vg.Length) {
	roman, italic := typeface(bold, false), typeface(bold, true)
	var x, stackAt, stackEnd vg.Length
	stacked := byte(0) // the script just set: '_', '^' or none
	emit := func(txt string, f *outlines, scale, shift vg.Length) {
		if txt == "" {
			return
		}
		r := run{s: txt, font: f, size: size * scale, dx: x, dy: size * shift}
		runs = append(runs, r)
		x += r.width()
	}
	plain := func(txt string) {
		if txt != "" {
			emit(txt, roman, 1, 0)
			stacked = 0
		}
	}
	for s != "" {
		i := strings.IndexAny(s, "_^$")
		if i < 0 {
			plain(s)
			break
		}
		mark, rest := s[i], s[i+1:]
		if mark == '$' {
			j := strings.IndexByte(rest, '$')
			if j < 0 {
				plain(s)
				break
			}
			plain(s[:i])
			emit(rest[:j], italic, 1.05, 0)
			stacked = 0
			s = rest[j+1:]
			continue
		}
		j := strings.IndexByte(rest, '}')
		if !strings.HasPrefix(rest, "{") || j < 0 {
			plain(s[:i+1])
			s = rest
			continue
		}
		plain(s[:i])
		if stacked != 0 && stacked != mark {
			x = stackAt
		} else {
			stackAt, stackEnd = x, x
			stacked = mark
		}
		shift := vg.Length(-0.22)
		if mark == '^' {
			shift = 0.38
		}
		emit(rest[1:j], roman, 0.7, shift)
		stackEnd = max(stackEnd, x)
		x = stackEnd
		s = rest[j+1:]
	}
	return runs, x
}

// textWidth returns the width of one line of markup.
func textWidth(s string, size vg.Length) vg.Length {
	_, w := layout(s, size, false)
	return w
}

// The box of a line reaches from its baseline to the height of a capital, in
// units of the font size; Liberation Sans, unitsPerEm 2048, capHeight 1409.
const capHeight = 1409.0 / 2048

// write sets one line of markup with its anchor at p.
//
// Text is drawn as outlines, so that a figure looks the same in every format
// and on every machine.
func write(c vg.Canvas, p vg.Point, s string, st style) {
	runs, w := layout(s, st.size, st.bold)
	if st.color == nil {
		st.color = ink
	}
	sin, cos := math.Sincos(st.rot)
	var path vg.Path
	for _, r := range runs {
		r.dx -= vg.Length(st.ax) * w
		r.dy -= vg.Length(st.ay) * st.size * capHeight
		r.outline(&path, func(x, y vg.Length) vg.Point {
			return vg.Point{
				X: p.X + x*vg.Length(cos) - y*vg.Length(sin),
				Y: p.Y + x*vg.Length(sin) + y*vg.Length(cos),
			}
		})
	}
	if len(path) > 0 {
		c.SetColor(st.color)
		c.Fill(path)
	}
}

// unmark returns a label without its markup, for a console.
func unmark(s string) string { return markup.Replace(s) }

var markup = strings.NewReplacer("$", "", "_{", "", "^{", "", "}", "")
