package mlens

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// A softening makes of a light curve one whose χ² has wider valleys: the misfit is summed over
// bins of a width in days, so that a caustic crossed a little early is a little wrong, and not
// wrong altogether; and each measurement is known no better than to a share of its excess over
// the baseline, so that the brightest do not drown the others.
type softening struct {
	width, floor float64
	iterations   int
}

// Ways from soft to hard.
var softer = [][]softening{
	{{0.3, 0.1, 20}, {0.3, 0.03, 15}, {0.1, 0.01, 15}, {0.03, 0.003, 15}},
	{{0.1, 0.1, 30}, {0.1, 0.03, 20}, {0.1, 0.01, 15}, {0.03, 0.003, 10}},
	{{0.03, 0.1, 30}, {0.03, 0.03, 20}, {0.03, 0.01, 15}},
}

// soften takes solutions downhill on ever harder light curves, to places where a descent on the
// light curve itself may begin, with its χ² there. The worse half is given up after the first.
func (p *Posterior) soften(ctx context.Context, from []Solution, by []softening, progress func(done, total int)) []Solution {
	out := slices.Clone(from)
	for i, rung := range by {
		light := p.softened(rung)
		parallel(ctx, len(out), func(k int) {
			s := &out[k]
			s.Fluxes.Chi2 = math.Inf(1)
			r, err := light.residuals(s.Params)
			if err != nil {
				return
			}
			d, err := refine.NewDescent(r, light.bins.Len(), s.Params[:event.Fs], p.curveParameters())
			if err != nil {
				return
			}
			m, err := d.Continue(ctx, refine.Options{Iterations: rung.iterations})
			if err != nil {
				return
			}
			copy(s.Params[:], m.X)
			s.Params[event.Alpha] = math.Mod(math.Mod(m.X[event.Alpha], 360)+360, 360)
			s.Fluxes.Chi2 = m.Chi2
		}, progress)
		if i == 0 {
			slices.SortStableFunc(out, func(a, b Solution) int { return cmp.Compare(a.Fluxes.Chi2, b.Fluxes.Chi2) })
			out = out[:(len(out)+1)/2]
		}
	}
	places := make([]event.Theta, len(out))
	for i, s := range out {
		places[i] = s.Params
	}
	for i, f := range p.fit(ctx, places, rough, nil) {
		out[i].Fluxes = f
	}
	afresh(out)
	return slices.DeleteFunc(out, func(s Solution) bool { return math.IsNaN(s.Fluxes.Chi2) })
}

// A softLight is a light curve as a softening makes it.
type softLight struct {
	lc    event.LightCurve // with the larger errors
	first []int            // measurement of each bin, and the end
	bins  event.LightCurve
	post  *Posterior // of the bins
}

func (p *Posterior) softened(by softening) softLight {
	lc := p.Window
	sorted := slices.Sorted(slices.Values(lc.Flux))
	baseline := sorted[len(sorted)/5]
	l := softLight{lc: lc}
	l.lc.Err = slices.Clone(lc.Err)
	for i := 0; i < lc.Len(); {
		end := i + 1
		for end < lc.Len() && lc.Times[end]-lc.Times[i] < by.width {
			end++
		}
		l.first = append(l.first, i)
		var weight, time, flux float64
		for ; i < end; i++ {
			// The floor is not a matter of chance: more measurements do not lower it.
			floor := by.floor * (lc.Flux[i] - baseline) * math.Sqrt(float64(end-l.first[len(l.first)-1]))
			l.lc.Err[i] = math.Hypot(lc.Err[i], floor)
			w := 1 / (l.lc.Err[i] * l.lc.Err[i])
			weight, time, flux = weight+w, time+w*lc.Times[i], flux+w*lc.Flux[i]
		}
		l.bins.Times = append(l.bins.Times, time/weight)
		l.bins.Flux = append(l.bins.Flux, flux/weight)
		l.bins.Err = append(l.bins.Err, 1/math.Sqrt(weight))
	}
	l.first = append(l.first, lc.Len())
	l.bins.Name, l.bins.Unit = lc.Name, lc.Unit
	ofBins := *p
	ofBins.Window = l.bins
	l.post = &ofBins
	return l
}

// residuals returns those of the bins.
func (l *softLight) residuals(t event.Theta) (refine.Residuals, error) {
	exact, err := event.NewExact(l.lc)
	if err != nil {
		return nil, err
	}
	exact.Noise = rough
	mean := make([]float64, l.bins.Len())
	return func(dst, x []float64) error {
		copy(t[:], x)
		a, err := exact.Magnification(t.Params())
		if err != nil {
			return err
		}
		for i := range mean {
			var weight, sum float64
			for k := l.first[i]; k < l.first[i+1]; k++ {
				w := 1 / (l.lc.Err[k] * l.lc.Err[k])
				weight, sum = weight+w, sum+w*a[k]
			}
			mean[i] = sum / weight
		}
		f := l.post.fluxes(mean)
		t[event.Fs] = f.Fs()
		for i, v := range mean {
			dst[i] = (l.bins.Flux[i] - f.Source*v - f.Blend) / l.bins.Err[i]
		}
		return nil
	}, nil
}
