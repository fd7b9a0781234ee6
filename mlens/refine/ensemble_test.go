package refine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// Moments of a density that neither move knows the shape of.
func TestEnsembleBanana(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	r := rand.New(rand.NewPCG(1, 2))
	starts := make([][]float64, 40)
	for i := range starts {
		starts[i] = []float64{r.NormFloat64(), 1 + r.NormFloat64(), 0.5 + r.NormFloat64()}
	}
	c, err := Ensemble(context.Background(), banana, line3(), starts, EnsembleOptions{Seed: 1, Walkers: 40, Steps: 16000})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("accepted %.2f, autocorrelation time %.0f, R̂ %.3f, %d evaluations", c.Accepted, c.Time, c.RHat, c.Evaluations)
	var m0, m00, m1, m2, n float64
	for _, step := range c.X {
		for _, x := range step {
			m0, m00, m1, m2, n = m0+x[0], m00+x[0]*x[0], m1+x[1], m2+x[2], n+1
		}
	}
	// Five standard errors of the mean with as many independent draws as the
	// autocorrelation time leaves.
	tolerance := 5 / math.Sqrt(n/c.Time)
	for name, v := range map[string][3]float64{"x0": {m0 / n, 0, 1}, "x0²": {m00 / n, 1, 1.5}, "x1": {m1 / n, 1, 1.5}, "x2": {m2 / n, 0.5, 0.8}} {
		if math.Abs(v[0]-v[1]) > v[2]*tolerance {
			t.Errorf("mean of %s is %.3f, want %.3f ± %.3f", name, v[0], v[1], v[2]*tolerance)
		}
	}
	if c.RHat > 1.1 || c.Accepted < 0.1 {
		t.Errorf("R̂ = %.3f, %.2f accepted", c.RHat, c.Accepted)
	}
}

// A cheaper density before the right one, and not nearly the same, leaves the chain right, and
// the right one asked less often.
func TestEnsembleBefore(t *testing.T) {
	p := func(x []float64) float64 { return -x[0]*x[0]/2 - x[1]*x[1]/2 }
	before := func(x []float64) float64 { return -(x[0]-0.5)*(x[0]-0.5)/3 - x[1]*x[1]/1.5 }
	params := []Parameter{{Min: -30, Max: 30, Scale: 1}, {Min: -30, Max: 30, Scale: 1}}
	r := rand.New(rand.NewPCG(1, 6))
	var starts [][]float64
	for range 40 {
		starts = append(starts, []float64{r.NormFloat64(), r.NormFloat64()})
	}
	opt := EnsembleOptions{Seed: 2, Walkers: 40, Steps: 6000, Before: before}
	c, err := Ensemble(context.Background(), p, params, starts, opt)
	if err != nil {
		t.Fatal(err)
	}
	var m0, m00, m1, m11, n float64
	for _, step := range c.X {
		for _, x := range step {
			m0, m00, m1, m11, n = m0+x[0], m00+x[0]*x[0], m1+x[1], m11+x[1]*x[1], n+1
		}
	}
	tolerance := 5 * math.Sqrt(c.Time/n)
	t.Logf("means %.3f, %.3f, squares %.3f, %.3f ± %.3f; %d evaluations, %.2f accepted", m0/n, m1/n, m00/n, m11/n, tolerance, c.Evaluations, c.Accepted)
	for name, v := range map[string][2]float64{"x0": {m0 / n, 0}, "x1": {m1 / n, 0}, "x0²": {m00 / n, 1}, "x1²": {m11 / n, 1}} {
		if math.Abs(v[0]-v[1]) > 1.5*tolerance {
			t.Errorf("mean of %s is %.3f, want %.0f ± %.3f", name, v[0], v[1], tolerance)
		}
	}
	if most := opt.Walkers * opt.Steps * 7 / 10; c.Evaluations > most {
		t.Errorf("%d evaluations, more than %d", c.Evaluations, most)
	}
}

