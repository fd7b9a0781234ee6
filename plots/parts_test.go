package plots

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
)

// Labels of an axis are round, inside, and do not touch.
func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		length vg.Length
		want   string
	}{
		{0, 1, 200, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{-0.25, 0.25, 100, "−0.2 0.0 0.2"},
		{1.2965, 1.3055, 84, "1.300 1.305"},
		{0, 2e6, 200, "0 500000 1000000 1500000 2000000"},
		{1, 0, 50, "0.0 0.5 1.0"},
		{3, 3, 100, ""},
	} {
		var got []string
		for _, k := range ticks(c.lo, c.hi, c.length, 8, true, 6) {
			if k.label != "" {
				got = append(got, k.label)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("ticks on [%v, %v] of %v: %q, want %q", c.lo, c.hi, c.length, s, c.want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 0))
	for range 2000 {
		lo := 1e3 * rng.NormFloat64()
		hi := lo + math.Pow(10, 6*rng.Float64()-4)
		last, n := math.Inf(-1), 0
		for _, k := range ticks(lo, hi, 150, 8, true, 6) {
			if k.at < lo-1e-6*(hi-lo) || k.at > hi+1e-6*(hi-lo) {
				t.Fatalf("[%v, %v]: tick at %v", lo, hi, k.at)
			}
			if k.minor {
				continue
			}
			x := 150 * (k.at - lo) / (hi - lo)
			half := float64(textWidth(k.label, 8)) / 2
			if k.label == "" {
				n++
				continue
			}
			if x-half < last {
				t.Fatalf("[%v, %v]: label %q overlaps", lo, hi, k.label)
			}
			last = x + half
			n++
		}
		if n == 0 {
			t.Fatalf("[%v, %v]: no ticks", lo, hi)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v    float64
		dec  int
		want string
	}{{-1.25, 1, "−1.2"}, {-0.001, 2, "0.00"}, {3, 0, "3"}} {
		if got := number(c.v, c.dec); got != c.want {
			t.Errorf("number(%v, %d) = %q, want %q", c.v, c.dec, got, c.want)
		}
	}
	if got := count(1234567) + " " + count(999) + " " + count(-1000); got != "1,234,567 999 -1,000" {
		t.Error(got)
	}
}

// A raised piece stands above a lowered one and both take the wider's room.
func TestStackedScripts(t *testing.T) {
	sum := textWidth("x", 10) + max(textWidth("_{−0.12}", 10), textWidth("^{+3}", 10))
	if got := textWidth("x^{+3}_{−0.12}", 10); math.Abs(float64(got-sum)) > 1e-9 {
		t.Errorf("width %v, want %v", got, sum)
	}
	if unmark("log_{10} $t$_{E} [d]") != "log10 tE [d]" {
		t.Error(unmark("log_{10} $t$_{E} [d]"))
	}
	// What is no markup is text.
	for _, s := range []string{"a_b", "5^", "cost $3", "x_{", "100 %"} {
		if textWidth(s, 10) <= textWidth("a", 10) {
			t.Errorf("%q lost text", s)
		}
	}
}

// The circle is cut where the posterior is not.
func TestEmptiest(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 0))
	for _, modes := range [][]float64{{0}, {359}, {10, 300}, {90, 270}, {180}} {
		var v []float64
		for i := range 5000 {
			v = append(v, wrap360(modes[i%len(modes)]+2*rng.NormFloat64()))
		}
		cut := emptiest(v, nil)
		for _, m := range modes {
			if d := math.Abs(math.Remainder(cut-m, 360)); d < 20 {
				t.Errorf("modes at %v: cut at %v", modes, cut)
			}
		}
	}
	var uniform []float64
	for range 5000 {
		uniform = append(uniform, 360*rng.Float64())
	}
	if cut := emptiest(uniform, nil); cut != 0 {
		t.Errorf("a uniform posterior is cut at %v", cut)
	}
	for i := range uniform[:4000] { // a mode on top of it
		uniform[i] = wrap360(5 + 15*rng.NormFloat64())
	}
	if cut := emptiest(uniform, nil); cut < 70 || cut > 300 {
		t.Errorf("a mode at 5° with 20 %% everywhere is cut at %v", cut)
	}
	if cut := emptiest([]float64{100, 101, 102}, nil); cut != 0 {
		t.Errorf("a posterior away from 0 is cut at %v", cut)
	}
}

// The titles are the weighted quantiles, α modulo 360.
func TestColumn(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	draws, w := make([]event.Theta, 40_000), make([]float64, 40_000)
	for i := range draws {
		draws[i][event.Alpha] = wrap360(0.5 + 2*rng.NormFloat64())
		x := 4 * (rng.Float64() - 0.5) * 2
		draws[i][event.LogS], w[i] = x, math.Exp(-x*x/2)
	}
	draws[7][event.LogS] = math.NaN()
	c := newCorner(draws, CornerOptions{Params: []int{event.LogS, event.Alpha}, Weights: w})
	for k, want := range []float64{-1, 0, 1} {
		if math.Abs(c.cols[0].q[k]-want) > 0.03 {
			t.Errorf("quantiles %v", c.cols[0].q)
		}
	}
	if c.left != 1 || c.n != 39_999 {
		t.Errorf("%d used, %d left out", c.n, c.left)
	}
	a := &c.cols[1]
	if a.hi-a.lo > 30 {
		t.Errorf("α from %v to %v", a.lo, a.hi)
	}
	for _, k := range ticksFunc(a.lo, a.hi, 200, 8, true, 6, 10, a.number) {
		if strings.HasPrefix(k.label, "−") {
			t.Errorf("α is labelled %s", k.label)
		}
	}
}

// α is a circle: turned, its estimate turns with it, and every label stays in
// [0, 360).
func TestAlphaTurns(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	offsets := make([]float64, 5000)
	for i := range offsets {
		if offsets[i] = 15 * rng.NormFloat64(); i%5 == 0 {
			offsets[i] = 360 * rng.Float64() // everywhere
		}
		if i%10 == 1 {
			offsets[i] += 120 // a second mode
		}
	}
	var want [3]float64
	for turn := 0.0; turn < 360; turn += 40 {
		draws := make([]event.Theta, len(offsets))
		for i, o := range offsets {
			draws[i][event.Alpha] = wrap360(turn + o)
		}
		c := &newCorner(draws, CornerOptions{Params: []int{event.Alpha}}).cols[0]
		if turn == 0 {
			want = c.q
		}
		for k, q := range c.q {
			if d := math.Remainder(q-want[k]-turn, 360); math.Abs(d) > 1e-9 {
				t.Errorf("turned by %v, the quantiles are %v; unturned %v", turn, c.q, want)
			}
		}
		c.setTicks(200, 8)
		labels := 0
		for _, k := range append(c.xticks, c.yticks...) {
			if k.label == "" {
				continue
			}
			labels++
			if v, err := strconv.ParseFloat(k.label, 64); err != nil || v < 0 || v >= 360 || math.Mod(v, 30) != 0 {
				t.Errorf("turned by %v, α is labelled %s", turn, k.label)
			}
		}
		if labels < 6 {
			t.Errorf("turned by %v, α has %d labels", turn, labels)
		}
		for _, mode := range []float64{turn, turn + 120} {
			if p := c.place(mode); math.Min(p-c.lo, c.hi-p) < 15 {
				t.Errorf("turned by %v, the mode at %v is cut by the axis from %v to %v", turn, mode, c.lo, c.hi)
			}
		}
	}
}

// Averages keep the weighted mean, the information and sharp features.
func TestMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	var in []sample
	for i := range 7200 {
		s := sample{t: 0.01 * float64(i), err: 1 + rng.Float64(), n: 1}
		s.f = 1e4 + s.err*rng.NormFloat64()
		if i >= 3600 && i < 3605 {
			s.f += 100
		}
		in = append(in, s)
	}
	out := merge(in, 0.2)
	var w0, f0, w1, f1, n float64
	for _, s := range in {
		w0, f0 = w0+1/(s.err*s.err), f0+s.f/(s.err*s.err)
	}
	sharp := 0
	for _, s := range out {
		w1, f1, n = w1+1/(s.err*s.err), f1+s.f/(s.err*s.err), n+float64(s.n)
		if s.f > 1e4+50 {
			sharp += s.n
		}
	}
	if math.Abs(w1/w0-1) > 1e-9 || math.Abs(f1/w1-f0/w0) > 1e-6 || n != 7200 {
		t.Errorf("weight %v of %v, mean %v of %v, %v samples", w1, w0, f1/w1, f0/w0, n)
	}
	if sharp != 5 {
		t.Errorf("%d samples in the spike of 5", sharp)
	}
	if len(out) > 700 {
		t.Errorf("%d points remain", len(out))
	}
}

