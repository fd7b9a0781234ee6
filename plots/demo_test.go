package plots_test

import (
	"math/rand/v2"

	"github.com/mlens-go/microlens/mlens/event"
)

// table1 are the truth and the two solutions of Zhang et al. (2021), Table 1.
var (
	table1Truth = event.Theta{-0.200, -2.000, 300, 0.050, 26, 1.301, -2.301, 0.120}
	table1Close = event.Theta{-0.1923, -2.0252, 299.8524, 0.0505, 26.0027, 1.2993, -2.2075, 0.1211}
	table1Wide  = event.Theta{0.2301, -1.9761, 299.5919, 0.0403, 26.1054, 1.3020, -2.3421, 0.1214}
)

// table1Posterior draws from a made-up posterior like Fig. 3 of the paper: two
// solutions of Table 1 with its uncertainties, u0, tE and fs correlated.
func table1Posterior(n int) []event.Theta {
	rng := rand.New(rand.NewPCG(1, 0))
	out := make([]event.Theta, n)
	for i := range out {
		m, sd := table1Close, event.Theta{0.0035, 0.0146, 0.255, 0.0002, 0.0057, 0.00075, 0.06, 0.0003}
		if rng.Float64() < 0.45 {
			m, sd = table1Wide, event.Theta{0.0045, 0.0166, 0.28, 0.00085, 0.010, 0.00095, 0.05, 0.00035}
		}
		var z event.Theta
		for k := range z {
			z[k] = rng.NormFloat64()
		}
		z[event.LogTE] = -0.95*z[event.U0] + 0.31*z[event.LogTE]
		z[event.Fs] = 0.97*z[event.U0] + 0.24*z[event.Fs]
		z[event.LogQ] = -0.6*z[event.LogS] + 0.8*z[event.LogQ]
		for k := range m {
			out[i][k] = m[k] + sd[k]*z[k]
		}
		if r := rng.ExpFloat64(); rng.Float64() < 0.5 {
			out[i][event.LogRho] -= 0.1 * r
		}
	}
	return out
}
