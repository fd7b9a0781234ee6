package lens

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// The rules are exact to the degrees 5, 11 and 23.
func TestPatterson(t *testing.T) {
	for level, degree := range []int{5, 11, 23} {
		for n := 0; n <= degree+1; n += 2 {
			sum := 0.0
			for i, w := range pattersonW[level] {
				if i < 7 {
					w *= 2
				}
				sum += w * math.Pow(pattersonX[i], float64(n))
			}
			e := math.Abs(sum - 2/float64(n+1))
			if exact := e < 1e-15; exact != (n <= degree) {
				t.Errorf("%d points, degree %d: error %g", 3+4*level+4*(level/2), n, e)
			}
		}
	}
}

func TestLimbDarkening(t *testing.T) {
	for _, u := range []float64{0, 0.3, 0.6, 1} {
		g := LimbDarkening(u)
		for _, mu := range []float64{0, 0.2, 0.7} {
			// The intensity relative to that of the centre.
			want := 1 - u*(1-mu)
			if got := (1 - g*(1-1.5*mu)) / (1 + 0.5*g); math.Abs(got-want) > 1e-15 {
				t.Errorf("u %g, μ %g: %g, want %g", u, mu, got, want)
			}
		}
	}
}

// piled is the sum over n uniform discs at a small tolerance, by the midpoint
// rule in θ.
func piled(b Binary, x, y, rho, gamma float64, n int) float64 {
	p := b.Prepare()
	opt := Options{AbsTol: 1e-7, RelTol: 1e-7}
	sum := 0.0
	for i := range n {
		th := (float64(i) + 0.5) / float64(n) * math.Pi / 2
		sn := math.Sin(th)
		sum += sn * sn * sn * p.Magnification(x, y, rho*sn, opt).Magnification
	}
	return (1-gamma)*p.Magnification(x, y, rho, opt).Magnification + gamma*1.5*sum*math.Pi/2/float64(n)
}

// A darkened disc is as good as its tolerance and its error say, against
// itself at a smaller tolerance.
func TestDarkenedTolerance(t *testing.T) {
	for _, tol := range []float64{1e-3, 1e-4} {
		n := stressSize(100)
		var ratios []float64
		beyond, skipped := 0, 0
		where, worst := "", 0.0
		var dark, plain time.Duration
		for i := range n {
			r := rand.New(rand.NewPCG(101, uint64(i)))
			b, x, y, rho := hardDraw(r)
			if i%3 == 0 {
				rho *= 10
			}
			gamma := []float64{0.3, 0.6, 1}[r.IntN(3)]
			p := b.Prepare()
			want := p.Magnification(x, y, rho, Options{AbsTol: 1e-3 * tol, RelTol: 1e-3 * tol, LimbDarkening: gamma})
			cpu := cpuTime()
			got := p.Magnification(x, y, rho, Options{AbsTol: tol, RelTol: tol, LimbDarkening: gamma})
			dark += cpuTime() - cpu
			cpu = cpuTime()
			p.Magnification(x, y, rho, Options{AbsTol: tol, RelTol: tol})
			plain += cpuTime() - cpu
			if want.Method == Radial { // may miss images: no truth
				skipped++
				continue
			}
			d := math.Abs(got.Magnification - want.Magnification)
			if d > got.Error+want.Error {
				beyond++
			}
			e := d / math.Max(tol, tol*want.Magnification)
			ratios = append(ratios, e)
			if e > worst {
				worst = e
				where = fmt.Sprintf("draw %d: %+v (%g, %g) rho %g Γ %g: %.10g ± %.1g by %v, want %.10g ± %.1g", i, b, x, y, rho, gamma, got.Magnification, got.Error, got.Method, want.Magnification, want.Error)
			}
			if e > 1 {
				t.Errorf("tol %g draw %d: %+v (%g, %g) rho %g Γ %g: %.10g ± %.1g by %v, want %.10g ± %.1g by %v",
					tol, i, b, x, y, rho, gamma, got.Magnification, got.Error, got.Method, want.Magnification, want.Error, want.Method)
			}
		}
		slices.Sort(ratios)
		if n = len(ratios); skipped > n/50 {
			t.Errorf("%d sources skipped", skipped)
		}
		t.Logf("tol %g: %d sources, %d skipped, error/target median %.2g, 99%% %.2g, worst %.2g, %d beyond the stated error; CPU time %.1f of uniform; worst %s", tol, n, skipped, ratios[n/2], ratios[n*99/100], worst, beyond, float64(dark)/float64(plain), where)
	}
}