func TestBaseline(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	var in []sample
	for i := range 3000 {
		u := math.Hypot(0.1, float64(i-1000)/200)
		in = append(in, sample{f: 1000*(1+0.5*(lens.SingleLens(u)-1)) + 5*rng.NormFloat64(), err: 5})
	}
	if b := baseline(in); math.Abs(b-1000) > 10 {
		t.Errorf("baseline %v, want 1000", b)
	}
}

// Eq. 15 of Zhang et al. (2021) explains the u0 of Table 1's wide solution:
// seen from their central caustics both solutions pass at the same distance.
func TestCentralCausticOfTable1(t *testing.T) {
	near, err := newScene(Solution{Params: event.Theta{-0.1923, -2.0252, 299.8524, 0.0505, 26, 1.3, -2.3, 0.12}.Params()}, CentralCaustic)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := newScene(Solution{Params: event.Theta{0.2301, -1.9761, 299.5919, 0.0403, 26.1, 1.3, -2.3, 0.12}.Params()}, CentralCaustic)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(near.u0-wide.u0) > 3e-4 {
		t.Errorf("closest approach %.4f and %.4f", near.u0, wide.u0)
	}
	// The masses' order is a matter of naming.
	p := event.Params{S: 1.7, Q: 0.01, U0: 0.05, Alpha: 60, TE: 10, Rho: 1e-3, Fs: 1}
	q := p
	q.Q, q.Alpha = 100, 240
	a, _ := newScene(Solution{Params: p}, CentralCaustic)
	b, _ := newScene(Solution{Params: q}, CentralCaustic)
	if math.Abs(a.u0-b.u0) > 1e-12 || math.Abs(a.size-b.size) > 1e-9 {
		t.Errorf("swapped masses: u0 %v and %v, size %v and %v", a.u0, b.u0, a.size, b.size)
	}
}

