package mlens

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

// wide1 is near the wide solution of Table 1's event.
var wide1 = event.Theta{0.23, -1.98, 299.4, 0.041, 26, 1.301, -2.3, 0.12}

func TestAmong(t *testing.T) {
	p := blind(t, "close-wide.csv")
	at := func(x event.Theta) Solution {
		t.Helper()
		s, err := p.Polish(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	truth, wide := at(table1), at(wide1)
	beside := table1
	beside[event.U0] *= 1.05
	// Farther off than what makes two places one, so that it has to settle first.
	farther := Solution{Params: table1}
	farther.Params[event.LogS] += 0.03
	if distance(farther.Params, truth.Params, sameSolution) < 1 {
		t.Fatal("too near")
	}
	for _, c := range []struct {
		name   string
		s      Solution
		others []Solution
		want   bool
	}{
		{"the same", truth, []Solution{wide, at(beside)}, true},
		{"the other", truth, []Solution{wide}, false},
		{"none", truth, nil, false},
		{"what settles there", truth, []Solution{wide, farther}, true},
		{"what settles elsewhere", farther, []Solution{wide}, false},
	} {
		if got, err := p.among(context.Background(), c.s, c.others); err != nil || got != c.want {
			t.Errorf("among %s: %v, %v", c.name, got, err)
		}
	}
}

// A mode whose draws are at another solution becomes that one; a stray draw does not move it.
func TestFollow(t *testing.T) {
	p := blind(t, "close-wide.csv")
	wide, err := p.Polish(context.Background(), wide1)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := p.Polish(context.Background(), table1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		heavy, light event.Theta
		origin       string
		want         event.Theta
		modes        []Solution
	}{
		{"most are at the truth", table1, wide1, FromSampling, table1, []Solution{wide}},
		{"most are at the wide one", wide1, table1, FromGiven, wide1, []Solution{wide}},
		{"the truth is a mode already", table1, wide1, FromGiven, table1, []Solution{wide, truth}},
	} {
		r := &Refined{post: p}
		s := &refine.Sampled{Modes: make([]refine.Share, len(c.modes))}
		s.Modes[0].Weight = 1
		for _, m := range c.modes {
			r.Modes = append(r.Modes, RefinedMode{Solution: m})
		}
		for i := range 20 {
			// The truth fits better, whatever the weights are.
			d := refine.Draw{X: c.heavy[:event.Fs], LogProb: -1}
			if i%5 == 0 {
				d = refine.Draw{X: c.light[:event.Fs], LogProb: -1, LogWeight: -3}
			}
			if d.X[0] == table1[0] {
				d.LogProb = 0
			}
			s.Draws = append(s.Draws, d)
		}
		if err := r.follow(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		if m := r.Modes[0]; len(r.Modes) != 1 || m.Origin != c.origin || distance(r.Modes[s.Draws[0].Mode].Params, c.want, apart) > 1 {
			t.Errorf("%s: %d modes, from %s, %v", c.name, len(r.Modes), m.Origin, m.Params)
		}
		if len(s.Modes) != len(r.Modes) {
			t.Errorf("%s: %d shares of %d modes", c.name, len(s.Modes), len(r.Modes))
		}
	}
}

// Where a few of a hundred draws are far from all modes, what they lead to is one, and they are
// its; a stray draw makes none.
func TestExplore(t *testing.T) {
	p := blind(t, "close-wide.csv")
	wide, err := p.Polish(context.Background(), wide1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		away, modes int // of 1,000 draws
	}{{2, 1}, {100, 2}} {
		r := &Refined{post: p, Modes: []RefinedMode{{Solution: wide}}}
		s := &refine.Sampled{Modes: make([]refine.Share, 1)}
		for i := range 1000 {
			at := wide.Params
			if i < c.away {
				at = table1
				at[event.Alpha] += 0.01 * float64(i%10)
			}
			s.Draws = append(s.Draws, refine.Draw{X: at[:event.Fs], LogProb: -float64(i % 10)})
		}
		if err := r.explore(context.Background(), s, 1); err != nil {
			t.Fatal(err)
		}
		if len(r.Modes) != c.modes || len(s.Modes) != c.modes {
			t.Errorf("%d draws away: %d modes and %d shares, want %d", c.away, len(r.Modes), len(s.Modes), c.modes)
			continue
		}
		if c.modes == 2 {
			if m := r.Modes[1]; m.Origin != FromSampling || distance(m.Params, table1, apart) > 1 || s.Modes[1].Draws != c.away || s.Draws[0].Mode != 1 || s.Draws[999].Mode != 0 {
				t.Errorf("%d draws from %s are at %v", s.Modes[1].Draws, m.Origin, m.Params)
			}
		}
	}
}

func TestPromising(t *testing.T) {
	var of []int
	for k := range mostModes + 3 {
		of = append(of, k)
	}
	// The best fit promises least, the last of all most; one more is as good as any, one hopeless.
	logEvidence := func(k int) float64 { return []float64{-40, -30, -1}[min(k, 2)] + float64(k/(mostModes+2)) }
	chosen, leftOut := promising(of, logEvidence)
	if len(chosen) != mostModes || chosen[0] != 0 || chosen[1] != 2 || chosen[mostModes-1] != mostModes+2 || !slices.IsSorted(chosen) || leftOut != 2 {
		t.Errorf("chosen %v, %d left out", chosen, leftOut)
	}
}

func TestUniform(t *testing.T) {
	const n = 20_000
	var mean, square float64
	for i := range n {
		u := uniform([event.Fs]float64{0, -2, float64(i) * 1e-9})
		if u != uniform([event.Fs]float64{0, -2, float64(i) * 1e-9}) || !(u >= 0 && u < 1) {
			t.Fatalf("u = %v", u)
		}
		mean += u / n
		square += u * u / n
	}
	if math.Abs(mean-0.5) > 0.01 || math.Abs(square-1.0/3) > 0.01 {
		t.Errorf("mean %.4f, of the square %.4f", mean, square)
	}
}

// The truth is found where a solution or a draw fits like it, not where a descent from a draw
// that does not fit would come to it.
func TestHas(t *testing.T) {
	ctx := context.Background()
	p := blind(t, "close-wide.csv")
	s, err := p.Polish(ctx, table1)
	if err != nil {
		t.Fatal(err)
	}
	misfit := table1
	misfit[event.T0] += 0.05 // where descents come back from
	wide, err := p.Polish(ctx, event.Theta{0.23, -1.98, 299.45, 0.041, 26.116, 1.299, -2.29, 0.122})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what  string
		modes []RefinedMode
		draws []event.Theta
		want  bool
	}{
		{"its solution", []RefinedMode{{Solution: s}}, nil, true},
		{"another solution", []RefinedMode{{Solution: wide}}, nil, false},
		{"a draw like it", nil, []event.Theta{table1}, true},
		{"a draw that does not fit", nil, []event.Theta{misfit}, false},
	} {
		r := &Refined{Modes: c.modes, Draws: c.draws, post: p}
		if got := r.has(ctx, table1); got != c.want {
			t.Errorf("found by %s: %v", c.what, got)
		}
	}
}