// A chain that goes on throws nothing away.
func TestEnsembleOnward(t *testing.T) {
	opt := EnsembleOptions{Seed: 1, Walkers: 8, Steps: 20}
	c, err := Ensemble(context.Background(), banana, line3(), [][]float64{{0, 0, 0}}, opt)
	if err != nil {
		t.Fatal(err)
	}
	opt.Seed, opt.Onward = 2, true
	next, err := Ensemble(context.Background(), banana, line3(), c.X[len(c.X)-1], opt)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.X) != 10 || len(next.X) != 20 {
		t.Errorf("%d and %d steps", len(c.X), len(next.X))
	}
	stay := 0
	for i, x := range next.X[0] {
		if slices.Equal(x, c.X[len(c.X)-1][i]) {
			stay++
		}
	}
	if stay == 0 {
		t.Error("all walkers have moved: none is where it was")
	}
}

// Walkers in two modes keep exchanging, so that weights come out right, also
// across the end of a circle.
func TestEnsembleModes(t *testing.T) {
	params := []Parameter{{Min: 0, Max: 360, Period: 360, Scale: 10}, {Min: -50, Max: 50, Scale: 1}}
	p := func(x []float64) float64 {
		return logAdd(math.Log(0.8)+normal(math.Remainder(x[0]-359, 360), 0, 5)+normal(x[1], 0, 1),
			math.Log(0.2)+normal(math.Remainder(x[0]-60, 360), 0, 5)+normal(x[1], 3, 1))
	}
	r := rand.New(rand.NewPCG(1, 3))
	starts := make([][]float64, 40)
	for i := range starts {
		starts[i] = []float64{math.Mod(359+float64(i%2)*61+5*r.NormFloat64()+720, 360), 3*float64(i%2) + r.NormFloat64()}
	}
	c, err := Ensemble(context.Background(), p, params, starts, EnsembleOptions{Seed: 2, Walkers: 40, Steps: 6000})
	if err != nil {
		t.Fatal(err)
	}
	var second, n float64
	for _, step := range c.X {
		for _, x := range step {
			if math.Abs(math.Remainder(x[0]-60, 360)) < 30 {
				second++
			}
			n++
		}
	}
	t.Logf("second mode %.3f, time %.0f, R̂ %.3f", second/n, c.Time, c.RHat)
	if math.Abs(second/n-0.2) > 0.06 {
		t.Errorf("the second mode has %.3f of the draws, want 0.2", second/n)
	}
}

// Modes of other shapes, too far apart for anything else, have their shares by jumps, whatever the
// places say of the shapes.
func TestEnsembleJumps(t *testing.T) {
	params := []Parameter{{Min: 0, Max: 360, Period: 360, Scale: 10}, {Min: -50, Max: 50, Scale: 1}, {Min: 0, Max: 1, Scale: 1}}
	a := func(x []float64) float64 {
		return normal(math.Remainder(x[0]-359, 360), 0, 2) + normal(x[1], math.Remainder(x[0]-359, 360)/4, 0.2)
	}
	b := func(x []float64) float64 { return normal(x[0]-100, 0, 5) + normal(x[1], 30, 0.4) }
	p := func(x []float64) float64 { return logAdd(math.Log(0.7)+a(x), math.Log(0.3)+b(x)) }
	r := rand.New(rand.NewPCG(1, 4))
	modes := make([][][]float64, 2)
	for range 30 {
		u, v := r.NormFloat64(), r.NormFloat64()
		modes[0] = append(modes[0], []float64{math.Mod(359+2*u+360, 360), u/2 + 0.2*v, r.Float64()})
		modes[1] = append(modes[1], []float64{100 + 5*u, 30 + 0.4*v, r.Float64()})
	}
	opt := EnsembleOptions{Seed: 3, Walkers: 40, Steps: 3000, Modes: modes}
	c, err := Ensemble(context.Background(), p, params, modes[1], opt)
	if err != nil {
		t.Fatal(err)
	}
	var first, width, n float64
	for _, step := range c.X {
		for _, x := range step {
			if x[1] < 15 {
				first++
			} else {
				width += (x[0] - 100) * (x[0] - 100)
			}
			n++
		}
	}
	width = math.Sqrt(width / (n - first))
	sigma := math.Sqrt(0.21 / n * c.Time)
	t.Logf("first mode %.3f ± %.3f, width of the second %.2f, time %.0f, R̂ %.3f", first/n, sigma, width, c.Time, c.RHat)
	if sigma > 0.03 || math.Abs(first/n-0.7) > 4*sigma || math.Abs(width-5) > 0.5 {
		t.Errorf("the first mode has %.3f ± %.3f, want 0.7; the second a width of %.2f, want 5", first/n, sigma, width)
	}
	opt.Modes[1] = opt.Modes[1][:5]
	if _, err := Ensemble(context.Background(), p, params, modes[1], opt); err == nil {
		t.Error("five places of a mode are not refused")
	}
}

