package event

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/lens"
)

// brute integrates exp(ln L) of Eq. 3, or of the errors given, over f_s and the
// baseline on a fine grid, and returns its logarithm and the mean of f_s.
func brute(lc LightCurve, a []float64, prior Range, photons bool, snMin, snMax float64) (ln, mean float64) {
	lnL := func(fs, base float64) (s float64) {
		for i, y := range lc.Flux {
			g := base * (1 + fs*(a[i]-1))
			v := lc.Err[i] * lc.Err[i]
			if photons {
				v = g
			}
			s -= (y-g)*(y-g)/v/2 + math.Log(2*math.Pi*v)/2
		}
		return s
	}
	// Midpoints of a grid in ln f_s and S/N; then of a finer one where the first
	// has found something.
	const n = 120
	u, v := Range{0, 1}, Range{0, 1}
	for pass := 0; ; pass++ {
		var values [n][n]float64
		at := func(i, j int) (fs, sn float64) {
			fs = prior.logUniform(u.uniform((float64(i) + 0.5) / n))
			sn = snMin + (snMax-snMin)*v.uniform((float64(j)+0.5)/n)
			return fs, sn
		}
		top := math.Inf(-1)
		for i := range n {
			for j := range n {
				fs, sn := at(i, j)
				values[i][j] = lnL(fs, sn*sn)
				top = max(top, values[i][j])
			}
		}
		var sum, first float64
		next := [2]Range{{1, 0}, {1, 0}}
		for i := range n {
			for j := range n {
				fs, _ := at(i, j)
				p := math.Exp(values[i][j] - top)
				sum += p
				first += p * fs
				if values[i][j] > top-25 {
					x, y := u.uniform(float64(i)/n), v.uniform(float64(j)/n)
					next[0] = Range{min(next[0].Min, x-(u.Max-u.Min)/n), max(next[0].Max, x+2*(u.Max-u.Min)/n)}
					next[1] = Range{min(next[1].Min, y-(v.Max-v.Min)/n), max(next[1].Max, y+2*(v.Max-v.Min)/n)}
				}
			}
		}
		if pass == 3 {
			return top + math.Log(sum/(n*n)*(snMax-snMin)*(u.Max-u.Min)*(v.Max-v.Min)), first / sum
		}
		u, v = Range{max(0, next[0].Min), min(1, next[0].Max)}, Range{max(0, next[1].Min), min(1, next[1].Max)}
	}
}

// The integral over the two linear parameters is that of Eq. 3 to 0.02, bright or
// faint, whether f_s is measured or not, and whether it is within the prior or
// beyond.
func TestLikelihoodMarginal(t *testing.T) {
	p := Params{S: 1.2, Q: 0.01, Alpha: 60, U0: 0.3, T0: 36, TE: 8, Rho: 1e-3, Fs: 0.4}
	times := Cadence{Step: 0.4, N: 180}.Times()
	for _, c := range []struct {
		name   string
		sn, fs float64
		by     float64 // what u0 is wrong by
		given  bool
	}{
		{"bright", 200, 0.4, 0, false},
		{"faint", 23, 0.4, 0, false},
		{"all blend", 23, 0.1, 0, false},
		{"no blend", 60, 1, 0, false},
		{"wrong model", 60, 0.9, 0.1, false},
		{"wrong the other way", 60, 0.12, -0.1, false},
		{"errors given", 60, 0.4, 0, true},
	} {
		r := rand.New(rand.NewPCG(3, 4))
		p.Fs = c.fs
		lc, err := p.Simulate(times, c.sn, r)
		if err != nil {
			t.Fatal(err)
		}
		if c.given {
			for i := range lc.Err {
				lc.Err[i] *= 1 + 0.2*r.Float64()
			}
		}
		model := p
		model.U0 += c.by
		a, err := model.Magnification(nil, times, lens.Options{AbsTol: 1e-6, RelTol: 1e-6})
		if err != nil {
			t.Fatal(err)
		}
		prior := Roman()
		l, err := NewLikelihood(lc, prior)
		if err != nil {
			t.Fatal(err)
		}
		if l.Photons() == c.given {
			t.Errorf("%s: photon noise: %v", c.name, l.Photons())
		}
		lin, err := l.Linear(a)
		if err != nil {
			t.Fatal(err)
		}
		want, mean := brute(lc, a, prior.Fs, !c.given, c.sn*0.8, c.sn*1.2)
		if got := lin.LogMarginal(); math.Abs(got-want) > 0.02 {
			t.Errorf("%s: ln of the integral is %.4f, want %.4f", c.name, got, want)
		}
		var got float64
		const n = 2000
		for i := range n {
			got += lin.SampleFs((float64(i)+0.5)/n) / n
		}
		if math.Abs(got-mean) > 2e-3 {
			t.Errorf("%s: mean f_s is %.4f, want %.4f", c.name, got, mean)
		}
		// The density integrates to 1, and draws follow it.
		lo, hi := lin.SampleFs(1e-9), lin.SampleFs(1-1e-9)
		var mass, below float64
		median := lin.SampleFs(0.5)
		const steps = 2000
		for i := range steps {
			fs := lo + (hi-lo)*(float64(i)+0.5)/steps
			d := math.Exp(lin.LogDensityFs(fs)) * (hi - lo) / steps
			mass += d
			if fs < median {
				below += d
			}
		}
		if math.Abs(mass-1) > 2e-3 || math.Abs(below-0.5) > 3e-3 {
			t.Errorf("%s: the density of f_s integrates to %.5f, and to %.5f below the median", c.name, mass, below)
		}
	}
}

