package mlens

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// A Floor is what no estimator can be better than on given events, if their exact posteriors are
// Gaussian: the mean entropy of Gaussians with the Fisher information of the light curve at the
// truth, and that of the prior's standard deviations. Where the exact posterior has many modes it
// is too low, by up to some ten nats; [Estimator.ScoreRefined] knows better there.
type Floor struct {
	Events int
	// RawNLL is per unit of the coordinates of a Theta, NLL of the standardised ones, NLLErr
	// the standard error of both.
	RawNLL, NLL, NLLErr float64
	// Above is how much the network's NLL is above that, in the mean of the same events, with
	// its standard error.
	Above, AboveErr float64
}

// Floor computes the floor of events, whose noise is as their errors say. It takes some ten light
// curves an event. An event of which it cannot be computed is an error that names it.
func (e *Estimator) Floor(ctx context.Context, events []Event, progress func(done, total int)) (*Floor, error) {
	floors, above, errs := make([]float64, len(events)), make([]float64, len(events)), make([]error, len(events))
	err := parallel(ctx, len(events), func(i int) {
		p, err := e.conditionOn(events[i])
		if err == nil {
			floors[i], err = p.entropy(events[i].Truth)
		}
		if err != nil {
			errs[i] = fmt.Errorf("mlens: the floor of %s: %w", events[i].File, err)
			return
		}
		above[i] = -p.LogProb([]event.Theta{events[i].Truth})[0] - floors[i]
	}, progress)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	f := &Floor{Events: len(events)}
	f.RawNLL, f.NLLErr = meanAndError(floors)
	f.NLL = f.RawNLL - e.Scaler.LogVolume()
	f.Above, f.AboveErr = meanAndError(above)
	return f, nil
}

// entropy returns that of the Gaussian about t, in nats.
func (p *Posterior) entropy(t event.Theta) (float64, error) {
	info, err := p.information(t)
	if err != nil {
		return 0, err
	}
	for k, sd := range p.est.Scaler.Std {
		info.SetSym(k, k, info.At(k, k)+1/(sd*sd))
	}
	// In units of the standard deviations that each parameter would have alone it is well
	// conditioned.
	unit := make([]float64, event.Dim)
	var volume float64
	for k := range unit {
		unit[k] = 1 / math.Sqrt(info.At(k, k))
		volume += math.Log(unit[k])
	}
	for j := range unit {
		for k := j; k < len(unit); k++ {
			info.SetSym(j, k, info.At(j, k)*unit[j]*unit[k])
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(info) {
		return 0, errors.New("the Fisher information is not positive definite")
	}
	return event.Dim/2.0*math.Log(2*math.Pi*math.E) + volume - chol.LogDet()/2, nil
}

// information returns the Fisher information of the light curve about all parameters at t, that
// about the baseline being projected out.
func (p *Posterior) information(t event.Theta) (*mat.SymDense, error) {
	lc := p.Window
	exact, err := event.NewExact(lc)
	if err != nil {
		return nil, err
	}
	exact.Noise = event.Fine
	params := append(p.curveParameters(), refine.Parameter{Min: math.Inf(-1), Max: math.Inf(1), Scale: 0.1})
	return refine.Information(func(dst, x []float64) error {
		copy(t[:], x)
		a, err := exact.Magnification(t.Params())
		if err != nil {
			return err
		}
		var fm, mm float64
		for i, v := range a {
			m := (1 + t[event.Fs]*(v-1)) / lc.Err[i]
			dst[i] = m
			fm += m * lc.Flux[i] / lc.Err[i]
			mm += m * m
		}
		for i, m := range dst {
			dst[i] = lc.Flux[i]/lc.Err[i] - fm/mm*m
		}
		return nil
	}, lc.Len(), t[:], params)
}
