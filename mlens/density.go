package mlens

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// density is the exact posterior of the seven parameters that decide the
// magnification, up to the evidence.
type density struct {
	lik      *event.Likelihood
	prior    event.Prior
	selected *bank.Selection               // nil: all are
	coarse   bool                          // lik is of the light curve in bins, and the cut generous, or none
	least    float64                       // a logarithm below it is as good as −Inf
	fs       float64                       // no solution's is much higher; decides the precision of A
	given    map[[event.Fs]float64]float64 // f_s of draws that have one
	kept     sync.Map                      // of linear, at places
	failed   atomic.Int64
}

// linear is what is known of f_s at a place, and a draw of it.
type linear struct {
	event.Linear
	fs float64
}

// at returns what was kept of a place.
func (d *density) at(x []float64) linear {
	k, ok := d.kept.Load([event.Fs]float64(x))
	if !ok {
		panic("mlens: a place without a likelihood")
	}
	return k.(linear)
}

// density returns that of a likelihood, of the light curve in bins if it is coarse.
func (r *Refined) density(lik *event.Likelihood, starts []refine.Start, coarse bool) *density {
	d := &density{lik: lik, prior: r.post.prior, selected: r.selected, coarse: coarse, least: math.Inf(-1)}
	for _, m := range r.Modes {
		d.fs = max(d.fs, m.Params[event.Fs])
	}
	clear := func(m RefinedMode) bool { return r.selected.Clear(m.Params.Params()) }
	if coarse && d.selected != nil && !slices.ContainsFunc(r.Modes, func(m RefinedMode) bool { return !clear(m) }) {
		d.selected = nil // the exact density asks
	}
	if d.selected != nil {
		// What is much less probable than the best is not asked whether it would have been selected.
		top := math.Inf(-1)
		for _, s := range starts {
			top = max(top, d.logProb(r.post.fromOwn(s.X)))
		}
		d.least = top - 2*improbable
	}
	return d
}

// logProb implements refine.LogProb.
func (d *density) logProb(x []float64) float64 { return d.observe(x, nil) }

// observe implements refine.Observed. It keeps what it found out of f_s, of which it draws as
// the bits of x will have it.
func (d *density) observe(x []float64, dst []float32) float64 {
	var t event.Theta
	copy(t[:], x)
	ln := d.prior.LogDensityOfCurve(t)
	if math.IsInf(ln, -1) {
		return ln
	}
	t[event.Fs] = min(1.2*d.fs, 1)
	lin, err := d.lik.Observe(t.Params(), dst)
	if err != nil {
		d.failed.Add(1)
		return math.Inf(-1)
	}
	ln += lin.LogMarginal()
	// Where there is next to nothing, it does not matter whether there is nothing.
	if d.selected != nil && ln > d.least {
		passes := d.selected.Passes
		if d.coarse {
			passes = d.selected.MayPass
		}
		if !passes(t.Params()) {
			return math.Inf(-1)
		}
	}
	place := [event.Fs]float64(x)
	fs, ok := d.given[place]
	if !ok {
		fs = lin.SampleFs(uniform(place))
	}
	d.kept.Store(place, linear{lin, fs})
	return ln
}

