package plots

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/calib"
	"github.com/mlens-go/microlens/mlens/event"
)

// A column is one parameter of a corner plot.
type column struct {
	k      int       // index in a Theta
	v      []float64 // the draws; α unwrapped to lie in [cut, cut+360)
	cut    float64   // α only
	lo, hi float64   // range of the axis
	a, b   float64   // range of the density: the axis, as far as the prior goes
	edge   edges     // where the support ends at the density's ends
	q      [3]float64
	border []float64 // of the cells for the density of a pair
	kernel float64   // of that density in one dimension, in cells
	cell   []int32   // the draws' cells, −1 outside the range
	bins   []float64
	xticks []tick
	yticks []tick
}

// prepare fills the column from its draws: c.v must be set.
func (c *column) prepare(k int, w []float64, sumw2 float64, opt CornerOptions) {
	c.k = k
	if k == event.Alpha {
		c.cut = emptiest(c.v, w)
		for i := range c.v {
			c.v[i] = c.place(c.v[i])
		}
	}
	sorted, cum := sortWeighted(c.v, w)
	quantile := func(p float64) float64 { return quantileOf(sorted, cum, p) }
	c.q = c.estimates(w)

	tail := [...]float64{1: 0.02, 2: 0.012, 3: 1e-3, 4: 1e-4}[opt.Sigmas]
	low, high := quantile(tail), quantile(1-tail)
	single := low == high
	if single {
		low, high = padded(0, []float64{low})
	}
	c.lo, c.hi = low-0.1*(high-low), high+0.1*(high-low)
	if opt.Sigmas < 4 {
		c.trim(quantile, tail, [...]float64{1: 0.5, 2: 0.5, 3: 0.22}[opt.Sigmas])
	}
	// A support that ends in full density near a prior's limit ends the axis too.
	first, last := sorted[0], sorted[len(sorted)-1]
	limit := limits(k, first, last)
	const near = 0.02
	if !single && first > c.lo && first < limit.Min+near*(high-low) && endsFull(high-low, func(p float64) float64 { return quantile(p) - first }) {
		c.lo, c.edge.lo = first, true
	}
	if !single && last < c.hi && last > limit.Max-near*(high-low) && endsFull(high-low, func(p float64) float64 { return last - quantile(1-p) }) {
		c.hi, c.edge.hi = last, true
	}
	// So does a limit that the axis would pass.
	if c.lo < limit.Min {
		c.lo, c.edge.lo = limit.Min, true
	}
	if c.hi > limit.Max {
		c.hi, c.edge.hi = limit.Max, true
	}
	// An angle that may be any has the whole circle, once.
	if k == event.Alpha && c.hi-c.lo >= 360 {
		c.lo, c.hi, c.edge = c.cut, c.cut+360, edges{true, true}
	}
	// The truth and the marks always show.
	include := func(v float64) {
		v = c.place(v)
		margin := 0.06 * (c.hi - c.lo)
		if v < c.lo || !c.edge.lo && v < c.lo+margin/2 {
			c.lo, c.edge.lo = v-margin, false
		}
		if v > c.hi || !c.edge.hi && v > c.hi-margin/2 {
			c.hi, c.edge.hi = v+margin, false
		}
	}
	if opt.Truth != nil && !bad(opt.Truth[k]) {
		include(opt.Truth[k])
	}
	for _, m := range opt.Marks {
		if !bad(m.Theta[k]) {
			include(m.Theta[k])
		}
	}

	// They may take the axis past a limit, but not the density.
	c.a, c.b = c.lo, c.hi
	if c.a < limit.Min {
		c.a, c.edge.lo = limit.Min, true
	}
	if c.b > limit.Max {
		c.b, c.edge.hi = limit.Max, true
	}

	const fine = 1024
	hist := c.histogram(fine, w)
	h := bandwidth(hist, 1/sumw2) / fine
	c.border, c.kernel = cellEdges(c.a, c.b, h, sorted, cum, 1/sumw2)
	c.cell = make([]int32, len(c.v))
	for i, v := range c.v {
		c.cell[i] = cellOf(c.border, v)
	}
	c.bins = c.histogram(min(max(int(0.7/h), 16), 80), w)
}

// endsFull tells whether draws end as those of a density that does not fall off there, if
// span(p) is how far the outermost share p of them reaches and width how far nearly all do.
func endsFull(width float64, span func(p float64) float64) bool {
	const p = 0.003
	// A density's own tail of that share would be a third of that of 5 % and half of that of 1 %,
	// also if the draws are those of modes much narrower than what is between them.
	return span(p) < 0.01*width && span(p) < 0.15*span(0.05) && span(p) < 0.5*span(0.01)
}

