package mlens

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// Solution is where a descent in χ² on the exact light curve has come to.
type Solution struct {
	Params  event.Theta // its f_s is that of Fluxes
	Fluxes  event.Fluxes
	Chi2DOF float64
	Origin  string // where the descent to it started
	// Converged says that it is a local minimum, and not just where the descent
	// was given up.
	Converged bool
	// Information is that of the light curve on the parameters but f_s, the
	// inverse of their covariance where χ² is a parabola; nil unless Converged.
	Information *mat.SymDense

	way *way // nil where none has begun
}

// A way is a descent that can go on.
type way struct {
	*refine.Descent
	residuals refine.Residuals
	fluxes    event.Fluxes // of the last residuals
}

// rough is the error of the model's flux, in σ of each measurement, that will do to look
// for solutions: two to three times as fast as event.Fine.
const rough = 0.3

// crossing is the least log10 ρ from which a descent starts. The smaller the
// source, the less a caustic is felt from beside it, and below a size that the
// light curve resolves ρ is not felt at all.
const crossing = -2.7

// Where the descent to a solution started.
const (
	FromNetwork = "network" // a draw of the network
	FromSearch  = "search"  // the best single lens with a companion added
	FromGiven   = "given"   // a place named by the caller of Polish
	// A draw of the exact posterior, which has spread from another solution to this one.
	FromSampling = "sampling"
	// Else: the degeneracy of another solution, as event.Partner names it.
)

// comparable is a χ² relative to the best one that a solution worth looking at may have.
const comparable = 1.1

// Solutions goes downhill in χ² on the exact light curve and returns the
// different places within the prior that it comes to, the best first. It starts
// from places that fit well and differ from each other: starts of the draws,
// chosen among the first tries, on which the exact simulator is run; half as many
// that a search without the network finds; and what the known degeneracies make
// of the solutions found ([event.Params.Partners]). The worse half of the descents
// is given up within a dozen steps, and again half after sixty more. Then it looks
// around the best solution, and along its valley, and what that leads to shares its Origin;
// longer, and from four times the draws, if that does not fit. All this is
// done with magnifications that are a little rough; those that may matter are polished at
// last.
//
// That minima are local and the starts few means that a solution can be missed;
// those that converged and have a χ² within 120 or a tenth of the best are exact, whatever
// network the draws came from. When ctx ends there is no result but its error.
func (p *Posterior) Solutions(ctx context.Context, draws []event.Theta, tries, starts int) ([]Solution, error) {
	return p.search(ctx, draws, tries, starts, nil)
}

