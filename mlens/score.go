package mlens

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/mlens-go/microlens/mlens/calib"
	"github.com/mlens-go/microlens/mlens/event"
)

// A Score is the quality of a model on events whose truth is known.
type Score struct {
	Events, Draws int // events, and posterior draws of each

	// RawNLL is the mean of −ln q(truth) per unit of the coordinates of a Theta,
	// NLL that of the standardised ones, NLLErr the standard error of both.
	RawNLL, NLL, NLLErr float64
	Inside              float64 // mean fraction of the network's density inside the prior

	// Delta is the deviation of each parameter's rank histogram of 20 bins from
	// uniformity, Noise what counting alone makes of it.
	Delta [event.Dim]float64
	Noise float64

	// Of each parameter: the fraction of events in which it is constrained, its
	// marginal at the highest mode having more than twice the prior's density, and
	// the fraction of those whose truth is nearer to that mode than to others
	// (§4.4).
	Constrained, Correct [event.Dim]float64

	// How the truth lies, as fractions of the events that add up to 1: in the
	// global mode, if the highest mode is the nearest to the truth in the marginal
	// of every constrained parameter; in none, if some parameter has no draw near
	// the truth (see [calib.Marginal.Nearest]); in a minor mode else.
	Global, Minor, None float64

	Predictions []Prediction // of each event, in their order
}

// A Prediction is what the marginals of an event's posterior say of each parameter (§4.4).
type Prediction struct {
	Truth   event.Theta
	Nearest event.Theta // of a marginal's modes, the one nearest to the truth: "predicted" in Fig. 6
	Highest event.Theta // the highest mode
}

// Score judges the model on events, with draws posterior draws each. progress,
// which may be nil, is told how many are done. An event that cannot be read, or
// that the prior does not allow, is an error that names it.
func (e *Estimator) Score(ctx context.Context, events []Event, draws int, progress func(done, total int)) (*Score, error) {
	const fewest = 100
	if len(events) == 0 || draws < fewest {
		return nil, fmt.Errorf("mlens: %d events with %d draws each, but at least one event and %d draws are needed", len(events), draws, fewest)
	}
	for _, ev := range events {
		if err := ev.check(e.Prior); err != nil {
			return nil, err
		}
	}
	prior := e.priorDensities()
	results := make([]eventScore, len(events))
	err := parallel(ctx, len(events), func(i int) {
		results[i] = e.scoreEvent(events[i], draws, uint64(i), prior)
	}, progress)
	if err != nil {
		return nil, err
	}
	return e.collect(results, draws)
}

// eventScore is what one event adds to a Score.
type eventScore struct {
	err                  error
	nll, inside          float64
	ranks                [event.Dim]float64
	constrained, correct [event.Dim]bool
	none                 bool
	prediction           Prediction
}

func (e *Estimator) scoreEvent(ev Event, draws int, seed uint64, prior [event.Dim]func(float64) float64) (r eventScore) {
	win, err := ev.Window()
	if err != nil {
		return eventScore{err: err}
	}
	p, err := e.Condition(win)
	if err != nil {
		return eventScore{err: err}
	}
	r.prediction.Truth = ev.Truth
	r.nll = -p.LogProb([]event.Theta{ev.Truth})[0]
	r.inside = p.Inside()
	sample := p.Sample(draws, seed)
	if len(sample) == 0 {
		for k := range r.ranks {
			r.ranks[k] = 0.5
			r.prediction.Nearest[k], r.prediction.Highest[k] = math.NaN(), math.NaN()
		}
		r.none = true
		return r
	}
	col := make([]float64, len(sample))
	for k := range event.Dim {
		for j, t := range sample {
			col[j] = t[k]
		}
		r.ranks[k] = calib.Rank(col, ev.Truth[k])
		period := 0.0
		if k == event.Alpha {
			period = 360
		}
		m := calib.NewMarginal(col, period)
		r.constrained[k] = m.Density > 2*prior[k](m.Modes[0])
		if period > 0 { // the marginal's turn may be another
			for i, v := range m.Modes {
				m.Modes[i] = math.Mod(math.Mod(v, period)+period, period)
			}
		}
		r.prediction.Highest[k] = m.Modes[0]
		r.prediction.Nearest[k] = slices.MinFunc(m.Modes, func(a, b float64) int {
			return cmp.Compare(apartOn(a, ev.Truth[k], period), apartOn(b, ev.Truth[k], period))
		})
		nearest := m.Nearest(ev.Truth[k])
		r.correct[k] = nearest == 0
		r.none = r.none || nearest < 0
	}
	return r
}

// apartOn returns how far two values are apart, on a circle if it has a period.
func apartOn(a, b, period float64) float64 {
	if period > 0 {
		return math.Abs(math.Remainder(a-b, period))
	}
	return math.Abs(a - b)
}

// priorDensities returns the prior's marginal densities. The parameters are
// independent in it.
func (e *Estimator) priorDensities() (out [event.Dim]func(float64) float64) {
	bounds := e.Prior.Bounds()
	var middle event.Theta
	whole := 0.0
	for k, b := range bounds {
		middle[k] = (b.Min + b.Max) / 2
	}
	whole = e.Prior.LogDensity(middle)
	for k, b := range bounds {
		at := func(v float64) float64 { // relative to the middle
			t := middle
			t[k] = min(max(v, b.Min), b.Max)
			return math.Exp(e.Prior.LogDensity(t) - whole)
		}
		const n = 4000
		var sum float64
		for i := range n {
			sum += at(b.Min + (float64(i)+0.5)/n*(b.Max-b.Min))
		}
		norm := sum * (b.Max - b.Min) / n
		out[k] = func(v float64) float64 { return at(v) / norm }
	}
	return out
}

// collect adds the events up, in their order.
func (e *Estimator) collect(results []eventScore, draws int) (*Score, error) {
	n := float64(len(results))
	s := &Score{Events: len(results), Draws: draws}
	nlls := make([]float64, len(results))
	ranks := make([]float64, len(results))
	for i := range results {
		r := &results[i]
		if r.err != nil {
			return nil, r.err
		}
		nlls[i] = r.nll
		s.Inside += r.inside / n
		s.Predictions = append(s.Predictions, r.prediction)
		global := true
		for k, c := range r.constrained {
			if !c {
				continue
			}
			s.Constrained[k]++
			if r.correct[k] {
				s.Correct[k]++
			}
			global = global && r.correct[k]
		}
		switch {
		case r.none:
			s.None += 1 / n
		case global:
			s.Global += 1 / n
		default:
			s.Minor += 1 / n
		}
	}
	s.RawNLL, s.NLLErr = meanAndError(nlls)
	s.NLL = s.RawNLL - e.Scaler.LogVolume()
	for k := range event.Dim {
		for i := range results {
			ranks[i] = results[i].ranks[k]
		}
		s.Delta[k] = calib.Deviation(ranks, rankBins)
		if s.Constrained[k] > 0 {
			s.Correct[k] /= s.Constrained[k]
		}
		s.Constrained[k] /= n
	}
	s.Noise = deviationOfNoise(len(results))
	return s, nil
}

const rankBins = 20

// deviationOfNoise is the mean δ of n ranks that are uniform, from 400
// histograms.
func deviationOfNoise(n int) (mean float64) {
	const times = 400
	r := rand.New(rand.NewPCG(1, 0))
	ranks := make([]float64, n)
	for range times {
		for i := range ranks {
			ranks[i] = r.Float64()
		}
		mean += calib.Deviation(ranks, rankBins) / times
	}
	return mean
}