// The same from the outside: the mean of the point source's magnification over
// a disc of points of equal area, weighted by the intensity. What the points
// miss next to folds they miss of the uniform disc as well, which is known.
func TestDarkenedAgainstPoints(t *testing.T) {
	for _, c := range []struct {
		b                Binary
		x, y, rho, gamma float64
	}{
		{Binary{0.8, 0.1}, 0.01, 0.01, 0.01, 0.5},                     // by the central caustic
		{Binary{0.8, 0.1}, 0.01, 0.01, 0.1, 1},                        // a large source over it
		{Binary{1.1, 5e-3}, 0.0001, 0.0001, 1e-3, 0.7},                // inside a caustic
		{Binary{1, 1}, 0.3, 0.1, 0.1, 0.4},                            // inside and across folds
		{Binary{1.3, 1e-3}, 0.5308, 0, 0.03, 0.8},                     // a planet's caustic within the disc
		{Binary{0.8, 1e-3}, 0.0013, 0.0021, 1e-4, LimbDarkening(0.6)}, // outside
	} {
		const nr, nth = 350, 450
		g := c.b.geom()
		sum, plain := 0.0, 0.0
		for i := range nr {
			r2 := (float64(i) + 0.5) / nr
			s := 1 - c.gamma*(1-1.5*math.Sqrt(1-r2))
			for k := range nth {
				// Each ring turned by the golden section: no line of points along a fold.
				th := 2 * math.Pi * (float64(k) + math.Mod(0.6180339887498949*float64(i), 1)) / nth
				sn, cs := math.Sincos(th)
				d := c.rho * math.Sqrt(r2)
				eta, beta := g.source(c.x+d*cs, c.y+d*sn)
				var roots [5]complex128
				var im images
				g.solve(eta, beta, &roots, false, 0, &im)
				sum += s * im.a
				plain += im.a
			}
		}
		got := c.b.Magnification(c.x, c.y, c.rho, Options{RelTol: 1e-6, LimbDarkening: c.gamma})
		uniform := c.b.Magnification(c.x, c.y, c.rho, Options{RelTol: 1e-6})
		sum *= uniform.Magnification / plain
		t.Logf("%+v: %.8g by points, %.8g ± %.1g by %v, uniform %.8g", c, sum, got.Magnification, got.Error, got.Method, uniform.Magnification)
		if !close64(got.Magnification, sum, 1e-3) {
			t.Errorf("%+v: %.8g by points, %.8g", c, sum, got.Magnification)
		}
	}
}

// The cuts of the integral over discs against very many discs.
func TestDarkenedAgainstPile(t *testing.T) {
	worst := 0.0
	for i := range stressSize(20) {
		r := rand.New(rand.NewPCG(102, uint64(i)))
		b, x, y, rho := hardDraw(r)
		if i%2 == 0 {
			rho *= 10
		}
		want := piled(b, x, y, rho, 0.6, 1000)
		got := b.Magnification(x, y, rho, Options{RelTol: 1e-4, LimbDarkening: 0.6})
		e := math.Abs(got.Magnification-want) / (1e-4 * want)
		worst = math.Max(worst, e)
		if !(e < 1) {
			t.Errorf("draw %d: %+v (%g, %g) rho %g: %.10g ± %.1g, piled %.10g", i, b, x, y, rho, got.Magnification, got.Error, want)
		}
	}
	t.Logf("worst error %.2g of a tolerance of 1e-4", worst)
}

// A single lens before the centre of a darkened disc is the integral of the
// intensity times the point source's magnification, and a light companion far
// from all images changes nothing.
func TestDarkenedSingleLens(t *testing.T) {
	for _, rho := range []float64{1e-4, 0.01, 0.3, 3} {
		for _, gamma := range []float64{0.2, 0.7, 1} {
			want, _ := quad(func(th float64) float64 {
				sn, cs := math.Sincos(th)
				return (1 - gamma*(1-1.5*cs)) * SingleLens(rho*sn) * 2 * sn * cs
			}, 0, math.Pi/2, 0, 1e-12)
			opt := Options{RelTol: 1e-7, LimbDarkening: gamma}
			if got := SingleLensDisc(0, rho, opt); !close64(got, want, 1e-7) {
				t.Errorf("rho %g Γ %g: %.10g, want %.10g", rho, gamma, got, want)
			}
			for _, u := range []float64{0, 0.5 * rho, rho, 1.05 * rho, 4 * rho} {
				b := Binary{3, 1e-12}
				opt.RelTol = 1e-5
				got := b.Magnification(-3e-12, u, rho, opt).Magnification
				if want := SingleLensDisc(u, rho, opt); !close64(got, want, 3e-5) {
					t.Errorf("rho %g Γ %g u %g: q = 1e-12 gives %.10g, single lens %.10g", rho, gamma, u, got, want)
				}
			}
		}
	}
}

