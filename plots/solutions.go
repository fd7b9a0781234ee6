package plots

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
)

// SolutionsOptions are the options of [Solutions]. The zero value shows the
// peak and the anomaly, and central caustics.
type SolutionsOptions struct {
	Title  string
	Scale  FluxScale
	Window [2]float64 // times to show; zero: the peak and the anomaly of the first solution
	Center Center
	Extent float64 // θ_E from the centre to the edge of the caustics; 0: chosen
	Width  float64 // inches; 0: 9
}

// Solutions draws competing explanations of a light curve side by side: their
// light curves with residuals on the left, their caustics and source paths on
// the right, in the same colours. The magnifications are exact; the source's
// and the blended flux of each solution are fitted to the measurements by
// linear least squares, so that Params.Fs plays no part.
func Solutions(lc event.LightCurve, solutions []Solution, opt SolutionsOptions) (*Figure, error) {
	cv, err := newCausticsView(solutions, CausticsOptions{Center: opt.Center, Extent: opt.Extent})
	if err != nil {
		return nil, err
	}
	var curves []Curve
	var fits []event.Fluxes
	for i, s := range solutions {
		c, f, err := modelCurve(lc, s, opt.Window)
		if err != nil {
			return nil, err
		}
		curves, fits = append(curves, c), append(fits, f)
		if i == 0 && opt.Window == [2]float64{} {
			opt.Window = closeUp(cv.scenes[0], c, f)
		}
	}
	lv, err := newLightView(lc, curves, LightCurveOptions{Scale: opt.Scale, Window: opt.Window, Baseline: fits[0].Baseline()})
	if err != nil {
		return nil, err
	}
	w := inches(opt.Width, 9)
	const left, right, bottom, between, gap = vg.Length(48), vg.Length(8), vg.Length(31), vg.Length(54), vg.Length(5)
	top := vg.Length(8)
	if opt.Title != "" {
		top += sizeTitle + 6
	}
	rows, cols := 1, 1
	if n := len(solutions); cv.split {
		cols = 2
		rows = (n + 1) / 2
	}
	// The right side is as high as the left one.
	side := (w - left - right - between) * 0.42
	cell := (side+causticsGap)/vg.Length(cols) - causticsGap
	tall := vg.Length(rows)*(cell+causticsGap) - causticsGap
	resH := tall * 0.24
	h := bottom + top + tall
	x1 := w - right - side - between
	return &Figure{w: w, h: h, summary: solutionsSummary(lc, solutions, fits) + "\n" + cv.summary(), draw: func(c vg.Canvas) {
		if opt.Title != "" {
			write(c, vg.Point{X: left, Y: h - 6}, opt.Title, style{size: sizeTitle, ay: 1, bold: true})
		}
		ydrop := lv.draw(c, rect(left, bottom+resH+gap, x1, bottom+tall), false)
		lv.residuals(c, rect(left, bottom, x1, bottom+resH), ydrop)
		cv.draw(c, vg.Point{X: w - right - side, Y: bottom + tall}, cell, cols)
	}}, nil
}

// modelCurve returns a solution's light curve at the measurements' times, and
// more often where these are sparse, with the fluxes that fit them best.
func modelCurve(lc event.LightCurve, s Solution, window [2]float64) (Curve, event.Fluxes, error) {
	if err := s.Params.Check(); err != nil {
		return Curve{}, event.Fluxes{}, fmt.Errorf("plots: solution %q: %w", s.Label, err)
	}
	if lc.Len() < 3 {
		return Curve{}, event.Fluxes{}, fmt.Errorf("plots: %s has %d measurements", nameOf(lc.Name), lc.Len())
	}
	b := lens.Binary{S: s.Params.S, Q: s.Params.Q}
	path := lens.Trajectory{U0: s.Params.U0, Alpha: s.Params.Alpha, T0: s.Params.T0, TE: s.Params.TE}
	// Well below the noise: the largest |flux|/error is about the S/N.
	sn := 1.0
	for i, e := range lc.Err {
		if v := math.Abs(lc.Flux[i]) / e; !bad(v) {
			sn = math.Max(sn, v)
		}
	}
	tol := lens.Options{RelTol: math.Max(0.02/sn, 1e-6)}
	measured, err := b.LightCurve(nil, lc.Times, path, s.Params.Rho, tol)
	if err != nil {
		return Curve{}, event.Fluxes{}, fmt.Errorf("plots: solution %q: %w", s.Label, err)
	}
	fit, err := lc.FitFluxes(measured)
	if err != nil {
		return Curve{}, event.Fluxes{}, fmt.Errorf("plots: solution %q: %w", s.Label, err)
	}
	times := denser(lc.Times, window)
	a := measured
	if len(times) > lc.Len() {
		if a, err = b.LightCurve(nil, times, path, s.Params.Rho, tol); err != nil {
			return Curve{}, event.Fluxes{}, fmt.Errorf("plots: solution %q: %w", s.Label, err)
		}
	}
	return Curve{Label: s.name(), Times: times, Flux: fit.Model(nil, a)}, fit, nil
}

// denser adds times to those of the measurements so that no step is longer
// than 1/1500 of the window, or of the whole where there is none.
func denser(times []float64, window [2]float64) []float64 {
	t0, t1 := times[0], times[len(times)-1]
	if window != [2]float64{} {
		t0, t1 = math.Max(t0, window[0]), math.Min(t1, window[1])
	}
	step := (t1 - t0) / 1500
	if !(step > 0) {
		return times
	}
	out := slices.Clone(times)
	for k := range 1501 {
		t := t0 + float64(k)*step
		i, found := slices.BinarySearch(times, t)
		if !found && i > 0 && i < len(times) && times[i]-times[i-1] > step {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

// closeUp returns the times that matter, within the measurements: those at
// which a solution is above half its peak or differs from a single lens at its
// central caustic by a twentieth of that, half as wide again on both sides.
func closeUp(sc *scene, c Curve, f event.Fluxes) [2]float64 {
	peak := slices.Max(c.Flux) - f.Baseline()
	first, last := c.Times[0], c.Times[len(c.Times)-1]
	t0, t1 := last, first
	for i, t := range c.Times {
		u := cmplx.Abs(sc.at((t-sc.Params.T0)/sc.Params.TE) - complex(heavierCaustic(lens.Binary{S: sc.Params.S, Q: sc.Params.Q}), 0))
		single := f.Source*lens.SingleLens(u) + f.Blend
		if c.Flux[i]-f.Baseline() > peak/2 || math.Abs(c.Flux[i]-single) > peak/20 {
			t0, t1 = math.Min(t0, t), math.Max(t1, t)
		}
	}
	if t1 <= t0 {
		return [2]float64{first, last}
	}
	w := (t1 - t0) / 2
	return [2]float64{math.Max(t0-w, first), math.Min(t1+w, last)}
}

func solutionsSummary(lc event.LightCurve, solutions []Solution, fits []event.Fluxes) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d solutions for %s measurements", len(solutions), count(lc.Len()))
	for i, s := range solutions {
		fmt.Fprintf(&b, "\n%-16s χ² = %.1f", unmark(s.name()), fits[i].Chi2)
		if i > 0 {
			fmt.Fprintf(&b, " (%+.1f)", fits[i].Chi2-fits[0].Chi2)
		}
		fmt.Fprintf(&b, ", fitted f_s = %.4f, baseline flux %.4g", fits[i].Fs(), fits[i].Baseline())
	}
	return b.String()
}
