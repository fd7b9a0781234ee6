package plots

import (
	"fmt"
	"image"
	"math"
	"math/cmplx"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/lens"
)

// MapOptions are the options of [MagnificationMap]. The zero value shows all
// caustics as a point source sees them.
type MapOptions struct {
	Title  string
	Center complex128        // x + iy of the centre of the map, θ_E
	Extent float64           // θ_E from the centre to the edge; 0: what holds the caustics
	Rho    float64           // radius of the source, θ_E; 0: a point
	Pixels int               // along an edge; 0: 320
	Paths  []lens.Trajectory // source paths to draw over the map
	Width  float64           // inches; 0: 6
}

// MagnificationMap draws the magnification in the plane of the source, on a
// logarithmic colour scale, with the caustics and the lenses. The colours end
// at the 99.7 % quantile of the map. An impossible lens is an error.
func MagnificationMap(b lens.Binary, opt MapOptions) (*Figure, error) {
	if err := b.Check(); err != nil {
		return nil, fmt.Errorf("plots: %w", err)
	}
	if opt.Pixels == 0 {
		opt.Pixels = 320
	}
	if opt.Pixels < 2 || opt.Rho < 0 {
		panic(fmt.Sprintf("plots: map of %d pixels, source radius %v", opt.Pixels, opt.Rho))
	}
	caustics := b.Caustics(1024)
	if opt.Extent == 0 {
		opt.Extent = extentOf(caustics, opt.Center, 1.12)
	}
	half := opt.Extent
	logA, err := magnifications(b, opt)
	if err != nil {
		return nil, fmt.Errorf("plots: %w", err)
	}
	sorted := slices.Clone(logA)
	slices.Sort(sorted)
	lo, hi := sorted[0], sorted[int(0.997*float64(len(sorted)-1))]
	if hi-lo < 1e-6 {
		hi = lo + 1e-6
	}
	img := image.NewNRGBA(image.Rect(0, 0, opt.Pixels, opt.Pixels))
	for i, v := range logA {
		img.SetNRGBA(i%opt.Pixels, i/opt.Pixels, colorOf((v-lo)/(hi-lo)))
	}

	w := inches(opt.Width, 6)
	const left, right, bottom, barGap, bar = vg.Length(50), vg.Length(44), vg.Length(31), vg.Length(10), vg.Length(11)
	top := vg.Length(8)
	if opt.Title != "" {
		top += sizeTitle + 6
	}
	side := w - left - right - barGap - bar
	h := bottom + side + top
	fig := &Figure{w: w, h: h, summary: mapSummary(b, opt, sorted, caustics)}
	fig.draw = func(c vg.Canvas) {
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		p := &panel{Canvas: c, r: rect(left, bottom, left+side, bottom+side)}
		x, y := real(opt.Center), imag(opt.Center)
		p.x = axis{lo: x - half, hi: x + half, numbers: true, label: "$x$ [$θ$_{E}]", ticks: ticks(x-half, x+half, side, sizeTick, true, 7)}
		p.y = axis{lo: y - half, hi: y + half, numbers: true, label: "$y$ [$θ$_{E}]", ticks: ticks(y-half, y+half, side, sizeTick, false, 7)}
		c.DrawImage(p.r, img)
		for _, loop := range caustics {
			p.loop(loop, 0, stroke(fade(white, 0.75), 0.5))
		}
		primary, secondary := b.Positions()
		for i, v := range []float64{primary, secondary} {
			r := vg.Length(4.5)
			if (i == 1) == (b.Q <= 1) {
				r = 2.7
			}
			p.plus(v, 0, r, white)
		}
		for i, tr := range opt.Paths {
			p.path1(tr, half, i)
		}
		p.frame(0, 0)
		colorBar(c, rect(left+side+barGap, bottom, left+side+barGap+bar, bottom+side), lo, hi)
	}
	return fig, nil
}

