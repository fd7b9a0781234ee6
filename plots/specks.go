package plots

import "math"

// distinct is how many standard deviations of the counting noise an island of
// a region, or a hole in it, must differ from the level that bounds it.
const distinct = 3

// solid returns d without what a handful of draws makes at a level: islands of
// {v ≥ level} are lowered below it, and holes raised above it, where their
// surplus or deficit of draws, of neff in all, is no more than counting noise.
// Islands with a hundredth of the mass stay, and so does the heaviest.
func (d *density) solid(level, neff float64) *density {
	out := &density{nx: d.nx, ny: d.ny, v: append([]float64(nil), d.v...), wx: d.wx, wy: d.wy}
	islands := d.patches(func(v float64) bool { return v >= level }, false)
	heaviest := 0.0
	for _, p := range islands {
		mass, _ := d.mass(p.cells)
		heaviest = math.Max(heaviest, mass)
	}
	for _, p := range islands {
		mass, area := d.mass(p.cells)
		if flat := level * area; mass < heaviest && mass < 0.01 && !beyondNoise((mass-flat)*neff, mass*neff) {
			out.set(p.cells, level*(1-1e-6))
		}
	}
	for _, p := range out.patches(func(v float64) bool { return v < level }, true) {
		mass, area := d.mass(p.cells)
		if flat := level * area; !p.border && !beyondNoise((flat-mass)*neff, flat*neff) {
			out.set(p.cells, level*(1+1e-6))
		}
	}
	return out
}

// beyondNoise tells whether a difference of draws is more than a handful and
// more than the noise of the expected number.
func beyondNoise(diff, expected float64) bool {
	const handful = 5
	return diff > handful && diff > distinct*math.Sqrt(expected)
}

func (d *density) mass(cells []int) (mass, area float64) {
	for _, c := range cells {
		a := d.area(c)
		mass, area = mass+d.v[c]*a, area+a
	}
	return mass, area
}

func (d *density) set(cells []int, v float64) {
	for _, c := range cells {
		d.v[c] = v
	}
}

// A patch is a connected set of cells.
type patch struct {
	cells  []int
	border bool // it touches the border of the grid
}

// patches returns the connected sets of cells whose values are in; corner says
// whether cells that touch at a corner are connected.
func (d *density) patches(in func(float64) bool, corner bool) []patch {
	var out []patch
	seen := make([]bool, len(d.v))
	var todo []int
	for start, v := range d.v {
		if seen[start] || !in(v) {
			continue
		}
		var p patch
		seen[start] = true
		todo = append(todo[:0], start)
		for len(todo) > 0 {
			c := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			p.cells = append(p.cells, c)
			x, y := c%d.nx, c/d.nx
			p.border = p.border || x == 0 || y == 0 || x == d.nx-1 || y == d.ny-1
			for dy := max(y-1, 0); dy <= min(y+1, d.ny-1); dy++ {
				for dx := max(x-1, 0); dx <= min(x+1, d.nx-1); dx++ {
					n := dy*d.nx + dx
					if seen[n] || !corner && dx != x && dy != y || !in(d.v[n]) {
						continue
					}
					seen[n] = true
					todo = append(todo, n)
				}
			}
		}
		out = append(out, p)
	}
	return out
}
