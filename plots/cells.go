package plots

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
)

// CellPanel is one panel of [Cells]: a value at each of many points.
type CellPanel struct {
	Title   string
	X, Y, V []float64
	Curves  [][]complex128 // closed curves x + iy over it, such as caustics; on linear axes only
}

// CellAxis is an axis of [Cells].
type CellAxis struct {
	Label  string
	Lo, Hi float64 // 0, 0: what holds the points
	N      int     // cells along it; 0: 24
	Log    bool
}

// CellsOptions are the options of [Cells].
type CellsOptions struct {
	Title    string
	X, Y     CellAxis
	Label    string  // of the colour scale
	Lo, Hi   float64 // ends of the colour scale; 0: those of the cells
	Quantile float64 // of the values in a cell, 0 … 1; 0: the median
	Width    float64 // inches; 0: 3 a panel
}

// Cells draws panels side by side that divide the plane into cells and colour each
// by a quantile of the values of its points, on a logarithmic scale that all
// panels share. Values beyond the ends of the scale have the colours of the ends;
// a cell without points is grey. Values must be above 0 (0 itself counts as the
// smallest); what is not finite is left out and counted in the summary. A panel
// whose X, Y and V differ in length, and a range with no width, is an error.
func Cells(panels []CellPanel, opt CellsOptions) (*Figure, error) {
	v, err := newCellsView(panels, opt)
	if err != nil {
		return nil, err
	}
	w := inches(opt.Width, 3*float64(len(panels))+0.4)
	const left, right, bottom, gap, barGap, bar = vg.Length(52), vg.Length(46), vg.Length(33), vg.Length(20), vg.Length(10), vg.Length(11)
	top := vg.Length(22)
	if opt.Title != "" {
		top += sizeTitle + 4
	}
	n := vg.Length(len(panels))
	side := (w - left - right - barGap - bar - (n-1)*gap) / n
	h := bottom + side + top
	fig := &Figure{w: w, h: h, summary: v.summary()}
	fig.draw = func(c vg.Canvas) {
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		for i := range panels {
			x := left + vg.Length(i)*(side+gap)
			p := &panel{Canvas: c, r: rect(x, bottom, x+side, bottom+side)}
			p.x, p.y = v.x.axis(side, true), v.y.axis(side, false)
			if i > 0 {
				p.y.label, p.y.numbers = "", false
			}
			c.DrawImage(p.r, v.image(i))
			for _, loop := range panels[i].Curves {
				p.loop(loop, 0, stroke(fade(white, 0.9), 0.7))
			}
			p.frame(0, 0)
			write(c, vg.Point{X: x, Y: p.r.Max.Y + 6}, panels[i].Title, style{size: sizeLabel})
		}
		r := rect(w-right-bar, bottom, w-right, bottom+side)
		scaleBar(c, r, v.lo, v.hi, opt.Label, decadeTicks(v.lo, v.hi, side, sizeTick))
	}
	return fig, nil
}

var emptyCell = color.NRGBA{0xD0, 0xD0, 0xD0, 0xFF}

// A cellsView holds the quantiles, log10, of all panels' cells.
type cellsView struct {
	panels  []CellPanel
	opt     CellsOptions
	x, y    cellScale
	z       [][]float64 // NaN: empty
	lo, hi  float64
	skipped int
}

// A cellScale is an axis with its range in units that are even on paper.
type cellScale struct {
	CellAxis
	lo, hi float64
}

func newCellScale(a CellAxis, panels []CellPanel, of func(CellPanel) []float64) (s cellScale, err error) {
	s.CellAxis = a
	if s.N == 0 {
		s.N = 24
	}
	if a.Lo == 0 && a.Hi == 0 {
		a.Lo, a.Hi = math.Inf(1), math.Inf(-1)
		for _, p := range panels {
			for _, v := range of(p) {
				if !bad(v) && (v > 0 || !a.Log) {
					a.Lo, a.Hi = math.Min(a.Lo, v), math.Max(a.Hi, v)
				}
			}
		}
	}
	s.lo, s.hi = a.Lo, a.Hi
	if a.Log {
		s.lo, s.hi = math.Log10(a.Lo), math.Log10(a.Hi)
	}
	if !(s.hi > s.lo) || bad(s.hi-s.lo) {
		return s, fmt.Errorf("plots: cells: %q from %v to %v", unmark(a.Label), a.Lo, a.Hi)
	}
	return s, nil
}

// cell returns the number of v's cell, or −1.
func (s *cellScale) cell(v float64) int {
	if s.Log {
		v = math.Log10(v)
	}
	f := (v - s.lo) / (s.hi - s.lo) * float64(s.N)
	if !(f >= 0 && f <= float64(s.N)) {
		return -1
	}
	return min(int(f), s.N-1)
}

