package mlens

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/mlens-go/microlens/mlens/event"
)

func TestCompare(t *testing.T) {
	mode := func(logS, alpha, lnZ float64) RefinedMode {
		m := RefinedMode{LogEvidence: lnZ, Solution: Solution{Params: event.Theta{logS, -2, alpha, 0.05, 26, 1.3, -2.3, 0.12}, Origin: FromNetwork, Chi2DOF: 1}}
		m.Mean = m.Params
		for k := range m.Sigma {
			m.Sigma[k] = 0.01
		}
		return m
	}
	r := &Refined{Modes: []RefinedMode{mode(-0.2, 359.99, -100), mode(0.23, 299, -126.5)}}
	r.Modes[1].Params[event.LogRho], r.Modes[1].Mean[event.LogRho] = -4, -4
	far := mode(0.4, 200, 0).Solution
	far.Fluxes.Chi2 = 643
	far.Information = mat.NewSymDense(int(event.Fs), nil)
	for k := range int(event.Fs) {
		far.Information.SetSym(k, k, 1e4)
	}
	r.Improbable = []Solution{far}
	// A solution beside the close one has draws of its own.
	beside := mode(-0.15, 359.99, -130)
	r.Modes = append(r.Modes, beside)
	for range 30 {
		r.proposed = append(r.proposed, beside.Params)
	}
	for i := range 100 { // two thirds of them 0 and 0.02 above the close mode, and others elsewhere
		d := r.Modes[0].Params
		d[event.LogQ] += 0.02 * float64(i%2)
		d[event.Alpha] = 0.01
		if i%3 == 0 {
			d[event.LogQ] = -4
		}
		r.proposed = append(r.proposed, d)
	}
	refs := []Reference{
		{Label: "improbable", Params: event.Theta{0.41, -2, 200, 0.05, 26, 1.3, -2.3, 0.12}},
		{Label: "close", Params: event.Theta{-0.19, -2, 0.02, 0.05, 26, 1.3, math.NaN(), 0.12}},
		{Label: "elsewhere", Params: event.Theta{0.6, -2, 90, 0.05, 26, 1.3, -2.3, 0.12}},
		{Label: "beside", Params: event.Theta{-0.15, -2, 0, 0.05, 26, 1.3, -2.3, 0.12}},
		{Label: "wide", Params: event.Theta{0.23, -1.97, 299, 0.05, 26, 1.3, -2.3, 0.12}, Sigma: event.Theta{event.LogQ: 0.03, event.T0: 0.01}},
	}
	for i, want := range []int{-1, 0, -1, 2, 1} {
		if got := r.Nearest(refs[i]); got != want {
			t.Errorf("%s: solution %d, want %d", refs[i].Label, got, want)
		}
	}
	truth := event.Theta{-0.2, -2, 0, 0.05, 26, 1.3, -2.345, 0.12}
	var b strings.Builder
	if err := r.Compare(&b, refs, &truth); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "truth"); n != 1 {
		t.Errorf("%d columns of the truth", n)
	}
	for _, want := range []string{"-0.1900", "-0.2000 ± 0.0100   +1.0", "0.0200", "359.9900 ± 0.0100   +3.0", "–", "elsewhere: not found", "-26.50", "+643", "0.4000 ± 0.0100   +1.0", "-1.9900 ± 0.0101", "360.0100",
		"-1.9700 ± 0.0300   -2.0000 ± 0.0100   +0.9", "-0.1900           -0.2000   -0.2000 ± 0.0100", "-0.1500   -0.1500   -0.1500 ± 0.0100", "-4.0000 ± 0.0100*      ", "* at an end", "-2.3450          –           -2.3000"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}
