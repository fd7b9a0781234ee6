package mlens

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/mlens-go/microlens/mlens/event"
)

// A RefinedScore is the quality of refined posteriors on events whose truth is
// known.
type RefinedScore struct {
	// RawNLL is the mean of −ln p(truth) of the exact posteriors, per unit of the
	// coordinates of a Theta, with its standard error. An event whose posterior
	// misses the truth altogether counts with what the density says there.
	RawNLL, NLLErr float64
	// ModeRecall is the fraction of events of which a solution is that to which a
	// descent from the truth leads.
	ModeRecall float64
	Seconds    float64 // median time an event, from the light curve on
	// Of each event, in their order:
	NLL    []float64
	Found  []bool
	Trusts []Trust
}

// ScoreRefined refines each event's posterior, starting from draws of the
// network, and scores the result. progress may be nil.
func (e *Estimator) ScoreRefined(ctx context.Context, events []Event, draws int, progress func(done, total int)) (*RefinedScore, error) {
	if len(events) == 0 {
		return nil, fmt.Errorf("mlens: no events to refine")
	}
	s := &RefinedScore{}
	var seconds []float64
	found := 0
	for i, ev := range events {
		if err := e.Prior.Check(ev.Truth); err != nil {
			return nil, fmt.Errorf("mlens: the truth of %s: %w, and the model knows events inside it only", ev.File, err)
		}
		begin := time.Now()
		win, err := ev.Window()
		if err != nil {
			return nil, err
		}
		p, err := e.Condition(win)
		if err != nil {
			return nil, err
		}
		r, err := p.Refine(ctx, p.Sample(draws, uint64(i)), RefineOptions{Seed: uint64(i)})
		if err != nil {
			return nil, err
		}
		seconds = append(seconds, time.Since(begin).Seconds())
		s.NLL = append(s.NLL, -r.LogProb(ev.Truth))
		s.Found = append(s.Found, r.has(ctx, ev.Truth))
		s.Trusts = append(s.Trusts, r.Trust())
		if s.Found[i] {
			found++
		}
		if progress != nil {
			progress(i+1, len(events))
		}
	}
	n := float64(len(events))
	var sd float64
	s.RawNLL, sd = stat.PopMeanStdDev(s.NLL, nil)
	s.NLLErr = sd / math.Sqrt(n)
	s.ModeRecall = float64(found) / n
	slices.Sort(seconds)
	s.Seconds = seconds[len(seconds)/2]
	return s, nil
}

// has tells whether one of the solutions is the one to which the descent from t
// leads: closer than what makes two minima one, or than three standard
// deviations where the light curve says less.
func (r *Refined) has(ctx context.Context, t event.Theta) bool {
	s, ok := r.post.polish(ctx, t, 60)
	if !ok {
		return false
	}
	for _, m := range r.Modes {
		scale := sameSolution
		for k := range scale {
			scale[k] = max(scale[k], 3*m.Sigma[k])
		}
		if distance(s.Params, m.Params, scale) < 1 {
			return true
		}
	}
	return false
}
