package plots

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// A grid holds values at the crossings of lines x and y: v[j*len(x)+i].
type grid struct {
	x, y []float64
	v    []float64
}

// rings returns the boundary of {v > level} as closed rings with the inside
// on their left, so that filling them by non-zero winding fills the region,
// holes included. The values along the border of the grid must lie below the
// level.
func (g *grid) rings(level float64) [][][2]float64 {
	nx, ny := len(g.x), len(g.y)
	// Every crossing of the level lies on an edge of the grid: 2(j·nx+i) for
	// the edge to the right of node (i, j), one more for the edge above it.
	next := make(map[int32]int32)
	link := func(a, b int32) { next[a] = b }
	var starts []int32
	for j := 0; j+1 < ny; j++ {
		for i := 0; i+1 < nx; i++ {
			bl, br := g.v[j*nx+i], g.v[j*nx+i+1]
			tl, tr := g.v[(j+1)*nx+i], g.v[(j+1)*nx+i+1]
			code := 0
			if bl > level {
				code |= 1
			}
			if br > level {
				code |= 2
			}
			if tr > level {
				code |= 4
			}
			if tl > level {
				code |= 8
			}
			if code == 0 || code == 15 {
				continue
			}
			node := int32(j*nx + i)
			b, l, t, r := 2*node, 2*node+1, 2*(node+int32(nx)), 2*(node+1)+1
			mid := bl+br+tl+tr > 4*level
			for _, s := range cellSegments(code, mid) {
				e := [4]int32{b, r, t, l}
				link(e[s[0]], e[s[1]])
				starts = append(starts, e[s[0]])
			}
		}
	}
	var out [][][2]float64
	for _, s := range starts {
		var ring [][2]float64
		for e := s; ; {
			to, ok := next[e]
			if !ok {
				break
			}
			delete(next, e)
			ring = append(ring, g.cross(e, level))
			e = to
		}
		if len(ring) > 2 {
			out = append(out, ring)
		}
	}
	return out
}

// cellSegments lists the boundary pieces of a cell, from edge to edge (0
// bottom, 1 right, 2 top, 3 left) with the inside on the left. Bits of code:
// 1 lower left, 2 lower right, 4 upper right, 8 upper left corner inside; mid
// decides the two ambiguous cells.
func cellSegments(code int, mid bool) [][2]int8 {
	switch {
	case code == 5 && mid:
		return [][2]int8{{0, 1}, {2, 3}}
	case code == 10 && mid:
		return [][2]int8{{3, 0}, {1, 2}}
	}
	return marching[code]
}

var marching = [16][][2]int8{
	1: {{0, 3}}, 2: {{1, 0}}, 3: {{1, 3}}, 4: {{2, 1}}, 5: {{0, 3}, {2, 1}}, 6: {{2, 0}}, 7: {{2, 3}},
	8: {{3, 2}}, 9: {{0, 2}}, 10: {{1, 0}, {3, 2}}, 11: {{1, 2}}, 12: {{3, 1}}, 13: {{0, 1}}, 14: {{3, 0}},
}

// cross returns where the level crosses an edge.
func (g *grid) cross(e int32, level float64) [2]float64 {
	nx := len(g.x)
	node := int(e / 2)
	i, j := node%nx, node/nx
	a := g.v[node]
	if e%2 == 0 {
		f := (level - a) / (g.v[node+1] - a)
		return [2]float64{g.x[i] + f*(g.x[i+1]-g.x[i]), g.y[j]}
	}
	f := (level - a) / (g.v[node+nx] - a)
	return [2]float64{g.x[i], g.y[j] + f*(g.y[j+1]-g.y[j])}
}

// region returns a grid of ln v, for cells with the given borders, whose
// regions reach the outermost: cell centres, the limits themselves with the nearest cell's
// value, and a border of zero width far below everything. Contours of ln v are
// straighter between cells than those of v.
func (d *density) region(xs, ys []float64, floor float64) *grid {
	g := &grid{x: nodes(xs), y: nodes(ys)}
	nx, ny := len(g.x), len(g.y)
	g.v = make([]float64, nx*ny)
	low := math.Log(floor)
	for j := range ny {
		for i := range nx {
			v := low
			if i > 0 && j > 0 && i < nx-1 && j < ny-1 {
				ci, cj := min(max(i-2, 0), d.nx-1), min(max(j-2, 0), d.ny-1)
				if f := d.v[cj*d.nx+ci]; f > floor {
					v = math.Log(f)
				}
			}
			g.v[j*nx+i] = v
		}
	}
	return g
}

// nodes are the first border twice, the cell centres, the last border twice.
func nodes(borders []float64) []float64 {
	n := len(borders) - 1
	out := []float64{borders[0], borders[0]}
	for i := range n {
		out = append(out, (borders[i]+borders[i+1])/2)
	}
	return append(out, borders[n], borders[n])
}

// path maps rings of data to a closed path on the panel, leaving out points
// that lie within tol of the line through their neighbours.
func (p *panel) path(rings [][][2]float64, tol vg.Length) vg.Path {
	var path vg.Path
	for _, ring := range rings {
		pts := make([]vg.Point, len(ring))
		for i, q := range ring {
			pts[i] = p.at(q[0], q[1])
		}
		pts = simplify(pts, tol)
		if len(pts) < 3 {
			continue
		}
		path.Move(pts[0])
		for _, q := range pts[1:] {
			path.Line(q)
		}
		path.Close()
	}
	return path
}

// simplify thins a polyline by the rule of Douglas & Peucker (1973): no point
// left out lies farther than tol from the result. The ends stay; for a ring
// they are neighbours.
func simplify(pts []vg.Point, tol vg.Length) []vg.Point {
	if len(pts) < 3 {
		return pts
	}
	keep := make([]bool, len(pts))
	keep[0], keep[len(pts)-1] = true, true
	stack := [][2]int{{0, len(pts) - 1}}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		a, b := pts[s[0]], pts[s[1]]
		dx, dy := float64(b.X-a.X), float64(b.Y-a.Y)
		norm := math.Hypot(dx, dy)
		far, at := 0.0, -1
		for i := s[0] + 1; i < s[1]; i++ {
			ex, ey := float64(pts[i].X-a.X), float64(pts[i].Y-a.Y)
			dist := math.Hypot(ex, ey)
			if norm > 0 {
				// Distance to the segment, not to its line.
				f := math.Min(1, math.Max(0, (ex*dx+ey*dy)/(norm*norm)))
				dist = math.Hypot(ex-f*dx, ey-f*dy)
			}
			if dist > far {
				far, at = dist, i
			}
		}
		if far > float64(tol) {
			keep[at] = true
			stack = append(stack, [2]int{s[0], at}, [2]int{at, s[1]})
		}
	}
	out := pts[:0:0]
	for i, k := range keep {
		if k {
			out = append(out, pts[i])
		}
	}
	return out
}
