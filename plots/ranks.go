package plots

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/event"
)

// RanksOptions are the options of [Ranks]. The zero value draws 20 bins.
type RanksOptions struct {
	Title string
	Bins  int     // bins of each histogram; 0: 20
	Width float64 // inches; 0: 9
}

// Ranks draws, for each parameter, the histogram of the quantiles of the true
// values under their posteriors. A calibrated posterior gives flat histograms;
// a hump means posteriors that are too wide, a bowl too narrow ones, a slope a
// bias.
//
// ranks[k] are the quantiles in [0, 1] of parameter k, one an event. The band
// holds the count of a bin with a probability of 95 % (binomial) if all is
// well. δ is the mean absolute deviation of the bins' shares from uniformity,
// in per cent of the events, as in Fig. 8 of Zhang et al. (2021), beside what
// counting noise alone makes of it. Quantiles outside [0, 1] are an
// error.
func Ranks(ranks [event.Dim][]float64, opt RanksOptions) (*Figure, error) {
	if opt.Bins == 0 {
		opt.Bins = 20
	}
	if opt.Bins < 2 {
		panic(fmt.Sprintf("plots: %d bins", opt.Bins))
	}
	var hs [event.Dim]rankHist
	for k, r := range ranks {
		for i, q := range r {
			if !(q >= 0 && q <= 1) {
				return nil, fmt.Errorf("plots: quantile %v of %s for event %d is not in [0, 1]", q, event.Names[k], i)
			}
		}
		hs[k] = newRankHist(r, opt.Bins)
	}
	w := inches(opt.Width, 9)
	const left, right, bottom, gap, rows, cols = vg.Length(46), vg.Length(12), vg.Length(31), vg.Length(12), 2, 4
	top := vg.Length(18)
	if opt.Title != "" {
		top += sizeTitle + 6
	}
	cw := (w-left-right+gap)/cols - gap
	ch := 0.72 * cw
	const between = vg.Length(24)
	h := bottom + top + rows*ch + between
	most := 0.0
	for _, r := range hs {
		for _, s := range r.share {
			most = math.Max(most, s)
		}
		most = math.Max(most, r.hi)
	}
	fig := &Figure{w: w, h: h, summary: ranksSummary(hs[:], opt)}
	fig.draw = func(c vg.Canvas) {
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		for k := range hs {
			row, col := k/cols, k%cols
			x := left + vg.Length(col)*(cw+gap)
			y := bottom + vg.Length(rows-1-row)*(ch+between)
			p := &panel{Canvas: c, r: rect(x, y, x+cw, y+ch)}
			p.x = axis{lo: 0, hi: 1, numbers: row == rows-1, ticks: ticksFunc(0, 1, cw, sizeTick, true, 5, 8, func(v float64, _ int) string { return number3(v) })}
			p.y = axis{lo: 0, hi: 1.3 * most, numbers: col == 0, ticks: ticks(0, 1.3*most, ch, sizeTick, false, 5)}
			if row == rows-1 {
				p.x.label = "Quantile of the truth"
			}
			if col == 0 {
				p.y.label = "Density"
			}
			hs[k].draw(p, paramLabels[k])
		}
	}
	return fig, nil
}

// A rankHist is a histogram in units of the uniform share.
type rankHist struct {
	n            int
	share        []float64 // share of the events times the number of bins: 1 is uniform
	lo, hi       float64   // the 95 % band, same unit
	delta, noise float64   // δ and its expectation, shares of the events
}

func newRankHist(q []float64, bins int) rankHist {
	h := rankHist{n: len(q), share: make([]float64, bins), lo: 1, hi: 1}
	if h.n == 0 {
		return h
	}
	for _, v := range q {
		h.share[min(int(v*float64(bins)), bins-1)]++
	}
	p := 1 / float64(bins)
	unit := float64(bins) / float64(h.n)
	for i := range h.share {
		h.share[i] *= unit
		h.delta += math.Abs(h.share[i]-1) * p * p
	}
	// E|X − np| of a binomial, in the Gaussian limit.
	h.noise = math.Sqrt(2 / math.Pi * p * (1 - p) / float64(h.n))
	h.lo, h.hi = binomialBand(h.n, p)
	h.lo, h.hi = h.lo*unit, h.hi*unit
	return h
}

// binomialBand returns the smallest counts at which the distribution reaches
// 2.5 % and 97.5 %.
func binomialBand(n int, p float64) (lo, hi float64) {
	b := distuv.Binomial{N: float64(n), P: p}
	quantile := func(c float64) float64 {
		a, z := 0, n // CDF(z) ≥ c
		for a < z {
			if m := (a + z) / 2; b.CDF(float64(m)) >= c {
				z = m
			} else {
				a = m + 1
			}
		}
		return float64(a)
	}
	return quantile(0.025), quantile(0.975)
}

func (h rankHist) draw(p *panel, label string) {
	p.band(0, h.lo, 1, h.hi, faint)
	p.hline(1, dashed(soft, 0.7, 3, 2))
	n := float64(len(h.share))
	var xs, ys []float64
	for i, s := range h.share {
		xs = append(xs, float64(i)/n, float64(i+1)/n)
		ys = append(ys, s, s)
	}
	p.line(xs, ys, stroke(Palette(1), lineCurve))
	p.frame(0, 0)
	write(p, vg.Point{X: p.r.Min.X, Y: p.r.Max.Y + 5}, label, style{size: sizeLabel})
	text := fmt.Sprintf("$δ$ = %.2f %%, by chance %.2f %%", 100*h.delta, 100*h.noise)
	if h.n == 0 {
		text = "no events"
	}
	write(p, vg.Point{X: p.r.Max.X - 5, Y: p.r.Max.Y - 6}, text, style{size: sizeTick, ax: 1, ay: 1})
}

func ranksSummary(hs []rankHist, opt RanksOptions) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Quantiles of the truth in %d bins; δ is the mean deviation of a bin's share, 95 %% of bins should lie in the band", opt.Bins)
	for k, h := range hs {
		if h.n == 0 {
			continue
		}
		out := 0
		for _, s := range h.share {
			if s < h.lo || s > h.hi {
				out++
			}
		}
		fmt.Fprintf(&b, "\n%-12s δ = %.2f %% (%.2f %% expected), %2d of %d bins outside, %s events",
			event.Names[k], 100*h.delta, 100*h.noise, out, len(h.share), count(h.n))
	}
	return b.String()
}
