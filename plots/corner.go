package plots

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/event"
)

// CornerOptions are the options of [Corner]. The zero value shows all eight
// parameters with regions to 3σ.
type CornerOptions struct {
	Params  []int        // parameters to show, in this order, e.g. {event.U0, event.LogTE, event.Fs}; nil: all
	Weights []float64    // importance weights of the draws, of any scale; nil: equal
	Truth   *event.Theta // cross-hairs; nil: none
	Marks   []Mark       // solutions to mark, in the colours of Palette
	Sigmas  int          // regions to this many σ, 1 to 4; 0: 3
	Title   string
	Width   float64 // inches; 0: 9 for eight parameters, less for fewer
}

// Mark is a point of parameter space worth a symbol, such as a mode. A coordinate that is NaN is
// not known, and there is no symbol in panels of it.
type Mark struct {
	Label string
	Theta event.Theta
}

// paramLabels are the labels of a Theta's axes.
var paramLabels = [event.Dim]string{
	"log_{10} $s$", "log_{10} $q$", "$α$ [deg]", "$u$_{0} [$θ$_{E}]", "$t$_{0} [d]",
	"log_{10} $t$_{E} [d]", "log_{10} $ρ$", "$f$_{s}",
}

// Corner draws a posterior as the histograms of its parameters, on the
// diagonal, and the densities of their pairs, below.
//
// The filled regions are those of highest density that enclose
// 1 − exp(−n²/2) of the mass, the n-σ regions of a Gaussian in two dimensions:
// 39.3, 86.5, 98.9 and 99.97 % for n = 1…4. Titles are the median with the
// distances to the 16 and 84 % quantiles, which are dashed; for α on the circle
// cut opposite to the mean direction ([calib.Unwrap]), as in mlens.Summary, and none where they
// are more than 90° apart.
//
// The ranges hold the central 99.8 % of every parameter, of a sparse tail less,
// but 99 % in all, and the truth and the marks; where regions are drawn to 1 or 2 σ
// only, they hold 80 or 88 % at least, to 4 σ 99.98 %; the regions' masses are of the
// draws within them. The axis of α is cut where the posterior is emptiest, not
// at 360°. Kernels widen where draws are sparse, and islands and holes that a
// handful of draws makes are not drawn. Densities end at the limits of
// [event.Roman] that all draws respect, and kernels are mirrored there.
//
// draws are points θ of the posterior. Draws that are not finite or have no
// weight are left out; it panics if none is left, or on mismatched options.
func Corner(draws []event.Theta, opt CornerOptions) *Figure {
	c := newCorner(draws, opt)
	pairs := c.pairs()
	n := len(c.cols)
	w := inches(opt.Width, []float64{3.2, 4.6, 5.6, 6.4, 7.2, 8, 8.5, 9}[min(n, 8)-1])
	const left, right, bottom, gap = vg.Length(50), vg.Length(8), vg.Length(32), vg.Length(5)
	top := 2*sizeText + 12
	if opt.Title != "" {
		top += sizeTitle + 8
	}
	cell := (w-left-right+gap)/vg.Length(n) - gap
	h := bottom + top + vg.Length(n)*(cell+gap) - gap
	size := sizeTick
	if n > 6 {
		size = sizeTick - 1
	}
	ydrop := vg.Length(0)
	for i := range c.cols {
		c.cols[i].setTicks(cell, size)
		if i > 0 {
			c.cols[i-1].makeRoom(&c.cols[i], cell, gap, size)
			for _, t := range c.cols[i].yticks {
				ydrop = max(ydrop, textWidth(t.label, size))
			}
		}
	}
	ydrop += 10
	box := func(row, col int) vg.Rectangle {
		x := left + vg.Length(col)*(cell+gap)
		y := bottom + vg.Length(n-1-row)*(cell+gap)
		return rect(x, y, x+cell, y+cell)
	}
	return &Figure{w: w, h: h, summary: c.summary(opt.Title), draw: func(cv vg.Canvas) {
		if opt.Title != "" {
			write(cv, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		for row := range c.cols {
			for col := 0; col <= row; col++ {
				p := &panel{Canvas: cv, size: size, r: box(row, col), x: c.cols[col].axis(row == n-1, false)}
				if col == row {
					c.diagonal(p, &c.cols[row])
					continue
				}
				p.y = c.cols[row].axis(col == 0, true)
				c.pair(p, pairs[row*n+col], &c.cols[col], &c.cols[row])
				p.frame(0, ydrop)
			}
		}
		if n > 1 {
			x := box(0, (n+1)/2).Min.X + 8
			c.legend(cv, vg.Point{X: min(x, w-right-24-c.legendWidth()), Y: box(0, 0).Max.Y}, n)
		}
	}}
}

// A corner is the data behind a corner plot.
type corner struct {
	cols    []column
	w       []float64 // weights, sum 1; nil: equal
	sumw2   float64   // Σw², 1/n for equal weights
	n, left int       // draws used, draws left out
	opt     CornerOptions
}

func newCorner(draws []event.Theta, opt CornerOptions) *corner {
	if opt.Weights != nil && len(opt.Weights) != len(draws) {
		panic(fmt.Sprintf("plots: %d weights for %d draws", len(opt.Weights), len(draws)))
	}
	if opt.Sigmas == 0 {
		opt.Sigmas = 3
	}
	if opt.Sigmas < 1 || opt.Sigmas > 4 {
		panic(fmt.Sprintf("plots: regions to %dσ, must be 1 to 4", opt.Sigmas))
	}
	if opt.Params == nil {
		opt.Params = []int{0, 1, 2, 3, 4, 5, 6, 7}
	}
	if len(opt.Params) == 0 {
		panic("plots: no parameters to show")
	}
	for _, k := range opt.Params {
		if k < 0 || k >= event.Dim {
			panic(fmt.Sprintf("plots: no parameter %d", k))
		}
	}
	c := &corner{opt: opt, cols: make([]column, len(opt.Params))}
	var sum float64
	for i, d := range draws {
		ok := opt.Weights == nil || opt.Weights[i] > 0 && !bad(opt.Weights[i])
		for _, k := range opt.Params {
			ok = ok && !bad(d[k])
		}
		if !ok {
			c.left++
			continue
		}
		for j, k := range opt.Params {
			c.cols[j].v = append(c.cols[j].v, d[k])
		}
		if opt.Weights != nil {
			c.w = append(c.w, opt.Weights[i])
			sum += opt.Weights[i]
		}
		c.n++
	}
	if c.n == 0 {
		panic("plots: no draw to show")
	}
	c.sumw2 = 1 / float64(c.n)
	if c.w != nil {
		c.sumw2 = 0
		for i := range c.w {
			c.w[i] /= sum
			c.sumw2 += c.w[i] * c.w[i]
		}
	}
	parallel(len(c.cols), func(j int) {
		c.cols[j].prepare(opt.Params[j], c.w, c.sumw2, opt)
	})
	return c
}

// A pair is the density of two parameters with the levels of its regions,
// outermost first.
type pairDensity struct {
	rings [][][][2]float64
}

// pairs computes the panels below the diagonal, at [row*n+col].
func (c *corner) pairs() []pairDensity {
	n := len(c.cols)
	out := make([]pairDensity, n*n)
	var jobs [][2]int
	for row := range n {
		for col := range row {
			jobs = append(jobs, [2]int{row, col})
		}
	}
	masses := make([]float64, c.opt.Sigmas)
	for i := range masses {
		masses[i] = sigmaMass(c.opt.Sigmas - i)
	}
	parallel(len(jobs), func(k int) {
		row, col := jobs[k][0], jobs[k][1]
		x, y := &c.cols[col], &c.cols[row]
		d := c.density(x, y)
		levels := d.levels(masses)
		for _, l := range levels {
			g := d.solid(l, 1/c.sumw2).region(x.border, y.border, levels[0]/30)
			out[row*n+col].rings = append(out[row*n+col].rings, g.rings(math.Log(l)))
		}
	})
	return out
}

// density estimates the density of two parameters, in units of their ranges.
func (c *corner) density(x, y *column) *density {
	raw := histogram2(x.cell, y.cell, c.w, len(x.border)-1, len(y.border)-1)
	raw.wx, raw.wy = widths(x.border), widths(y.border)
	// From one dimension to two the best bandwidth grows from n^(−1/5) to
	// n^(−1/6), apart from a constant near one.
	wider := math.Pow(c.sumw2, 1.0/6-1.0/5)
	return estimate(raw, blur{hx: wider * x.kernel, hy: wider * y.kernel, ex: x.edge, ey: y.edge}, c.sumw2)
}

// sigmaMass returns the mass inside n σ of a Gaussian in two dimensions.
func sigmaMass(n int) float64 { return -math.Expm1(-float64(n*n) / 2) }

// parallel calls f(0) … f(n−1) on all processors.
func parallel(n int, f func(int)) {
	var wg sync.WaitGroup
	jobs := make(chan int)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range jobs {
				f(i)
			}
		})
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
}

