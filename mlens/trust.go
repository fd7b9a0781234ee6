package mlens

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mlens-go/microlens/mlens/event"
)

// Level is how far a refined posterior can be trusted.
type Level string

const (
	Green  Level = "green"  // the diagnostics are those of an exact posterior
	Yellow Level = "yellow" // something is doubtful, and Trust says what
	Red    Level = "red"    // these are not the solutions, or not their shares
)

// Trust is the judgement on a refined posterior.
type Trust struct {
	Level   Level
	ESS     float64
	ESSErr  float64 // standard deviation of ESS
	KHat    float64
	Chi2DOF float64 // of the best solution
	Modes   int     // with more than a hundredth of the evidence
	RHat    float64 // of the ensemble, 0 where none was needed
	Doubts  []string
}

// String is one line.
func (t Trust) String() string {
	modes := "modes"
	if t.Modes == 1 {
		modes = "mode"
	}
	s := fmt.Sprintf("%s: ESS %.0f ± %.0f, k̂ %.2f, χ²/dof %.3f, %d %s above 1 %%", t.Level, t.ESS, t.ESSErr, t.KHat, t.Chi2DOF, t.Modes, modes)
	if len(t.Doubts) > 0 {
		s += " (" + strings.Join(t.Doubts, "; ") + ")"
	}
	return s
}

// Thresholds of Trust.
const (
	enoughESS, littleESS = 200, 20
	certain              = 0.5    // of ESS, its standard deviation
	goodKHat, badKHat    = 0.7, 1 // Vehtari et al. 2024
	// 0.6 as printed. Means may be right up to goodKHat, the ends of the posterior less so: of 142
	// events below it the truth was beyond all draws in 5 of the 20 above lightKHat, where chance
	// makes 0.9, and in 2 of the others, where it makes 2.3.
	lightKHat = 0.605
	// How far χ²/dof may be from 1, besides five standard deviations of chance:
	// errors are seldom known to better than 5 %, or wrong by more than half.
	goodFit, badFit = 0.1, 1
	goodRHat        = 1.1
)

// Trust judges the posterior by the effective sample size, the tail of the
// weights, the fit of the best solution and, where the noise is that of photons,
// whether its residuals are noise, in bins too, and by whether the light curve is
// like those that the search was made for.
func (r *Refined) Trust() Trust {
	t := Trust{Level: Green, ESS: r.ESS, ESSErr: r.ESSErr, KHat: r.KHat, RHat: r.RHat, Chi2DOF: math.Inf(1)}
	doubt := func(l Level, format string, args ...any) {
		if l == Red || t.Level == Green {
			t.Level = l
		}
		t.Doubts = append(t.Doubts, fmt.Sprintf(format, args...))
	}
	for _, m := range r.Modes {
		t.Chi2DOF = min(t.Chi2DOF, m.Chi2DOF)
		if m.Weight > 0.01 {
			t.Modes++
		}
	}
	switch {
	case t.ESS < littleESS:
		doubt(Red, "hardly any effective draws")
	case t.ESS < enoughESS:
		doubt(Yellow, "few effective draws")
	case t.ESSErr > t.ESS*certain:
		doubt(Yellow, "a single draw decides how many are effective")
	}
	switch {
	case t.KHat > badKHat || math.IsNaN(t.KHat):
		doubt(Red, "a few draws carry all the weight")
	case t.KHat > goodKHat:
		doubt(Yellow, "heavy-tailed weights")
	case t.KHat > lightKHat:
		doubt(Yellow, "the posterior may end too soon")
	}
	switch {
	case r.Walked && t.RHat < goodRHat:
		// The walkers have made good what the weights lack, but for the evidences.
		t.Level, t.Doubts = Yellow, nil
		doubt(Yellow, "draws from an ensemble, R̂ %.2f; the shares are uncertain", t.RHat)
	case r.Walked:
		doubt(Red, "the ensemble has not converged, R̂ %.2f", t.RHat)
	case t.RHat > 0:
		doubt(Yellow, "an ensemble has not converged either, R̂ %.2f", t.RHat)
	}
	if r.LeftOut > 0 {
		doubt(Yellow, "solutions left out that may weigh as much: %d", r.LeftOut)
	}
	// Where the noise is known to be that of photons, so is how residuals scatter.
	if best := slices.MinFunc(r.Modes, func(a, b RefinedMode) int { return cmp.Compare(a.Fluxes.Chi2, b.Fluxes.Chi2) }); r.Photons && r.post.misfit(best.Solution) {
		doubt(Yellow, "the residuals of the best solution are not noise: a better one may be missing")
	}
	off, chance := math.Abs(t.Chi2DOF-1), 5*math.Sqrt(2/r.post.dof())
	switch {
	case off > badFit+chance:
		doubt(Red, "no solution fits")
	case off > goodFit+chance:
		doubt(Yellow, "the fit is not as good as the errors say it should be")
	}
	if r.Failed > r.Evaluations/100 {
		doubt(Yellow, "%d of %d likelihoods failed", r.Failed, r.Evaluations)
	}
	if r.CoarseFailed > r.Coarse/100 {
		doubt(Yellow, "%d of %d likelihoods of the light curve in bins failed", r.CoarseFailed, r.Coarse)
	}
	if d := unlike(r.post.Window); d != "" {
		doubt(Yellow, "%s", d)
	}
	return t
}

// unlike says how a light curve is sampled otherwise than all that networks are trained on
// (see bank.Observing), or "".
func unlike(lc event.LightCurve) string {
	steps := make([]float64, 0, lc.Len())
	for i := 1; i < lc.Len(); i++ {
		steps = append(steps, lc.Times[i]-lc.Times[i-1])
	}
	slices.Sort(steps)
	const (
		slowest = 0.03 // days: 15 minutes with 60 % missing has half of its steps below
		fewest  = 2500 // 72 days of that are 2,760
	)
	if median := steps[len(steps)/2]; median > slowest {
		return fmt.Sprintf("a measurement each %.2g d is outside the training range", median)
	}
	if lc.Len() < fewest {
		return fmt.Sprintf("%d measurements are outside the training range", lc.Len())
	}
	return ""
}
