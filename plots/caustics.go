package plots

import (
	"cmp"
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/lens"
)

// CausticsOptions are the options of [Caustics]. The zero value centres every
// solution on its central caustic and chooses the scale.
type CausticsOptions struct {
	Title  string
	Center Center
	Extent float64 // θ_E from the centre to the edge; 0: what holds the path and the caustics that it meets
	Split  bool    // one panel a solution; more than two solutions are always split
	Width  float64 // inches; 0: 5, or 3 a panel where split
}

// Caustics draws the caustics of solutions with the path of the source, an
// arrow for its direction, the source to size where it comes closest to the
// centre, and the lenses: a large cross for the heavier, a small one for the
// lighter. One colour a solution, that of Palette; equal scales on both axes.
// It is an error if a solution has impossible parameters.
func Caustics(solutions []Solution, opt CausticsOptions) (*Figure, error) {
	v, err := newCausticsView(solutions, opt)
	if err != nil {
		return nil, err
	}
	def, rows, cols := 5.0, 1, 1
	if v.split {
		cols = min(len(solutions), 3)
		rows = (len(solutions) + cols - 1) / cols
		def = math.Min(3*float64(cols), 9)
	}
	w := inches(opt.Width, def)
	const left, right, bottom = vg.Length(50), vg.Length(8), vg.Length(31)
	top := vg.Length(8)
	if opt.Title != "" {
		top += sizeTitle + 6
	}
	cell := (w-left-right+causticsGap)/vg.Length(cols) - causticsGap
	h := bottom + top + vg.Length(rows)*(cell+causticsGap) - causticsGap
	return &Figure{w: w, h: h, summary: v.summary(), draw: func(c vg.Canvas) {
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		v.draw(c, vg.Point{X: left, Y: h - top}, cell, cols)
	}}, nil
}

const causticsGap = vg.Length(6)

// A causticsView is a set of scenes on one scale.
type causticsView struct {
	scenes []*scene
	opt    CausticsOptions
	half   float64
	split  bool
}

func newCausticsView(solutions []Solution, opt CausticsOptions) (*causticsView, error) {
	if len(solutions) == 0 {
		return nil, fmt.Errorf("plots: no solutions to draw")
	}
	v := &causticsView{opt: opt, half: opt.Extent, split: (opt.Split || len(solutions) > 2) && len(solutions) > 1}
	for _, s := range solutions {
		sc, err := newScene(s, opt.Center)
		if err != nil {
			return nil, err
		}
		v.scenes = append(v.scenes, sc)
	}
	if v.half == 0 {
		for _, sc := range v.scenes {
			_, foot := sc.foot()
			v.half = math.Max(v.half, 1.15*math.Max(sc.met(), 1.25*max(math.Abs(real(foot)), math.Abs(imag(foot)))+1.5*sc.Params.Rho))
		}
	}
	return v, nil
}

// draw draws the panels row by row from their upper left corner.
func (v *causticsView) draw(c vg.Canvas, at vg.Point, cell vg.Length, cols int) {
	n := 1
	if v.split {
		n = len(v.scenes)
	}
	for i := range n {
		row, col := i/cols, i%cols
		x := at.X + vg.Length(col)*(cell+causticsGap)
		y := at.Y - cell - vg.Length(row)*(cell+causticsGap)
		p := v.panel(c, rect(x, y, x+cell, y+cell))
		p.y.numbers = col == 0
		if col == 0 {
			p.y.label = "$y$ [$θ$_{E}]"
		}
		if i+cols >= n {
			p.x.numbers, p.x.label = true, "$x$ [$θ$_{E}]"
		}
		if v.split {
			v.scene(p, i)
		} else {
			for k := range v.scenes {
				v.scene(p, k)
			}
		}
		p.frame(0, 0)
		shown := v.scenes
		if v.split {
			shown = v.scenes[i : i+1]
		}
		corners := v.corners(shown)
		for line, sc := range shown {
			v.write(p, corners[0], line, len(shown), sc.name(), style{size: sizeText, color: Palette(i + line)})
		}
		if i == 0 {
			v.write(p, corners[1], 0, 1, v.origin(), style{size: sizeTick, color: soft})
		}
	}
}

// corners returns the panel's corners, as signs of x and y, that are farthest
// from the sources' paths; upper ones first among equals.
func (v *causticsView) corners(shown []*scene) []complex128 {
	room := func(c complex128) float64 {
		best := math.Inf(1)
		for _, sc := range shown {
			at := complex(0.55*real(c)*v.half, 0.85*imag(c)*v.half)
			best = math.Min(best, math.Abs(cross(at-sc.at(0)+sc.center, sc.direction())))
		}
		return math.Min(best, 0.5*v.half)
	}
	out := []complex128{-1 + 1i, 1 + 1i, -1 - 1i, 1 - 1i}
	slices.SortStableFunc(out, func(a, b complex128) int { return cmp.Compare(room(b), room(a)) })
	return out
}