// Half the sum of the squared residuals varies as ln L does.
func TestObserve(t *testing.T) {
	p := Params{S: 1.2, Q: 0.01, Alpha: 60, U0: 0.3, T0: 36, TE: 8, Rho: 1e-3, Fs: 0.4}
	lc, err := p.Simulate(Cadence{Step: 0.04, N: 1800}.Times(), 100, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, photons := range []bool{true, false} {
		if !photons {
			for i := range lc.Err {
				lc.Err[i] *= 1.1 + 0.2*float64(i%2)
			}
		}
		l, err := NewLikelihood(lc, Roman())
		if err != nil {
			t.Fatal(err)
		}
		if l.Photons() != photons || l.Len() != lc.Len() {
			t.Fatalf("photon noise: %v; %d residuals", l.Photons(), l.Len())
		}
		at := func(u0 float64) (lnL, ln float64) {
			q := p
			q.U0 = u0
			r := make([]float32, l.Len())
			lin, err := l.Observe(q, r)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range r {
				ln -= float64(v*v) / 2
			}
			return lin.LogPeak, ln
		}
		wantAt, gotAt := at(p.U0)
		want, got := at(0.31)
		t.Logf("photon noise %v: ln L falls by %.2f, ½Σr² rises by %.2f", photons, wantAt-want, gotAt-got)
		if drop := wantAt - want; drop < 2 || math.Abs(gotAt-got-drop) > 0.1*drop {
			t.Errorf("photon noise %v: ln L falls by %.2f, ½Σr² rises by %.2f", photons, drop, gotAt-got)
		}
	}
}

// Photon noise is told from other noise, in any unit.
func TestPhotonGain(t *testing.T) {
	p := Params{S: 1.2, Q: 0.01, Alpha: 60, U0: 0.3, T0: 36, TE: 8, Rho: 1e-3, Fs: 0.4}
	lc, err := p.Simulate(Cadence{Step: 0.4, N: 180}.Times(), 100, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range lc.Flux {
		lc.Flux[i], lc.Err[i] = 0.02*lc.Flux[i], 0.02*lc.Err[i]
	}
	if g := photonGain(lc); math.Abs(g-0.02) > 1e-6 {
		t.Errorf("one photon is %g, want 0.02", g)
	}
	for i := range lc.Err {
		lc.Err[i] = 0.03
	}
	if g := photonGain(lc); g != 0 {
		t.Errorf("equal errors are no photon noise, but one photon is %g", g)
	}
}

// A season's likelihood with f_s and the baseline integrated out, at S/N 200.
func BenchmarkLikelihood(b *testing.B) {
	lc, err := Read("../../data/events/close-wide.csv")
	if err != nil {
		b.Fatal(err)
	}
	l, err := NewLikelihood(lc, Roman())
	if err != nil {
		b.Fatal(err)
	}
	truth := Theta{-0.2, -2, 300, 0.05, 26, 1.301, -2.301, 0.12}.Params()
	for b.Loop() {
		lin, err := l.At(truth)
		if err != nil {
			b.Fatal(err)
		}
		lin.LogMarginal()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "likelihoods/s")
}
