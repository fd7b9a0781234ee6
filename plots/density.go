package plots

import (
	"math"
)

// A density is a smoothed two-dimensional histogram.
type density struct {
	nx, ny int
	v      []float64 // [ny][nx]: masses, which sum to 1, or densities
	wx, wy []float64 // widths of the cells; nil: 1
}

// edges says at which ends of an axis the support itself ends, so that the
// kernel is mirrored there and not spilled over.
type edges struct{ lo, hi bool }

// A blur is a Gaussian kernel, in cells: of standard deviation hx along the direction (1, slope),
// and hy along y.
type blur struct {
	hx, hy, slope float64
	ex, ey        edges
}

// scaled is b with f times its widths.
func (b blur) scaled(f float64) blur {
	b.hx *= f
	b.hy *= f
	return b
}

// height is its standard deviation of y.
func (b blur) height() float64 { return math.Hypot(b.hy, b.slope*b.hx) }

// smooth convolves d with b.
func (d *density) smooth(b blur) {
	switch k := kernel(b.hx); {
	case k == nil:
	case b.slope == 0:
		d.along(k, b.ex)
	default:
		d.across(k, b.slope, edges{})
	}
	if k := kernel(b.hy); k != nil {
		d.across(k, math.Inf(1), b.ey)
	}
}

// along convolves the rows of d.
func (d *density) along(k []float64, e edges) {
	row := make([]float64, d.nx+2*len(k))
	for j := range d.ny {
		r := d.v[j*d.nx : (j+1)*d.nx]
		a, b := extent(r)
		if a == b {
			continue
		}
		pad(row, r, len(k), e)
		for i := max(a-len(k), 0); i < min(b+len(k), d.nx); i++ {
			at := i + len(k)
			s := k[0] * row[at]
			for m := 1; m < len(k); m++ {
				s += k[m] * (row[at-m] + row[at+m])
			}
			r[i] = s
		}
	}
}

// across convolves d along (1, slope), or y if that is infinite.
func (d *density) across(k []float64, slope float64, e edges) {
	out := make([]float64, len(d.v))
	add := func(t, shift, a, b int, r []float64, w float64) {
		switch {
		case t < 0 && e.lo:
			t = -1 - t
		case t >= d.ny && e.hi:
			t = 2*d.ny - 1 - t
		}
		if t < 0 || t >= d.ny || w == 0 {
			return
		}
		a, b = max(a, -shift), min(b, d.nx-shift)
		if a >= b {
			return
		}
		o := out[t*d.nx+a+shift : t*d.nx+b+shift]
		for i, v := range r[a:b] {
			o[i] += w * v
		}
	}
	for j := range d.ny {
		r := d.v[j*d.nx : (j+1)*d.nx]
		a, b := extent(r)
		if a == b {
			continue
		}
		for m := -len(k) + 1; m < len(k); m++ {
			w := k[max(m, -m)]
			if math.IsInf(slope, 0) {
				add(j+m, 0, a, b, r, w)
				continue
			}
			// Between two rows, each has its part.
			y := slope * float64(m)
			low := math.Floor(y)
			add(j+int(low), m, a, b, r, w*(1-(y-low)))
			add(j+int(low)+1, m, a, b, r, w*(y-low))
		}
	}
	d.v = out
}

// kernel returns half a Gaussian of standard deviation h cells, cut at 3.5h and
// normalised with its mirror image: k[0], k[±1], …; nil if it does nothing.
func kernel(h float64) []float64 {
	if h < 0.2 {
		return nil
	}
	k := make([]float64, int(3.5*h)+2)
	var sum float64
	for i := range k {
		// The integral over the cell, not the value at its centre.
		k[i] = math.Erf((float64(i)+0.5)/(h*math.Sqrt2)) - math.Erf((float64(i)-0.5)/(h*math.Sqrt2))
		sum += 2 * k[i]
	}
	sum -= k[0]
	for i := range k {
		k[i] /= sum
	}
	return k
}

// pad copies r into the middle of row, with n cells of margin that are zero
// or, at an edge of the support, the mirror image.
func pad(row, r []float64, n int, e edges) {
	clear(row)
	copy(row[n:], r)
	for i := 0; i < n && i < len(r); i++ {
		if e.lo {
			row[n-1-i] = r[i]
		}
		if e.hi {
			row[n+len(r)+i] = r[len(r)-1-i]
		}
	}
}

// extent returns the smallest range [a, b) that holds all non-zero values.
func extent(v []float64) (a, b int) {
	b = len(v)
	for a < b && v[a] == 0 {
		a++
	}
	for b > a && v[b-1] == 0 {
		b--
	}
	return a, b
}

