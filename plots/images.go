package plots

import (
	"fmt"
	"image/color"
	"math"
	"math/cmplx"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/lens"
)

// ImagesOptions are the options of [Images]. The zero value holds everything.
type ImagesOptions struct {
	Title        string
	Extent       float64 // half-width of the image plane, θ_E; 0: what holds critical curves and images
	SourceExtent float64 // half-width of the source plane, θ_E; 0: what holds the caustics and the source
	Width        float64 // inches; 0: 8
}

// Images draws how a lens images a round source at (x, y) with radius rho, in
// θ_E: on the left the plane of the source with the caustics, on the right the
// plane of the sky with the critical curves, the images, the lenses (crosses)
// and, dashed, the Einstein ring and the source as it would be seen without a
// lens. It is an error if the lens is impossible; rho must be above 0.
func Images(b lens.Binary, x, y, rho float64, opt ImagesOptions) (*Figure, error) {
	if err := b.Check(); err != nil {
		return nil, fmt.Errorf("plots: %w", err)
	}
	if !(rho > 0) || bad(x) || bad(y) || math.IsInf(rho, 0) {
		panic(fmt.Sprintf("plots: source at (%v, %v) with radius %v", x, y, rho))
	}
	src := complex(x, y)
	caustics, critical := b.Caustics(1024), b.CriticalCurves(1024)
	limb := limbImages(b, src, rho)
	sourceHalf, imageHalf := opt.SourceExtent, opt.Extent
	edge := []complex128{src + complex(rho, rho), src - complex(rho, rho)}
	if sourceHalf == 0 {
		sourceHalf = extentOf(append(caustics, edge), 0, 1.15)
	}
	if imageHalf == 0 {
		imageHalf = math.Max(extentOf(append(critical, limb, edge), 0, 1.1), 1.2)
	}
	regions := imageRegions(b, src, rho, limb, imageHalf)

	w := inches(opt.Width, 8)
	const right, bottom, between = vg.Length(8), vg.Length(31), vg.Length(52)
	left := vg.Length(48) // more for long numbers
	for _, t := range ticks(-sourceHalf, sourceHalf, w/2-left, sizeTick, false, 6) {
		left = max(left, textWidth(t.label, sizeTick)+sizeLabel+18)
	}
	top := vg.Length(22)
	if opt.Title != "" {
		top += sizeTitle + 4
	}
	side := (w - left - right - between) / 2
	h := bottom + side + top
	return &Figure{w: w, h: h, summary: imagesSummary(b, x, y, rho), draw: func(c vg.Canvas) {
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		primary, secondary := b.Positions()
		big, small := vg.Length(4.5), vg.Length(2.7)
		if b.Q > 1 {
			big, small = small, big
		}
		plane := func(x0 vg.Length, half float64, title string) *panel {
			p := &panel{Canvas: c, r: rect(x0, bottom, x0+side, bottom+side)}
			p.x = axis{lo: -half, hi: half, numbers: true, label: "$x$ [$θ$_{E}]", ticks: ticks(-half, half, side, sizeTick, true, 6)}
			p.y = axis{lo: -half, hi: half, numbers: true, label: "$y$ [$θ$_{E}]", ticks: ticks(-half, half, side, sizeTick, false, 6)}
			write(c, vg.Point{X: x0, Y: bottom + side + 6}, title, style{size: sizeLabel})
			return p
		}

		p := plane(left, sourceHalf, "Source plane")
		for _, loop := range caustics {
			p.loop(loop, 0, stroke(Palette(1), lineCurve))
		}
		p.disc(src, rho, sourceHalf)
		p.key("caustics", Palette(1), 0)
		p.key("source", Palette(0), 1)
		p.plus(primary, 0, big, ink)
		p.plus(secondary, 0, small, ink)
		p.frame(0, 0)

		p = plane(left+side+between, imageHalf, "Image plane")
		p.loop(ring(0, 1), 0, dashed(soft, 0.7, 4, 3))
		for _, loop := range critical {
			p.loop(loop, 0, stroke(Palette(1), 0.8))
		}
		p.loop(ring(src, rho), 0, dashed(soft, 0.8, 2, 1.5))
		for _, rings := range regions {
			path := p.path(rings, 0.03)
			p.SetColor(fade(Palette(0), 0.8))
			p.Fill(path)
			// A hairline keeps an image visible that is thinner than that.
			setLine(p, stroke(Palette(0), 0.5))
			p.Stroke(path)
		}
		if 2*imageHalf/rasterNodes > 0.3*rho { // arcs too thin for a raster
			for _, z := range limb {
				p.dot(real(z), imag(z), 0.5, Palette(0))
			}
		}
		p.plus(primary, 0, big, ink)
		p.plus(secondary, 0, small, ink)
		p.key("critical curves", Palette(1), 0)
		p.key("images", Palette(0), 1)
		p.frame(0, 0)
	}}, nil
}

// key names a colour in the upper left corner.
func (p *panel) key(s string, c color.Color, line int) {
	write(p, vg.Point{X: p.r.Min.X + 8, Y: p.r.Max.Y - 8 - 1.4*sizeText*vg.Length(line)}, s, style{size: sizeText, ay: 1, color: c})
}

// disc draws a source to size, at least as a dot.
func (p *panel) disc(at complex128, rho, half float64) {
	r := vg.Length(rho/(2*half)) * (p.r.Max.X - p.r.Min.X)
	if p.inside(real(at), imag(at)) {
		p.SetColor(fade(Palette(0), 0.8))
		p.Fill(circle(p.at(real(at), imag(at)), max(r, 1)))
	}
}

