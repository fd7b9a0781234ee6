package mlens

import (
	"slices"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// Sampling is done in the frame of the prior: in that in which its ranges are a box, and in which a
// wide pair that passes the source by one of its caustics is not a valley of centres of mass. The
// way there keeps the volume, so that densities are the same.

// own returns what decides a magnification, all but f_s, in the frame of the prior.
func (p *Posterior) own(x []float64) []float64 { return inFrame(x, p.prior.Frame, event.Theta.From) }

// fromOwn is the inverse of own.
func (p *Posterior) fromOwn(x []float64) []float64 {
	return inFrame(x, p.prior.Frame, event.Theta.ToCentreOfMass)
}

func inFrame(x []float64, f event.Frame, move func(event.Theta, event.Frame) event.Theta) []float64 {
	if f == event.CentreOfMass {
		return x
	}
	var t event.Theta
	copy(t[:], x)
	t[event.Fs] = 1
	t = move(t, f)
	return slices.Clone(t[:event.Fs])
}

// ownParameters are curveParameters in the frame of the prior.
func (p *Posterior) ownParameters() []refine.Parameter {
	q := *p
	q.prior.Frame = event.CentreOfMass // whose bounds are those of the frame itself
	return q.curveParameters()
}