func (s *cellScale) axis(length vg.Length, across bool) axis {
	a := axis{lo: s.lo, hi: s.hi, numbers: true, label: s.Label}
	if s.Log {
		a.ticks = decadeTicks(s.lo, s.hi, length, sizeTick)
	} else {
		a.ticks = ticks(s.lo, s.hi, length, sizeTick, across, 6)
	}
	return a
}

func newCellsView(panels []CellPanel, opt CellsOptions) (*cellsView, error) {
	if len(panels) == 0 || opt.Quantile < 0 || opt.Quantile > 1 {
		panic(fmt.Sprintf("plots: %d panels of cells, quantile %v", len(panels), opt.Quantile))
	}
	if opt.Quantile == 0 {
		opt.Quantile = 0.5
	}
	v := &cellsView{panels: panels, opt: opt, lo: math.Inf(1), hi: math.Inf(-1)}
	for _, p := range panels {
		if len(p.X) != len(p.V) || len(p.Y) != len(p.V) {
			return nil, fmt.Errorf("plots: cells: panel %q has %d x, %d y and %d values", p.Title, len(p.X), len(p.Y), len(p.V))
		}
	}
	var err error
	if v.x, err = newCellScale(opt.X, panels, func(p CellPanel) []float64 { return p.X }); err != nil {
		return nil, err
	}
	if v.y, err = newCellScale(opt.Y, panels, func(p CellPanel) []float64 { return p.Y }); err != nil {
		return nil, err
	}
	for _, p := range panels {
		v.z = append(v.z, v.quantiles(p))
	}
	if opt.Lo > 0 {
		v.lo = math.Log10(opt.Lo)
	}
	if opt.Hi > 0 {
		v.hi = math.Log10(opt.Hi)
	}
	if !(v.hi > v.lo) {
		v.lo, v.hi = -1, 1
	}
	return v, nil
}

// quantiles returns log10 of the quantile of each cell, row by row from the top,
// and widens the scale.
func (v *cellsView) quantiles(p CellPanel) []float64 {
	in := make([][]float64, v.x.N*v.y.N)
	for i, value := range p.V {
		if bad(value) || value < 0 {
			v.skipped++
			continue
		}
		col, row := v.x.cell(p.X[i]), v.y.cell(p.Y[i])
		if col < 0 || row < 0 {
			continue
		}
		k := (v.y.N-1-row)*v.x.N + col
		in[k] = append(in[k], value)
	}
	out := make([]float64, len(in))
	for k, values := range in {
		out[k] = math.NaN()
		if len(values) > 0 {
			slices.Sort(values)
			out[k] = math.Log10(values[int(v.opt.Quantile*float64(len(values)-1)+0.5)])
			if !bad(out[k]) {
				v.lo, v.hi = math.Min(v.lo, out[k]), math.Max(v.hi, out[k])
			}
		}
	}
	return out
}

func (v *cellsView) image(i int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, v.x.N, v.y.N))
	for k, z := range v.z[i] {
		c := emptyCell
		if !math.IsNaN(z) {
			c = colorOf((z - v.lo) / (v.hi - v.lo))
		}
		img.SetNRGBA(k%v.x.N, k/v.x.N, c)
	}
	return magnified(img, 1+600/max(v.x.N, v.y.N))
}

// magnified repeats every pixel, so that no viewer blurs one into the next.
func magnified(in *image.NRGBA, k int) *image.NRGBA {
	b := in.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, k*b.Dx(), k*b.Dy()))
	for y := range k * b.Dy() {
		for x := range k * b.Dx() {
			out.SetNRGBA(x, y, in.NRGBAAt(x/k, y/k))
		}
	}
	return out
}

func (v *cellsView) summary() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: cells of %s (%d) by %s (%d)", unmark(v.opt.Label), unmark(v.x.Label), v.x.N, unmark(v.y.Label), v.y.N)
	for i, p := range v.panels {
		var all []float64
		for _, z := range v.z[i] {
			if !math.IsNaN(z) {
				all = append(all, z)
			}
		}
		if len(all) == 0 {
			fmt.Fprintf(&s, "\n%-16s no points", unmark(p.Title))
			continue
		}
		slices.Sort(all)
		at := func(f float64) string { return number3(math.Pow(10, all[int(f*float64(len(all)-1))])) }
		fmt.Fprintf(&s, "\n%-16s %s points in %d cells: lowest %s, median %s, highest %s", unmark(p.Title), count(len(p.V)), len(all), at(0), at(0.5), at(1))
	}
	if v.skipped > 0 {
		fmt.Fprintf(&s, "\n%d values are not finite", v.skipped)
	}
	return s.String()
}
