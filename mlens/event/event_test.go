package event

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/lens"
)

func TestPrior(t *testing.T) {
	p := Roman()
	r := rand.New(rand.NewPCG(1, 0))
	// The density integrates to one: importance sampling from the box.
	var sum float64
	const n = 200_000
	bounds := p.Bounds()
	volume := 1.0
	for _, b := range bounds {
		volume *= b.Max - b.Min
	}
	for range n {
		var v Theta
		for k, b := range bounds {
			v[k] = b.uniform(r.Float64())
		}
		sum += math.Exp(p.LogDensity(v))
	}
	if got := sum / n * volume; math.Abs(got-1) > 0.02 {
		t.Errorf("the prior integrates to %v", got)
	}
	// Draws lie inside, and round trip.
	var te float64
	for range 20_000 {
		v := p.Sample(r)
		th := v.Theta()
		if err := p.Check(th); err != nil {
			t.Fatal(err)
		}
		back := th.Params()
		if math.Abs(back.S/v.S-1) > 1e-12 || math.Abs(back.TE/v.TE-1) > 1e-12 || back.T0 != v.T0 {
			t.Fatalf("%+v became %+v", v, back)
		}
		te += th[LogTE] / 20_000
	}
	if math.Abs(te-1.15) > 0.03 { // truncation at 0 and 2 shifts the mean by −0.02
		t.Errorf("mean log10 tE = %v", te)
	}
	out := Roman().Sample(r).Theta()
	out[U0] = 2.5
	if err := p.Check(out); err == nil || !strings.Contains(err.Error(), "u0") {
		t.Errorf("u0 outside: %v", err)
	}
	if !math.IsInf(p.LogDensity(out), -1) {
		t.Error("density outside the prior is not 0")
	}
}

