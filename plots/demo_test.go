package plots_test

import (
	"math"
	"math/rand/v2"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
	"github.com/mlens-go/microlens/plots"
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

// paczynski is the point-source, single-lens magnification.
func paczynski(u float64) float64 { return (u*u + 2) / (u * math.Sqrt(u*u+4)) }

// bumpEvent is a single-lens event with a short bump, measured every 0.01 d
// for 72 d at a signal-to-noise ratio of 200, and its model with the bump and
// without.
func bumpEvent() (event.LightCurve, []plots.Curve) {
	rng := rand.New(rand.NewPCG(2, 0))
	const n, photons, fs = 7200, 200 * 200, 0.3
	lc := event.LightCurve{Name: "bump.csv", Times: make([]float64, n), Flux: make([]float64, n), Err: make([]float64, n)}
	with, without := make([]float64, n), make([]float64, n)
	for i := range n {
		t := 0.01 * float64(i)
		u := math.Hypot(0.15, (t-26)/20)
		bump := 0.9*math.Exp(-0.5*math.Pow((t-30.2)/0.12, 2)) - 0.25*math.Exp(-0.5*math.Pow((t-29.6)/0.25, 2))
		without[i] = photons * (1 + fs*(paczynski(u)-1))
		with[i] = photons * (1 + fs*(paczynski(u)+bump-1))
		lc.Times[i] = t
		lc.Flux[i] = with[i] + math.Sqrt(with[i])*rng.NormFloat64()
		lc.Err[i] = math.Sqrt(lc.Flux[i])
	}
	return lc, []plots.Curve{
		{Label: "two lenses", Times: lc.Times, Flux: with},
		{Label: "one lens", Times: lc.Times, Flux: without},
	}
}

// trainingRun is a history of 2,000 points with 40 validations.
func trainingRun() []plots.LossPoint {
	rng := rand.New(rand.NewPCG(3, 0))
	out := make([]plots.LossPoint, 2000)
	for i := range out {
		x := float64(i+1) / 2000
		l := -12 + 9*math.Exp(-12*x) + 5*math.Exp(-2.5*x) + 8*math.Exp(-200*x)
		out[i] = plots.LossPoint{Seen: 2e6 * x, Train: l + 0.25*rng.NormFloat64(), Validation: math.NaN()}
		if i%50 == 49 {
			out[i].Validation = l + 0.15 + 0.35*x + 0.03*rng.NormFloat64()
		}
	}
	return out
}

// miscalibrated are quantiles of 2,000 events under posteriors that are right
// for five parameters, too wide for q and α and biased for tE.
func miscalibrated() (ranks [event.Dim][]float64) {
	rng := rand.New(rand.NewPCG(4, 0))
	for range 2000 {
		for k := range ranks {
			u := rng.Float64()
			switch k {
			case event.LogQ, event.Alpha:
				u = (u + rng.Float64()*0.25 + 0.5*0.25) / 1.5
			case event.LogTE:
				u = math.Pow(u, 0.85)
			}
			ranks[k] = append(ranks[k], u)
		}
	}
	return ranks
}

// table1Fits are a close and a wide lens that fit the truth of Table 1.
func table1Fits() []plots.Solution {
	wide := event.Theta{0.2300, -1.9825, 299.4461, 0.0410, 26.1159, 1.2988, -2.2934, 0.1223}
	return []plots.Solution{
		{Label: "close", Params: table1Truth.Params()},
		{Label: "wide", Params: wide.Params()},
	}
}

// table3Solutions are the five solutions of Zhang et al. (2021), Table 3; the
// table lists no ρ.
func table3Solutions() []plots.Solution {
	const rho = -2.5
	named := func(name string, t event.Theta) plots.Solution {
		return plots.Solution{Label: name, Params: t.Params()}
	}
	return []plots.Solution{
		named("planetary A", event.Theta{-0.3520, -1.6849, 80.0207, 0.1027, 25.9926, 1.6874, rho, 0.2048}),
		named("planetary B", event.Theta{0.3242, -1.6464, 79.0411, 0.1390, 26.3604, 1.6927, rho, 0.2065}),
		named("binary A", event.Theta{-0.6373, -0.3729, 209.7867, 0.1082, 25.8701, 1.6824, rho, 0.2114}),
		named("binary B", event.Theta{-0.6450, -0.0813, 304.7107, 0.1160, 26.2091, 1.6550, rho, 0.2280}),
		named("binary C", event.Theta{-0.6267, -0.0609, 123.4429, 0.1197, 26.2230, 1.6443, rho, 0.2357}),
	}
}

// simulated is an event of 72 d at a cadence of step days and a
// signal-to-noise ratio of 200 at baseline.
func simulated(truth event.Theta, step float64) event.LightCurve {
	var times []float64
	for i := range int(72 / step) {
		times = append(times, step*float64(i))
	}
	p := truth.Params()
	a, err := lens.Binary{S: p.S, Q: p.Q}.LightCurve(nil, times,
		lens.Trajectory{U0: p.U0, Alpha: p.Alpha, T0: p.T0, TE: p.TE}, p.Rho, lens.Options{RelTol: 1e-7})
	if err != nil {
		panic(err)
	}
	rng := rand.New(rand.NewPCG(5, 0))
	lc := event.LightCurve{Name: "simulated", Times: times}
	for _, a := range a {
		g := 200 * 200 * (1 + p.Fs*(a-1))
		f := g + math.Sqrt(g)*rng.NormFloat64()
		lc.Flux, lc.Err = append(lc.Flux, f), append(lc.Err, math.Sqrt(f))
	}
	return lc
}

// must returns the figure of a function that cannot fail here.
func must(f *plots.Figure, err error) *plots.Figure {
	if err != nil {
		panic(err)
	}
	return f
}

// singleLensPosterior are weighted draws along the degeneracy of u0, tE and fs
// of a faint single-lens event, like Fig. 7 of the paper, with fs cut at the
// prior's limit of 0.1.
func singleLensPosterior(n int) ([]event.Theta, []float64) {
	rng := rand.New(rand.NewPCG(6, 0))
	draws, weights := make([]event.Theta, n), make([]float64, n)
	for i := range draws {
		fs := math.Pow(10, -rng.Float64())
		u0 := 1.5*math.Pow(fs, 0.45) + 0.03*rng.NormFloat64()
		draws[i][event.Fs] = fs
		draws[i][event.U0] = u0
		draws[i][event.LogTE] = 1.3 - 0.35*math.Log10(fs) + 0.015*rng.NormFloat64()
		weights[i] = math.Exp(-0.5 * math.Pow(u0/0.8, 2))
	}
	return draws, weights
}

// cutEvents draws events of the prior, with a made-up rule for those whose second lens shows: a
// heavy companion near the Einstein ring and a path close to it.
func cutEvents() (events []event.Theta, anomalous, strong []bool) {
	prior := event.Roman()
	rng := rand.New(rand.NewPCG(5, 0))
	for range 20_000 {
		t := prior.Sample(rng).Theta()
		score := t[event.LogQ] + 4 - 8*t[event.LogS]*t[event.LogS] - 1.5*t[event.U0] + rng.NormFloat64()
		events = append(events, t)
		anomalous = append(anomalous, score > 0)
		strong = append(strong, score > 1.5)
	}
	return events, anomalous, strong
}

// predictions are made-up ones: broad for ρ, and with the close solution higher for some wide ones.
func predictions(n int) (out []plots.Prediction) {
	rng := rand.New(rand.NewPCG(7, 0))
	bounds := event.Roman().Bounds()
	for range n {
		var p plots.Prediction
		for k, b := range bounds {
			p.Truth[k] = b.Min + (b.Max-b.Min)*rng.Float64()
			p.Nearest[k] = min(max(p.Truth[k]+0.03*(b.Max-b.Min)*rng.NormFloat64(), b.Min), b.Max)
		}
		p.Nearest[event.LogRho] = bounds[event.LogRho].Min + (bounds[event.LogRho].Max-bounds[event.LogRho].Min)*rng.Float64()
		p.Highest = p.Nearest
		if rng.Float64() < 0.2 {
			p.Highest[event.LogS] = -p.Nearest[event.LogS]
		}
		out = append(out, p)
	}
	return out
}
