package lens

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// truth is slow: circles about a body, whose crossings with the edge of the
// images are roots of a quartic, integrated over their radii (radial.go). No
// image is matched with another and no caustic needs to be known: nothing is
// shared with the integral over the limb that most magnifications come from.
func (b Binary) truth(x, y, rho, tol float64) (a, err float64) {
	if rho < 1e-6*math.Hypot(x, y) { // the crossings with a circle are one to rounding
		return math.NaN(), math.Inf(1)
	}
	g := b.geom()
	eta, beta := g.source(x, y)
	return g.radial(eta, beta, rho, tol, 2048)
}

// What is called the truth has to be: against closed forms and the reference,
// which others computed.
func TestTruth(t *testing.T) {
	for _, rho := range []float64{1e-3, 0.1, 1} {
		// A single lens at the centre of the disc.
		a, err := Binary{1e-4, 1}.truth(0, 0, rho, 1e-9)
		if want := math.Sqrt(1 + 4/(rho*rho)); !close64(a, want, 1e-6) || err > 1e-6*a {
			t.Errorf("rho %g: %.10g ± %.1g, want %.10g", rho, a, err, want)
		}
	}
	worst, late := 0.0, 0
	rows := readReference(t)
	for i := 0; i < len(rows); i += 40 {
		r := rows[i]
		a, err := r.b.truth(r.x, r.y, r.rho, 1e-8)
		if err > 1e-6*a {
			late++
			continue
		}
		e := math.Abs(a/r.disc - 1)
		worst = math.Max(worst, e)
		if e > 1e-6+2*r.relErr {
			t.Errorf("id %d: %.10g ± %.1g, want %.10g", r.id, a, err, r.disc)
		}
	}
	t.Logf("worst %.2g, %d of %d not reached", worst, late, (len(rows)+39)/40)
	if late > 2 {
		t.Errorf("%d integrals did not converge", late)
	}
}

// judge compares a result with the truth, known to a hundredth of tol·A, and says
// by how much of the tolerance and of its own error it is off beyond that. ok is
// false where the truth is not known so well.
func judge(b Binary, x, y, rho, tol float64, res Result) (part, bound float64, ok bool) {
	a, err := b.truth(x, y, rho, 1e-3*tol)
	if !(err <= 0.1*tol*a) {
		return 0, 0, false
	}
	off := math.Max(math.Abs(res.Magnification-a)-2*err-0.01*tol*a, 0)
	return off / math.Max(tol, tol*a), off / res.Error, true
}

// As many sources as are kept aside, drawn like those of the reference. A
// tolerance is kept, and so is the error of a result, at 1e-3 and 1e-6.
// Environment LENS_ASIDE sets their number.
func TestAside(t *testing.T) {
	n := 30
	if v, err := strconv.Atoi(os.Getenv("LENS_ASIDE")); err == nil {
		n = v
	}
	for _, tol := range []float64{1e-3, 1e-6} {
		worst, beyond, unknown := 0.0, 0, 0
		for i := range n {
			b, x, y, rho := hardDraw(rand.New(rand.NewPCG(61, uint64(i))))
			res := b.Magnification(x, y, rho, Options{AbsTol: tol, RelTol: tol})
			part, bound, ok := judge(b, x, y, rho, tol, res)
			if !ok {
				unknown++
				continue
			}
			worst = math.Max(worst, part)
			if bound > 1 {
				beyond++
				t.Errorf("tol %g draw %d: %+v (%g, %g) rho %g: %+v, off by %.3g of its error", tol, i, b, x, y, rho, res, bound)
			}
			if part > 1 {
				t.Errorf("tol %g draw %d: %+v (%g, %g) rho %g: %+v, off by %.3g of the tolerance", tol, i, b, x, y, rho, res, part)
			}
		}
		t.Logf("tol %g: %d sources, worst %.2g of the tolerance, %d beyond the stated error, %d truths not reached", tol, n, worst, beyond, unknown)
		if unknown > 1+n/50 {
			t.Errorf("tol %g: %d of %d truths not reached", tol, unknown, n)
		}
	}
}