// histogram2 bins pairs of cell indices, −1 for outside, with weights (nil for
// equal ones), to a total of 1.
func histogram2(ix, iy []int32, w []float64, nx, ny int) *density {
	d := &density{nx: nx, ny: ny, v: make([]float64, nx*ny)}
	var total float64
	for k := range ix {
		if ix[k] < 0 || iy[k] < 0 {
			continue
		}
		wk := 1.0
		if w != nil {
			wk = w[k]
		}
		d.v[int(iy[k])*nx+int(ix[k])] += wk
		total += wk
	}
	if total > 0 {
		for i := range d.v {
			d.v[i] /= total
		}
	}
	return d
}

// estimate smooths the histogram raw with the kernel b, whose slope is 0, or with one that leans as
// the draws do if those are better described by it. sumw2 is Σw² of weights that sum to 1: the share
// of a draw in its own density.
func estimate(raw *density, b blur, sumw2 float64) *density {
	pilot, kernel, score := raw.sharpened(b, sumw2)
	if leaning, ok := raw.lean(b, sumw2); ok {
		if p, k, s := raw.sharpened(leaning, sumw2); s < score {
			pilot, kernel = p, k
		}
	}
	return adapt(raw, pilot, kernel, 1/sumw2)
}

// lean returns b with the correlation of d's masses. Not where that is weak, or the masses are
// bent about its line, or the cells are too coarse for it, or the support ends, at which a leaning
// kernel is not mirrored.
func (d *density) lean(b blur, sumw2 float64) (blur, bool) {
	const strong, steep, bent = 0.5, 2, 0.15
	var sum, x, y, xx, xy, yy float64
	for i, v := range d.v {
		if v > 0 {
			i, j := float64(i%d.nx), float64(i/d.nx)
			sum += v
			x, y = x+v*i, y+v*j
			xx, xy, yy = xx+v*i*i, xy+v*i*j, yy+v*j*j
		}
	}
	x, y = x/sum, y/sum
	xx, xy, yy = xx/sum-x*x, xy/sum-x*y, yy/sum-y*y
	r := xy / math.Sqrt(xx*yy)
	// The correlation of what is beside the line with the square along it.
	var beside, square, both float64
	for i, v := range d.v {
		if v > 0 {
			u := (float64(i%d.nx) - x) / math.Sqrt(xx)
			w, s := (float64(i/d.nx)-y)/math.Sqrt(yy)-r*u, u*u-1
			beside, square, both = beside+v*w*w, square+v*s*s, both+v*w*s
		}
	}
	bend := both / math.Sqrt(beside*square)
	// The kernel's own shape is that of its widths with the same correlation.
	b.slope = r * b.hy / b.hx
	b.hy *= math.Sqrt(max(1-r*r, 0))
	ok := math.Abs(r) >= strong && math.Abs(bend) < bent+3*math.Sqrt(sumw2) && math.Abs(b.slope) <= steep && b.ex == (edges{}) && b.ey == (edges{})
	return b, ok
}

// sharpened returns d smoothed by b·f, where the factor f ≤ 1 is the one of a geometric series with
// the best leave-one-out integrated squared error, that kernel, and that error but for a constant.
// Marginal bandwidths are far too wide for a thin bent ridge; the factor finds that out.
func (d *density) sharpened(b blur, sumw2 float64) (best *density, kernel blur, bestScore float64) {
	const finest = 0.4 // cells; a finer kernel would show the grid
	for f := 1.0; ; f /= math.Sqrt2 {
		k := b.scaled(f)
		s := d.smoothed(k)
		var sq, cross float64
		for i, v := range s.v {
			sq += v * v
			cross += v * d.v[i]
		}
		score := sq - 2*(cross-sumw2*center(k.hx)*center(k.hy))/(1-math.Min(sumw2, 0.5))
		// Smoother wins unless a finer kernel is clearly better.
		if best != nil && score >= bestScore-math.Max(0.01, 0.5*math.Sqrt(sumw2))*math.Abs(bestScore) {
			return best, kernel, bestScore
		}
		best, kernel, bestScore = s, k, score
		if math.Max(k.hx, k.hy) < finest {
			return best, kernel, bestScore
		}
	}
}