// Jumps between modes that are none, overlap and go round the circle leave the density as it is, with
// a cheaper one before, too.
func TestEnsembleJumpsAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	params := []Parameter{{Min: 0, Max: 360, Period: 360, Scale: 10}, {Min: -50, Max: 50, Scale: 1}}
	p := func(x []float64) float64 { return math.Cos(x[0]*math.Pi/180) + normal(x[1], 0, 1) }
	before := func(x []float64) float64 { return normal(x[1], 0.3, 1.3) }
	r := rand.New(rand.NewPCG(1, 5))
	modes := make([][][]float64, 2)
	for range 200 {
		modes[0] = append(modes[0], []float64{math.Mod(80+40*r.NormFloat64()+720, 360), -0.5 + r.NormFloat64()})
		modes[1] = append(modes[1], []float64{math.Mod(200+110*r.NormFloat64()+720, 360), 1 + 0.6*r.NormFloat64()})
	}
	c, err := Ensemble(context.Background(), p, params, modes[0], EnsembleOptions{Seed: 4, Walkers: 40, Steps: 20000, Modes: modes, Before: before})
	if err != nil {
		t.Fatal(err)
	}
	var cos, sin, m, mm, n float64
	for _, step := range c.X {
		for _, x := range step {
			sn, cs := math.Sincos(x[0] * math.Pi / 180)
			cos, sin, m, mm, n = cos+cs, sin+sn, m+x[1], mm+x[1]*x[1], n+1
		}
	}
	const bessel = 0.44640 // I₁(1)/I₀(1)
	tolerance := 5 * math.Sqrt(c.Time/n)
	t.Logf("cos %.4f, sin %.4f, mean %.4f, square %.4f ± %.4f; time %.0f", cos/n, sin/n, m/n, mm/n, tolerance, c.Time)
	for name, v := range map[string][2]float64{"cos": {cos / n, bessel}, "sin": {sin / n, 0}, "x1": {m / n, 0}, "x1²": {mm / n, 1}} {
		if math.Abs(v[0]-v[1]) > tolerance {
			t.Errorf("mean of %s is %.4f, want %.4f ± %.4f", name, v[0], v[1], tolerance)
		}
	}
}

func TestEnsembleSameBits(t *testing.T) {
	var first float64
	for i, workers := range []int{1, 4} {
		before := runtime.GOMAXPROCS(workers)
		c, err := Ensemble(context.Background(), banana, line3(), [][]float64{{0, 0, 0}}, EnsembleOptions{Seed: 1, Steps: 50})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		last := c.LogProb[len(c.LogProb)-1][7]
		if i == 0 {
			first = last
		}
		if last != first {
			t.Errorf("%d workers: %v, not %v", workers, last, first)
		}
	}
}

