package plots

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// limited draws log q from a core and, for a tenth of the draws, evenly from
// the two decades below the prior's end at 0; u0 with a density that falls
// linearly to 0 at its end; t0 from a Gaussian.
func limited(n int) []event.Theta {
	rng := rand.New(rand.NewPCG(7, 0))
	out := make([]event.Theta, n)
	for i := range out {
		out[i][event.LogQ] = -3 + 0.3*rng.NormFloat64()
		if rng.Float64() < 0.1 {
			out[i][event.LogQ] = -2 * rng.Float64()
		}
		out[i][event.U0] = 0.3 * math.Sqrt(rng.Float64())
		out[i][event.T0] = 30 + 0.5*rng.NormFloat64()
	}
	return out
}

// reach returns the range of a coordinate of the regions of a pair.
func reach(p pairDensity, axis int) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, rings := range p.rings {
		for _, r := range rings {
			for _, q := range r {
				lo, hi = math.Min(lo, q[axis]), math.Max(hi, q[axis])
			}
		}
	}
	return lo, hi
}

// Regions and histograms end at the prior's limits, with a truth beyond the
// draws and a mark beyond the limit too.
func TestRegionsEndAtLimits(t *testing.T) {
	truth := event.Theta{event.LogQ: 0, event.U0: 0, event.T0: 30}
	beyond := event.Theta{event.LogQ: 0.5, event.U0: -0.1, event.T0: 30}
	for _, opt := range []CornerOptions{{}, {Truth: &truth}, {Marks: []Mark{{Theta: beyond}}}} {
		opt.Params = []int{event.LogQ, event.U0, event.T0}
		c := newCorner(limited(20_000), opt)
		pairs := c.pairs()
		if _, hi := reach(pairs[2*3+0], 0); hi > 0 || hi < -0.05 {
			t.Errorf("regions of log q and t0 reach to log q = %.3f", hi)
		}
		if lo, _ := reach(pairs[2*3+1], 0); lo < 0 || lo > 0.05 {
			t.Errorf("regions of u0 and t0 reach from u0 = %.3f", lo)
		}
		if lo, _ := reach(pairs[1*3+0], 1); lo < 0 {
			t.Errorf("regions of log q and u0 reach from u0 = %.3f", lo)
		}
		if q, u := c.cols[0], c.cols[1]; q.b != 0 || u.a != 0 {
			t.Errorf("histograms end at log q = %.3f and begin at u0 = %.3f", q.b, u.a)
		}
		if opt.Marks != nil && (c.cols[0].hi < 0.5 || c.cols[1].lo > -0.1) {
			t.Errorf("a mark beyond the limits does not show: log q to %.2f, u0 from %.2f", c.cols[0].hi, c.cols[1].lo)
		}
	}
}

// The density at a limit is neither biased low, as one that spills over is, nor
// high.
func TestDensityAtLimit(t *testing.T) {
	c := newCorner(limited(100_000), CornerOptions{Params: []int{event.LogQ, event.T0}})
	x, y := &c.cols[0], &c.cols[1]
	d := c.density(x, y)
	var mass, width float64
	for i := range d.nx {
		if x.border[i] < -0.1 || x.border[i+1] > 0 {
			continue
		}
		width += x.border[i+1] - x.border[i]
		for j := range d.ny {
			mass += d.v[j*d.nx+i] * d.area(j*d.nx+i)
		}
	}
	if got, want := mass/width, 0.1/2; width < 0.05 || math.Abs(got/want-1) > 0.08 {
		t.Errorf("density %.4f over the last %.2f of log q, want %.4f", got, width, want)
	}
}

// Draws beyond a limit are of another prior or frame, and their density is not
// cut.
func TestOtherPriorsAreNotCut(t *testing.T) {
	draws := limited(20_000)
	for i := range draws {
		draws[i][event.U0] -= 0.05
		draws[i][event.LogQ] += 0.5
	}
	c := newCorner(draws, CornerOptions{Params: []int{event.LogQ, event.U0, event.T0}})
	if q, u := c.cols[0], c.cols[1]; q.b < 0.5 || u.a > -0.04 {
		t.Errorf("densities end at log q = %.3f and begin at u0 = %.3f", q.b, u.a)
	}
}
