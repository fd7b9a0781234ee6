package event

import (
	"math"
	"testing"

	"github.com/mlens-go/microlens/mlens/lens"
)

func partner(t *testing.T, p Params, name string) Params {
	t.Helper()
	for _, q := range p.Partners() {
		if q.Degeneracy == name {
			return q.Params
		}
	}
	t.Fatalf("%+v has no partner called %s", p, name)
	return Params{}
}

// The partners of the paper's close solutions are near its wide ones.
func TestPartnersOfTables(t *testing.T) {
	for _, c := range []struct{ from, want Theta }{
		{tables[0].alt["close"], tables[0].alt["wide"]},
		{tables[2].alt["planetary A"], tables[2].alt["planetary B"]},
	} {
		got := partner(t, c.from.Params(), CloseWide).Theta()
		near := Theta{0.05, 0.05, 1.1, 0.006, 0.1, 0.01, 0.2, 0.01}
		for k := range got {
			if math.Abs(got[k]-c.want[k]) > near[k] {
				t.Errorf("%s = %.4f, the paper's is %.4f", Names[k], got[k], c.want[k])
			}
		}
	}
}

// Minima of χ² of one simulated light curve: the two beside the Einstein ring lead to
// the two next to it, and back.
func TestPartnersNearTheRing(t *testing.T) {
	minima := []Theta{
		{0.1223, -3.6173, 268.98, 0.0060, 28.92, 0.9478, -2.838, 0.403}, {-0.1194, -3.6186, 268.98, 0.0061, 28.92, 0.9477, -2.838, 0.403},
		{0.0283, -3.7964, 268.73, 0.0061, 28.92, 0.9493, -2.770, 0.401}, {-0.0255, -3.7984, 268.73, 0.0061, 28.92, 0.9493, -2.770, 0.401},
	}
	for i, from := range minima {
		for _, to := range []Theta{minima[(i/2*2+2)%4], minima[(i/2*2+3)%4]} {
			near := false
			for _, q := range from.Params().Partners() {
				p := q.Params.Theta()
				near = near || math.Abs(p[LogS]-to[LogS]) < 0.02 && math.Abs(p[LogQ]-to[LogQ]) < 0.1
			}
			if !near {
				t.Errorf("no partner of log s = %v is near %v", from[LogS], to[LogS])
			}
		}
	}
}

// The planets of the binary–planetary degeneracy lead to its pairs of stars, and back: the minima of
// χ² of the light curve of Table 3's event.
func TestPartnersBinaryPlanetary(t *testing.T) {
	planets := []Theta{
		{-0.3463, -1.7131, 79.93, 0.1024, 26.003, 1.6904, -3, 0.2045},
		{0.3166, -1.6719, 79.46, 0.1348, 26.3046, 1.6960, -3, 0.2054},
	}
	pairs := []Theta{
		{-0.6230, -0.4307, 209.33, 0.1087, 25.8839, 1.6793, -3, 0.2139},
		{-0.6292, -0.1045, 305.02, 0.1249, 26.2266, 1.6255, -3, 0.2473},
	}
	near := Theta{0.07, 0.25, 8, 0.03, 0.3, 0.1, math.Inf(1), math.Inf(1)}
	closest := func(from, to Theta) (least float64) {
		least = math.Inf(1)
		for _, q := range from.Params().Partners() {
			if q.Degeneracy != BinaryPlanetary {
				continue
			}
			off := 0.0
			for k, v := range q.Params.Theta() {
				off = max(off, math.Abs(v-to[k])/near[k])
			}
			least = min(least, off)
		}
		return least
	}
	for i, planet := range planets {
		for j, pair := range pairs {
			there, back := closest(planet, pair), closest(pair, planet)
			t.Logf("planet %d and pair %d: %.2f, back %.2f", i, j, there, back)
			if there > 1 || back > 1 {
				t.Errorf("planet %d and pair %d: %.2f, back %.2f", i, j, there, back)
			}
		}
	}
}

// Partners have nearly the light curve of the event that predicts them, and its
// partners' partner is the event itself.
func TestPartnersLookAlike(t *testing.T) {
	times := Season().Times()
	curve := func(p Params) []float64 {
		a, err := p.Magnification(nil, times, lens.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, c := range []struct {
		name string
		p    Params
		off  float64 // largest relative difference of A allowed
	}{
		{CloseWide, Params{S: 0.6, Q: 1e-3, Alpha: 250, U0: 0.08, T0: 36, TE: 20, Rho: 2e-3, Fs: 1}, 0.01},
		{BinaryCloseWide, Params{S: 0.2, Q: 0.4, Alpha: 50, U0: 0.2, T0: 36, TE: 8, Rho: 2e-3, Fs: 1}, 0.04},
		{Offset, Params{S: 1.42, Q: 3e-4, Alpha: 88, U0: 0.75, T0: 36, TE: 20, Rho: 3e-2, Fs: 1}, 0.05},
		{Mirror, Params{S: 0.3, Q: 0.7, Alpha: 85, U0: 0.4, T0: 36, TE: 10, Rho: 2e-3, Fs: 1}, 0.04},
		{HalfTurn, Params{S: 0.9, Q: 1, Alpha: 20, U0: 0.2, T0: 36, TE: 10, Rho: 2e-3, Fs: 1}, 1e-4},
	} {
		q := partner(t, c.p, c.name)
		a, b := curve(c.p), curve(q)
		worst := 0.0
		for i := range a {
			worst = max(worst, math.Abs(a[i]/b[i]-1))
		}
		t.Logf("%s: %+v, at most %.4f off", c.name, q, worst)
		if worst > c.off {
			t.Errorf("%s: up to %.3f off", c.name, worst)
		}
		back := partner(t, q, c.name).Theta()
		for k, v := range c.p.Theta() {
			if math.Abs(back[k]-v) > 1e-9*math.Max(1, math.Abs(v)) {
				t.Errorf("%s: %s = %v comes back as %v", c.name, Names[k], v, back[k])
			}
		}
	}
}
