package mlens

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// A Recall tells how often the network's draws alone lead to the truth: no search beside
// them, no degeneracies.
type Recall struct {
	Events []RecallEvent // in their order
}

// A RecallEvent is what one event adds to a Recall.
type RecallEvent struct {
	Found  bool // a descent from its draws ended where one from the truth does
	Strong bool // the χ² of the best single lens is more than 1,000 above the truth's

	Seconds float64
}

// Fraction returns the fraction of the events found, and that of the strong ones, NaN if
// there are none.
func (r *Recall) Fraction() (all, strong float64) {
	var found, strongs, strongFound int
	for _, ev := range r.Events {
		if ev.Found {
			found++
		}
		if ev.Strong {
			strongs++
			if ev.Found {
				strongFound++
			}
		}
	}
	return float64(found) / float64(len(r.Events)), float64(strongFound) / float64(strongs)
}

// Recall runs the exact simulator on draws of each event's posterior and goes downhill from
// the best of them that differ enough to be worth a descent each; where nothing that they lead to
// fits, once more on softer light curves first. Seeds are counted from seed;
// dir, for polished.jsonl, and progress are those of [Estimator.ScoreRefined].
func (e *Estimator) Recall(ctx context.Context, events []Event, draws, best int, seed uint64, dir string, progress func(done, total int)) (*Recall, error) {
	if len(events) == 0 || draws < 1 || best < 1 {
		return nil, fmt.Errorf("mlens: the %d best of %d draws of %d events recall nothing", best, draws, len(events))
	}
	settings := struct {
		Draws, Best int
		Seed        uint64
	}{draws, best, seed}
	results, err := eachEvent(ctx, e, events, dir, polishedName, settings, func(i int) (RecallEvent, error) {
		return e.recallEvent(ctx, events[i], draws, best, seed+uint64(i))
	}, progress)
	if err != nil {
		return nil, err
	}
	return &Recall{Events: results}, nil
}

func (e *Estimator) recallEvent(ctx context.Context, ev Event, draws, best int, seed uint64) (out RecallEvent, err error) {
	const strong = 1000
	begin := time.Now()
	p, err := e.conditionOn(ev)
	if err != nil {
		return out, err
	}
	places := p.Sample(draws, seed)
	scale := Summary(places).Sigma // where they are all close together, closer starts differ, too
	for k := range scale {
		scale[k] = min(scale[k]/2, apart[k])
	}
	// Every fourth measurement tells which of them are worth all.
	ranked := p.thinned(4).fitted(ctx, places, FromNetwork, nil)
	slices.SortStableFunc(ranked, func(a, b Solution) int { return cmp.Compare(a.Fluxes.Chi2, b.Fluxes.Chi2) })
	places = nil
	for _, s := range ranked[:min(max(draws/20, 10*best), len(ranked))] {
		places = append(places, s.Params)
	}
	from := p.starts(ctx, places, FromNetwork, scale, best)
	downhill := func(from []Solution) []Solution {
		for _, noise := range []float64{rough, event.Fine} {
			p.descend(ctx, from, 300, noise, nil)
			afresh(from)
			from = distinct(from, sameSolution)
		}
		return from
	}
	first := slices.Clone(from)
	from = downhill(from)
	// Descents end beside caustics that the light curve crosses: softer ones lead past.
	for _, by := range softer {
		if len(from) > 0 && !p.misfit(from[0]) {
			break
		}
		from = distinct(append(from, downhill(p.soften(ctx, first, by, nil))...), sameSolution)
	}
	truth, ok := p.polish(ctx, ev.Truth, 100)
	if err := ctx.Err(); err != nil {
		return out, err
	}
	if ok {
		if out.Found, err = p.among(ctx, truth, from); err != nil {
			return out, err
		}
	}
	single, err := p.Window.FitSingleLens()
	out.Strong = ok && err == nil && single.Chi2 > truth.Fluxes.Chi2+strong
	out.Seconds = time.Since(begin).Seconds()
	return out, nil
}

// thinned returns the posterior of every nth measurement, for a search that is as much faster.
func (p *Posterior) thinned(n int) *Posterior {
	q := *p
	q.Window.Times, q.Window.Flux, q.Window.Err = nil, nil, nil
	for i := 0; i < p.Window.Len(); i += n {
		q.Window.Times = append(q.Window.Times, p.Window.Times[i])
		q.Window.Flux = append(q.Window.Flux, p.Window.Flux[i])
		q.Window.Err = append(q.Window.Err, p.Window.Err[i])
	}
	return &q
}

// among tells whether s is one of the others, or settles where one of them does.
func (p *Posterior) among(ctx context.Context, s Solution, others []Solution) (bool, error) {
	same := func(o Solution) bool { return distance(s.Params, o.Params, sameSolution) < 1 }
	if slices.ContainsFunc(others, same) {
		return true, nil
	}
	settled, err := p.settle(ctx, append([]Solution{s}, others...))
	if err != nil {
		return false, err
	}
	params := p.ownParameters()
	return slices.ContainsFunc(settled[1:], func(o refine.Start) bool {
		return len(refine.Distinct([]refine.Start{settled[0], o}, params)) == 1
	}), nil
}

// conditionOn returns the posterior of an event whose truth is known and within the prior.
func (e *Estimator) conditionOn(ev Event) (*Posterior, error) {
	if err := ev.check(e.Prior); err != nil {
		return nil, err
	}
	win, err := ev.Window()
	if err != nil {
		return nil, err
	}
	return e.Condition(win)
}