func TestEnsembleRefuses(t *testing.T) {
	ctx := context.Background()
	if _, err := Ensemble(ctx, banana, line3(), nil, EnsembleOptions{}); err == nil {
		t.Error("no error without starts")
	}
	if _, err := Ensemble(ctx, banana, line3(), [][]float64{{0, 0, 0}}, EnsembleOptions{Walkers: 4}); err == nil {
		t.Error("no error for too few walkers")
	}
	nowhere := func([]float64) float64 { return math.Inf(-1) }
	if _, err := Ensemble(ctx, nowhere, line3(), [][]float64{{0, 0, 0}}, EnsembleOptions{}); err == nil {
		t.Error("no error where the density vanishes")
	}
}

// On a circle that is filled, stretches must not favour the short way round.
func TestEnsembleCircle(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	params := []Parameter{{Min: 0, Max: 360, Period: 360, Scale: 30}, {Min: -50, Max: 50, Scale: 1}}
	p := func(x []float64) float64 {
		return math.Log1p(0.9*math.Cos(x[0]*math.Pi/180)) - x[1]*x[1]/2
	}
	r := rand.New(rand.NewPCG(1, 5))
	var starts [][]float64
	for range 40 {
		starts = append(starts, []float64{360 * r.Float64(), r.NormFloat64()})
	}
	c, err := Ensemble(context.Background(), p, params, starts, EnsembleOptions{Seed: 3, Walkers: 40, Steps: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	var cos, n float64
	for _, step := range c.X {
		for _, x := range step {
			cos, n = cos+math.Cos(x[0]*math.Pi/180), n+1
		}
	}
	if got, tolerance := cos/n, 4*math.Sqrt(0.3*c.Time/n); math.Abs(got-0.45) > tolerance {
		t.Errorf("mean cosine %.4f, want 0.45 ± %.4f", got, tolerance)
	}
}

// Where ctx ends on the way, its error comes with what there is.
func TestCancelledOnTheWay(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p := func(x []float64, _ []float32) float64 { return -x[0] * x[0] / 2 }
	params := []Parameter{{Min: -30, Max: 30, Scale: 1}}
	s, err := Sample(ctx, p, params, []Start{{X: []float64{0}}}, SampleOptions{Budget: 10_000, ESS: 9000, Progress: func(n int, _ float64) {
		if n > 1000 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || len(s.Draws) == 0 || !(s.ESS > 0) {
		t.Errorf("Sample: %v, %d draws", err, len(s.Draws))
	}
	if e, err := s.Reweight(ctx, func(x []float64) float64 { return p(x, nil) }, 100, 1); e != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Reweight: %v, %v", e, err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	c, err := Ensemble(ctx, func(x []float64) float64 { return p(x, nil) }, params, [][]float64{{0}}, EnsembleOptions{Steps: 1000, Progress: func(n, _ int) {
		if n == 600 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || len(c.X) != 100 || !(c.RHat > 0) {
		t.Errorf("Ensemble: %v, %d steps", err, len(c.X))
	}
}

// An autoregressive series of known autocorrelation time.
func TestAutocorrelationTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	const phi = 0.9
	chains := make([][]float64, 20)
	for i := range chains {
		chains[i] = make([]float64, 4000)
		for k := 1; k < len(chains[i]); k++ {
			chains[i][k] = phi*chains[i][k-1] + r.NormFloat64()
		}
	}
	if got, want := AutocorrelationTime(chains), (1+phi)/(1-phi); math.Abs(got/want-1) > 0.1 {
		t.Errorf("%.2f, want %.2f", got, want)
	}
	if r := SplitRHat(chains); math.Abs(r-1) > 0.02 {
		t.Errorf("R̂ = %.3f", r)
	}
	still := make([]float64, len(chains[0]))
	if got := AutocorrelationTime(append([][]float64{still, still, still, still, still}, chains[5:]...)); got < 500 {
		t.Errorf("%.0f steps where a quarter of the chains stands still", got)
	}
	if got := AutocorrelationTime([][]float64{still}); !math.IsInf(got, 1) {
		t.Errorf("%v where nothing moves", got)
	}
	for k := range chains[0] {
		chains[0][k] += 20
	}
	if r := SplitRHat(chains); r < 1.2 {
		t.Errorf("R̂ = %.3f with a chain apart", r)
	}
}
