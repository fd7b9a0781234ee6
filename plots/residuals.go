package plots

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// residuals draws the panel of residuals against the first model.
func (v *lightView) residuals(c vg.Canvas, r vg.Rectangle, ydrop vg.Length) {
	lim := v.residualLimit()
	p := &panel{Canvas: c, r: r}
	p.x = axis{lo: v.t0, hi: v.t1, numbers: true, label: "Time [d]", ticks: ticks(v.t0, v.t1, r.Max.X-r.Min.X, sizeTick, true, 8)}
	p.y = axis{lo: -lim, hi: lim, numbers: true, label: "Residual [σ]", ticks: ticks(-lim, lim, r.Max.Y-r.Min.Y, sizeTick, false, 4)}
	p.band(v.t0, -1, v.t1, 1, faint)
	v.points(p, func(s sample) (y, lo, hi float64) {
		e := 1 / math.Sqrt(float64(s.n))
		return s.res, s.res - e, s.res + e
	})
	p.hline(0, stroke(Palette(0), 0.9))
	for i := 1; i < len(v.models); i++ {
		xs, ys := v.difference(i)
		st := stroke(Palette(i), 0.9)
		st.Dashes = dashesOf(i)
		p.line(xs, ys, st)
	}
	p.frame(0, ydrop)
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
	most := 0.0
	for i := 1; i < len(v.models); i++ {
		_, d := v.difference(i)
		for _, x := range d {
			if !bad(x) {
				most = math.Max(most, math.Abs(x))
			}
		}
	}
	return math.Max(lim, math.Min(1.1*most, 2.5*lim))
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
