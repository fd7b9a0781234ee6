package mlens

import (
	"math"

	"github.com/mlens-go/microlens/mlens/event"
)

// candidates returns binary lenses that may have made a light curve, without a
// look at any network: the best single lens with a planet where the largest
// residual is, and with planets and companion stars all round its centre. Few are
// good, but a descent from the best of them may reach a solution.
func (p *Posterior) candidates() []event.Theta {
	single := &p.single
	t0, u0, fs := single.t0(), math.Exp(single.p[fitU0]), math.Exp(single.p[fitFs])
	base := event.Params{
		S: 1, Q: 1e-3, U0: min(u0, 1.9), T0: t0, TE: min(max(single.tE(), 1.01), 99), Rho: 2e-3,
		Fs: min(max(fs, 0.11), 0.99),
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
	tau := (p.anomaly() - t0) / base.TE
	u := math.Hypot(tau, u0)
	outside := (u + math.Sqrt(u*u+4)) / 2
	toward := -math.Atan2(u0, tau) * 180 / math.Pi
	for _, q := range []float64{1e-4, 1e-3, 1e-2} {
		for _, off := range []float64{-4, 0, 4} {
			add(outside, q, toward+off)
			add(1/outside, q, toward+180+off)
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

// anomaly returns the time of the largest residual to the best single lens,
// averaged over a few epochs.
func (p *Posterior) anomaly() float64 {
	const block = 0.1 // days
	lc, s := p.Window, &p.single
	// The fit counts flux in units of the network's baseline estimate.
	var z featuriser
	unit, err := z.baseline(lc.Bin(event.Season()))
	if err != nil {
		return s.t0()
	}
	level := unit * math.Exp(s.p[fitF])
	source := level * math.Exp(s.p[fitFs])
	u02 := math.Exp(2 * s.p[fitU0])
	at, largest := s.t0(), 0.0
	for i := 0; i < lc.Len(); {
		var sum, n float64
		from := lc.Times[i]
		for ; i < lc.Len() && lc.Times[i] < from+block; i++ {
			tau := (lc.Times[i] - s.t0()) / s.tE()
			sum += (lc.Flux[i] - level - source*(magnification(tau*tau+u02)-1)) / lc.Err[i]
			n++
		}
		if z := math.Abs(sum) / math.Sqrt(n); z > largest {
			largest, at = z, from+block/2
		}
	}
	return at
}
