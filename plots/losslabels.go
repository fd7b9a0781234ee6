package plots

import (
	"cmp"
	"slices"

	"gonum.org/v1/plot/vg"
)

// A levelLabel is the text at a baseline and the box that it fills.
type levelLabel struct {
	text string
	box  vg.Rectangle
}

// levelLabels places the texts of the baselines at the panel's right: above the
// line or below it, or on it where neighbours leave no room for either. No two
// of them overlap.
func (l *lossView) levelLabels(p *panel) []levelLabel {
	const height, gap, edge = capHeight * sizeText, vg.Length(3), vg.Length(6)
	var lines []vg.Length
	var levels []Level
	for _, b := range l.opt.Baselines {
		if y := p.py(b.Value); y > p.r.Min.Y && y < p.r.Max.Y {
			lines, levels = append(lines, y), append(levels, b)
		}
	}
	// From the top, so that of two close lines each has its label outside.
	slices.SortStableFunc(levels, func(a, b Level) int { return cmp.Compare(b.Value, a.Value) })
	var out []levelLabel
	free := func(box vg.Rectangle, lines []vg.Length) bool {
		if box.Min.Y < p.r.Min.Y+gap || box.Max.Y > p.r.Max.Y-gap {
			return false
		}
		for _, y := range lines {
			if onLine(box, y) {
				return false
			}
		}
		return !slices.ContainsFunc(out, func(o levelLabel) bool { return near(box, o.box, gap) })
	}
	for _, b := range levels {
		text := b.Label + " " + number(b.Value, 2)
		w, y, x := textWidth(text, sizeText), p.py(b.Value), p.r.Max.X-edge
		at := func(y vg.Length) vg.Rectangle { return rect(x-w, y, x, y+height) }
		box := at(y + gap)
		if !free(box, lines) {
			box = at(y - gap - height)
		}
		if !free(box, lines) {
			box = at(min(max(y-height/2, p.r.Min.Y+gap), p.r.Max.Y-gap-height))
			for i := 0; i < len(out); i++ { // left of the labels in its way
				if near(box, out[i].box, gap) {
					x, i = out[i].box.Min.X-2*gap, -1
					box = rect(x-w, box.Min.Y, x, box.Max.Y)
				}
			}
		}
		out = append(out, levelLabel{text, box})
	}
	return out
}

// near tells whether two boxes come closer than gap.
func near(a, b vg.Rectangle, gap vg.Length) bool {
	return a.Min.X < b.Max.X+gap && b.Min.X < a.Max.X+gap && a.Min.Y < b.Max.Y+gap && b.Min.Y < a.Max.Y+gap
}

// levelPieces returns the parts of the line at height y that no label is in the
// way of.
func levelPieces(p *panel, y vg.Length, labels []levelLabel) (pieces [][2]vg.Length) {
	const gap = vg.Length(3)
	from := p.r.Min.X
	in := slices.Clone(labels)
	slices.SortFunc(in, func(a, b levelLabel) int { return cmp.Compare(a.box.Min.X, b.box.Min.X) })
	for _, b := range in {
		if !onLine(b.box, y) {
			continue
		}
		if to := b.box.Min.X - gap; to > from {
			pieces = append(pieces, [2]vg.Length{from, to})
		}
		from = max(from, b.box.Max.X+gap)
	}
	if p.r.Max.X > from {
		pieces = append(pieces, [2]vg.Length{from, p.r.Max.X})
	}
	return pieces
}

// levelLine draws a baseline, broken where a label stands on it.
func (l *lossView) levelLine(p *panel, value float64, labels []levelLabel) {
	y := p.py(value)
	if y < p.r.Min.Y || y > p.r.Max.Y {
		return
	}
	for _, s := range levelPieces(p, y, labels) {
		p.segment(vg.Point{X: s[0], Y: y}, vg.Point{X: s[1], Y: y}, dashed(soft, 0.8, 4, 2.5))
	}
}

// onLine tells whether a line at height y would touch a text, whose descenders
// reach below its box.
func onLine(box vg.Rectangle, y vg.Length) bool {
	const margin = 2.5
	return y > box.Min.Y-margin && y < box.Max.Y+margin
}

// legendTop returns the height of the legend's first entry: the highest at which
// no baseline or label of one crosses the legend.
func (l *lossView) legendTop(p *panel, labels []levelLabel) vg.Length {
	const gap = vg.Length(5)
	first := p.r.Max.Y - 12
	height := vg.Length(len(l.legend())-1) * legendStep
	boxes := make([]vg.Rectangle, 0, len(labels)+len(l.opt.Baselines))
	for _, b := range labels {
		boxes = append(boxes, b.box)
	}
	for _, b := range l.opt.Baselines {
		if y := p.py(b.Value); y > p.r.Min.Y && y < p.r.Max.Y {
			boxes = append(boxes, rect(p.r.Min.X, y, p.r.Max.X, y))
		}
	}
	// From the top, each in the way moves the legend below itself.
	slices.SortFunc(boxes, func(a, b vg.Rectangle) int { return cmp.Compare(b.Max.Y, a.Max.Y) })
	top := first
	for _, b := range boxes {
		if b.Min.Y < top+sizeText/2+gap && b.Max.Y > top-height-sizeText/2-gap {
			top = b.Min.Y - 12
		}
	}
	if top-height-sizeText/2 < p.r.Min.Y {
		return first // no room anywhere
	}
	return top
}