// regionColor is the fill of the i-th region of k, outermost first.
func regionColor(i, k int) int { return len(fill) - k + i }

// truthLine lets what is below it be seen.
var truthLine = stroke(fade(truth, 0.75), 0.7)

// pair draws the regions of two parameters.
func (c *corner) pair(p *panel, d pairDensity, x, y *column) {
	for i, rings := range d.rings {
		path := p.path(rings, 0.12)
		p.SetColor(fill[regionColor(i, len(d.rings))])
		p.Fill(path)
		setLine(p, stroke(fade(fillEdge, 0.7), 0.4))
		p.Stroke(path)
	}
	if c.opt.Truth != nil {
		p.vline(x.place(c.opt.Truth[x.k]), truthLine)
		p.hline(y.place(c.opt.Truth[y.k]), truthLine)
	}
	for i, m := range c.opt.Marks {
		if !bad(m.Theta[x.k]) && !bad(m.Theta[y.k]) {
			symbol(p, p.at(x.place(m.Theta[x.k]), y.place(m.Theta[y.k])), i, 2.4)
		}
	}
}

// diagonal draws the histogram of one parameter.
func (c *corner) diagonal(p *panel, col *column) {
	top := 0.0
	for _, b := range col.bins {
		top = math.Max(top, b)
	}
	p.y = axis{lo: 0, hi: 1.12 * top}
	var edge []vg.Point
	for i, b := range col.bins {
		x0 := col.a + (col.b-col.a)*float64(i)/float64(len(col.bins))
		x1 := col.a + (col.b-col.a)*float64(i+1)/float64(len(col.bins))
		edge = append(edge, p.at(x0, b), p.at(x1, b))
	}
	// An end inside the frame is a step down.
	if col.a > col.lo {
		edge = slices.Insert(edge, 0, p.at(col.a, 0))
	}
	if col.b < col.hi {
		edge = append(edge, p.at(col.b, 0))
	}
	var area vg.Path
	area.Move(p.at(col.a, 0))
	for _, q := range edge {
		area.Line(q)
	}
	area.Line(p.at(col.b, 0))
	area.Close()
	p.SetColor(fill[1])
	p.Fill(area)
	quantiles := col.q[:]
	if col.spread() {
		quantiles = nil
	}
	for _, q := range quantiles {
		p.vline(col.place(q), dashed(fillEdge, 0.6, 2, 1.6))
	}
	if c.opt.Truth != nil {
		p.vline(col.place(c.opt.Truth[col.k]), truthLine)
	}
	for i, m := range c.opt.Marks {
		if !bad(m.Theta[col.k]) {
			p.vline(col.place(m.Theta[col.k]), stroke(Palette(i), 0.9))
		}
	}
	cl := p.clip()
	cl.StrokeLines(stroke(fillEdge, 0.9), edge)
	p.frame(0, 0)
	mid := (p.r.Min.X + p.r.Max.X) / 2
	write(p, vg.Point{X: mid, Y: p.r.Max.Y + 9 + sizeText}, paramLabels[col.k], style{size: sizeText, ax: 0.5})
	write(p, vg.Point{X: mid, Y: p.r.Max.Y + 6}, col.estimate(), style{size: sizeText, ax: 0.5})
}