// path1 draws a source's path over a map with an arrow where it leaves.
func (p *panel) path1(tr lens.Trajectory, half float64, i int) {
	at := func(tau float64) complex128 {
		tr := lens.Trajectory{U0: tr.U0, Alpha: tr.Alpha, TE: 1}
		x, y := tr.At(tau)
		return complex(x, y)
	}
	center := complex((p.x.lo+p.x.hi)/2, (p.y.lo+p.y.hi)/2)
	d := at(1) - at(0)
	foot := at(real((center - at(0)) * cmplx.Conj(d)))
	a, b := foot-complex(2*half, 0)*d, foot+complex(2*half, 0)*d
	c := []int{0, 5, 3, 6}[i%4] // those that show on viridis
	p.line([]float64{real(a), real(b)}, []float64{imag(a), imag(b)}, stroke(Palette(c), lineCurve))
	if tip := foot + complex(0.7*half, 0)*d; p.inside(real(tip), imag(tip)) {
		p.arrow(tip, d, 8, Palette(c))
	}
}

// magnifications returns log10 A of the map's pixels, row by row from the top.
func magnifications(b lens.Binary, opt MapOptions) ([]float64, error) {
	grid := lens.Grid{X: real(opt.Center), Y: imag(opt.Center), Pixel: 2 * opt.Extent / float64(opt.Pixels), NX: opt.Pixels, NY: opt.Pixels}
	out, err := b.Map(nil, grid, opt.Rho, lens.Options{RelTol: 3e-3})
	for i, a := range out {
		out[i] = math.Log10(a)
	}
	return out, err
}

// extentOf returns the half-width that holds curves about a centre.
func extentOf(curves [][]complex128, center complex128, margin float64) float64 {
	half := 0.0
	for _, c := range curves {
		for _, z := range c {
			half = math.Max(half, math.Max(math.Abs(real(z-center)), math.Abs(imag(z-center))))
		}
	}
	return margin * half
}

// colorBar draws the scale of a map of log10 A.
func colorBar(c vg.Canvas, r vg.Rectangle, lo, hi float64) {
	scaleBar(c, r, lo, hi, "Magnification", logTicks(lo, hi, r.Max.Y-r.Min.Y, 18))
}

// scaleBar draws a scale of colours.
func scaleBar(c vg.Canvas, r vg.Rectangle, lo, hi float64, label string, marks []tick) {
	const steps = 256
	img := image.NewNRGBA(image.Rect(0, 0, 1, steps))
	for i := range steps {
		img.SetNRGBA(0, i, colorOf(1-(float64(i)+0.5)/steps))
	}
	c.DrawImage(r, img)
	setLine(c, stroke(ink, lineThin))
	c.Stroke(r.Path())
	p := &panel{Canvas: c, r: r, x: axis{lo: 0, hi: 1}, y: axis{lo: lo, hi: hi}}
	for _, t := range marks {
		if t.minor {
			continue
		}
		y := p.py(t.at)
		p.segment(vg.Point{X: r.Max.X, Y: y}, vg.Point{X: r.Max.X + 3, Y: y}, stroke(ink, lineThin))
		write(c, vg.Point{X: r.Max.X + 6, Y: y}, t.label, style{size: sizeTick, ay: 0.5})
	}
	write(c, vg.Point{X: r.Max.X + 38, Y: (r.Min.Y + r.Max.Y) / 2}, label, style{size: sizeLabel, ax: 0.5, rot: math.Pi / 2})
}

func mapSummary(b lens.Binary, opt MapOptions, sorted []float64, caustics [][]complex128) string {
	var s strings.Builder
	size := "a point source"
	if opt.Rho > 0 {
		size = "a source of " + number3(opt.Rho) + " θ_E"
	}
	fmt.Fprintf(&s, "Magnification of %s by s = %s, q = %s (%s), %d×%d pixels, ±%s θ_E about (%s, %s)", size,
		number3(b.S), number3(b.Q), b.Topology(), opt.Pixels, opt.Pixels, number3(opt.Extent), number3(real(opt.Center)), number3(imag(opt.Center)))
	q := func(p float64) string { return number3(math.Pow(10, sorted[int(p*float64(len(sorted)-1))])) }
	fmt.Fprintf(&s, "\nlowest %s, median %s, 99 %% below %s; %d caustics", q(0), q(0.5), q(0.99), len(caustics))
	return s.String()
}