// A path is counted to cross a closed caustic an even number of times.
func TestCrossings(t *testing.T) {
	sc, err := newScene(Solution{Params: event.Params{S: 1, Q: 0.5, U0: 0.02, Alpha: 70, TE: 1, Rho: 1e-3, Fs: 1}}, NearestCaustic)
	if err != nil {
		t.Fatal(err)
	}
	if sc.crossings == 0 || sc.crossings%2 != 0 {
		t.Errorf("%d crossings", sc.crossings)
	}
	if _, err := newScene(Solution{Params: event.Params{S: -1}}, CentralCaustic); err == nil {
		t.Error("an impossible lens was accepted")
	}
}

// The area of the images over that of the source is the magnification.
func TestImageAreas(t *testing.T) {
	b := lens.Binary{S: 0.9, Q: 0.3}
	for _, c := range []struct{ x, y, rho float64 }{{0.15, 0.1, 0.08}, {0.3, 0.5, 0.01}, {0, 0, 0.3}} {
		src := complex(c.x, c.y)
		var area float64
		for _, rings := range imageRegions(b, src, c.rho, limbImages(b, src, c.rho), 1.5) {
			for _, r := range rings {
				area += signedArea(r)
			}
		}
		got := area / (math.Pi * c.rho * c.rho)
		want := b.Magnification(c.x, c.y, c.rho, lens.Options{RelTol: 1e-6}).Magnification
		if math.Abs(got/want-1) > 0.01 {
			t.Errorf("source %+v: images magnify by %.4f, the lens by %.4f", c, got, want)
		}
	}
}

func TestBinomialBand(t *testing.T) {
	lo, hi := binomialBand(14_551, 0.05)
	if lo < 670 || lo > 680 || hi < 775 || hi > 785 { // 727.6 ± 1.96·26.3
		t.Errorf("band %v to %v", lo, hi)
	}
}

func TestBadData(t *testing.T) {
	if _, err := LightCurve(event.LightCurve{Name: "empty"}, nil, LightCurveOptions{}); err == nil {
		t.Error("an empty light curve was drawn")
	}
	nan := math.NaN()
	lc := event.LightCurve{Times: []float64{0, 1, 2, 3}, Flux: []float64{1, nan, 1.1, 1}, Err: []float64{0.1, 0.1, 0.1, 0}}
	if _, err := LightCurve(lc, nil, LightCurveOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := LightCurve(lc, nil, LightCurveOptions{Window: [2]float64{5, 6}}); err == nil {
		t.Error("an empty window was drawn")
	}
	if _, err := Ranks([event.Dim][]float64{{0.5, nan}}, RanksOptions{}); err == nil {
		t.Error("a rank of NaN was drawn")
	}
	if _, err := Solutions(lc, nil, SolutionsOptions{}); err == nil {
		t.Error("no solutions were drawn")
	}
	if _, err := MagnificationMap(lens.Binary{S: -1, Q: 1}, MapOptions{}); err == nil {
		t.Error("an impossible lens was drawn")
	}
	for name, f := range map[string]func(){
		"no draws":       func() { Corner(nil, CornerOptions{}) },
		"weights":        func() { Corner(make([]event.Theta, 3), CornerOptions{Weights: []float64{1}}) },
		"parameter":      func() { Corner(make([]event.Theta, 3), CornerOptions{Params: []int{8}}) },
		"sigmas":         func() { Corner(make([]event.Theta, 3), CornerOptions{Sigmas: 5}) },
		"negative width": func() { Loss(nil, LossOptions{Width: -1}) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "plots: ") {
					t.Errorf("%s: panic %v", name, s)
				}
			}()
			f()
		}()
	}
	// Degenerate but legal: one point, all draws equal, an empty history.
	Corner(make([]event.Theta, 1), CornerOptions{})
	Corner(slices.Repeat([]event.Theta{{1, 2, 3, 4, 5, 6, 7, 8}}, 50), CornerOptions{})
	Loss(nil, LossOptions{})
}