// adapt smooths raw with kernels that widen where the pilot density is low,
// by (peak/density)^(1/4) up to 2√2, from 0.85 times the given ones: tails, and
// modes wider than the main one, hold few draws a kernel and would be ragged
// otherwise. (Abramson 1982 proposes the power 1/2; its half is safer on
// ridges.) Where a kernel would still see only a handful of draws, of neff in
// all, it widens further, as distances to the k-th neighbour do (Breiman,
// Meisel & Purcell 1977): a sparse tail is smooth, not a speck for every draw.
// The result is a density: the mass that a kernel sees over the area that it
// sees, so that cells of unequal sizes leave no trace.
func adapt(raw, pilot *density, b blur, neff float64) *density {
	const byDensity, classes = 4, 11 // factors 1, √2, 2, 2√2; up to 32
	enough := math.Min(math.Max(neff/200, 8), 40) / neff
	var peak float64
	for _, v := range pilot.v {
		peak = math.Max(peak, v)
	}
	if peak == 0 {
		return raw
	}
	var part [classes]*density
	sums := raw.sums()
	for i, v := range raw.v {
		if v == 0 {
			continue
		}
		k := min(int(0.5*math.Log2(peak/math.Max(pilot.v[i], 1e-9*peak))), byDensity-1)
		for ; k < classes-1; k++ {
			r := 1.5 * widening(k)
			if sums.box(i%raw.nx, i/raw.nx, r*b.hx, r*b.height()) >= enough {
				break
			}
		}
		if part[k] == nil {
			part[k] = &density{nx: raw.nx, ny: raw.ny, v: make([]float64, len(raw.v))}
		}
		part[k].v[i] = v
	}
	out := &density{nx: raw.nx, ny: raw.ny, v: make([]float64, len(raw.v)), wx: raw.wx, wy: raw.wy}
	for k, d := range part {
		if d == nil {
			continue
		}
		b := b.scaled(widening(k))
		d.smooth(b)
		wx, wy := smoothedWidths(raw.wx, raw.nx, b.hx), smoothedWidths(raw.wy, raw.ny, b.height())
		for i, v := range d.v {
			out.v[i] += v / (wx[i%raw.nx] * wy[i/raw.nx])
		}
	}
	return out
}

// widening is the factor of the k-th class of kernels.
func widening(k int) float64 { return 0.85 * math.Pow(2, float64(k)/2) }

// sums is a table of a density's sums over [0, x) × [0, y).
type sums struct {
	nx, ny int
	s      []float64
}

func (d *density) sums() sums {
	t := sums{nx: d.nx, ny: d.ny, s: make([]float64, (d.nx+1)*(d.ny+1))}
	for y := range d.ny {
		var row float64
		for x := range d.nx {
			row += d.v[y*d.nx+x]
			t.s[(y+1)*(d.nx+1)+x+1] = t.s[y*(d.nx+1)+x+1] + row
		}
	}
	return t
}

// box returns the sum over the cells within rx, ry of cell (x, y).
func (t sums) box(x, y int, rx, ry float64) float64 {
	x0, x1 := max(x-int(rx+0.5), 0), min(x+int(rx+0.5)+1, t.nx)
	y0, y1 := max(y-int(ry+0.5), 0), min(y+int(ry+0.5)+1, t.ny)
	w := t.nx + 1
	return t.s[y1*w+x1] - t.s[y0*w+x1] - t.s[y1*w+x0] + t.s[y0*w+x0]
}

// smoothed is a smoothed copy.
func (d *density) smoothed(b blur) *density {
	out := &density{nx: d.nx, ny: d.ny, v: append([]float64(nil), d.v...)}
	out.smooth(b)
	return out
}

// center is the share of a kernel in its own cell.
func center(h float64) float64 {
	if k := kernel(h); k != nil {
		return k[0]
	}
	return 1
}

// area returns the area of a cell.
func (d *density) area(i int) float64 {
	if d.wx == nil {
		return 1
	}
	return d.wx[i%d.nx] * d.wy[i/d.nx]
}

// widths returns the widths of cells in units of their range.
func widths(borders []float64) []float64 {
	n := len(borders) - 1
	out := make([]float64, n)
	for i := range out {
		out[i] = (borders[i+1] - borders[i]) / (borders[n] - borders[0])
	}
	return out
}

// smoothedWidths returns the mean width of the cells that a kernel of h cells
// sees from each.
func smoothedWidths(w []float64, n int, h float64) []float64 {
	d := &density{nx: n, ny: 1, v: make([]float64, n)}
	for i := range d.v {
		d.v[i] = 1
		if w != nil {
			d.v[i] = w[i]
		}
	}
	d.smooth(blur{hx: h, ex: edges{true, true}})
	return d.v
}

// levels returns the density values whose regions {v ≥ level} enclose the
// given masses, in the order of the masses.
func (d *density) levels(masses []float64) []float64 {
	const perNat, nats = 64, 40
	var peak float64
	for _, v := range d.v {
		peak = math.Max(peak, v)
	}
	out := make([]float64, len(masses))
	if peak == 0 {
		return out
	}
	var hist [perNat * nats]float64
	var total float64
	for i, v := range d.v {
		if v > 0 {
			if k := int(math.Log(peak/v) * perNat); k < len(hist) {
				m := v * d.area(i)
				hist[k] += m
				total += m
			}
		}
	}
	for i, m := range masses {
		var sum float64
		for k, h := range hist {
			if sum += h; sum >= m*total {
				// Within the bin the mass is taken as spread evenly.
				frac := 1 - (sum-m*total)/h
				out[i] = peak * math.Exp(-(float64(k)+frac)/perNat)
				break
			}
		}
	}
	return out
}