// estimates returns the quantiles 16, 50 and 84 %: of α on the circle cut
// opposite to the mean direction, as in the tables of package mlens, and not
// where the axis is cut.
func (c *column) estimates(w []float64) (q [3]float64) {
	v := c.v
	if c.k == event.Alpha {
		v = calib.Unwrap(v, w, 360)
	}
	sorted, cum := sortWeighted(v, w)
	for i, p := range [3]float64{0.16, 0.5, 0.84} {
		if w == nil {
			q[i] = calib.Quantile(sorted, p)
		} else {
			q[i] = quantileOf(sorted, cum, p)
		}
	}
	return q
}

// trim ends the range before a sparse tail: where the draws between the
// quantiles tail and five times that spread over more than a share, sparse, of the width between the
// latter on both sides, the axis ends near it or, so that a mode of ten times tail
// that lies there shows, where the draws beyond begin to be sparse. Likewise
// above.
func (c *column) trim(quantile func(float64) float64, tail, sparse float64) {
	const step, margin = 0.02, 0.06
	low := func(p float64) float64 { return quantile(p) }
	high := func(p float64) float64 { return -quantile(1 - p) }
	inner := 5 * tail
	width := quantile(1-inner) - quantile(inner)
	for i, q := range []func(float64) float64{low, high} {
		at := q(inner)
		if width <= 0 || at-q(tail) <= sparse*width {
			continue
		}
		for p := inner - tail/2; p > tail && at-q(p) < step/2*width; p -= tail / 2 {
			at = q(p)
		}
		// The density goes on beyond the end, as if mirrored.
		if at -= margin * width; i == 0 {
			c.lo, c.edge.lo = at, true
		} else {
			c.hi, c.edge.hi = -at, true
		}
	}
}

// limits returns the ends of the Roman prior that a parameter's draws, from
// first to last, respect; infinite where they do not, as those of another prior
// or frame may, and for α, which has none.
func limits(k int, first, last float64) event.Range {
	const rounding = 1e-9
	r := event.Range{Min: math.Inf(-1), Max: math.Inf(1)}
	if k == event.Alpha {
		return r
	}
	// A draw that lies outside by a rounding is inside the density.
	bound := event.Roman().Bounds()[k]
	if first >= bound.Min-rounding {
		r.Min = math.Min(bound.Min, first)
	}
	if last <= bound.Max+rounding {
		r.Max = math.Max(bound.Max, last)
	}
	return r
}

// index returns the bin of v out of n over the density's range, −1 outside.
func (c *column) index(v float64, n int) int {
	if v < c.a || v > c.b {
		return -1
	}
	return min(int(float64(n)*(v-c.a)/(c.b-c.a)), n-1)
}

func (c *column) histogram(n int, w []float64) []float64 {
	out := make([]float64, n)
	for i, v := range c.v {
		if b := c.index(v, n); b >= 0 {
			if w != nil {
				out[b] += w[i]
			} else {
				out[b]++
			}
		}
	}
	return out
}

// place returns where a value lies on the axis: itself, or for α the
// equivalent angle in [cut, cut+360).
func (c *column) place(v float64) float64 {
	if c.k != event.Alpha {
		return v
	}
	return c.cut + wrap360(v-c.cut)
}

func wrap360(v float64) float64 {
	v = math.Mod(v, 360)
	if v < 0 {
		v += 360
	}
	return v
}

// number formats a value of the axis, α modulo 360.
func (c *column) number(v float64, dec int) string {
	if c.k == event.Alpha {
		v = wrap360(v)
		if p := math.Pow(10, float64(dec)); math.Round(v*p)/p >= 360 {
			v = 0
		}
	}
	return number(v, dec)
}

// decimals of the median: two digits of the smaller uncertainty.
func (c *column) decimals() int {
	e := math.Min(c.q[2]-c.q[1], c.q[1]-c.q[0])
	if e <= 0 {
		e = math.Max(c.q[2]-c.q[1], c.q[1]-c.q[0])
	}
	if e <= 0 {
		return 3
	}
	return min(max(0, 1-int(math.Floor(math.Log10(e)))), 6)
}

// spread tells whether the quantiles are those of an angle that is known to no quarter of the
// circle: then they depend on where it is cut, and mean nothing.
func (c *column) spread() bool { return c.k == event.Alpha && c.q[2]-c.q[0] > 90 }

// estimate returns the median and the distances to the 16 and 84 % quantiles, if they mean something.
func (c *column) estimate() string {
	if c.spread() {
		return ""
	}
	dec := c.decimals()
	return c.number(c.q[1], dec) + " ^{+" + number(c.q[2]-c.q[1], dec) + "}_{" + number(c.q[0]-c.q[1], dec) + "}"
}

// setTicks chooses the ticks for a panel of the given size.
func (c *column) setTicks(cell, size vg.Length) {
	if c.k == event.Alpha && c.hi-c.lo > 150 { // parts of a circle
		c.xticks, _ = tryTicks(c.lo, c.hi, cell, size, true, 5, 0.9*size, c.number, 3, 6, 9)
		c.yticks, _ = tryTicks(c.lo, c.hi, cell, size, false, 5, 0.3*size, c.number, 3, 6, 9)
		return
	}
	c.xticks = ticksFunc(c.lo, c.hi, cell, size, true, 4, 0.9*size, c.number)
	c.yticks = ticksFunc(c.lo, c.hi, cell, size, false, 4, 0.3*size, c.number)
}

