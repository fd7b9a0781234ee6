package mlens

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
)

// Targets standardise what the flow infers: a Theta in which four parameters
// are counted from the best single lens of the light curve,
//
//	u0 − u0_fit, asinh((t0 − t0_fit)/(0.1·tE_fit)), log tE − log tE_fit, f_s − f_s,fit
//
// The flow's variables are (value − Mean)/Std, α first. For a flow with circular
// α that one is in radians instead.
type Targets struct{ Mean, Std event.Theta }

// targetOrder are the parameters in the order of the flow's variables.
var targetOrder = [event.Dim]int{event.Alpha, event.LogS, event.LogQ, event.U0, event.T0, event.LogTE, event.LogRho, event.Fs}

// t0Scale is the time, in tE, within which t0 is counted about linearly.
const t0Scale = 0.1

// relative returns t relative to the fit and ln|d relative/dt|.
func relative(fit *singleFit, t event.Theta) (event.Theta, float64) {
	scale := t0Scale * fit.tE()
	x := (t[event.T0] - fit.t0()) / scale
	t[event.T0] = math.Asinh(x)
	t[event.U0] -= math.Exp(fit.p[fitU0])
	t[event.LogTE] -= fit.p[fitTE] / math.Ln10
	t[event.Fs] -= math.Exp(fit.p[fitFs])
	return t, -math.Log(scale) - math.Log1p(x*x)/2
}

// absolute is the inverse of relative.
func absolute(fit *singleFit, t event.Theta) event.Theta {
	t[event.T0] = fit.t0() + t0Scale*fit.tE()*math.Sinh(t[event.T0])
	t[event.U0] += math.Exp(fit.p[fitU0])
	t[event.LogTE] += fit.p[fitTE] / math.Ln10
	t[event.Fs] += math.Exp(fit.p[fitFs])
	return t
}

// encode stores the flow's variables for t in y and returns ln|dy/dt|.
func (s *Targets) encode(y []float32, fit *singleFit, t event.Theta, circular bool) float64 {
	r, volume := relative(fit, t)
	for i, k := range targetOrder {
		if circular && k == event.Alpha {
			y[i] = float32(math.Remainder(r[k], 360) * (math.Pi / 180))
			volume += math.Log(math.Pi / 180)
			continue
		}
		y[i] = float32((r[k] - s.Mean[k]) / s.Std[k])
		volume -= math.Log(s.Std[k])
	}
	return volume
}

// decode is the inverse of encode; α is in [0, 360).
func (s *Targets) decode(fit *singleFit, y []float32, circular bool) event.Theta {
	var r event.Theta
	for i, k := range targetOrder {
		if r[k] = s.Mean[k] + s.Std[k]*float64(y[i]); circular && k == event.Alpha {
			r[k] = float64(y[i]) * (180 / math.Pi)
		}
	}
	r[event.Alpha] = math.Mod(math.Mod(r[event.Alpha], 360)+360, 360)
	return absolute(fit, r)
}

// newTargets takes mean and standard deviation of n realisations of the chosen
// simulations.
func newTargets(b *bank.Bank, chosen []int, obs bank.Observing, seed uint64) (Targets, error) {
	const n = 2048
	var s Targets
	var real bank.Realisation
	var z featuriser
	all := make([]event.Theta, n)
	for i := range all {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		k := chosen[r.IntN(len(chosen))]
		if err := b.Realise(&real, k, obs, r); err != nil {
			return s, err
		}
		base, err := z.baseline(real.Binned)
		if err != nil {
			return s, fmt.Errorf("simulation %d: %w", k, err)
		}
		fit := z.fitter.fit(real.Binned, base)
		all[i], _ = relative(&fit, real.Theta)
	}
	s.Mean, s.Std = moments(all)
	alpha := b.Config.Prior.Alpha
	s.Mean[event.Alpha], s.Std[event.Alpha] = (alpha.Min+alpha.Max)/2, (alpha.Max-alpha.Min)/math.Sqrt(12)
	return s, nil
}

// moments are mean and standard deviation of each parameter.
func moments(ts []event.Theta) (mean, std event.Theta) {
	n := float64(len(ts))
	for _, t := range ts {
		for k, v := range t {
			mean[k] += v / n
		}
	}
	for _, t := range ts {
		for k, v := range t {
			std[k] += (v - mean[k]) * (v - mean[k]) / n
		}
	}
	for k, v := range std {
		std[k] = math.Sqrt(v)
	}
	return mean, std
}