// search is Solutions and tells progress, unless that is nil, how many
// simulations and descents it has made.
func (p *Posterior) search(ctx context.Context, draws []event.Theta, tries, starts int, progress func(what string, done, total int)) ([]Solution, error) {
	if len(draws) == 0 {
		return nil, fmt.Errorf("mlens: %s: no draws to start from", p.Window.Name)
	}
	starts = max(starts, 1)
	draws = draws[:min(max(tries, 1), len(draws))]
	descents := 0
	descend := func(from []Solution, iterations int, noise float64) {
		before := descents
		descents += len(from)
		p.descend(ctx, from, iterations, noise, func(done, _ int) {
			if progress != nil {
				progress("descents", before+done, 0)
			}
		})
	}
	simulated := func(done, total int) {
		if progress != nil {
			progress("simulated draws", done, total)
		}
	}
	fitted := p.fitted(ctx, draws, FromNetwork, simulated)
	width := Summary(draws).Sigma
	from := pick(fitted, width, starts)
	from = append(from, p.starts(ctx, p.candidates(), FromSearch, apart, starts/2)...)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(from) == 0 {
		return nil, fmt.Errorf("mlens: %s: the exact simulator fails on every draw", p.Window.Name)
	}
	// race follows those that do best, and no other way to a place known; the best comes
	// first among these.
	race := func(from, known []Solution, most int) []Solution {
		leave := func(s Solution) bool {
			return slices.ContainsFunc(known, func(k Solution) bool { return distance(s.Params, k.Params, sameSolution) < 1 })
		}
		stage := func(steps, most int) {
			descend(from, steps, rough)
			from = distinct(slices.DeleteFunc(from, leave), sameSolution)
			from = from[:min(most, len(from))]
		}
		stage(6, (len(from)+most)/2)
		stage(6, most)
		stage(20, most)
		if len(known) > 0 {
			const hopeless = 4 // χ² of the best times this
			from = slices.DeleteFunc(from, func(s Solution) bool { return s.Fluxes.Chi2 > hopeless*known[0].Fluxes.Chi2 })
		}
		stage(40, most)
		return from
	}
	from = race(from, nil, (len(from)+1)/2)
	descend(from[:(len(from)+1)/2], 300, rough)
	from = distinct(from, sameSolution)

	// Partners of partners too: the search may have found a partner first.
	tried := slices.Clone(from)
	for range 3 {
		partners := distinct(p.partners(ctx, from, tried), sameSolution)
		if len(partners) == 0 {
			break
		}
		tried = append(tried, partners...)
		partners = race(partners, from, (len(partners)+1)/2)
		from = distinct(append(from, partners...), sameSolution)
	}
	// The next valley may be deeper, and so near that no draw of the network tells them apart.
	// Where nothing fits there must be one, in reach of the best of those known or the next.
	const looks, vain = 10, 4
	lookAround := func() {
		for look, idle := 0, 0; look < looks && (idle == 0 || idle < vain && p.misfit(from[0])); look++ {
			best, centre := from[0].Fluxes.Chi2, from[idle%min(2, len(from))]
			// A little farther than solutions are that differ, and as far as candidates.
			near := p.around(centre, sameSolution, 1.5*float64(1+idle), uint64(look))
			far := p.around(centre, apart, 1, uint64(look))
			beside := p.starts(ctx, near, centre.Origin, sameSolution, starts)
			beside = append(beside, p.starts(ctx, far, centre.Origin, sameSolution, starts/2)...)
			beside = append(beside, p.starts(ctx, p.along(centre, uint64(look)), centre.Origin, sameSolution, starts/2)...)
			from = distinct(append(from, race(beside, from, max(1, starts/2))...), sameSolution)
			descend(from[:1], 300, rough)
			if idle++; from[0].Fluxes.Chi2 < best-1 {
				idle = 0
			}
		}
	}
	lookAround()
	if p.misfit(from[0]) {
		// The network's draws may know better, if not the best of them.
		more := pick(fitted, width, 4*starts)
		from = distinct(append(from, race(more[min(starts, len(more)):], from, starts)...), sameSolution)
		descend(from[:1], 300, rough)
		lookAround()
	}
	// What may matter is polished, and what is comparable.
	var rest []Solution
	from, rest = split(from, func(s Solution) bool {
		best := from[0].Fluxes.Chi2
		return s.Fluxes.Chi2 < best+2*improbable || s.Converged && s.Fluxes.Chi2 < comparable*best
	})
	afresh(from)
	descend(from, 300, event.Fine)
	from = append(from, rest...)
	for i := range from {
		from[i].way = nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return distinct(from, sameSolution), nil
}

// misfit tells whether a solution is not one, beyond chance: the fit is bad.
func (p *Posterior) misfit(s Solution) bool { return s.Chi2DOF > 1+5*math.Sqrt(2/p.dof()) }

// around returns places about a solution, at normal distances of so many times a scale.
func (p *Posterior) around(s Solution, scale event.Theta, times float64, seed uint64) (out []event.Theta) {
	const places = 30
	g := rand.New(rand.NewPCG(1, 2+seed))
	for range places {
		t := s.Params
		for k := range event.Fs {
			if d := times * scale[k] * g.NormFloat64(); k != event.LogRho {
				t[k] += d
			}
		}
		t[event.Alpha] = math.Mod(math.Mod(t[event.Alpha], 360)+360, 360)
		if p.prior.Contains(t) {
			out = append(out, t)
		}
	}
	return out
}

// along returns places along the valleys at whose bottom a solution is: many standard
// deviations away, in units of what the light curve says there. It returns none where that is
// not known.
func (p *Posterior) along(s Solution, seed uint64) (out []event.Theta) {
	const places = 48
	var eigen mat.EigenSym
	if s.Information == nil {
		return nil
	}
	// In units of the scales of apart, which keep what the light curve does not know at all finite.
	n := event.Fs
	info := mat.NewSymDense(n, nil)
	unit := func(k int) float64 {
		if k == event.LogRho {
			return 0.3
		}
		return apart[k]
	}
	for j := range n {
		for k := j; k < n; k++ {
			info.SetSym(j, k, s.Information.At(j, k)*unit(j)*unit(k))
		}
		info.SetSym(j, j, info.At(j, j)+1)
	}
	if !eigen.Factorize(info, true) {
		return nil
	}
	var axes mat.Dense
	eigen.VectorsTo(&axes)
	values := eigen.Values(nil)
	g := rand.New(rand.NewPCG(3, seed))
	for i := range places {
		far := math.Pow(3, float64(1+i%4)) // standard deviations
		t := s.Params
		for a, v := range values {
			step := min(far/math.Sqrt(v), 1) * g.NormFloat64()
			for k := range n {
				t[k] += step * axes.At(k, a) * unit(k)
			}
		}
		t[event.Alpha] = math.Mod(math.Mod(t[event.Alpha], 360)+360, 360)
		if p.prior.Contains(t) {
			out = append(out, t)
		}
	}
	return out
}

// apart are differences of candidates worth a descent each.
var apart = event.Theta{event.LogS: 0.1, event.LogQ: 0.5, event.Alpha: 20, event.U0: 0.1, event.T0: 1, event.LogTE: 0.2, event.LogRho: math.Inf(1), event.Fs: 0.2}

// starts returns the n places that fit best among those given and are no closer
// than scale to each other.
func (p *Posterior) starts(ctx context.Context, places []event.Theta, origin string, scale event.Theta, n int) []Solution {
	return pick(p.fitted(ctx, places, origin, nil), scale, n)
}

// fitted returns places with their fluxes, but those where the magnification fails.
func (p *Posterior) fitted(ctx context.Context, places []event.Theta, origin string, progress func(done, total int)) (out []Solution) {
	for i, f := range p.fit(ctx, places, rough, progress) {
		if !math.IsNaN(f.Chi2) {
			out = append(out, Solution{Params: places[i], Fluxes: f, Origin: origin})
		}
	}
	return out
}

// pick returns the n best that are no closer than scale to each other, as places to begin a
// descent.
func pick(fitted []Solution, scale event.Theta, n int) []Solution {
	out := distinct(slices.Clone(fitted), scale)
	out = out[:min(n, len(out))]
	for i := range out {
		out[i].Params[event.LogRho] = max(out[i].Params[event.LogRho], crossing)
	}
	return out
}

// partners returns what the known degeneracies make of the solutions, other than
// places already tried.
func (p *Posterior) partners(ctx context.Context, solutions, tried []Solution) []Solution {
	const better = 1.5 // χ² of the best times this is no solution
	var places []event.Theta
	var origins []string
	for _, s := range solutions {
		if !s.Converged || s.Fluxes.Chi2 > better*solutions[0].Fluxes.Chi2 {
			continue
		}
		for _, q := range s.Params.Params().Partners() {
			t := q.Params.Theta()
			known := func(o Solution) bool { return distance(t, o.Params, sameSolution) < 2 }
			if p.prior.Contains(t) && !slices.ContainsFunc(tried, known) {
				places, origins = append(places, t), append(origins, q.Degeneracy)
			}
		}
	}
	var out []Solution
	for i, f := range p.fit(ctx, places, rough, nil) {
		if !math.IsNaN(f.Chi2) {
			out = append(out, Solution{Params: places[i], Fluxes: f, Origin: origins[i]})
		}
	}
	return out
}

// Beyond returns solutions that the prior forbids although they look like those
// given: partners of them whose u0 and t0 the prior would allow about the centre
// of the caustic, but not about the centre of mass, which in a wide binary may
// pass the source outside the season (§4.3 and §5.2 of the paper). The best comes
// first; those whose χ² is a tenth or more above the best of the solutions given
// are left out. [Posterior.Under] a prior in that frame, they are solutions like
// others.
func (p *Posterior) Beyond(ctx context.Context, solutions []Solution) ([]Solution, error) {
	about := p.prior
	about.Frame = event.CausticCentre
	q := p.Under(about)
	allowed := func(s Solution) bool { return p.prior.Contains(s.Params) }
	found := slices.DeleteFunc(q.partners(ctx, solutions, solutions), allowed)
	keep := func(by float64) {
		found = slices.DeleteFunc(distinct(found, sameSolution), func(s Solution) bool {
			return allowed(s) || s.Fluxes.Chi2 > by*solutions[0].Fluxes.Chi2
		})
	}
	q.descend(ctx, found, 12, rough, nil)
	keep(5)
	q.descend(ctx, found, 200, rough, nil)
	keep(comparable)
	afresh(found)
	q.descend(ctx, found, 200, event.Fine, nil)
	keep(comparable)
	for i := range found {
		found[i].way = nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return found, nil
}

// descend takes each solution that has not converged farther downhill, at an error of the
// model's flux in σ; one that is on its way keeps to its own.
func (p *Posterior) descend(ctx context.Context, from []Solution, iterations int, noise float64, progress func(done, total int)) {
	parallel(ctx, len(from), func(i int) {
		if !from[i].Converged {
			p.goOn(ctx, &from[i], iterations, noise)
		}
	}, progress)
}

// split returns those of solutions that are wanted, and the others.
func split(solutions []Solution, wanted func(s Solution) bool) (in, out []Solution) {
	for _, s := range solutions {
		if wanted(s) {
			in = append(in, s)
		} else {
			out = append(out, s)
		}
	}
	return in, out
}

// afresh forgets the ways that solutions have come.
func afresh(solutions []Solution) {
	for i := range solutions {
		s := &solutions[i]
		s.way, s.Converged, s.Information = nil, false, nil
	}
}

// goOn is descend for one solution. It tells whether there is a magnification.
func (p *Posterior) goOn(ctx context.Context, s *Solution, iterations int, noise float64) bool {
	if s.way == nil {
		w := &way{}
		var err error
		if w.residuals, err = p.residuals(s.Params, noise, &w.fluxes); err != nil {
			return false
		}
		if w.Descent, err = refine.NewDescent(w.residuals, p.Window.Len(), s.Params[:event.Fs], p.curveParameters()); err != nil {
			return false
		}
		s.way = w
	}
	m, err := s.way.Continue(ctx, refine.Options{Iterations: iterations})
	if err != nil || s.way.residuals(make([]float64, p.Window.Len()), m.X) != nil {
		return false
	}
	s.Fluxes, s.Converged, s.Information = s.way.fluxes, m.Converged, m.Information
	s.Chi2DOF = s.Fluxes.Chi2 / p.dof()
	copy(s.Params[:], m.X)
	s.Params[event.Fs] = s.Fluxes.Fs()
	s.Params[event.Alpha] = math.Mod(math.Mod(m.X[event.Alpha], 360)+360, 360)
	return true
}

// distinct sorts solutions by χ² and leaves out those closer than scale to a
// better one.
func distinct(all []Solution, scale event.Theta) []Solution {
	slices.SortStableFunc(all, func(a, b Solution) int { return cmp.Compare(a.Fluxes.Chi2, b.Fluxes.Chi2) })
	var out []Solution
	for _, s := range all {
		same := func(o Solution) bool { return distance(s.Params, o.Params, scale) < 1 }
		if !slices.ContainsFunc(out, same) {
			out = append(out, s)
		}
	}
	return out
}

// sameSolution are differences below which two minima are one.
var sameSolution = event.Theta{event.LogS: 0.02, event.LogQ: 0.1, event.Alpha: 3, event.U0: 0.01, event.T0: 0.2, event.LogTE: 0.05, event.LogRho: math.Inf(1), event.Fs: 0.1}

// distance returns the largest difference of two parameter sets but for ρ, in
// units of scale.
func distance(a, b, scale event.Theta) (d float64) {
	for k := range a {
		if k == event.LogRho {
			continue
		}
		diff := a[k] - b[k]
		if k == event.Alpha {
			diff = math.Remainder(diff, 360)
		}
		d = max(d, math.Abs(diff)/scale[k])
	}
	return d
}

// Polish goes downhill in χ² on the exact light curve from t, which must lie in
// the prior, to a solution. Converged says whether it came to a minimum.
func (p *Posterior) Polish(ctx context.Context, t event.Theta) (Solution, error) {
	if err := p.prior.Check(t); err != nil {
		return Solution{}, err
	}
	const iterations = 400
	s, ok := p.polish(ctx, t, iterations)
	s.Origin = FromGiven
	if err := ctx.Err(); err != nil {
		return Solution{}, err
	}
	if !ok {
		return Solution{}, fmt.Errorf("mlens: %s: there is no magnification at %v", p.Window.Name, t)
	}
	return s, nil
}

// polish goes downhill in χ² from t. It returns false where the magnification
// fails.
func (p *Posterior) polish(ctx context.Context, t event.Theta, iterations int) (Solution, bool) {
	s := Solution{Params: t}
	ok := p.goOn(ctx, &s, iterations, event.Fine)
	s.way = nil
	return s, ok
}

// residuals returns the residuals of the light curve as a function of all
// parameters but f_s, whose start is t's, at an error of the model's flux in σ; the
// fluxes fitted are stored in f.
func (p *Posterior) residuals(t event.Theta, noise float64, f *event.Fluxes) (refine.Residuals, error) {
	lc := p.Window
	exact, err := event.NewExact(lc)
	if err != nil {
		return nil, err
	}
	exact.Noise = noise
	return func(dst, x []float64) error {
		copy(t[:], x)
		a, err := exact.Magnification(t.Params())
		if err != nil {
			return err
		}
		*f = p.fluxes(a)
		t[event.Fs] = f.Fs() // it decides how precise A must be
		for i, v := range a {
			dst[i] = (lc.Flux[i] - f.Source*v - f.Blend) / lc.Err[i]
		}
		return nil
	}, nil
}

// curveParameters describes the parameters that decide the magnification, all but
// f_s.
func (p *Posterior) curveParameters() []refine.Parameter {
	bounds := p.prior.Bounds()
	scale := event.Theta{event.LogS: 0.07, event.LogQ: 0.3, event.Alpha: 10, event.U0: 0.05, event.T0: 1, event.LogTE: 0.1, event.LogRho: 0.5}
	params := make([]refine.Parameter, event.Fs)
	for k := range params {
		params[k] = refine.Parameter{Min: bounds[k].Min, Max: bounds[k].Max, Scale: scale[k]}
	}
	params[event.Alpha].Period = 360
	return params
}

// dof returns the degrees of freedom of χ²: eight parameters and one more flux.
func (p *Posterior) dof() float64 { return float64(p.Window.Len() - event.Dim - 1) }

// fit runs the exact simulator on draws, at an error of the model's flux in σ, and fits
// the two fluxes to each; χ² is NaN where that fails. progress may be nil.
func (p *Posterior) fit(ctx context.Context, draws []event.Theta, noise float64, progress func(done, total int)) []event.Fluxes {
	fits := make([]event.Fluxes, len(draws))
	for i := range fits {
		fits[i].Chi2 = math.NaN()
	}
	var free sync.Pool
	parallel(ctx, len(draws), func(i int) {
		exact, _ := free.Get().(*event.Exact)
		if exact == nil {
			var err error
			if exact, err = event.NewExact(p.Window); err != nil {
				return
			}
			exact.Noise = noise
		}
		if a, err := exact.Magnification(draws[i].Params()); err == nil {
			fits[i] = p.fluxes(a)
		}
		free.Put(exact)
	}, progress)
	return fits
}
