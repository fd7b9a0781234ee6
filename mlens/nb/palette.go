package nb

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// maxOff is the largest error of a channel, of 255, that a smaller picture may have: it stays
// below what is seen at the soft edges of lines and letters.
const maxOff = 10

// smaller returns the PNG picture with a palette of 256 colours, a third of the size and less,
// when no pixel changes visibly by it; else the picture as it was. Notebooks keep their pictures
// in their history for ever.
func smaller(picture []byte) []byte {
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return picture
	}
	m, ok := decoded.(*image.RGBA) // what PNG without transparency decodes to
	if !ok {
		return picture
	}
	counts := map[rgb]int{}
	eachRun(m, func(c rgb, i, n int) { counts[c] += n })
	palette := medianCut(counts, 256)
	index := make(map[rgb]uint8, len(counts))
	for c := range counts {
		at := palette.Index(c.rgba())
		q := palette[at].(color.RGBA)
		if max(off(q.R, c[0]), off(q.G, c[1]), off(q.B, c[2])) > maxOff {
			return picture
		}
		index[c] = uint8(at)
	}
	out := image.NewPaletted(m.Rect, palette)
	eachRun(m, func(c rgb, i, n int) {
		at := index[c]
		for k := range n {
			out.Pix[i+k] = at
		}
	})
	var b bytes.Buffer
	if png.Encode(&b, out) != nil || b.Len() >= len(picture) {
		return picture
	}
	return b.Bytes()
}

type rgb [3]uint8

func (c rgb) rgba() color.RGBA { return color.RGBA{c[0], c[1], c[2], 255} }

func off(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// eachRun calls f for each stretch of n pixels of one colour; i is where the first one stands in
// a picture of one byte a pixel. The pictures of figures are mostly such stretches.
func eachRun(m *image.RGBA, f func(c rgb, i, n int)) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	for y := range h {
		row := m.Pix[y*m.Stride : y*m.Stride+4*w]
		for x := 0; x < w; {
			c, start := rgb(row[4*x:]), x
			for x < w && rgb(row[4*x:]) == c {
				x++
			}
			f(c, y*w+start, x-start)
		}
	}
}

// medianCut returns at most n colours for those counted: the box of colours with the longest side
// is halved until there are enough boxes. A box gives its most frequent colour if that makes up
// half of it, so that background and lines stay exact, else the middle.
func medianCut(counts map[rgb]int, n int) color.Palette {
	all := make([]rgb, 0, len(counts))
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b rgb) int { return slices.Compare(a[:], b[:]) }) // the same picture, the same file
	boxes := []box{newBox(all)}
	for len(boxes) < n {
		i := 0
		for k := range boxes {
			if boxes[k].side > boxes[i].side {
				i = k
			}
		}
		b := boxes[i]
		if b.side == 0 {
			break
		}
		slices.SortStableFunc(b.colours, func(p, q rgb) int { return cmp.Compare(p[b.channel], q[b.channel]) })
		middle := int(b.colours[0][b.channel]) + b.side/2
		at := slices.IndexFunc(b.colours, func(c rgb) bool { return int(c[b.channel]) > middle })
		boxes[i] = newBox(b.colours[:at])
		boxes = append(boxes, newBox(b.colours[at:]))
	}
	palette := make(color.Palette, len(boxes))
	for i, b := range boxes {
		palette[i] = b.colour(counts).rgba()
	}
	return palette
}

// box is a set of colours and its longest side.
type box struct {
	colours       []rgb
	channel, side int
}

func newBox(colours []rgb) box {
	b := box{colours: colours}
	for ch := range 3 {
		lo, hi := 255, 0
		for _, c := range colours {
			lo, hi = min(lo, int(c[ch])), max(hi, int(c[ch]))
		}
		if hi-lo > b.side {
			b.channel, b.side = ch, hi-lo
		}
	}
	return b
}

func (b box) colour(counts map[rgb]int) rgb {
	most, total := b.colours[0], 0
	lo, hi := most, most
	for _, c := range b.colours {
		total += counts[c]
		if counts[c] > counts[most] {
			most = c
		}
		for ch := range 3 {
			lo[ch], hi[ch] = min(lo[ch], c[ch]), max(hi[ch], c[ch])
		}
	}
	if 2*counts[most] >= total {
		return most
	}
	for ch := range 3 {
		lo[ch] = uint8((int(lo[ch]) + int(hi[ch]) + 1) / 2)
	}
	return lo
}
