package refine

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// valley is a density in seven dimensions whose residuals are polynomials: a valley bent
// in several directions.
func valley(x []float64, dst []float32) float64 {
	r := [...]float64{
		x[0],
		(x[1] - 0.3*x[0]*x[0]) / 0.2,
		(x[2] - 0.1*x[0]*x[3]) / 0.1,
		x[3] / 2,
		(x[4] - x[3] + 0.2*x[0]*x[1]) / 0.3,
		(x[5] + 0.02*x[3]*x[3]) / 0.05,
		x[6] - 0.2*x[0],
	}
	ln := -math.Log(0.2*0.1*2*0.3*0.05) - 3.5*math.Log(2*math.Pi)
	for i, v := range r {
		ln -= v * v / 2
		if dst != nil {
			dst[i] = float32(v)
		}
	}
	return ln
}

func valleyParams() (params []Parameter) {
	for range 7 {
		params = append(params, Parameter{Min: -40, Max: 40, Scale: 0.1})
	}
	return params
}

func TestEmulator(t *testing.T) {
	// Coordinates without ends, so that the residuals are polynomials of them.
	s := newSpace(valleyParams())
	for k := range s {
		s[k].Min, s[k].Max = math.Inf(-1), math.Inf(1)
	}
	g := rand.New(rand.NewPCG(1, 1))
	drawing := func() *drawn {
		w := &drawn{y: make([]float64, 7), residuals: make([]float32, 7)}
		for k := range w.y {
			w.y[k] = 0.5 * g.NormFloat64()
		}
		w.logP = valley(w.y, w.residuals)
		return w
	}
	var in []*drawn
	for range 500 {
		in = append(in, drawing())
	}
	if emulate(s, in[:50], false) != nil {
		t.Error("36 coefficients from 50 draws")
	}
	for _, cubic := range []bool{false, true} {
		e := emulate(s, in, cubic)
		if e == nil {
			t.Fatal("no emulator")
		}
		var worst, offset float64
		inside := 0
		for range 200 {
			w := drawing()
			got := e.logDensity(w.y)
			if math.IsInf(got, -1) {
				continue
			}
			if inside++; inside == 1 {
				offset = got - w.logP
			}
			worst = max(worst, math.Abs(got-w.logP-offset)/(1+0.01*math.Abs(w.logP)))
		}
		t.Logf("cubic %v: %d inside, worst %.2g", cubic, inside, worst)
		if inside < 100 || (!cubic && worst > 0.05) || worst > 0.5 {
			t.Errorf("cubic %v: %d inside, ln p wrong by %.3g", cubic, inside, worst)
		}
		far := make([]float64, 7)
		for k := range far {
			far[k] = 100
		}
		if l := e.logDensity(far); !math.IsInf(l, -1) {
			t.Errorf("far away ln p = %v", l)
		}
	}
}

func TestFlatten(t *testing.T) {
	logW := make([]float64, 200)
	for i := range logW {
		if logW[i] = math.Inf(-1); i < 20 {
			logW[i] = -float64(i)
		}
	}
	out := flatten(logW, 40)
	if e := effective(out); math.Abs(e-10) > 0.01 {
		t.Errorf("20 weights flattened are worth %v draws", e)
	}
	if !math.IsInf(out[50], -1) {
		t.Errorf("a weight of nothing has become e^%v", out[50])
	}
}

// The residuals make draws worth more, and change nothing else.
func TestSampleEmulated(t *testing.T) {
	x := make([]float64, 7)
	var efficiency [2]float64
	for i, n := range []int{0, 7} {
		var first *Sampled
		for _, workers := range []int{1, 3} {
			before := runtime.GOMAXPROCS(workers)
			s, err := Sample(context.Background(), valley, valleyParams(), []Start{{X: x}}, SampleOptions{Seed: 1, Budget: 4000, ESS: 1e9, Residuals: n})
			runtime.GOMAXPROCS(before)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = s
			}
			if s.LogEvidence != first.LogEvidence {
				t.Errorf("%d workers: ln Z %v, not %v", workers, s.LogEvidence, first.LogEvidence)
			}
		}
		efficiency[i] = first.Efficiency()
		t.Logf("%d residuals: ESS %.0f ± %.0f of %d, k̂ %.2f, ln Z %.3f ± %.3f", n, first.ESS, first.ESSErr, first.Evaluations, first.KHat, first.LogEvidence, first.LogEvidenceErr)
		if n > 0 && math.Abs(first.LogEvidence) > 0.25 {
			t.Errorf("ln Z = %.3f ± %.3f, want 0", first.LogEvidence, first.LogEvidenceErr)
		}
	}
	// With nothing left of the budget, it is spent once more.
	for _, good := range []bool{true, false} {
		s, err := Sample(context.Background(), valley, valleyParams(), []Start{{X: x}}, SampleOptions{
			Budget: 500, ESS: 1e9, Residuals: 7, Good: func(*Sampled) bool { return good },
		})
		if want := map[bool]int{true: 500, false: 1000}[good]; err != nil || s.Evaluations != want {
			t.Errorf("good %v: %d evaluations, not %d; %v", good, s.Evaluations, want, err)
		}
	}
	if efficiency[1] < 1.5*efficiency[0] {
		t.Errorf("efficiency %.3f with residuals, %.3f without", efficiency[1], efficiency[0])
	}
}
