package refine

import (
	"context"
	"math"
	"testing"
)

// tube is a thin bent valley in a box, to whose other end it goes from the first parameter's 0.1,
// where the density is highest; nothing is known of the last.
type tube struct{}

const thin = 0.003

func (tube) residuals(dst, x []float64) error {
	dst[0] = (x[0] - 0.1) / 0.6
	dst[1] = (x[1] - 0.2 - 0.6*x[0]*x[0]) / thin
	dst[2] = (x[2] - 0.5 - 0.3*math.Sin(4*x[0])) / thin
	return nil
}

func (tube) params() (params []Parameter) {
	for range 4 {
		params = append(params, Parameter{Min: 0, Max: 1, Scale: 0.1})
	}
	return params
}

// From the top of a tube, Trace comes to both ends of it, within the price that it says, and with
// those places sampling finds all of the evidence; without them, a half or less with most seeds.
func TestTrace(t *testing.T) {
	var tube tube
	s, ok, err := Settle(context.Background(), tube.residuals, 3, []float64{0.1, 0.206, 0.617, 0.5}, tube.params(), Options{Iterations: 200})
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	evaluations, alone := 0, s
	s, err = Trace(context.Background(), func(dst, x []float64) error {
		evaluations++
		return tube.residuals(dst, x)
	}, 3, s, tube.params())
	if err != nil {
		t.Fatal(err)
	}
	least, most := 1.0, 0.0
	for _, a := range s.along {
		least, most = min(least, a.X[0]), max(most, a.X[0])
		off := make([]float64, 3)
		tube.residuals(off, a.X)
		if math.Hypot(off[1], off[2]) > 1 {
			t.Errorf("%.3f is beside the valley by %.2f", a.X, off)
		}
	}
	t.Logf("%d places, x0 from %.3f to %.3f, %d evaluations", len(s.along), least, most, evaluations)
	if least > 0.03 || most < 0.95 || evaluations > 2000 {
		t.Errorf("%d places, x0 from %.3f to %.3f, %d evaluations", len(s.along), least, most, evaluations)
	}
	// ∫ exp(−½ r²) across the tube is 2π thin², along it what is within the box.
	along := 0.6 * math.Sqrt(math.Pi/2) * (math.Erf(0.9/0.6/math.Sqrt2) + math.Erf(0.1/0.6/math.Sqrt2))
	want := math.Log(2*math.Pi*thin*thin) + math.Log(along)
	p := unobserved(func(x []float64) float64 {
		r := make([]float64, 3)
		tube.residuals(r, x)
		return -(r[0]*r[0] + r[1]*r[1] + r[2]*r[2]) / 2
	})
	out, err := Sample(context.Background(), p, tube.params(), []Start{alone}, SampleOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("from the top alone ln Z %.3f ± %.3f", out.LogEvidence-want, out.LogEvidenceErr); out.LogEvidence > want-0.5 {
		t.Errorf("the tube is none that needs Trace")
	}
	for seed := range uint64(2) {
		out, err := Sample(context.Background(), p, tube.params(), []Start{s}, SampleOptions{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		var end, all float64
		for _, d := range out.Draws {
			w := math.Exp(d.LogWeight)
			if all += w; d.X[0] > 0.8 {
				end += w
			}
		}
		share := 0.6 * math.Sqrt(math.Pi/2) * (math.Erf(0.9/0.6/math.Sqrt2) - math.Erf(0.7/0.6/math.Sqrt2)) / along
		t.Logf("ln Z %.3f ± %.3f, ESS %.0f of %d, k̂ %.2f, share beyond 0.8 %.3f", out.LogEvidence-want, out.LogEvidenceErr, out.ESS, out.Evaluations, out.KHat, end/all)
		if math.Abs(out.LogEvidence-want) > 4*out.LogEvidenceErr || out.LogEvidenceErr > 0.1 {
			t.Errorf("ln Z is wrong by %.3f ± %.3f", out.LogEvidence-want, out.LogEvidenceErr)
		}
		if math.Abs(end/all/share-1) > 0.25 {
			t.Errorf("%.3f of the evidence is beyond 0.8, want %.3f", end/all, share)
		}
	}
}

// A straight valley is what its curvature says, and is left alone.
func TestTraceStraight(t *testing.T) {
	s, ok, err := Settle(context.Background(), func(dst, x []float64) error {
		dst[0], dst[1] = (x[0]-0.5)/0.05, (x[1]-x[0])/0.01
		return nil
	}, 2, []float64{0.5, 0.5, 0.5}, tube{}.params()[:3], Options{Iterations: 100})
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if s, err = Trace(context.Background(), func(dst, x []float64) error {
		dst[0], dst[1] = (x[0]-0.5)/0.05, (x[1]-x[0])/0.01
		return nil
	}, 2, s, tube{}.params()[:3]); err != nil || len(s.along) > 0 {
		t.Errorf("%d places, %v", len(s.along), err)
	}
}
