package mlens

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// blind returns a posterior of an example event without any network: enough to
// refine draws that come from elsewhere.
func blind(t *testing.T, file string) *Posterior {
	t.Helper()
	lc, err := event.Read("../data/events/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var z featuriser
	f := newFeatures()
	if err := z.compute(f, lc.Bin(event.Season())); err != nil {
		t.Fatal(err)
	}
	return &Posterior{Window: lc, single: f.fit, prior: event.Roman(), est: &Estimator{Manifest: Manifest{Prior: event.Roman()}}}
}

// scattered returns draws about a truth.
func scattered(truth, by event.Theta, n int) []event.Theta {
	r := rand.New(rand.NewPCG(1, 2))
	draws := make([]event.Theta, n)
	for i := range draws {
		draws[i] = truth
		for k := range truth {
			draws[i][k] += by[k] * r.NormFloat64()
		}
	}
	return draws
}

var (
	table1  = event.Theta{-0.2, -2, 300, 0.05, 26, 1.301, -2.301, 0.12}
	nearby1 = event.Theta{0.03, 0.2, 5, 0.01, 0.1, 0.03, 0.5, 0.01}
)

// The exact posterior of Table 1's event has its truth where it should be, and
// the evidence that Laplace's method gives for a posterior so nearly Gaussian.
func TestRefine(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	p := blind(t, "close-wide.csv")
	r, err := p.Refine(context.Background(), scattered(table1, nearby1, 100), RefineOptions{Seed: 1, Tries: 40, Starts: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s; ln Z %.2f ± %.2f from %d likelihoods", r.Trust(), r.LogEvidence, r.LogEvidenceErr, r.Evaluations)
	if r.Trust().Level != Green {
		t.Errorf("trust: %s", r.Trust())
	}
	if !r.Photons {
		t.Error("photon noise is not recognised")
	}
	if r.ESS < 0.25*float64(r.Evaluations) {
		t.Errorf("ESS %.0f of %d", r.ESS, r.Evaluations)
	}
	best := r.Modes[0]
	for k := range table1 {
		if z := (best.Mean[k] - table1[k]) / best.Sigma[k]; math.Abs(z) > 4 {
			t.Errorf("%s = %.5f ± %.5f, %.1f σ from the truth", event.Names[k], best.Mean[k], best.Sigma[k], z)
		}
	}
	lin, err := r.lik.At(best.Params.Params())
	if err != nil {
		t.Fatal(err)
	}
	var chol mat.Cholesky
	if !chol.Factorize(best.Information) {
		t.Fatal("the information is singular")
	}
	laplace := lin.LogMarginal() + p.est.Prior.LogDensityOfCurve(best.Params) + 3.5*math.Log(2*math.Pi) - chol.LogDet()/2
	if math.Abs(laplace-best.LogEvidence) > 0.5 {
		t.Errorf("ln Z = %.2f, Laplace's method gives %.2f", best.LogEvidence, laplace)
	}
	// Draws are where the density is: the truth's is like theirs.
	var mean float64
	for _, d := range r.Draws[:200] {
		mean += r.LogProb(d) / 200
	}
	if at := r.LogProb(table1); at < mean-12 {
		t.Errorf("ln p is %.1f at the truth, %.1f at draws", at, mean)
	}
}

func TestRefineCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := blind(t, "close-wide.csv").Refine(ctx, scattered(table1, nearby1, 10), RefineOptions{}); err == nil || r != nil {
		t.Errorf("cancelled, but %v, %v", r, err)
	}
}

// Where importance sampling fails, walkers that went on from its draws stand for them, and say the
// same.
func TestRefineWalks(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	ctx := context.Background()
	p := blind(t, "close-wide.csv").thinned(8)
	start, err := p.Polish(ctx, table1)
	if err != nil {
		t.Fatal(err)
	}
	opt := RefineOptions{Seed: 1, Budget: 9600} // 200 steps
	r, err := p.RefineFrom(ctx, []Solution{start}, opt)
	if err != nil {
		t.Fatal(err)
	}
	want := r.Modes[0]
	sampled := &refine.Sampled{}
	for _, d := range r.Draws {
		sampled.Draws = append(sampled.Draws, refine.Draw{X: slices.Clone(d[:event.Fs])})
	}
	for _, coarse := range []bool{false, true} {
		d := &density{lik: r.lik, prior: p.prior, least: math.Inf(-1), fs: start.Params[event.Fs]}
		of, likelihoods := d, 9600
		if coarse {
			// Walkers that believe in a longer tE: that must not be left in the draws.
			lik, err := event.NewLikelihood(p.Window, p.prior)
			if err != nil {
				t.Fatal(err)
			}
			of = &density{lik: lik, prior: p.prior, least: math.Inf(-1), fs: d.fs, coarse: true}
			of.prior.LogTEMean, of.prior.LogTESigma = want.Mean[event.LogTE]+3*want.Sigma[event.LogTE], 2*want.Sigma[event.LogTE]
			likelihoods = 2000
		}
		r.ESS, r.Evaluations = 5, 0
		if err := r.walk(ctx, &sampling{p, nil, opt}, &attempt{Sampled: sampled, of: of}, d); err != nil {
			t.Fatal(err)
		}
		if !r.Walked || len(r.Draws) != 2000 || r.Evaluations < likelihoods || r.Evaluations > likelihoods+100 || r.Trust().Level == Green {
			t.Errorf("walked %v, %d draws, %d likelihoods, %s", r.Walked, len(r.Draws), r.Evaluations, r.Trust())
		}
		got := r.Modes[0]
		for k := range got.Mean {
			if z, ratio := (got.Mean[k]-want.Mean[k])/want.Sigma[k], got.Sigma[k]/want.Sigma[k]; math.Abs(z) > 0.4 || ratio < 0.7 || ratio > 1.4 {
				t.Errorf("coarse %v: %s = %.5f ± %.5f, of the weights %.5f ± %.5f", coarse, event.Names[k], got.Mean[k], got.Sigma[k], want.Mean[k], want.Sigma[k])
			}
		}
	}
}

// Walkers of which the exact likelihood leaves none do not replace the weights' draws.
func TestRefineWalkersVanish(t *testing.T) {
	start := table1[:event.Fs]
	chain := &refine.Chain{RHat: 1, Time: 1}
	for range 50 {
		chain.X, chain.LogProb = append(chain.X, [][]float64{start, start}), append(chain.LogProb, []float64{0, 0})
	}
	exact := &density{prior: event.Roman()}
	exact.prior.TE = event.Range{Min: 50, Max: 100} // and that of table1 is 20
	r := &Refined{post: &Posterior{}, ESS: 5, Draws: []event.Theta{table1}, Modes: []RefinedMode{{Solution: Solution{Params: table1}}}}
	err := r.walk(context.Background(), &sampling{nil, nil, RefineOptions{}}, &attempt{of: &density{coarse: true}, onward: chain}, exact)
	if err != nil || r.Walked || len(r.Draws) != 1 || !math.IsInf(r.RHat, 1) {
		t.Errorf("%v; walked %v, %d draws, R̂ %v", err, r.Walked, len(r.Draws), r.RHat)
	}
}

// The same posterior on any number of processors, with a network, valleys and bins.
func TestRefineWorkers(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	e, err := Load(shippedDir)
	if err != nil {
		t.Fatal(err)
	}
	lc, err := event.Read("../data/events/close-wide.csv")
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Condition(lc)
	if err != nil {
		t.Fatal(err)
	}
	start, err := p.Polish(context.Background(), table1)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first *Refined
	for _, workers := range []int{1, 3} {
		runtime.GOMAXPROCS(workers)
		r, err := p.RefineFrom(context.Background(), []Solution{start}, RefineOptions{Seed: 1, Budget: 600, ESS: 100})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		}
		if r.Coarse == 0 {
			t.Error("no bins")
		}
		if !slices.Equal(r.Draws, first.Draws) || r.LogEvidence != first.LogEvidence {
			t.Errorf("%d workers: ln Z %v, not %v", workers, r.LogEvidence, first.LogEvidence)
		}
	}
}

// A result that does not fail is worth more than one that does, whatever it counts.
func TestBetter(t *testing.T) {
	heavy, good, few := &refine.Sampled{ESS: 300, KHat: 1.2}, &refine.Sampled{ESS: 250, KHat: 0.3}, &refine.Sampled{ESS: 5, KHat: math.NaN()}
	for _, c := range [][2]*refine.Sampled{{good, heavy}, {good, few}, {heavy, few}} {
		if !better(c[0], c[1]) || better(c[1], c[0]) {
			t.Errorf("%+v is not better than %+v", c[0], c[1])
		}
	}
}

// The search without a network finds Table 1's planet by itself.
func TestCandidates(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	p := blind(t, "roman-planet.csv")
	truth := event.Theta{0.09, -2.8, 220, 0.15, 33, 1.25, -2.8, 0.6}
	all, err := p.Solutions(context.Background(), []event.Theta{{0.5, -5, 10, 1, 30, 1.2, -3, 0.5}}, 1, 12)
	if err != nil {
		t.Fatal(err)
	}
	if distance(all[0].Params, truth, sameSolution) > 1 || !all[0].Converged || all[0].Origin == FromNetwork {
		t.Errorf("the best solution is %.3f from %s, converged %v; the truth %.3f", all[0].Params, all[0].Origin, all[0].Converged, truth)
	}
}

// The degeneracy of two solutions is named, whichever is the more probable, and solutions that
// nothing predicts have none.
func TestDegeneracies(t *testing.T) {
	// Those of close-wide.csv.
	close := event.Theta{-0.2008, -1.9938, 300.0105, 0.0503, 25.9999, 1.2991, -2.2955, 0.1206}
	wide := event.Theta{0.2304, -1.9830, 299.4361, 0.0409, 26.1163, 1.2999, -2.2980, 0.1220}
	other := close
	other[event.LogQ], other[event.Alpha] = -1, 200
	for _, modes := range [][]event.Theta{{close, other, wide}, {wide, other, close}} {
		var r Refined
		for _, m := range modes {
			r.Modes = append(r.Modes, RefinedMode{Solution: Solution{Params: m}})
		}
		got := r.Degeneracies()
		if len(got) != 1 || got[0].Of != 0 || got[0].With != 2 || !slices.Contains(got[0].Names, event.CloseWide) {
			t.Errorf("%+v", got)
		}
	}
}

func TestDegeneracyOfPlanetAndPair(t *testing.T) {
	// Those of binary-planetary.csv.
	got := degeneracies([]event.Theta{
		{0.3166, -1.6719, 79.46, 0.1348, 26.3046, 1.6960, -3, 0.2054},
		{-0.3463, -1.7131, 79.93, 0.1024, 26.003, 1.6904, -3, 0.2045},
		{-0.6292, -0.1045, 305.02, 0.1249, 26.2266, 1.6255, -3, 0.2473},
		{-0.6230, -0.4307, 209.33, 0.1087, 25.8839, 1.6793, -3, 0.2139},
	})
	names := map[[2]int]string{}
	for _, d := range got {
		names[[2]int{d.Of, d.With}] = strings.Join(d.Names, ", ")
	}
	for pair, want := range map[[2]int]string{{0, 1}: event.CloseWide, {0, 2}: event.BinaryPlanetary, {1, 2}: event.BinaryPlanetary, {0, 3}: event.BinaryPlanetary, {1, 3}: event.BinaryPlanetary} {
		if !strings.Contains(names[pair], want) {
			t.Errorf("%v: %q; want %s", pair, names[pair], want)
		}
	}
	t.Log(names)
}

func TestTrust(t *testing.T) {
	p := blind(t, "close-wide.csv")
	good := func() *Refined {
		return &Refined{post: p, ESS: 800, ESSErr: 20, KHat: 0.2, Evaluations: 1000, Modes: []RefinedMode{{Solution: Solution{Chi2DOF: 1}, Weight: 1}}}
	}
	for _, c := range []struct {
		spoil func(r *Refined)
		want  Level
		says  string
	}{
		{func(r *Refined) {}, Green, "green: ESS 800 ± 20, k̂ 0.20, χ²/dof 1.000, 1 mode above 1 %"},
		{func(r *Refined) { r.ESS = 50 }, Yellow, "few effective draws"},
		{func(r *Refined) { r.ESS = 5 }, Red, "hardly any"},
		{func(r *Refined) { r.ESSErr = 500 }, Yellow, "a single draw"},
		{func(r *Refined) { r.LeftOut = 2 }, Yellow, "solutions left out that may weigh as much: 2"},
		{func(r *Refined) { r.KHat = 0.59 }, Green, "k̂ 0.59"},
		{func(r *Refined) { r.KHat = 0.65 }, Yellow, "the posterior may end too soon"},
		{func(r *Refined) { r.KHat = 0.8 }, Yellow, "heavy-tailed"},
		{func(r *Refined) { r.KHat = math.NaN() }, Red, "all the weight"},
		{func(r *Refined) { r.Modes[0].Chi2DOF = 1.4 }, Yellow, "not as good"},
		{func(r *Refined) { r.Modes[0].Chi2DOF = 9; r.ESS = 50 }, Red, "no solution fits"},
		{func(r *Refined) { r.ESS, r.Walked, r.RHat = 5, true, 1.02 }, Yellow, "draws from an ensemble"},
		{func(r *Refined) { r.ESS, r.Walked, r.RHat = 5, true, 1.5 }, Red, "not converged"},
		{func(r *Refined) { r.KHat, r.RHat = 0.8, 1.5 }, Yellow, "not converged either"},
		{func(r *Refined) { r.Failed = 100 }, Yellow, "100 of 1000 likelihoods failed"},
	} {
		r := good()
		c.spoil(r)
		if got := r.Trust(); got.Level != c.want || !strings.Contains(got.String(), c.says) {
			t.Errorf("%s; want %s, %q", got, c.want, c.says)
		}
	}
	// With photon noise, a wrong solution that χ²/dof of 1.085 hides does not pass.
	resonant := blind(t, "resonant.csv")
	for _, c := range []struct {
		at   event.Theta
		want Level
	}{
		{event.Theta{0.0003, -3.2966, 109.9459, 0.1002, 26.0015, 1.3001, -2.3179, 0.2005}, Green},
		{event.Theta{-0.0467, -3.2965, 110.0600, 0.0990, 25.9979, 1.3041, -2.3550, 0.1980}, Yellow},
	} {
		r := good()
		r.post, r.Photons, r.Modes[0].Params = resonant, true, c.at
		if got := r.Trust(); got.Level != c.want || strings.Contains(got.String(), "are not noise") != (c.want == Yellow) {
			t.Errorf("%s; want %s", got, c.want)
		}
	}
	sparse := event.LightCurve{Times: []float64{0, 1, 2, 3}}
	if d := unlike(sparse); !strings.Contains(d, "outside the training range") {
		t.Errorf("a measurement a day: %q", d)
	}
	short := p.Window
	short.Times = short.Times[:400]
	if d := unlike(short); !strings.Contains(d, "400 measurements") {
		t.Errorf("four days: %q", d)
	}
}

// Systematic resampling gives each draw its share to within one.
func TestSystematic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	draws := make([]refine.Draw, 50)
	var total float64
	for i := range draws {
		draws[i] = refine.Draw{LogWeight: 3 * r.NormFloat64(), Mode: i % 2}
		if i%2 == 1 {
			total += math.Exp(draws[i].LogWeight)
		}
	}
	const n = 1000
	count := map[int]int{}
	for _, i := range systematic(draws, 1, n, r) {
		count[i]++
	}
	sum := 0
	for i, d := range draws {
		want := 0.0
		if i%2 == 1 {
			want = n * math.Exp(d.LogWeight) / total
		}
		if math.Abs(float64(count[i])-want) > 1 {
			t.Errorf("draw %d comes %d times, want %.2f", i, count[i], want)
		}
		sum += count[i]
	}
	if sum != n {
		t.Errorf("%d draws, want %d", sum, n)
	}
}
