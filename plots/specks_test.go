package plots

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// heavyTailed draws t0 and u0 from a narrow core, 4 % of the time from a wide
// tail, and with probability mode from a small mode off the core; α has two
// modes, one of them across 0°.
func heavyTailed(n int, seed uint64, mode float64) []event.Theta {
	rng := rand.New(rand.NewPCG(seed, 0))
	out := make([]event.Theta, n)
	for i := range out {
		t0, u0 := 26+0.1*rng.NormFloat64(), 0.2+0.03*rng.NormFloat64()
		switch r := rng.Float64(); {
		case r < mode:
			t0, u0 = 29+0.05*rng.NormFloat64(), 0.8+0.02*rng.NormFloat64()
		case r < mode+0.04:
			t0 = 26 + 2*rng.NormFloat64()/math.Sqrt(rng.ExpFloat64())
			u0 = math.Abs(0.2 + 0.2*rng.NormFloat64()/math.Sqrt(rng.ExpFloat64()))
		}
		alpha := 180 + 12*rng.NormFloat64()
		if rng.Float64() < 0.4 {
			alpha = 4 + 15*rng.NormFloat64()
		}
		out[i][event.T0], out[i][event.U0], out[i][event.Alpha] = t0, u0, wrap360(alpha)
	}
	return out
}

var heavyParams = CornerOptions{Params: []int{event.Alpha, event.U0, event.T0}}

// countRings counts the islands of the outermost regions of a pair, and the
// holes in them.
func countRings(c *corner, row, col int) (islands, holes int) {
	for _, r := range c.pairs()[row*len(c.cols)+col].rings[0] {
		if signedArea(r) > 0 {
			islands++
		} else {
			holes++
		}
	}
	return islands, holes
}

// A sparse tail makes neither specks nor holes: there is one island for each
// mode.
func TestHeavyTailsMakeNoSpecks(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	for _, n := range []int{2000, 20_000} {
		for seed := range uint64(3) {
			for _, weighted := range []bool{false, true} {
				opt := heavyParams
				draws := heavyTailed(n, seed, 0)
				if weighted {
					rng := rand.New(rand.NewPCG(seed, 1))
					for range draws {
						opt.Weights = append(opt.Weights, rng.ExpFloat64())
					}
				}
				c := newCorner(draws, opt)
				for _, p := range []struct{ row, col, islands int }{{1, 0, 2}, {2, 0, 2}, {2, 1, 1}} {
					islands, holes := countRings(c, p.row, p.col)
					if islands > p.islands || islands == 0 || holes > 0 {
						t.Errorf("%d draws, weighted %v, seed %d: panel (%d, %d) has %d islands and %d holes, want at most %d and none",
							n, weighted, seed, p.row, p.col, islands, holes, p.islands)
					}
				}
			}
		}
	}
}

// Angles all round the circle have an axis of one turn, full to its ends.
func TestWholeCircle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	var draws []event.Theta
	for range 5000 {
		draws = append(draws, event.Theta{event.Alpha: 360 * rng.Float64(), event.U0: 1 + 0.1*rng.NormFloat64()})
	}
	truth := event.Theta{event.Alpha: 359.9, event.U0: 1}
	a := newCorner(draws, CornerOptions{Params: []int{event.Alpha, event.U0}, Truth: &truth}).cols[0]
	if math.Abs(a.hi-a.lo-360) > 1e-9 {
		t.Fatalf("axis from %v to %v", a.lo, a.hi)
	}
	middle := a.bins[len(a.bins)/2]
	for _, i := range []int{0, len(a.bins) - 1} {
		if a.bins[i] < middle/2 {
			t.Errorf("bin %d of %d has %.0f draws, one in the middle %.0f", i, len(a.bins), a.bins[i], middle)
		}
	}
}

// A mode of 1 % of the draws is an island of its own, beside a heavy tail too,
// and inside the range.
func TestSmallModesShow(t *testing.T) {
	for seed := range uint64(3) {
		c := newCorner(heavyTailed(20_000, seed, 0.012), heavyParams)
		islands := 0
		for _, r := range c.pairs()[2*3+1].rings[0] {
			if inside(r, 0.8, 29) {
				islands++
			}
		}
		if islands != 1 {
			t.Errorf("seed %d: %d rings about the small mode", seed, islands)
		}
		draws := heavyTailed(20_000, seed, 0)
		for i := range 220 { // far away, where the range might end before it
			draws[i][event.T0] = 60 + 0.2*(draws[i][event.U0]-0.2)/0.03
		}
		if c := newCorner(draws, heavyParams); c.cols[2].hi < 60.4 {
			t.Errorf("seed %d: the axis of t0 ends at %.1f, before a mode of 1.1 %% at 60", seed, c.cols[2].hi)
		}
	}
}

// A few far draws do not stretch an axis, whose range holds 99 % of the draws.
func TestFarDrawsDoNotSquash(t *testing.T) {
	draws := heavyTailed(20_000, 1, 0)
	for i := range 50 {
		draws[i][event.T0] += float64(i) * 10
	}
	c := newCorner(draws, heavyParams)
	lo, hi := c.cols[2].lo, c.cols[2].hi
	if hi-lo > 60 {
		t.Errorf("the axis of t0 is from %.1f to %.1f", lo, hi)
	}
	out := 0
	for _, d := range draws {
		if d[event.T0] < lo || d[event.T0] > hi {
			out++
		}
	}
	if out > len(draws)/100 {
		t.Errorf("%d of %d draws lie outside the range", out, len(draws))
	}
}

// inside tells whether a ring winds about a point.
func inside(ring [][2]float64, x, y float64) bool {
	in := false
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a[1] > y) != (b[1] > y) && x < a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
			in = !in
		}
	}
	return in
}

// A hole in an island that goes with it leaves nothing behind.
func TestSolidNested(t *testing.T) {
	const n = 20
	d := &density{nx: n, ny: n, v: make([]float64, n*n)}
	for y := 3; y < 6; y++ {
		for x := 3; x < 6; x++ {
			d.v[y*n+x] = 1.01
		}
	}
	d.v[4*n+4] = 0.99
	for y := 10; y < 18; y++ {
		for x := 10; x < 18; x++ {
			d.v[y*n+x] = 100
		}
	}
	var sum float64
	for _, v := range d.v {
		sum += v
	}
	for i := range d.v {
		d.v[i] /= sum
	}
	out := d.solid(1/sum, 1000)
	for _, p := range out.patches(func(v float64) bool { return v >= 1/sum }, false) {
		if len(p.cells) != 64 {
			t.Errorf("an island of %d cells is left", len(p.cells))
		}
	}
}
