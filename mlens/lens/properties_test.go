package lens

import (
	"math"
	"math/rand/v2"
	"testing"
)

var strict = Options{AbsTol: 1e-7, RelTol: 1e-7}

func close64(a, b, rel float64) bool { return math.Abs(a-b) <= rel*math.Max(math.Abs(a), math.Abs(b)) }

// Exchanging the labels rotates the frame by 180°; the lens is symmetric
// about its axis.
func TestSymmetries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		b, x, y, rho := hardDraw(r)
		a := b.Magnification(x, y, rho, strict).Magnification
		if s := b.Swap().Magnification(-x, -y, rho, strict).Magnification; !close64(a, s, 2e-6) {
			t.Errorf("%+v (%g, %g) rho %g: %.10g, labels exchanged %.10g", b, x, y, rho, a, s)
		}
		if s := b.Magnification(x, -y, rho, strict).Magnification; !close64(a, s, 1e-6) {
			t.Errorf("%+v (%g, %g) rho %g: %.10g, mirrored %.10g", b, x, y, rho, a, s)
		}
	}
}

func TestSwapTrajectory(t *testing.T) {
	b := Binary{1.3, 0.2}
	tr := Trajectory{U0: 0.1, Alpha: 40, T0: 50, TE: 20}
	times := []float64{30, 45, 48, 50, 52, 60}
	a, err := b.LightCurve(nil, times, tr, 1e-3, strict)
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Swap().LightCurve(nil, times, tr.Swap(), 1e-3, strict)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if !close64(a[i], c[i], 1e-6) {
			t.Errorf("t = %g: %.10g, labels exchanged %.10g", times[i], a[i], c[i])
		}
	}
}

// Shift moves the origin and nothing else.
func TestShift(t *testing.T) {
	tr := Trajectory{U0: 0.3, Alpha: 211, T0: 7, TE: 13}
	c := 0.4
	sh := tr.Shift(c)
	for _, tm := range []float64{-20, 0, 3, 50} {
		x, y := tr.At(tm)
		u, v := sh.At(tm)
		if math.Abs(u+c-x) > 1e-13 || math.Abs(v-y) > 1e-13 {
			t.Errorf("t = %g: (%g, %g) and (%g, %g)", tm, x, y, u, v)
		}
	}
}

// Every image satisfies the lens equation, and the parities add up to −1.
func TestImages(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	var im []Image
	for range 5000 {
		b, x, y, _ := hardDraw(r)
		im = b.Images(im, x, y)
		if len(im) != 3 && len(im) != 5 {
			t.Fatalf("%d images", len(im))
		}
		p, s := b.Positions()
		m1, m2 := 1/(1+b.Q), b.Q/(1+b.Q)
		parity, sum := 0.0, 0.0
		for _, i := range im {
			d1 := (i.X-p)*(i.X-p) + i.Y*i.Y
			d2 := (i.X-s)*(i.X-s) + i.Y*i.Y
			ex := i.X - m1*(i.X-p)/d1 - m2*(i.X-s)/d2 - x
			ey := i.Y - m1*i.Y/d1 - m2*i.Y/d2 - y
			// Positions carry an error of rounding, amplified by the shear.
			if e := math.Hypot(ex, ey); e > 1e-14*(10+1/math.Min(d1, d2)) {
				t.Errorf("%+v (%g, %g): image %+v misses by %.1e", b, x, y, i, e)
			}
			parity += math.Copysign(1, i.Magnification)
			sum += math.Abs(i.Magnification)
		}
		a, n := b.PointSource(x, y)
		if parity != -1 || n != len(im) || !close64(a, sum, 1e-13) {
			t.Errorf("%+v (%g, %g): parity %g, %d and %d images, %g and %g", b, x, y, parity, n, len(im), a, sum)
		}
	}
}

// A light companion far from all images leaves a single lens; so does a
// close pair.
func TestSingleLensLimits(t *testing.T) {
	for _, u := range []float64{0.01, 0.1, 0.5, 1, 3} {
		for _, rho := range []float64{0, 1e-3, 0.05, 0.5} {
			want := SingleLensDisc(u, rho, strict)
			// Source at distance u from the primary, off the axis.
			b := Binary{3, 1e-12}
			got := b.Magnification(-3e-12, u, rho, strict).Magnification
			tol := 1e-6
			if u == rho { // the caustic on the limb: the radius is moved by 1e-6
				tol = 2e-5
			}
			if !close64(got, want, tol) {
				t.Errorf("u %g rho %g: q = 1e-12 gives %.10g, single lens %.10g", u, rho, got, want)
			}
			b = Binary{1e-4, 0.7}
			got = b.Magnification(0, u, rho, strict).Magnification
			if !close64(got, want, 2e-5) {
				t.Errorf("u %g rho %g: s = 1e-4 gives %.10g, single lens %.10g", u, rho, got, want)
			}
		}
	}
}

