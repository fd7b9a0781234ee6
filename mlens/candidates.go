package mlens

import (
	"math"

	"github.com/mlens-go/microlens/mlens/event"
)

// candidates returns binary lenses that may have made a light curve, without a
// look at any network: single lenses that fit it, each with a planet where its
// largest residual is, and with planets and companion stars all round its centre.
// Few are good, but a descent from the best of them may reach a solution.
func (p *Posterior) candidates() []event.Theta {
	var out []event.Theta
	for _, s := range p.singles() {
		out = append(out, p.companions(s)...)
	}
	return out
}

// companions returns a single lens with companions added.
func (p *Posterior) companions(single event.SingleLens) []event.Theta {
	base := event.Params{
		S: 1, Q: 1e-3, U0: min(single.U0, 1.9), T0: single.T0, TE: min(max(single.TE, 1.01), 99), Rho: 2e-3,
		Fs: min(max(single.Fs(), 0.11), 0.99),
	}
	var out []event.Theta
	add := func(s, q, alpha float64) {
		c := base
		c.Q, c.Alpha = q, math.Mod(alpha+720, 360)
		// The single lens passes the primary's caustic, not the centre of mass.
		tr := c.Trajectory()
		c.S = s
		tr = tr.Shift(-c.Binary().CentralCaustic())
		c.U0, c.T0 = tr.U0, tr.T0
		if c.U0 < 0 {
			c.U0, c.Alpha = -c.U0, math.Mod(360-c.Alpha, 360)
		}
		if t := c.Theta(); p.prior.Contains(t) {
			out = append(out, t)
		}
	}
	// A planet on the image that is perturbed: the major one, outside the ring,
	// towards the source, or the minor one, inside and opposite (Gould & Loeb 1992).
	at := anomalyOf(p.Window, single)
	tau := (at.time - single.T0) / base.TE
	u := math.Hypot(tau, base.U0)
	outside := (u + math.Sqrt(u*u+4)) / 2
	toward := -math.Atan2(base.U0, tau) * 180 / math.Pi
	for _, q := range []float64{1e-4, 1e-3, 1e-2} {
		for _, off := range []float64{-4, 0, 4} {
			for _, stretch := range []float64{0.97, 1, 1.03} {
				add(outside*stretch, q, toward+off)
				add(stretch/outside, q, toward+180+off)
			}
		}
	}
	for alpha := 15.0; alpha < 360; alpha += 30 {
		for _, s := range []float64{0.45, 0.7, 0.95, 1.05, 1.4, 2.2} {
			for _, q := range []float64{5e-4, 5e-3, 5e-2} {
				add(s, q, alpha)
			}
		}
		for _, s := range []float64{0.22, 0.4, 0.7, 1.5, 3} {
			add(s, 0.4, alpha)
		}
	}
	return out
}

// singles returns the single lens of the features, and the best ones of what is
// left of the light curve when its strongest anomalies are taken out: they drag
// the fit to themselves.
func (p *Posterior) singles() []event.SingleLens {
	const (
		strong = 20 // standard errors of a block
		most   = 2
	)
	f := &p.single
	out := []event.SingleLens{{T0: f.t0(), U0: math.Exp(f.p[fitU0]), TE: f.tE(), Fluxes: p.singleFluxes()}}
	rest := p.Window
	for range most {
		a := anomalyOf(rest, out[len(out)-1])
		if a.size < strong {
			break
		}
		rest = rest.Without(a.from, a.to)
		s, err := rest.FitSingleLens()
		if err != nil || !(s.Source > 0 && s.Baseline() > 0) {
			break // nothing is left
		}
		out = append(out, s)
	}
	return out
}

// singleFluxes returns the fluxes of the features' single lens, whose fit counts
// them in units of the network's baseline estimate.
func (p *Posterior) singleFluxes() event.Fluxes {
	var z featuriser
	unit, err := z.baseline(p.Window.Bin(event.Season()))
	if err != nil {
		unit = 1
	}
	level := unit * math.Exp(p.single.p[fitF])
	source := level * math.Exp(p.single.p[fitFs])
	return event.Fluxes{Source: source, Blend: level - source}
}

// anomaly is where a light curve departs most from a single lens: in blocks of a
// tenth of a day, in standard errors.
type anomaly struct{ time, size, from, to float64 }

// anomalyOf finds the block of the largest residual and its surroundings with
// residuals of more than a tenth of that, and of five standard errors.
func anomalyOf(lc event.LightCurve, s event.SingleLens) anomaly {
	const block, margin = 0.1, 0.2 // days
	type part struct{ from, z float64 }
	var parts []part
	largest := 0
	for i := 0; i < lc.Len(); {
		var sum, n float64
		from := lc.Times[i]
		for ; i < lc.Len() && lc.Times[i] < from+block; i++ {
			sum += (lc.Flux[i] - s.Source*s.Magnification(lc.Times[i]) - s.Blend) / lc.Err[i]
			n++
		}
		parts = append(parts, part{from, math.Abs(sum) / math.Sqrt(n)})
		if parts[len(parts)-1].z > parts[largest].z {
			largest = len(parts) - 1
		}
	}
	top := parts[largest].z
	lo, hi := largest, largest
	for lo > 0 && parts[lo-1].z > max(5, top/10) {
		lo--
	}
	for hi+1 < len(parts) && parts[hi+1].z > max(5, top/10) {
		hi++
	}
	return anomaly{parts[largest].from + block/2, top, parts[lo].from - margin, parts[hi].from + block + margin}
}