// Light curves of darkened sources agree with epochs alone, whatever the way
// they are computed, and their bounds hold.
func TestDarkenedLightCurve(t *testing.T) {
	times := make([]float64, 400)
	for i := range times {
		times[i] = 0.36 * float64(i)
	}
	var c Curve
	worst, bound := 0.0, 0.0
	for i := range stressSize(20) {
		r := rand.New(rand.NewPCG(103, uint64(i)))
		b, tr, rho := priorDraw(r)
		tr.U0 *= 0.1
		rho *= 3
		p := b.Prepare()
		for _, interpolate := range []float64{0, 1e-4} {
			opt := Options{AbsTol: 1e-3, RelTol: 1e-3, LimbDarkening: 0.5, Interpolate: interpolate}
			a, err := b.LightCurve(nil, times, tr, rho, opt)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.BoundedLightCurve(&c, times, nil, tr, rho, opt); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(a, c.A) || c.Late > 0 {
				t.Errorf("curve %d: bounded differs, or %d late", i, c.Late)
			}
			for k := i % 4; k < len(times); k += 4 {
				x, y := tr.At(times[k])
				want := p.Magnification(x, y, rho, Options{RelTol: 1e-6, LimbDarkening: 0.5}).Magnification
				d := math.Abs(a[k] - want)
				worst = math.Max(worst, d/(1e-3*want))
				bound = math.Max(bound, d/(c.Bound[k]+1e-6*want))
			}
		}
	}
	t.Logf("worst error %.2g of the tolerance, %.2g of the bound", worst, bound)
	if !(worst <= 1.1) || !(bound <= 1) {
		t.Error("tolerance or bound exceeded")
	}
}

// Beyond all corners of the prior a darkened disc gives no NaN and nothing
// below 1.
func TestDarkenedExtremes(t *testing.T) {
	n := draws(1000)
	late := 0
	for i := range n {
		r := rand.New(rand.NewPCG(104, uint64(i)))
		b, x, y, rho := extremeDraw(r)
		res := b.Magnification(x, y, rho, Options{LimbDarkening: 1})
		a := res.Magnification
		if !(a >= 1) || rho > 0 && !(a < 1+3/rho+3/(rho*rho)) || !(res.Error >= 0) {
			t.Errorf("draw %d: %+v (%g, %g) rho %g: %+v", i, b, x, y, rho, res)
		}
		if rho > 0 && res.Error > math.Max(1e-3, 1e-3*a) {
			late++
			t.Logf("late: draw %d: %+v (%g, %g) rho %g: %+v", i, b, x, y, rho, res)
		}
	}
	if late > 1+n/1000 {
		t.Errorf("%d of %d draws do not reach the target", late, n)
	}
}

func TestDarkeningErrors(t *testing.T) {
	b := Binary{1, 1}
	for _, gamma := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		opt := Options{LimbDarkening: gamma}
		_, err := b.LightCurve(nil, []float64{0}, Trajectory{TE: 1}, 0.1, opt)
		if err == nil || !strings.Contains(err.Error(), "Γ = "+show(gamma)) {
			t.Errorf("Γ = %g: %v", gamma, err)
		}
		if b.BoundedLightCurve(new(Curve), []float64{0}, nil, Trajectory{TE: 1}, 0.1, opt) == nil {
			t.Errorf("bounded light curve of Γ = %g", gamma)
		}
		for _, f := range []func(){
			func() { b.Magnification(0, 0, 0.1, opt) },
			func() { b.Prepare().Magnification(0, 0, 0, opt) },
			func() { SingleLensDisc(0, 0.1, opt) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("Γ = %g: no panic", gamma)
					}
				}()
				f()
			}()
		}
	}
}