func TestSingleLensDisc(t *testing.T) {
	for _, rho := range []float64{1e-5, 1e-3, 0.1, 1, 5} {
		if got, want := SingleLensDisc(0, rho, strict), math.Sqrt(1+4/(rho*rho)); !close64(got, want, 1e-14) {
			t.Errorf("rho %g at u = 0: %.16g, want %.16g", rho, got, want)
		}
		// Continuous at u → 0 and at u = ρ (Witt & Mao 1994, Eq. 11:
		// A = [2/ρ + (1+ρ²)/ρ²·(π/2 + asin((ρ²−1)/(ρ²+1)))]/π).
		if got := SingleLensDisc(1e-9*rho, rho, strict); !close64(got, math.Sqrt(1+4/(rho*rho)), 1e-7) {
			t.Errorf("rho %g: %.12g next to u = 0", rho, got)
		}
		r2 := rho * rho
		edge := (2/rho + (1+r2)/r2*(math.Pi/2+math.Asin((r2-1)/(r2+1)))) / math.Pi
		for _, u := range []float64{rho, rho * (1 + 1e-12), rho * (1 - 1e-7)} {
			if got := SingleLensDisc(u, rho, strict); !close64(got, edge, 1e-5) {
				t.Errorf("rho %g u %g: %.12g, want %.12g", rho, u, got, edge)
			}
		}
		// A distant source is a point.
		if got, want := SingleLensDisc(100*rho+1, rho, strict), SingleLens(100*rho+1); !close64(got, want, 2e-3) {
			t.Errorf("rho %g: %g, point %g", rho, got, want)
		}
	}
	if a := SingleLens(0); !math.IsInf(a, 1) {
		t.Errorf("SingleLens(0) = %g", a)
	}
}

// Central caustics of light companions at s and 1/s are alike (Griest &
// Safizadeh 1998; Dominik 1999), so that high magnifications agree.
func TestCloseWideDegeneracy(t *testing.T) {
	q := 1e-4
	w, c := Binary{2, q}, Binary{0.5, q}
	for _, v := range [][2]float64{{0.01, 0.02}, {-0.03, 0.01}, {0.05, -0.02}} {
		a := w.Magnification(w.CentralCaustic()+v[0], v[1], 1e-3, strict).Magnification
		b := c.Magnification(c.CentralCaustic()+v[0], v[1], 1e-3, strict).Magnification
		if !close64(a, b, 2e-3) {
			t.Errorf("at %v: wide %.7g, close %.7g", v, a, b)
		}
	}
}

// The magnification is continuous where one method hands over to the next.
func TestEscalationIsContinuous(t *testing.T) {
	opt := Options{}
	for _, b := range []Binary{{0.8, 0.1}, {1.05, 1e-3}, {2.2, 1e-5}, {0.6, 1e-6}} {
		for _, rho := range []float64{1e-4, 1e-3, 1e-2} {
			last := b.Magnification(0, 0, rho, opt)
			for i := 1; i < 600; i++ {
				x := 2 * float64(i) / 600
				r := b.Magnification(x, 0.3*x, rho, opt)
				if r.Method != last.Method {
					// Both sides of the hand-over within tolerance of a strict value.
					for _, m := range []float64{x, x - 2.0/600} {
						got := b.Magnification(m, 0.3*m, rho, opt).Magnification
						want := b.Magnification(m, 0.3*m, rho, strict).Magnification
						if math.Abs(got-want) > math.Max(1e-3, 1e-3*want) {
							t.Errorf("%+v rho %g x %g: %.8g, want %.8g", b, rho, m, got, want)
						}
					}
				}
				last = r
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for _, b := range []Binary{{}, {-1, 1}, {1, -1}, {math.NaN(), 1}, {1, math.NaN()}, {math.Inf(1), 1}, {1, math.Inf(1)}, {0, 1}, {1, 0}} {
		if b.Check() == nil {
			t.Errorf("%+v passes", b)
		}
		if _, err := b.LightCurve(nil, []float64{0}, Trajectory{TE: 1}, 0, Options{}); err == nil {
			t.Errorf("light curve of %+v", b)
		}
	}
	b := Binary{1, 1}
	for _, tr := range []Trajectory{{}, {TE: math.NaN()}, {TE: 1, U0: math.Inf(1)}} {
		if _, err := b.LightCurve(nil, []float64{0}, tr, 0, Options{}); err == nil {
			t.Errorf("light curve along %+v", tr)
		}
	}
	if _, err := b.LightCurve(nil, []float64{math.NaN()}, Trajectory{TE: 1}, 0, Options{}); err == nil {
		t.Error("light curve at NaN")
	}
	if _, err := b.LightCurve(make([]float64, 2), []float64{0}, Trajectory{TE: 1}, 0, Options{}); err == nil {
		t.Error("dst of the wrong length")
	}
	if _, err := b.LightCurve(nil, []float64{0}, Trajectory{TE: 1}, -1, Options{}); err == nil {
		t.Error("negative radius")
	}
}
