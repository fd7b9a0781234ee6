package lens

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// hardDraw draws a lens, a source and its size where disc magnifications are
// difficult: near caustics and cusps, in planetary zones, at high
// magnification and at resonance; q 1e-6…1, s 0.2…5, ρ 1e-4…1e-2.
func hardDraw(r *rand.Rand) (b Binary, x, y, rho float64) {
	logU := func(a, b float64) float64 { return a * math.Exp(math.Log(b/a)*r.Float64()) }
	around := func(x0, y0, d float64) (float64, float64) {
		sn, cs := math.Sincos(2 * math.Pi * r.Float64())
		d *= math.Sqrt(r.Float64())
		return x0 + d*cs, y0 + d*sn
	}
	b = Binary{S: logU(0.2, 5), Q: logU(1e-6, 1)}
	rho = logU(1e-4, 1e-2)
	kind := r.IntN(5)
	switch kind {
	case 2:
		b.Q = logU(1e-6, 1e-2)
	case 4:
		b.S = 1 + 1.2*math.Cbrt(b.Q)*(2*r.Float64()-1)*1.5
		b.S = math.Max(b.S, 0.2)
	}
	g := b.geom()
	folds := b.folds(&g, nil, 32)
	switch kind {
	case 0, 4: // within 3ρ of a caustic
		f := folds[r.IntN(len(folds))]
		p := f.phi0 + (f.phi1-f.phi0)*r.Float64()
		x, y = g.public(g.lensMap(g.between(&f, p)))
		x, y = around(x, y, 3*rho)
	case 1: // about a cusp
		f := folds[r.IntN(len(folds))]
		for !f.cusp0 {
			f = folds[r.IntN(len(folds))]
		}
		x, y = g.public(f.a)
		x, y = around(x, y, 3*rho)
	case 2: // the zone of the planet
		x, y = around(b.PlanetaryCaustic(), 0, 4*math.Sqrt(b.Q)+2*rho)
	case 3: // high magnification
		x, y = around(0, 0, logU(1e-4, 0.1))
	}
	return b, x, y, rho
}

func stressSize(normal int) int {
	if v, err := strconv.Atoi(os.Getenv("LENS_STRESS")); err == nil {
		return v
	}
	if testing.Short() {
		return normal / 10
	}
	return normal
}

// The integral over the limb, at three tolerances, against itself at a much
// smaller one. Environment LENS_STRESS sets the number of sources.
func TestStressTolerance(t *testing.T) {
	n := stressSize(2000)
	tols := []float64{1e-3, 1e-4, 1e-6}
	for _, tol := range tols {
		miss, worst, beyond := 0, 0.0, 0
		var methods [4]int
		where := ""
		for i := range n {
			r := rand.New(rand.NewPCG(11, uint64(i)))
			b, x, y, rho := hardDraw(r)
			want := b.Magnification(x, y, rho, Options{AbsTol: 1e-9, RelTol: 1e-9})
			got := b.Magnification(x, y, rho, Options{AbsTol: tol, RelTol: tol})
			methods[got.Method]++
			d := math.Abs(got.Magnification - want.Magnification)
			if want.Error > 0.1*tol*want.Magnification {
				continue // the comparison itself is not good enough
			}
			if d > got.Error+2*want.Error {
				beyond++
			}
			e := d / math.Max(tol, tol*want.Magnification)
			if e > worst {
				worst = e
				where = fmt.Sprintf("draw %d: %+v (%g, %g) rho %g: %.10g ± %.1g by %v, want %.10g", i, b, x, y, rho, got.Magnification, got.Error, got.Method, want.Magnification)
			}
			if e > 1 {
				miss++
				if miss <= 5 {
					t.Errorf("tol %g draw %d: %+v (%g, %g) rho %g: %.10g ± %.1g by %v, want %.10g ± %.1g by %v",
						tol, i, b, x, y, rho, got.Magnification, got.Error, got.Method, want.Magnification, want.Error, want.Method)
				}
			}
		}
		t.Logf("tol %g: %d of %d missed, worst error/target %.2g, %d beyond the stated error, methods %v; worst %s", tol, miss, n, worst, beyond, methods, where)
	}
}

// The last resort alone, with as few samples as it has.
func TestStressRadial(t *testing.T) {
	n, late := stressSize(100), 0
	for i := range n {
		b, x, y, rho := hardDraw(rand.New(rand.NewPCG(12, uint64(i))))
		g := b.geom()
		eta, beta := g.source(x, y)
		a, err := g.radial(eta, beta, rho, 1e-4, 256)
		if err > 1e-4*a {
			late++
		}
		want := b.Magnification(x, y, rho, Options{AbsTol: 1e-7, RelTol: 1e-7})
		if math.Abs(a-want.Magnification) > 1e-4*a+err {
			t.Errorf("draw %d: %+v (%g, %g) rho %g: %.8g ± %.1g, want %.8g ± %.1g by %v", i, b, x, y, rho, a, err, want.Magnification, want.Error, want.Method)
		}
	}
	t.Logf("%d of %d late", late, n)
}
