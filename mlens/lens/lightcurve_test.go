package lens

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The light curve must agree with epochs computed one by one.
func TestLightCurveAgainstEpochs(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	times := cadence()
	curves := stressSize(20)
	bad := 0
	worst := 0.0
	for range curves {
		b, tr, rho := priorDraw(r)
		if r.Float64() < 0.3 {
			tr.U0 *= 0.05
		}
		got, err := b.LightCurve(nil, times, tr, rho, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(times); i++ {
			x, y := tr.At(times[i])
			p, _ := b.PointSource(x, y)
			if i%100 != 0 && (math.Abs(got[i]-p) < 1e-3 || i%4 != 0) {
				continue
			}
			want := b.Magnification(x, y, rho, Options{AbsTol: 1e-5, RelTol: 1e-5})
			e := math.Abs(got[i]-want.Magnification) / math.Max(1e-3, 1e-3*want.Magnification)
			worst = math.Max(worst, e)
			if e > 1 {
				bad++
				if bad < 10 {
					t.Errorf("%+v %+v rho %g t %g: %.8g, alone %.8g (point %.8g)", b, tr, rho, times[i], got[i], want.Magnification, p)
				}
			}
		}
	}
	t.Logf("worst error over target %.3g, %d epochs beyond", worst, bad)
}

// Memory is allocated per curve, not per epoch.
func TestLightCurveAllocations(t *testing.T) {
	b := Binary{0.9, 1e-3}
	tr := Trajectory{U0: 0.01, Alpha: 40, T0: 72, TE: 20}
	times := cadence()
	dst := make([]float64, len(times))
	n := testing.AllocsPerRun(3, func() {
		if _, err := b.LightCurve(dst, times, tr, 1e-3, Options{}); err != nil {
			t.Fatal(err)
		}
	})
	if n > 5 {
		t.Errorf("%g allocations for %d epochs", n, len(times))
	}
}

// The order of the times does not matter beyond the tolerance, nor do
// concurrent calls disturb each other.
func TestLightCurveOrder(t *testing.T) {
	b := Binary{1.1, 3e-3}
	tr := Trajectory{U0: 0.02, Alpha: 155, T0: 72, TE: 12}
	times := cadence()[6800:7600]
	want, err := b.LightCurve(nil, times, tr, 2e-3, Options{})
	if err != nil {
		t.Fatal(err)
	}
	shuffled := slices.Clone(times)
	perm := rand.New(rand.NewPCG(5, 5)).Perm(len(times))
	for i, p := range perm {
		shuffled[i] = times[p]
	}
	done := make(chan []float64)
	for range 4 {
		go func() {
			a, err := b.LightCurve(nil, shuffled, tr, 2e-3, Options{})
			if err != nil {
				t.Error(err)
			}
			done <- a
		}()
	}
	first := <-done
	for range 3 {
		if !slices.Equal(first, <-done) {
			t.Error("concurrent calls differ")
		}
	}
	for i, p := range perm {
		if d := math.Abs(first[i] - want[p]); d > math.Max(1e-3, 1e-3*want[p]) {
			t.Errorf("t = %g: %.8g in order, %.8g shuffled", times[p], want[p], first[i])
		}
	}
}