// write sets a line, of several, in a corner.
func (v *causticsView) write(p *panel, corner complex128, line, lines int, s string, st style) {
	const margin = vg.Length(8)
	q := vg.Point{X: p.r.Min.X + margin, Y: p.r.Max.Y - margin}
	if real(corner) > 0 {
		q.X, st.ax = p.r.Max.X-margin, 1
	}
	st.ay = 1
	if imag(corner) < 0 {
		st.ay = 0
		q.Y, line = p.r.Min.Y+margin, line-lines+1
	}
	q.Y -= 1.4 * st.size * vg.Length(line)
	write(p, q, s, st)
}

func (v *causticsView) panel(c vg.Canvas, r vg.Rectangle) *panel {
	p := &panel{Canvas: c, r: r}
	side := r.Max.X - r.Min.X
	p.x = axis{lo: -v.half, hi: v.half, ticks: ticksFunc(-v.half, v.half, side, sizeTick, true, 5, 6, number)}
	p.y = axis{lo: -v.half, hi: v.half, ticks: ticksFunc(-v.half, v.half, side, sizeTick, false, 5, 3, number)}
	return p
}

func (v *causticsView) origin() string {
	switch v.opt.Center {
	case CentralCaustic:
		return "origin: central caustic"
	case NearestCaustic:
		return "origin: nearest caustic"
	}
	return "origin: centre of mass"
}

// scene draws scene k on a panel in units of θ_E from the centre.
func (v *causticsView) scene(p *panel, k int) {
	sc := v.scenes[k]
	color := Palette(k)
	primary, secondary := lens.Binary{S: sc.Params.S, Q: sc.Params.Q}.Positions()
	big, small := vg.Length(4.5), vg.Length(2.7)
	if sc.Params.Q > 1 {
		big, small = small, big
	}
	faded := fade(color, 0.6)
	p.plus(primary-real(sc.center), -imag(sc.center), big, faded)
	p.plus(secondary-real(sc.center), -imag(sc.center), small, faded)
	for _, loop := range sc.caustics {
		p.loop(loop, sc.center, stroke(color, lineCurve))
	}
	d, foot := sc.foot()
	reach := complex(2*v.half, 0)
	a, b := foot-reach*d, foot+reach*d
	p.line([]float64{real(a), real(b)}, []float64{imag(a), imag(b)}, dashed(color, 0.9, 5, 2.5))
	// The arrow's tip on the way out, well inside.
	for _, f := range []float64{0.72, 0.5, 0.3, -0.3, -0.5} {
		tip := foot + complex(f*v.half, 0)*d
		if math.Max(math.Abs(real(tip)), math.Abs(imag(tip))) < 0.85*v.half {
			p.arrow(tip, d, 7, color)
			break
		}
	}
	// The source, to size; a dot of a point where it would be smaller.
	if p.inside(real(foot), imag(foot)) {
		r := vg.Length(sc.Params.Rho/(2*v.half)) * (p.r.Max.X - p.r.Min.X)
		p.SetColor(fade(color, 0.45))
		p.Fill(circle(p.at(real(foot), imag(foot)), max(r, 1.5)))
		if r > 1 {
			setLine(p, stroke(color, 0.7))
			p.Stroke(circle(p.at(real(foot), imag(foot)), r))
		}
	}
}

// foot returns the direction of the source's path and its point nearest the centre, seen from there.
func (sc *scene) foot() (direction, foot complex128) {
	direction = sc.direction()
	tau := real((sc.center - sc.at(0)) * cmplx.Conj(direction))
	return direction, sc.at(tau) - sc.center
}

func (v *causticsView) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Caustics and paths, ±%s θ_E, %s", number3(v.half), v.origin())
	for _, sc := range v.scenes {
		bin := lens.Binary{S: sc.Params.S, Q: sc.Params.Q}
		fmt.Fprintf(&b, "\n%-16s s = %.4f, q = %.4g (%s): source of %s θ_E passes at %s θ_E, caustic of %s θ_E, %d crossings",
			unmark(sc.name()), sc.Params.S, sc.Params.Q, bin.Topology(), number3(sc.Params.Rho), number3(sc.u0), number3(sc.size), sc.crossings)
	}
	return b.String()
}