// ring returns a circle as a closed curve.
func ring(center complex128, r float64) []complex128 {
	out := make([]complex128, 256)
	for i := range out {
		out[i] = center + cmplx.Rect(r, 2*math.Pi*float64(i)/float64(len(out)))
	}
	return out
}

// limbImages returns the images of points on the limb of the source, and of
// its centre.
func limbImages(b lens.Binary, src complex128, rho float64) (out []complex128) {
	const n = 1500
	var im []lens.Image
	for i := range n + 1 {
		z := src
		if i > 0 {
			z += cmplx.Rect(rho, 2*math.Pi*float64(i)/n)
		}
		im = b.Images(im, real(z), imag(z))
		for _, m := range im {
			out = append(out, complex(m.X, m.Y))
		}
	}
	return out
}

// imageRegions returns the boundaries of the images: the points whose source
// lies within rho of src. The limb's images say where to look, so that small
// images get a grid as fine, relative to them, as large ones.
func imageRegions(b lens.Binary, src complex128, rho float64, limb []complex128, half float64) [][][][2]float64 {
	const nodes = rasterNodes
	var out [][][][2]float64
	for _, box := range boxes(limb, half) {
		pad := boxPad * math.Max(box[2]-box[0], box[3]-box[1])
		g := &grid{v: make([]float64, nodes*nodes)}
		for i := range nodes {
			f := float64(i) / (nodes - 1)
			g.x = append(g.x, box[0]-pad+f*(box[2]-box[0]+2*pad))
			g.y = append(g.y, box[1]-pad+f*(box[3]-box[1]+2*pad))
		}
		for j, y := range g.y {
			for i, x := range g.x {
				v := -1.0
				if i > 0 && j > 0 && i < nodes-1 && j < nodes-1 {
					v = math.Max(1-cmplx.Abs(lensMap(b, complex(x, y))-src)/rho, -1)
				}
				g.v[j*nodes+i] = v
			}
		}
		out = append(out, g.rings(0))
	}
	return out
}

// lensMap returns the source position of an image: the lens equation
// ζ = z − Σ m_i/(z̄ − z_i).
func lensMap(b lens.Binary, z complex128) complex128 {
	p, s := b.Positions()
	m2 := b.Q / (1 + b.Q)
	zc := cmplx.Conj(z)
	return z - complex(1-m2, 0)/(zc-complex(p, 0)) - complex(m2, 0)/(zc-complex(s, 0))
}

// boxes returns the bounding boxes (x0, y0, x1, y1) of groups of points that
// hang together on a raster of 96 cells along the half-width's double.
func boxes(pts []complex128, half float64) [][4]float64 {
	type key [2]int
	cellOf := func(z complex128) key {
		return key{int(math.Floor(real(z) * 48 / half)), int(math.Floor(imag(z) * 48 / half))}
	}
	cells := map[key][]complex128{}
	var order []key
	for _, z := range pts {
		k := cellOf(z)
		if cells[k] == nil {
			order = append(order, k)
		}
		cells[k] = append(cells[k], z)
	}
	var out [][4]float64
	seen := map[key]bool{}
	for _, start := range order {
		if seen[start] {
			continue
		}
		seen[start] = true
		box := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
		for todo := []key{start}; len(todo) > 0; {
			k := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, z := range cells[k] {
				box[0], box[1] = math.Min(box[0], real(z)), math.Min(box[1], imag(z))
				box[2], box[3] = math.Max(box[2], real(z)), math.Max(box[3], imag(z))
			}
			for dx := -1; dx <= 1; dx++ {
				for dy := -1; dy <= 1; dy++ {
					if n := (key{k[0] + dx, k[1] + dy}); cells[n] != nil && !seen[n] {
						seen[n] = true
						todo = append(todo, n)
					}
				}
			}
		}
		out = append(out, box)
	}
	return disjoint(out)
}

// rasterNodes are the nodes along an edge of the raster of an image.
const rasterNodes = 400

// boxPad is the margin around a box, as a part of its longer side.
const boxPad = 0.06

// disjoint joins boxes until none overlaps another, margins included: an
// image in two of them would be drawn twice.
func disjoint(in [][4]float64) [][4]float64 {
	overlap := func(a, b [4]float64) bool {
		pa := boxPad * math.Max(a[2]-a[0], a[3]-a[1])
		pb := boxPad * math.Max(b[2]-b[0], b[3]-b[1])
		return a[0]-pa < b[2]+pb && b[0]-pb < a[2]+pa && a[1]-pa < b[3]+pb && b[1]-pb < a[3]+pa
	}
	for i := 0; i < len(in); i++ {
		for j := i + 1; j < len(in); j++ {
			if a, b := in[i], in[j]; overlap(a, b) {
				in[i] = [4]float64{math.Min(a[0], b[0]), math.Min(a[1], b[1]), math.Max(a[2], b[2]), math.Max(a[3], b[3])}
				in = slices.Delete(in, j, j+1)
				i = -1 // the larger box may overlap others now
				break
			}
		}
	}
	return in
}

func imagesSummary(b lens.Binary, x, y, rho float64) string {
	var s strings.Builder
	r := b.Magnification(x, y, rho, lens.Options{})
	fmt.Fprintf(&s, "Lens s = %s, q = %s (%s), source of %s θ_E at (%s, %s): magnification %.3f, %d images of its centre",
		number3(b.S), number3(b.Q), b.Topology(), number3(rho), number3(x), number3(y), r.Magnification, r.Images)
	for _, im := range b.Images(nil, x, y) {
		fmt.Fprintf(&s, "\nimage at (%s, %s), magnification %s", number(im.X, 3), number(im.Y, 3), number(im.Magnification, 3))
	}
	return s.String()
}
