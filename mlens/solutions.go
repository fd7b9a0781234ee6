package mlens

import (
	"cmp"
	"context"
	"fmt"
	"math"
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

// Where the descent to a solution started.
const (
	FromNetwork = "network" // a draw of the network
	FromSearch  = "search"  // the best single lens with a companion added
	FromGiven   = "given"   // a place named by the caller of Polish
	// A draw of the exact posterior, which has spread from another solution to this one.
	FromSampling = "sampling"
	// Else: the degeneracy of another solution, as event.Partner names it.
)

// Solutions goes downhill in χ² on the exact light curve and returns the
// different places within the prior that it comes to, the best first. It starts
// from places that fit well and differ from each other: starts of the draws,
// chosen among the first tries, on which the exact simulator is run for every fourth
// measurement; half as many
// that a search without the network finds; and what the known degeneracies make
// of the solutions found ([event.Params.Partners], but for the binary–planetary one). The worse half of the descents
// is given up within a dozen steps, and again half after sixty more, but for those within 20 of the
// best in χ². Then it looks
// around the best solution, and along its valley, and what that leads to shares its Origin.
// If the best one does not fit, by χ² of single residuals or of up to 128 together, it looks
// longer, and goes down from more of the draws, and then from what is around it, on softer light
// curves first, in which crossings of caustics are not so sharp. All this is
// done with magnifications that are a little rough; those that may matter are polished at
// last.
//
// That minima are local and the starts few means that a solution can be missed;
// those that converged and have a χ² within 120 or a tenth of the best are exact, whatever
// network the draws came from. When ctx ends there is no result but its error.
func (p *Posterior) Solutions(ctx context.Context, draws []event.Theta, tries, starts int) ([]Solution, error) {
	return p.search(ctx, draws, tries, starts, nil)
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
	q.descend(ctx, found, 30, rough, nil)
	keep(1.5)
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