// inBins returns a light curve with up to eight measurements in one, where that takes nothing
// from a likelihood near the solutions given: where their fluxes are straight lines.
func (p *Posterior) inBins(ctx context.Context, solutions []Solution) event.LightCurve {
	const (
		most     = 8
		straight = 0.05 // errors of a measurement
		gap      = 1.5  // steps of the season
	)
	lc := p.Window
	var models [][]float64
	exact, err := event.NewExact(lc)
	if err != nil {
		return lc
	}
	for _, s := range solutions {
		a, err := exact.Magnification(s.Params.Params())
		if err != nil || ctx.Err() != nil {
			continue
		}
		m := make([]float64, len(a))
		for i, v := range a {
			m[i] = s.Fluxes.Source*v + s.Fluxes.Blend
		}
		models = append(models, m)
	}
	together := func(i, n int) bool {
		j := i + n - 1
		if j >= lc.Len() {
			return false
		}
		for k := i + 1; k <= j; k++ {
			if lc.Times[k]-lc.Times[k-1] > gap*event.Season().Step || lc.Err[k] > 2*lc.Err[i] || lc.Err[k] < lc.Err[i]/2 {
				return false
			}
		}
		from, to := i, j
		if n == 2 { // any two are on a straight line, so their neighbours have to be, too
			from, to = max(0, i-1), min(lc.Len()-1, j+1)
		}
		for _, m := range models {
			slope := (m[to] - m[from]) / (lc.Times[to] - lc.Times[from])
			for k := from + 1; k < to; k++ {
				if math.Abs(m[k]-m[from]-slope*(lc.Times[k]-lc.Times[from])) > straight*lc.Err[k] {
					return false
				}
			}
		}
		return true
	}
	out := event.LightCurve{Name: lc.Name, Unit: lc.Unit}
	for i := 0; i < lc.Len(); {
		n := most
		for n > 1 && !together(i, n) {
			n /= 2
		}
		var t, f, v float64
		for k := i; k < i+n; k++ {
			t, f, v = t+lc.Times[k], f+lc.Flux[k], v+lc.Err[k]*lc.Err[k]
		}
		out.Times = append(out.Times, t/float64(n))
		out.Flux = append(out.Flux, f/float64(n))
		out.Err = append(out.Err, math.Sqrt(v)/float64(n))
		i += n
	}
	return out
}

// withFs adds the draw of f_s at x.
func (d *density) withFs(x []float64) (t event.Theta) {
	copy(t[:], x)
	t[event.Fs] = d.at(x).fs
	return t
}

// uniform returns a number in [0, 1) that is as good as random, but depends on x only.
func uniform(x [event.Fs]float64) float64 {
	var h uint64
	for _, v := range x {
		h = rand.NewPCG(h, math.Float64bits(v)).Uint64()
	}
	return float64(h>>11) / (1 << 53)
}

// The network's tails are too thin where it is sure of too much: as a proposal it gets others, see
// [maf.Density.Heavy].
const (
	heavyDegrees = 3
	evenAngles   = 0.2
)

// guides are the draws that a guide is fitted to.
const guides = 4000

// network returns draws of the network's density, and the same with heavier tails as a Source, both
// in the frame of the prior; none
// if there is no network, or hardly any of it is within the prior.
func (d *density) network(p *Posterior, seed uint64) (guide [][]float64, source *refine.Source) {
	const sources = 12_000
	if p.density == nil {
		return nil, nil
	}
	for _, t := range p.Sample(guides, seed) {
		guide = append(guide, p.own(slices.Clone(t[:event.Fs])))
	}
	heavy := p.density
	if p.est.circular() { // else tails would go round the circle more often than LogProb counts
		heavy = heavy.Heavy(heavyDegrees, evenAngles)
	}
	draws, inside := p.sample(heavy, sources, seed+1)
	if len(draws) < sources {
		return nil, nil
	}
	source = &refine.Source{}
	d.given = map[[event.Fs]float64]float64{}
	for _, t := range draws {
		x := p.own(slices.Clone(t[:event.Fs]))
		source.Draws = append(source.Draws, x)
		d.given[[event.Fs]float64(p.fromOwn(x))] = t[event.Fs]
	}
	source.LogDensity = func(dst []float64, xs [][]float64) {
		ts := make([]event.Theta, len(xs))
		for i, x := range xs {
			x = p.fromOwn(x)
			copy(ts[i][:], x)
			k := d.at(x)
			ts[i][event.Fs] = k.fs
			dst[i] = -math.Log(inside) - k.LogDensityFs(k.fs)
		}
		for i, ln := range p.logProb(heavy, ts) {
			dst[i] += ln
		}
	}
	return guide, source
}
