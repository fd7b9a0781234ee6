package mlens

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
)

// realisations calls f with n light curves of a bank, gapped ones among them.
func realisations(t *testing.T, n int, f func(lc event.Binned, truth event.Theta)) {
	t.Helper()
	trained(t) // its bank is there
	b, err := Simulate(context.Background(), tiny().Bank, Run{Dir: testDirs[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	chosen, err := b.Select(bank.Train, bank.CutPaper)
	if err != nil {
		t.Fatal(err)
	}
	var real bank.Realisation
	for i := range n {
		if err := b.Realise(&real, chosen[i%len(chosen)], bank.Observing{Irregular: 0.5}, rand.New(rand.NewPCG(3, uint64(i)))); err != nil {
			t.Fatal(err)
		}
		f(real.Binned, real.Theta)
	}
}

// The fast fit is nearly as good as the thorough one on the same bins.
func TestSingleFit(t *testing.T) {
	var z featuriser
	n, within1, within10 := 0, 0, 0
	realisations(t, 150, func(lc event.Binned, _ event.Theta) {
		b, err := z.baseline(lc)
		if err != nil {
			t.Fatal(err)
		}
		fit := z.fitter.fit(lc, b)
		p := z.fitter.fine
		bins := event.LightCurve{Times: p.t, Flux: p.y}
		for _, w := range p.w {
			bins.Err = append(bins.Err, 1/math.Sqrt(w))
		}
		best, err := bins.FitSingleLens()
		if err != nil {
			t.Fatal(err)
		}
		ratio := fit.chi2 * float64(len(p.t)) / best.Chi2
		n++
		if ratio < 1.01 {
			within1++
		}
		if ratio < 1.1 {
			within10++
		}
	})
	t.Logf("of %d light curves, %d within 1 %% of the best χ², %d within 10 %%", n, within1, within10)
	if within1 < 5*n/10 || within10 < 8*n/10 {
		t.Errorf("of %d light curves, %d are within 1 %% of the best χ² and %d within 10 %%", n, within1, within10)
	}
}

// A single lens without noise is found, and its formal errors are what the noise
// would scatter.
func TestSingleFitFindsASingleLens(t *testing.T) {
	const t0, te, u0, fs, sn = 31.3, 9.0, 0.4, 0.6, 150.0
	season := event.Season()
	curve := func(r *rand.Rand) event.Binned {
		lc := event.Binned{Cadence: season, Flux: make([]float64, season.N), Weight: make([]float64, season.N)}
		for i := range lc.Flux {
			tau := (season.Step*float64(i) - t0) / te
			f := sn * sn * (1 + fs*(magnification(tau*tau+u0*u0)-1))
			lc.Flux[i], lc.Weight[i] = f, 1/f
			if r != nil {
				lc.Flux[i] += math.Sqrt(f) * r.NormFloat64()
			}
		}
		return lc
	}
	var f fitter
	want := [fitDim]float64{t0, math.Log(te), math.Log(u0), math.Log(fs), 0}
	clean := f.fit(curve(nil), sn*sn)
	for k, v := range want {
		// The broad prior pulls, by far less than an error; bins widen the peak a little.
		if d := math.Abs(clean.p[k] - v); !(d < 0.3*clean.sd[k]) {
			t.Errorf("parameter %d is %g instead of %g ± %g", k, clean.p[k], v, clean.sd[k])
		}
	}
	const n = 200
	var square [fitDim]float64
	for i := range n {
		s := f.fit(curve(rand.New(rand.NewPCG(1, uint64(i)))), sn*sn)
		for k := range s.p {
			square[k] += (s.p[k] - clean.p[k]) * (s.p[k] - clean.p[k]) / n
		}
	}
	for k := range square {
		if r := math.Sqrt(square[k]) / clean.sd[k]; !(r > 0.75 && r < 1.3) {
			t.Errorf("parameter %d scatters by %.2f of its formal error", k, r)
		}
	}
}

// Features are finite on light curves that are hardly any, and do not depend on
// the flux's unit.
func TestFeaturesAlwaysFinite(t *testing.T) {
	var z featuriser
	season := event.Season()
	check := func(name string, lc event.Binned) *features {
		f := newFeatures()
		if err := z.compute(f, lc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, v := range [][]float32{f.x, f.c, f.event, f.anomaly} {
			for i, x := range v {
				if math.IsNaN(float64(x)) || math.Abs(float64(x)) > 100 {
					t.Fatalf("%s: feature %d of %d is %g", name, i, len(v), x)
				}
			}
		}
		for k, v := range f.fit.p {
			most := fitMax[k]
			if k == fitFs {
				most = math.Ln2 // where no step from the start is one downhill
			}
			if !(v >= fitMin[k] && v <= most && f.fit.sd[k] > 0 && f.fit.sd[k] < 100) {
				t.Fatalf("%s: parameter %d of the fit is %g ± %g", name, k, v, f.fit.sd[k])
			}
		}
		return f
	}
	empty := func() event.Binned {
		return event.Binned{Cadence: season, Flux: make([]float64, season.N), Weight: make([]float64, season.N)}
	}
	few := empty()
	for i := range 40 {
		few.Flux[6000+i], few.Weight[6000+i] = 10, 4
	}
	check("half a day of a constant", few)
	few.Flux[6010] = 1e6
	check("with an outlier", few)
	sharp := empty()
	for i := range sharp.Flux {
		sharp.Flux[i], sharp.Weight[i] = 1+1e4*math.Exp(-math.Pow(float64(i-3000)/4, 2)), 1e10
	}
	check("a spike measured to 1e-5", sharp)
	daily := empty()
	for i := 0; i < season.N; i += 97 {
		daily.Flux[i], daily.Weight[i] = 5+math.Sin(float64(i)), 100
	}
	check("daily", daily)

	realisations(t, 60, func(lc event.Binned, _ event.Theta) {
		want := check("realisation", lc)
		other := event.Binned{Cadence: season, Flux: make([]float64, season.N), Weight: make([]float64, season.N)}
		const unit = 3.7e-12
		for i := range lc.Flux {
			other.Flux[i], other.Weight[i] = unit*lc.Flux[i], lc.Weight[i]/(unit*unit)
		}
		got := check("in another unit", other)
		for k, v := range [][2][]float32{{want.x, got.x}, {want.c, got.c}, {want.event, got.event}, {want.anomaly, got.anomaly}} {
			for i := range v[0] {
				if d := math.Abs(float64(v[0][i] - v[1][i])); !(d < 1e-3) {
					t.Fatalf("array %d, feature %d is %g, in another unit %g", k, i, v[0][i], v[1][i])
				}
			}
		}
	})
}

// Encoding is inverted by decoding, and its volume is the determinant by finite
// differences.
func TestTargets(t *testing.T) {
	s := Targets{Mean: event.Theta{0, -3, 180, 0.1, 0.2, 0.05, -3, 0.1}, Std: event.Theta{0.3, 1.7, 104, 0.4, 1.5, 0.3, 0.6, 0.2}}
	fit := &singleFit{p: [fitDim]float64{30, 2.4, -1, -0.7, 0}}
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		truth := event.Theta{r.NormFloat64(), -3 + r.NormFloat64(), 1 + 358*r.Float64(), 2 * r.Float64(), 72 * r.Float64(), 2 * r.Float64(), -3, r.Float64()}
		for _, circular := range []bool{false, true} {
			y := make([]float32, event.Dim)
			volume := s.encode(y, fit, truth, circular)
			back := s.decode(fit, y, circular)
			for k := range truth {
				if d := math.Abs(back[k] - truth[k]); !(d < 1e-4*max(1, math.Abs(truth[k]))) {
					t.Fatalf("%s was %g and is %g", event.Names[k], truth[k], back[k])
				}
			}
			// The map is diagonal.
			var sum float64
			for i, k := range targetOrder {
				h := 1e-2 * max(0.1, math.Abs(truth[k]))
				if k == event.T0 {
					h = 0.02
				}
				up, down := truth, truth
				up[k] += h
				down[k] -= h
				a, b := make([]float32, event.Dim), make([]float32, event.Dim)
				s.encode(a, fit, up, circular)
				s.encode(b, fit, down, circular)
				d := float64(a[i] - b[i])
				if circular && k == event.Alpha {
					d = math.Remainder(d, 2*math.Pi)
				}
				sum += math.Log(d / (2 * h))
			}
			if e := math.Abs(sum - volume); !(e < 5e-3) {
				t.Fatalf("ln|dy/dθ| is %g, by differences %g", volume, sum)
			}
		}
	}
}
