package bank

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
)

// Stored curves are within 0.02 standard deviations of the exact ones at every
// epoch, at S/N 230 and f_s = 1, caustic crossings included; and between epochs
// nearly everywhere.
func TestStoredCurves(t *testing.T) {
	n := 400
	if testing.Short() {
		n = 60
	}
	b, err := Simulate(context.Background(), Config{N: n, Seed: 11}, folder(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := b.Config.Cadence
	exact := lens.Options{AbsTol: 1e-6}
	var bytes, kept, crossings, between, off float64
	worst, at := 0.0, 0
	for i, rec := range b.Records {
		if rec.Chi2 <= b.Config.Keep {
			continue
		}
		bytes += float64(b.where[i].bytes)
		kept++
		got, err := b.Curve(nil, i, 0, c.N)
		if err != nil {
			t.Fatal(err)
		}
		want, err := rec.Params.Magnification(nil, c.Times(), exact)
		if err != nil {
			t.Fatal(err)
		}
		steepest := 0.0
		for j, a := range want {
			if share := math.Abs(got[j]-a) / math.Sqrt(a) * bestSN; share > worst {
				worst, at = share, i
			}
			if j > 0 {
				steepest = max(steepest, math.Abs(a-want[j-1])/math.Sqrt(a)*bestSN)
			}
		}
		if steepest > 100 { // a jump of 100 σ from one epoch to the next
			crossings++
		}

		// A window of the curve is the same as that part of it.
		r := rand.New(rand.NewPCG(5, uint64(i)))
		from := r.IntN(c.N - 100)
		part, err := b.Curve(nil, i, from, 100)
		if err != nil {
			t.Fatal(err)
		}
		for j, v := range part {
			if v != got[from+j] {
				t.Fatalf("simulation %d: epoch %d is %v in a window and %v in the whole", i, from+j, v, got[from+j])
			}
		}

		// Between epochs, as irregular cadences need them.
		var s curve
		if _, err := b.open(&s, nil, i); err != nil {
			t.Fatal(err)
		}
		x, times := make([]float64, 300), make([]float64, 300)
		for k := range x {
			x[k] = (float64(k) + r.Float64()) / 300 * float64(c.N-1)
			times[k] = x[k] * c.Step
		}
		s.at(x)
		if want, err = rec.Params.Magnification(nil, times, exact); err != nil {
			t.Fatal(err)
		}
		for k, a := range want {
			between++
			if math.Abs(x[k]-a)/math.Sqrt(a)*bestSN > 0.1 {
				off++
			}
		}
	}
	t.Logf("%v curves of %.0f bytes on average, %v with jumps; worst error %.4f σ (simulation %d); between epochs %.2f %% above 0.1 σ; %d late",
		kept, bytes/kept, crossings, worst, at, 100*off/between, b.Late())
	if worst > 0.02 {
		t.Errorf("simulation %d (%+v): an epoch is off by %.4f σ", at, b.Records[at].Params, worst)
	}
	if crossings < 0.05*kept {
		t.Errorf("only %v of %v curves cross a caustic", crossings, kept)
	}
	if off > 0.01*between {
		t.Errorf("between epochs %v of %v are off by more than 0.1 σ", off, between)
	}
}

// Shapes that no lens makes: storing must hold its tolerance on all of them.
func TestCompactAnything(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 0))
	const n = 3000
	const tol = 1e-4
	for name, f := range map[string]func(i int) float64{
		"flat":  func(int) float64 { return 1 },
		"noise": func(int) float64 { return 1 + r.Float64() },
		"steps": func(i int) float64 { return 1 + float64(i/700) },
		"spike": func(i int) float64 { return 1 + 1e4/(1+float64((i-1500)*(i-1500))) },
	} {
		a := make([]float64, n)
		for i := range a {
			a[i] = f(i)
		}
		raw := compact(nil, a, tol)
		var c curve
		if err := c.open(raw, n); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := make([]float64, n)
		c.grid(got, 0)
		for i, v := range a {
			if d := math.Abs(got[i] - v); d > tol*math.Sqrt(v)+1e-7*v {
				t.Fatalf("%s: epoch %d is %v instead of %v", name, i, got[i], v)
			}
		}
		t.Logf("%s: %d bytes", name, len(raw))
		for _, bad := range [][]byte{nil, raw[:1], raw[:len(raw)-1], append(raw[:len(raw):len(raw)], 0)} {
			if err := c.open(bad, n); err == nil {
				t.Errorf("%s: %d of %d bytes are accepted", name, len(bad), len(raw))
			}
		}
		if err := c.open(raw, n+1); err == nil {
			t.Errorf("%s: another number of epochs is accepted", name)
		}
	}
}

// BenchmarkSimulate makes simulations of the prior, cut and storing included.
func BenchmarkSimulate(b *testing.B) {
	cfg := Config{N: 1, Seed: 1}.withDefaults()
	times := cfg.Cadence.Times()
	var c lens.Curve
	bytes, i := 0, 0
	for b.Loop() {
		_, raw := simulateOne(cfg, i, times, &c)
		bytes += len(raw)
		i++
	}
	b.ReportMetric(float64(bytes)/float64(b.N), "bytes/op")
}

// BenchmarkRealise makes noisy light curves of 7,200 epochs; "window" is the
// magnification alone.
func BenchmarkRealise(b *testing.B) {
	bank, err := Simulate(context.Background(), Config{N: 600, Seed: 1}, b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer bank.Close()
	chosen, err := bank.Select(Train, CutPaper)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("window", func(b *testing.B) {
		b.ReportAllocs()
		var c curve
		var raw []byte
		mag := make([]float64, event.Season().N)
		for k := 0; b.Loop(); k++ {
			if raw, err = bank.open(&c, raw, chosen[k%len(chosen)]); err != nil {
				b.Fatal(err)
			}
			c.grid(mag, (977*k)%event.Season().N)
		}
	})
	for name, o := range map[string]Observing{"regular": {}, "irregular": {Irregular: 1}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var real Realisation
			r := rand.New(rand.NewPCG(1, 0))
			for k := 0; b.Loop(); k++ {
				if err := bank.Realise(&real, chosen[k%len(chosen)], o, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