func TestCheck(t *testing.T) {
	good := Params{S: 1, Q: 1e-3, TE: 20, Rho: 1e-3, Fs: 0.5}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, p := range map[string]Params{
		"s =":   {S: 0, Q: 1, TE: 1, Fs: 1},
		"q =":   {S: 1, Q: math.NaN(), TE: 1, Fs: 1},
		"tE":    {S: 1, Q: 1, TE: math.Inf(1), Fs: 1},
		"rho":   {S: 1, Q: 1, TE: 1, Rho: -1, Fs: 1},
		"f_s":   {S: 1, Q: 1, TE: 1},
		"alpha": {S: 1, Q: 1, TE: 1, Fs: 1, Alpha: math.NaN()},
	} {
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "lens: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// §3.2: W149 magnitudes 25 to 20 have baseline S/N from 23 to 230.
func ExamplePhotometry_SN() {
	p := W149()
	fmt.Printf("%.0f %.0f\n", p.SN(25), p.SN(20))
	// Output: 23 228
}

// tables are the truths and alternative solutions of Tables 1–3, in the order
// of a Theta. Table 3 does not list ρ; it hardly matters there.
var tables = []struct {
	name  string
	truth Theta
	alt   map[string]Theta
}{
	{"Table 1", Theta{-0.2, -2, 300, 0.05, 26, 1.301, -2.301, 0.12}, map[string]Theta{
		"close": {-0.1923, -2.0252, 299.8524, 0.0505, 26.0027, 1.2993, -2.2075, 0.1211},
		"wide":  {0.2301, -1.9761, 299.5919, 0.0403, 26.1054, 1.3020, -2.3421, 0.1214},
	}},
	{"Table 2", Theta{0, -3.301, 110, 0.1, 26, 1.301, -2.301, 0.2}, map[string]Theta{
		"close":    {-0.0484, -3.3008, 109.7839, 0.1004, 25.9980, 1.3012, -2.5335, 0.1996},
		"resonant": {0.0018, -3.2858, 109.9666, 0.1003, 26.0014, 1.3012, -2.5325, 0.1995},
	}},
	{"Table 3", Theta{-0.35, -1.7, 80, 0.1, 26, 1.699, -3, 0.2}, map[string]Theta{
		"planetary A": {-0.3520, -1.6849, 80.0207, 0.1027, 25.9926, 1.6874, -3, 0.2048},
		"planetary B": {0.3242, -1.6464, 79.0411, 0.1390, 26.3604, 1.6927, -3, 0.2065},
		"binary A":    {-0.6373, -0.3729, 209.7867, 0.1082, 25.8701, 1.6824, -3, 0.2114},
		"binary B":    {-0.6450, -0.0813, 304.7107, 0.1160, 26.2091, 1.6550, -3, 0.2280},
		"binary C":    {-0.6267, -0.0609, 123.4429, 0.1197, 26.2230, 1.6443, -3, 0.2357},
	}},
}

// The solutions that the paper calls degenerate give nearly the same light
// curve in our frame, and in no other: this pins the origin, the sense of α and
// the place of the primary.
func TestTablesPinTheFrame(t *testing.T) {
	times := Season().Times()
	flux := func(th Theta) []float64 {
		a, err := th.Params().Magnification(nil, times, lens.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f := make([]float64, len(a))
		for i, v := range a {
			f[i] = 1 + th[Fs]*(v-1)
		}
		return f
	}
	rms := func(a, b []float64) float64 {
		var sum float64
		for i := range a {
			sum += (a[i] - b[i]) * (a[i] - b[i])
		}
		return math.Sqrt(sum / float64(len(a)))
	}
	for _, tab := range tables {
		truth := flux(tab.truth)
		for name, alt := range tab.alt {
			got := rms(flux(alt), truth)
			t.Logf("%s, %s: rms %.4f of the baseline", tab.name, name, got)
			if got > 0.02 {
				t.Errorf("%s, %s: rms difference %.4f of the baseline flux, want below 0.02", tab.name, name, got)
			}
		}
	}
	// The other sense of α must not do.
	wrong := tables[0].alt["wide"]
	wrong[Alpha] -= 180
	if got := rms(flux(wrong), flux(tables[0].truth)); got < 0.1 {
		t.Errorf("with α + 180° the wide solution differs by %.3f only: the test decides nothing", got)
	}
}

func TestLightCurveCheck(t *testing.T) {
	for name, c := range map[string]struct {
		lc   LightCurve
		want string
	}{
		"lengths":  {LightCurve{Times: []float64{1, 2}, Flux: []float64{1, 2}, Err: []float64{1}}, "2 times, 2 fluxes and 1 errors"},
		"NaN":      {LightCurve{Times: []float64{1, 2}, Flux: []float64{1, math.NaN()}, Err: []float64{1, 1}}, "measurement 1"},
		"error":    {LightCurve{Times: []float64{1, 2}, Flux: []float64{1, 2}, Err: []float64{0, 1}}, "measurement 0"},
		"unsorted": {LightCurve{Times: []float64{2, 1}, Flux: []float64{1, 2}, Err: []float64{1, 1}}, "sort"},
	} {
		c.lc.Name = "a.dat"
		_, werr := c.lc.Window(0, 72)
		for _, err := range []error{c.lc.Check(), werr} {
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "a.dat") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestFitFluxes(t *testing.T) {
	p := Params{S: 1.2, Q: 0.01, Alpha: 60, U0: 0.1, T0: 30, TE: 15, Rho: 1e-3, Fs: 0.3}
	r := rand.New(rand.NewPCG(3, 0))
	lc, err := p.Simulate(Season().Times(), 100, r)
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.Magnification(nil, lc.Times, lens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := lc.FitFluxes(a)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(f.Baseline()/1e4-1) > 1e-3 || math.Abs(f.Fs()-0.3) > 0.003 {
		t.Errorf("fluxes %+v, f_s %v", f, f.Fs())
	}
	if dof := f.Chi2 / float64(lc.Len()-2); math.Abs(dof-1) > 0.06 {
		t.Errorf("χ²/dof %v", dof)
	}
	// With f_s given, the likelihood is highest near the truth.
	best, _ := lc.LogLikelihood(a, f.Fs())
	for _, fs := range []float64{0.29, 0.31} {
		if l, _ := lc.LogLikelihood(a, fs); l >= best {
			t.Errorf("ln L(%v) = %v is above ln L(%v) = %v", fs, l, f.Fs(), best)
		}
	}
}

func TestFitSingleLens(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 0))
	times := Season().Times()
	for i, want := range []SingleLens{
		{T0: 36, U0: 0.1, TE: 10}, {T0: 5, U0: 0.01, TE: 2}, {T0: 60, U0: 1, TE: 40}, {T0: 36, U0: 0.5, TE: 1.5},
	} {
		for _, unit := range []float64{1, 3.7e-9} {
			lc := LightCurve{Name: "single", Times: times}
			for _, x := range times {
				f, s := Measure(2e4*(1+0.5*(want.Magnification(x)-1)), r)
				lc.Flux, lc.Err = append(lc.Flux, unit*f), append(lc.Err, unit*s)
			}
			got, err := lc.FitSingleLens()
			if err != nil {
				t.Fatal(err)
			}
			if dof := got.Chi2 / float64(got.DOF); math.Abs(dof-1) > 0.07 {
				t.Errorf("case %d: χ²/dof = %v at %+v", i, dof, got)
			}
			if math.Abs(got.T0-want.T0) > 0.3 {
				t.Errorf("case %d: t0 = %v, want %v", i, got.T0, want.T0)
			}
		}
	}
}

// A single lens leaves no residual; a planet does.
func TestResidualChi2(t *testing.T) {
	c := Cadence{Step: 0.01, N: 14400}
	times := c.Times()
	for _, s := range []SingleLens{{T0: 72, U0: 0.1, TE: 20}, {T0: 72, U0: 1e-3, TE: 1}, {T0: 71.995, U0: 1.9, TE: 90}, {T0: 72, U0: 0.02, TE: 1.3}} {
		a := make([]float64, len(times))
		for i, x := range times {
			a[i] = s.Magnification(x)
		}
		off := SingleLens{T0: s.T0 + 0.1, U0: s.U0 * 1.1, TE: s.TE * 0.9}
		if chi2 := ResidualChi2(c, a, 200, off); !(chi2 < 1e-3) {
			t.Errorf("%+v: χ²/dof = %v of a single lens", s, chi2)
		}
	}
	p := tables[0].truth.Params()
	p.T0 = 72
	a, err := p.Magnification(nil, times, lens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	own := SingleLens{T0: p.T0, U0: p.U0, TE: p.TE}
	if few, all := ResidualChi2Without(20, c, a, 200, own), ResidualChi2(c, a, 200, own); !(few > 0 && few < all) || !(ResidualChi2Without(len(a), c, a, 200, own) < 1e-9*all) {
		t.Errorf("χ²/dof %v without the 20 largest residuals, %v with all", few, all)
	}
	if chi2 := ResidualChi2(c, a, 200, own); !(chi2 > 1) {
		t.Errorf("Table 1's planet leaves χ²/dof = %v", chi2)
	}
}

func TestWindow(t *testing.T) {
	lc := LightCurve{Name: "three seasons"}
	for season := range 3 {
		for i := range 6912 {
			lc.Times = append(lc.Times, 2460766.5+153*float64(season)+float64(i)/96)
			lc.Flux = append(lc.Flux, 1000)
			lc.Err = append(lc.Err, 30)
		}
	}
	for i := 9000; i < 9200; i++ {
		lc.Flux[i] += 500
	}
	start, err := lc.BestWindow(72)
	if err != nil || start != 2460766.5+153 {
		t.Errorf("best window from %v, %v; want the second season", start, err)
	}
	w, err := lc.Window(start, 72)
	if err != nil || w.Len() != 6912 || w.Times[0] != 0 {
		t.Errorf("window of %d from %v: %v", w.Len(), w.Times[0], err)
	}
	if _, err := lc.Window(2460766.5+90, 30); err == nil || !strings.Contains(err.Error(), "0 measurements") {
		t.Errorf("empty window: %v", err)
	}
	// Every measurement lands in a bin, and the sum of weights is kept.
	b := w.Bin(Season())
	var sum float64
	for _, v := range b.Weight {
		sum += v
	}
	if want := 6912.0 / 900; math.Abs(sum/want-1) > 1e-3 {
		t.Errorf("weights sum to %v, want %v", sum, want)
	}
}

func TestBinRegularIsIdentity(t *testing.T) {
	s := Season()
	lc := LightCurve{Times: s.Times()}
	for i := range lc.Times {
		lc.Flux, lc.Err = append(lc.Flux, float64(i)), append(lc.Err, 2)
	}
	b := lc.Bin(s)
	for i := range b.Flux {
		if b.Flux[i] != float64(i) || b.Weight[i] != 0.25 {
			t.Fatalf("bin %d: %v %v", i, b.Flux[i], b.Weight[i])
		}
	}
	// A shift by whole days moves no measurement to another bin.
	for i := range lc.Times {
		lc.Times[i] = (lc.Times[i] + 2460000.5) - 2460000.5
	}
	if c := lc.Bin(s); fmt.Sprint(c.Flux) != fmt.Sprint(b.Flux) {
		t.Error("rounding of the times moved measurements")
	}
}