// makeRoom removes a label where the last one of the column would touch the
// first one of the next.
func (c *column) makeRoom(next *column, cell, gap, size vg.Length) {
	last, first := -1, -1
	labels := func(ts []tick) (n int) {
		for _, t := range ts {
			if t.label != "" {
				n++
			}
		}
		return n
	}
	for i, t := range c.xticks {
		if t.label != "" && (last < 0 || t.at > c.xticks[last].at) {
			last = i
		}
	}
	for i, t := range next.xticks {
		if t.label != "" && (first < 0 || t.at < next.xticks[first].at) {
			first = i
		}
	}
	if last < 0 || first < 0 {
		return
	}
	a, b := &c.xticks[last], &next.xticks[first]
	end := cell*vg.Length((a.at-c.lo)/(c.hi-c.lo)) + textWidth(a.label, size)/2
	start := cell + gap + cell*vg.Length((b.at-next.lo)/(next.hi-next.lo)) - textWidth(b.label, size)/2
	if start-end > 0.5*size {
		return
	}
	if na, nb := labels(c.xticks), labels(next.xticks); na > nb || na == nb && end-cell > cell+gap-start {
		a.label = ""
	} else {
		b.label = ""
	}
}

// axis returns the column as an x or y axis, with numbers and label on the
// outside.
func (c *column) axis(outer, y bool) axis {
	a := axis{lo: c.lo, hi: c.hi, ticks: c.xticks, numbers: outer}
	if y {
		a.ticks = c.yticks
	}
	if outer {
		a.label = paramLabels[c.k]
	}
	return a
}

// emptiest returns the angle in degrees at which to cut the circle: the middle
// of the longest arc that holds at most 0.1 % of the draws, or 0 if cutting
// there costs no more. Without such an arc of 20° the circle is cut where the
// draws are fewest, or at 0 if they are everywhere.
func emptiest(v, w []float64) float64 {
	const n = 720
	var hist [n]float64
	var total float64
	for i, a := range v {
		wi := 1.0
		if w != nil {
			wi = w[i]
		}
		hist[min(int(wrap360(a)*n/360), n-1)] += wi
		total += wi
	}
	const allowed = 1e-3
	best, at, zero := 0, 0, 0
	sum := 0.0
	for lo, hi := 0, 0; lo < n; lo++ { // the arc [lo, hi)
		for hi < lo+n && sum+hist[hi%n] <= allowed*total {
			sum += hist[hi%n]
			hi++
		}
		if hi-lo > best {
			best, at = hi-lo, lo
		}
		if lo == 0 || hi > n {
			zero = max(zero, hi-lo)
		}
		if hi > lo {
			sum -= hist[lo]
		} else {
			hi = lo + 1
			sum = 0
		}
	}
	if best < n/18 {
		return fewest(hist[:])
	}
	if zero >= best {
		return 0
	}
	return wrap360((float64(at) + float64(best)/2) * 360 / n)
}

// fewest returns the angle about which ±20° hold the least of a histogram of
// the circle, or 0 if that is more than half the mean, or hardly less than
// what 0 itself has about it.
func fewest(hist []float64) float64 {
	n := len(hist)
	var mean, zero, least float64
	at := 0
	for i := range n {
		var sum float64
		for k := -n / 18; k < n/18; k++ {
			sum += hist[(i+k+n)%n]
		}
		mean += sum / float64(n)
		if i == 0 {
			zero, least = sum, sum
		}
		if sum < least {
			least, at = sum, i
		}
	}
	if least > 0.5*mean || zero < least+0.1*mean {
		return 0
	}
	return 360 * float64(at) / float64(n)
}

// sortWeighted returns the values in order and the share of the weight up to
// and including each.
func sortWeighted(v, w []float64) (sorted, cum []float64) {
	sorted, cum = make([]float64, len(v)), make([]float64, len(v))
	if w == nil {
		copy(sorted, v)
		slices.Sort(sorted)
		for i := range cum {
			cum[i] = float64(i+1) / float64(len(v))
		}
		return sorted, cum
	}
	type item struct{ v, w float64 }
	items := make([]item, len(v))
	var total float64
	for i := range v {
		items[i] = item{v[i], w[i]}
		total += w[i]
	}
	slices.SortFunc(items, func(a, b item) int {
		switch {
		case a.v < b.v:
			return -1
		case a.v > b.v:
			return 1
		}
		return 0
	})
	var sum float64
	for i, it := range items {
		sum += it.w
		sorted[i], cum[i] = it.v, sum/total
	}
	return sorted, cum
}

// quantileOf returns the smallest value with at least the share p up to it.
func quantileOf(sorted, cum []float64, p float64) float64 {
	i := sort.SearchFloat64s(cum, p)
	if i >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i]
}
