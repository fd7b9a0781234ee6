package lens

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// extremeDraw draws lenses and sources beyond all corners of the prior:
// q 1e-9…1 (and its inverse), s 0.05…20, ρ 1e-5…1, and sources in special
// places: on the axis, on folds, cusps and lenses, or far away.
func extremeDraw(r *rand.Rand) (b Binary, x, y, rho float64) {
	logU := func(a, b float64) float64 { return a * math.Exp(math.Log(b/a)*r.Float64()) }
	b = Binary{S: logU(0.05, 20), Q: logU(1e-9, 1)}
	switch r.IntN(12) {
	case 0:
		b.Q = 1e-9
	case 1:
		b.Q = 1
	case 2:
		b.Q = 1 / b.Q
	case 3:
		b.S = 1
	}
	rho = logU(1e-5, 1)
	if r.IntN(20) == 0 {
		rho = 0
	}
	tr := Trajectory{U0: 2 * r.Float64(), Alpha: 360 * r.Float64(), TE: 1}
	x, y = tr.At(logU(1e-4, 72) * float64(2*r.IntN(2)-1))
	p, s := b.Positions()
	switch r.IntN(20) {
	case 0:
		y = 0
	case 1:
		x, y = p, 0
	case 2:
		x, y = s, 0
	case 3:
		x, y = 0, 0
	case 4: // one limb point on a lens
		x, y = p+rho, 0
	case 5:
		x, y = s-rho, 0
	case 6:
		x, y = b.PlanetaryCaustic(), 0
	case 7: // on a fold or a cusp
		g := b.geom()
		f := b.folds(&g, nil, 16)
		x, y = g.public(f[r.IntN(len(f))].a)
	case 8:
		x, y = x*1e4, y*1e4
	}
	return b, x, y, rho
}

func draws(normal int) int {
	if v, err := strconv.Atoi(os.Getenv("LENS_DRAWS")); err == nil {
		return v
	}
	if testing.Short() {
		return normal / 20
	}
	return normal
}

// No NaN, no panic, no magnification below 1; on a sample the tolerance and the
// stated error are kept against the truth. LENS_DRAWS=10000000 runs ten million
// draws, in an hour.
func TestExtremes(t *testing.T) {
	n := draws(20000)
	sample := max(n/2000, 400)
	var methods [4]int
	late, judged, unknown, beyond := 0, 0, 0, 0
	worst := 0.0
	for i := range n {
		b, x, y, rho := extremeDraw(rand.New(rand.NewPCG(21, uint64(i))))
		res := b.Magnification(x, y, rho, Options{})
		a := res.Magnification
		methods[res.Method]++
		if !(a >= 1) || (rho > 0 && !(a < 1+3/rho+3/(rho*rho))) || !(res.Error >= 0) || (res.Images != 3 && res.Images != 5) {
			t.Errorf("draw %d: %+v (%g, %g) rho %g: %+v", i, b, x, y, rho, res)
		}
		if rho > 0 && res.Late {
			late++
			if late < 10 {
				t.Logf("late: draw %d: %+v (%g, %g) rho %g: %+v", i, b, x, y, rho, res)
			}
		}
		if i%sample == 0 && rho > 0 {
			judged++
			part, bound, ok := judge(b, x, y, rho, 1e-3, res)
			worst = math.Max(worst, part)
			switch {
			case !ok:
				unknown++
			case part > 1:
				t.Errorf("draw %d: %+v (%g, %g) rho %g: %+v, off by %.3g of the tolerance", i, b, x, y, rho, res, part)
			case bound > 1:
				beyond++
				t.Logf("draw %d: %+v (%g, %g) rho %g: %+v, off by %.3g of its error", i, b, x, y, rho, res, bound)
			}
		}
		if n > 1e6 && i%1e6 == 0 {
			t.Logf("%d draws", i)
		}
	}
	if late > n/100000 {
		t.Errorf("%d of %d draws do not reach the target", late, n)
	}
	t.Logf("%d draws, methods %v, %d with an error above the target", n, methods, late)
	t.Logf("%d against the truth: worst %.2g of the tolerance, %d beyond the stated error, truth unknown in %d", judged, worst, beyond, unknown)
	if beyond > 1+judged/1000 || unknown > 1+judged/5 {
		t.Errorf("of %d, %d beyond the stated error, %d unknown", judged, beyond, unknown)
	}
}

// Whole light curves from the prior hold no NaN and nothing below 1.
func TestPriorCurves(t *testing.T) {
	n := draws(20000) / 200
	times := cadence()
	dst := make([]float64, len(times))
	for i := range n {
		r := rand.New(rand.NewPCG(22, uint64(i)))
		b, tr, rho := priorDraw(r)
		if _, err := b.LightCurve(dst, times, tr, rho, Options{}); err != nil {
			t.Fatal(err)
		}
		for k, a := range dst {
			if !(a >= 1 && a < 1e6) {
				t.Fatalf("curve %d: %+v %+v rho %g: %g at %g", i, b, tr, rho, a, times[k])
			}
		}
	}
}

// The seeds are limits of what is fuzzed and sources that were wrong once; more
// are in testdata/fuzz.
func FuzzMagnification(f *testing.F) {
	f.Add(1.0, 1.0, 0.0, 0.0, 0.01, 0.0)
	f.Add(0.05, 1e-9, 19.95, 1e-300, 1.0, 0.0)
	f.Add(20.0, 1e9, -20.0, 0.0, 1e-5, 0.0)
	f.Add(0.995192148233575, 1.0636824456030198e-05, -0.024990888608361645, 0.00067734318282103, 0.0003540693475665291, 0.3)
	f.Add(3.580201700422813, 0.039819297191377674, -0.13064524734460703, -6.619207658081583e-05, 0.00015695751576173995, 1.0)
	f.Add(0.7442936016698152, 0.045432575385697185, -0.456031587132143, 0.31834375289617756, 0.00013300472148128315, 0.6)
	f.Fuzz(func(t *testing.T, s, q, x, y, rho, gamma float64) {
		in := func(v, lo, hi float64) bool { return v >= lo && v <= hi }
		if !in(s, 0.05, 20) || !in(q, 1e-9, 1e9) || !in(math.Abs(x), 0, 1e3) || !in(math.Abs(y), 0, 1e3) || !in(rho, 1e-5, 1) || !in(gamma, 0, 1) {
			t.Skip()
		}
		b := Binary{s, q}
		r := b.Magnification(x, y, rho, Options{LimbDarkening: gamma})
		if !(r.Magnification >= 1) || !(r.Magnification < 1+3/rho+3/(rho*rho)) || !(r.Error >= 0) {
			t.Errorf("%+v", r)
		}
		d, err := b.Gradients(nil, []float64{x}, Trajectory{U0: y, TE: 1}, rho, Options{LimbDarkening: gamma})
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range d[0].D {
			if !(math.Abs(v) <= math.MaxFloat64) || !(d[0].Err[k] >= 0) {
				t.Errorf("%+v", d[0])
			}
		}
	})
}