func percent(f float64) string {
	if f > 0.999 {
		return fmt.Sprintf("%.2f %%", 100*f)
	}
	return fmt.Sprintf("%.1f %%", 100*f)
}

func (c *corner) summary(title string) string {
	var b strings.Builder
	if title == "" {
		title = "Posterior"
	}
	fmt.Fprintf(&b, "%s: %s", unmark(title), c.size())
	if c.left > 0 {
		fmt.Fprintf(&b, " (%s not finite or without weight, left out)", count(c.left))
	}
	fmt.Fprintf(&b, "; regions hold")
	for s := 1; s <= c.opt.Sigmas; s++ {
		fmt.Fprintf(&b, " %s", percent(sigmaMass(s)))
	}
	fmt.Fprintf(&b, "\n%-12s %12s %12s %12s", "", "median", "16 %", "84 %")
	if c.opt.Truth != nil {
		fmt.Fprintf(&b, " %12s", "truth")
	}
	for i := range c.cols {
		col := &c.cols[i]
		dec := col.decimals()
		at := [3]string{"–", "–", "–"}
		for j, q := range col.q {
			if !col.spread() {
				at[j] = col.number(q, dec)
			}
		}
		fmt.Fprintf(&b, "\n%-12s %12s %12s %12s", event.Names[col.k], at[1], at[0], at[2])
		if c.opt.Truth != nil {
			fmt.Fprintf(&b, " %12s", col.number(c.opt.Truth[col.k], dec))
		}
	}
	return b.String()
}
