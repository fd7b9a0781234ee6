package mlens

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/mlens-go/microlens/mlens/event"
)

// rough is the error of the model's flux, in σ of each measurement, that will do to look
// for solutions: two to three times as fast as event.Fine.
const rough = 0.3

// crossing is the least log10 ρ from which a descent starts. The smaller the
// source, the less a caustic is felt from beside it, and below a size that the
// light curve resolves ρ is not felt at all.
const crossing = -2.7

// comparable is a χ² relative to the best one that a solution worth looking at may have.
const comparable = 1.1

// plausible is a χ² above the best one that a solution may have that has a share of the posterior,
// if it is wide.
const plausible = 20

// apart are differences of candidates worth a descent each.
var apart = event.Theta{event.LogS: 0.1, event.LogQ: 0.5, event.Alpha: 20, event.U0: 0.1, event.T0: 1, event.LogTE: 0.2, event.LogRho: math.Inf(1), event.Fs: 0.2}

// A search goes downhill to solutions.
type search struct {
	post     *Posterior
	starts   int
	found    []Solution                         // the best first
	descents int                                // made so far
	streams  uint64                             // of random numbers: none is used twice
	progress func(what string, done, total int) // may be nil
}

// search is Solutions and tells progress, unless that is nil, how many
// simulations and descents it has made.
func (p *Posterior) search(ctx context.Context, draws []event.Theta, tries, starts int, progress func(what string, done, total int)) ([]Solution, error) {
	if len(draws) == 0 {
		return nil, fmt.Errorf("mlens: %s: no draws to start from", p.Window.Name)
	}
	s := &search{post: p, starts: max(starts, 1), progress: progress}
	draws = draws[:min(max(tries, 1), len(draws))]
	// Every fourth measurement tells which draws are worth a descent.
	fitted := p.thinned(4).fitted(ctx, draws, FromNetwork, func(done, total int) {
		if progress != nil {
			progress("simulated draws", done, total)
		}
	})
	width := Summary(draws).Sigma
	from := pick(fitted, width, s.starts)
	from = append(from, p.starts(ctx, p.candidates(), FromSearch, apart, s.starts/2)...)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(from) == 0 {
		return nil, fmt.Errorf("mlens: %s: the exact simulator fails on every draw", p.Window.Name)
	}
	s.found = s.race(ctx, from, (len(from)+1)/2)
	s.descend(ctx, s.found[:(len(s.found)+1)/2], 300, rough)
	s.add(nil)
	s.followPartners(ctx)
	s.lookAround(ctx)
	// The best of all draws may lie in one valley, and a wrong one: a part of them has others.
	if before := s.best(); s.soften(ctx, pick(fitted[:(len(fitted)+4)/5], width, 4*s.starts)) && s.best() < before {
		s.lookAround(ctx)
	}
	s.polish(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.found, nil
}

// best returns the lowest χ² found.
func (s *search) best() float64 { return s.found[0].Fluxes.Chi2 }

// add adds solutions to those found.
func (s *search) add(more []Solution) {
	s.found = distinct(append(s.found, more...), sameSolution)
}

// misfits tells whether the best solution found is none, see [Posterior.misfit].
func (s *search) misfits() bool { return s.post.misfit(s.found[0]) }

// stream returns a number that it has not returned before.
func (s *search) stream() uint64 { s.streams++; return s.streams }

// counted tells progress of descents that are being made.
func (s *search) counted(before int) func(done, total int) {
	return func(done, _ int) {
		if s.progress != nil {
			s.progress("descents", before+done, 0)
		}
	}
}

func (s *search) descend(ctx context.Context, from []Solution, iterations int, noise float64) {
	s.descents += len(from)
	s.post.descend(ctx, from, iterations, noise, s.counted(s.descents-len(from)))
}

// race follows those that do best, so many and all that are plausible beside the best, and no other
// way to a place found already; the best comes first among these.
func (s *search) race(ctx context.Context, from []Solution, most int) []Solution {
	leave := func(o Solution) bool {
		return slices.ContainsFunc(s.found, func(k Solution) bool { return distance(o.Params, k.Params, sameSolution) < 1 })
	}
	stage := func(steps, most int) {
		s.descend(ctx, from, steps, rough)
		from = distinct(slices.DeleteFunc(from, leave), sameSolution)
		keep := min(most, len(from))
		for keep < len(from) && from[keep].Fluxes.Chi2 < from[0].Fluxes.Chi2+plausible {
			keep++
		}
		from = from[:keep]
	}
	stage(6, (len(from)+most)/2)
	stage(6, most)
	stage(20, most)
	if len(s.found) > 0 {
		const hopeless = 4 // χ² of the best times this
		from = slices.DeleteFunc(from, func(o Solution) bool { return o.Fluxes.Chi2 > hopeless*s.best() })
	}
	stage(40, most)
	return from
}

// followPartners tries what the known degeneracies make of the solutions, and of those found by
// that: the search may have found a partner first.
func (s *search) followPartners(ctx context.Context) {
	tried := slices.Clone(s.found)
	for range 3 {
		partners := distinct(s.post.partners(ctx, s.found, tried), sameSolution)
		if len(partners) == 0 {
			break
		}
		tried = append(tried, partners...)
		s.add(s.race(ctx, partners, (len(partners)+1)/2))
	}
}

// lookAround looks for valleys about the best solution. The next one may be deeper, and so near that
// no draw of the network tells them apart. Where nothing fits there must be one, in reach of the
// best of those found or the next.
func (s *search) lookAround(ctx context.Context) {
	const looks, vain = 10, 4
	p := s.post
	for look, idle := 0, 0; look < looks && (idle == 0 || idle < vain && s.misfits()); look++ {
		best, centre := s.best(), s.found[idle%min(2, len(s.found))]
		// A little farther than solutions are that differ, and as far as candidates.
		near := p.around(centre, sameSolution, 1.5*float64(1+idle), s.stream())
		far := p.around(centre, apart, 1, s.stream())
		beside := p.starts(ctx, near, centre.Origin, sameSolution, s.starts)
		beside = append(beside, p.starts(ctx, far, centre.Origin, sameSolution, s.starts/2)...)
		beside = append(beside, p.starts(ctx, p.along(centre, s.stream()), centre.Origin, sameSolution, s.starts/2)...)
		s.add(s.race(ctx, beside, max(1, s.starts/2)))
		s.descend(ctx, s.found[:1], 300, rough)
		if idle++; s.best() < best-1 {
			idle = 0
		}
	}
}

// soften looks on softer light curves while the best solution is none: valleys as narrow as those
// of bright stars that cross caustics need them. The draws given may know better than the best of
// them did, then the surroundings of what has come of that. It tells whether it did anything.
func (s *search) soften(ctx context.Context, draws []Solution) (done bool) {
	p := s.post
	for i := 0; i < 2*len(softer)-1 && s.misfits() && ctx.Err() == nil; i++ {
		if i >= len(softer) {
			draws = p.fitted(ctx, p.around(s.found[0], apart, 1, s.stream()), s.found[0].Origin, nil)
		}
		soft := p.soften(ctx, draws, softer[i%len(softer)], s.counted(s.descents))
		s.descents += len(draws)
		s.add(s.race(ctx, soft, s.starts))
		s.descend(ctx, s.found[:1], 300, rough)
		done = true
	}
	return done
}

// polish goes to the bottom of what may matter, and of what is comparable.
func (s *search) polish(ctx context.Context) {
	var rest []Solution
	s.found, rest = split(s.found, func(o Solution) bool {
		return o.Fluxes.Chi2 < s.best()+2*improbable || o.Converged && o.Fluxes.Chi2 < comparable*s.best()
	})
	afresh(s.found)
	s.descend(ctx, s.found, 300, event.Fine)
	s.add(rest)
	for i := range s.found {
		s.found[i].way = nil
	}
}

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
			if q.Degeneracy == event.BinaryPlanetary {
				continue // many pairs of stars are as likely as the one that stands for them
			}
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

// misfit tells whether a solution is not one, beyond chance: the fit is bad, or neighbouring
// residuals have the same sign where χ² of all of them hides it.
func (p *Posterior) misfit(s Solution) bool {
	const sure = 5 // standard deviations
	var f event.Fluxes
	r, err := p.residuals(s.Params, rough, &f)
	if err != nil {
		return true
	}
	res := make([]float64, p.Window.Len())
	if r(res, s.Params[:event.Fs]) != nil {
		return true
	}
	for _, together := range []int{1, 8, 32, 128} {
		var chi2, n float64
		for bin := range slices.Chunk(res, together) {
			sum := floats.Sum(bin)
			chi2 += sum * sum / float64(len(bin))
			n++
		}
		if chi2 > n+sure*math.Sqrt(2*n) {
			return true
		}
	}
	return false
}

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
