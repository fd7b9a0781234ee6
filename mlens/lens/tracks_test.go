package lens

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Every image of every epoch is on one track; along a track the parity stays,
// steps are short, and tracks begin and end in pairs of opposite parity.
func TestTracks(t *testing.T) {
	times := make([]float64, 1500)
	for i := range times {
		times[i] = -1.5 + 0.002*float64(i)
	}
	born := 0
	for i := range stressSize(60) {
		r := rand.New(rand.NewPCG(71, uint64(i)))
		b := Binary{S: 0.5 + 1.5*r.Float64(), Q: math.Exp(-7 * r.Float64())}
		tr := Trajectory{U0: 0.4 * r.Float64(), Alpha: 360 * r.Float64(), TE: 1}
		tracks, err := b.Tracks(times, tr)
		if err != nil {
			t.Fatal(err)
		}
		count := make([]int, len(times))
		sum := make([]float64, len(times))
		change := make([]int, len(times)+1) // of the sum of parities, where tracks begin and end
		for _, k := range tracks {
			sign := math.Copysign(1, k.Images[0].Magnification)
			if k.First > 0 {
				born++
				change[k.First] += int(sign)
			}
			if end := k.First + len(k.Images); end < len(times) {
				change[end] -= int(sign)
			}
			for j, im := range k.Images {
				count[k.First+j]++
				sum[k.First+j] += math.Abs(im.Magnification)
				if im.Magnification*sign < 0 {
					t.Fatalf("curve %d: %+v %+v: a track changes its parity at %g", i, b, tr, times[k.First+j])
				}
				if j == 0 {
					continue
				}
				// Between epochs the speed is at most that of the tangential or the
				// radial magnification, with a margin for its change.
				last := k.Images[j-1]
				fast := 2 + 4*(math.Abs(im.Magnification)+math.Abs(last.Magnification))
				if d := math.Hypot(im.X-last.X, im.Y-last.Y); d > 0.002*fast {
					t.Errorf("curve %d: %+v %+v: a track jumps by %g at %g", i, b, tr, d, times[k.First+j])
				}
			}
		}
		for j, tm := range times {
			a, n := b.PointSource(tr.At(tm))
			if n != count[j] || !close64(a, sum[j], 1e-9) {
				t.Fatalf("curve %d at %g: %d images and A = %g, tracks %d and %g", i, tm, n, a, count[j], sum[j])
			}
			if change[j] != 0 {
				t.Errorf("curve %d at %g: parities change by %d", i, tm, change[j])
			}
		}
	}
	if born < stressSize(60)/6 {
		t.Errorf("%d tracks began on the way: too few caustics were crossed", born)
	}
	for _, times := range [][]float64{{1, 0}, {0, math.NaN()}} {
		if _, err := (Binary{1, 1}).Tracks(times, Trajectory{TE: 1}); err == nil {
			t.Errorf("times %v are accepted", times)
		}
	}
}
