package plots

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// residuals draws the panel of residuals against the first model.
func (v *lightView) residuals(c vg.Canvas, r vg.Rectangle, ydrop vg.Length) {
	lim := v.residualLimit()
	bins, width, narrow := v.residualBins()
	if narrow < 0.6*lim {
		lim = narrow
	} else {
		bins = nil
	}
	p := &panel{Canvas: c, r: r}
	p.x = axis{lo: v.t0, hi: v.t1, numbers: true, label: "Time [d]", ticks: ticks(v.t0, v.t1, r.Max.X-r.Min.X, sizeTick, true, 8)}
	p.y = axis{lo: -lim, hi: lim, numbers: true, label: "Residual [σ]", ticks: ticks(-lim, lim, r.Max.Y-r.Min.Y, sizeTick, false, 4)}
	at := func(s sample) (y, lo, hi float64) {
		e := 1 / math.Sqrt(float64(s.n))
		return s.res, s.res - e, s.res + e
	}
	if bins != nil {
		v.marks(p, bins, at)
		label := fmt.Sprintf("residuals: means of %.2g d", width)
		write(p, vg.Point{X: r.Max.X, Y: r.Min.Y - 4 - sizeTick - 5}, label, style{size: sizeTick, ax: 1, ay: 1, color: soft})
	} else {
		p.band(v.t0, -1, v.t1, 1, faint)
		v.points(p, at)
	}
	p.hline(0, stroke(Palette(0), 0.9))
	for i := 1; i < len(v.models); i++ {
		xs, ys := v.difference(i)
		st := stroke(Palette(i), 0.9)
		st.Dashes = dashesOf(i)
		p.line(xs, ys, st)
	}
	p.frame(0, ydrop)
}

// residualBins returns means of the residuals over times so long that their errors are a fifth of
// what the models differ by at most, but from 1/400 to 1/30 of the view, and the limit of a panel
// that holds both. Where they differ by more than twice the noise of a measurement, none is needed,
// and the limit is infinite.
func (v *lightView) residualBins() (bins []sample, width, lim float64) {
	const shortest, longest = 1.0 / 400, 1.0 / 30
	most := v.mostDifferent()
	if most == 0 || most > 2 {
		return nil, 0, math.Inf(1)
	}
	span := v.t1 - v.t0
	width = span * min(max(25/(most*most)/float64(len(v.single)), shortest), longest)
	lim = 1.1 * most
	for i := 0; i < len(v.single); {
		var b sample
		for first := v.single[i].t; i < len(v.single) && v.single[i].t-first <= width; i++ {
			if s := v.single[i]; !bad(s.res) {
				b.t, b.res, b.n = b.t+s.t, b.res+s.res, b.n+1
			}
		}
		if b.n > 0 {
			n := float64(b.n)
			b.t, b.res = b.t/n, b.res/n
			bins = append(bins, b)
			lim = math.Max(lim, math.Abs(b.res)+1.2/math.Sqrt(n))
		}
	}
	return bins, width, lim
}

// mostDifferent returns what a model differs from the first by at most, in σ of a measurement.
func (v *lightView) mostDifferent() (most float64) {
	for i := 1; i < len(v.models); i++ {
		_, d := v.difference(i)
		for _, x := range d {
			if !bad(x) {
				most = math.Max(most, math.Abs(x))
			}
		}
	}
	return most
}

// difference returns model i minus the first one in σ of the measurements.
func (v *lightView) difference(i int) (ts, d []float64) {
	for _, s := range v.shown {
		err := s.err * math.Sqrt(float64(s.n))
		ts = append(ts, s.t)
		d = append(d, (v.models[i].at(s.t)-v.models[0].at(s.t))/err)
	}
	return ts, d
}

// residualLimit holds 99.7 % of the residuals and, up to 2.5 times that, the
// differences of the models.
func (v *lightView) residualLimit() float64 {
	var rs []float64
	for _, s := range v.single {
		if !bad(s.res) {
			rs = append(rs, math.Abs(s.res))
		}
	}
	if len(rs) == 0 {
		return 4
	}
	slices.Sort(rs)
	lim := math.Max(4, 1.1*rs[min(int(0.997*float64(len(rs))), len(rs)-1)])
	return math.Max(lim, math.Min(1.1*v.mostDifferent(), 2.5*lim))
}

// chi2 returns χ² of model i over the measurements it covers, and their number.
func (v *lightView) chi2(i int) (chi2 float64, n int) {
	for _, s := range v.single {
		if z := (s.f - v.models[i].at(s.t)) / s.err; !bad(z) {
			chi2 += z * z
			n++
		}
	}
	return chi2, n
}
