package lens

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// event is what Gradients differentiates.
type event struct {
	b   Binary
	tr  Trajectory
	rho float64
}

func (p event) with(k int, d float64) event {
	*[]*float64{&p.b.S, &p.b.Q, &p.tr.Alpha, &p.tr.U0, &p.tr.T0, &p.tr.TE, &p.rho}[k] += d
	return p
}

func (p event) at(t float64, opt Options) float64 {
	x, y := p.tr.At(t)
	return p.b.Magnification(x, y, p.rho, opt).Magnification
}

// through is an event whose source is at (x, y) at the time returned.
func through(r *rand.Rand, b Binary, x, y, rho float64) (event, float64) {
	alpha := 360 * r.Float64()
	sn, cs := sincosDeg(alpha)
	tr := Trajectory{U0: y*cs - x*sn, Alpha: alpha, T0: 50, TE: 20}
	return event{b, tr, rho}, tr.T0 + tr.TE*(x*cs+y*sn)
}

// difference is the derivative with respect to parameter k by central
// differences of two steps, of which h is the larger, and its uncertainty.
func difference(p event, t float64, k int, h float64, opt Options) (d, unsure float64) {
	d2 := (p.with(k, h).at(t, opt) - p.with(k, -h).at(t, opt)) / (2 * h)
	h /= 2
	d1 := (p.with(k, h).at(t, opt) - p.with(k, -h).at(t, opt)) / (2 * h)
	return (4*d1 - d2) / 3, math.Abs(d1 - d2)
}

var parameter = [7]string{"s", "q", "α", "u0", "t0", "tE", "ρ"}

// steps are parts of what moves a caustic or the source by about l.
func (p event) steps(x, y, l float64) [7]float64 {
	u := math.Hypot(x, y)
	return [7]float64{
		math.Min(0.2*l, 1e-2*p.b.S), p.b.Q * math.Min(0.1*l/math.Sqrt(p.b.Q), 1e-2),
		l / (0.02 + u), l, l * p.tr.TE, l * p.tr.TE / (0.02 + u), l,
	}
}

func TestGradientsPoint(t *testing.T) {
	worst, where := 0.0, ""
	for i := range stressSize(500) {
		r := rand.New(rand.NewPCG(111, uint64(i)))
		b, x, y, _ := hardDraw(r)
		if i%5 == 0 {
			b = b.Swap()
			x, y = -x, -y
		}
		g := b.geom()
		folds := b.folds(&g, nil, 32)
		eta, _ := g.source(x, y)
		near := distance(folds, eta, 1)
		if near < 1e-5 {
			continue
		}
		p, tm := through(r, b, x, y, 0)
		got, err := b.Gradients(nil, []float64{tm}, p.tr, 0, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for k, h := range p.steps(x, y, 0.02*near) {
			if k == 1 {
				h = math.Min(h, 0.02*near) * math.Min(1, p.b.Q)
			}
			if k == 6 {
				if got[0].D[k] != 0 {
					t.Errorf("ρ = 0: %g", got[0].D[k])
				}
				continue
			}
			d, unsure := difference(p, tm, k, h, Options{})
			// What rounding of A leaves.
			unsure += 1e-11*got[0].A*(1+1e-3*got[0].A)/h + 1e-4*math.Abs(d)
			if e := math.Abs(d-got[0].D[k]) / (got[0].Err[k] + unsure); !(e <= worst) {
				worst = e
				where = fmt.Sprintf("draw %d: %+v at (%g, %g), %g from a caustic: ∂A/∂%s %.8g ± %.1g, differences %.8g ± %.1g", i, p, x, y, near, parameter[k], got[0].D[k], got[0].Err[k], d, unsure)
				if e > 1 {
					t.Error(where)
				}
			}
		}
	}
	t.Logf("worst %.3g of the uncertainty of differences: %s", worst, where)
}

func TestGradientsDisc(t *testing.T) {
	for _, gamma := range []float64{0, 0.6} {
		n := stressSize(100)
		all := 0
		if gamma > 0 {
			n /= 4
		}
		bad, count := 0, 0
		worst, where := 0.0, ""
		for i := range n {
			r := rand.New(rand.NewPCG(112, uint64(i)))
			b, x, y, rho := hardDraw(r)
			if i%5 == 0 {
				b = b.Swap()
				x, y = -x, -y
			}
			p, tm := through(r, b, x, y, rho)
			opt := Options{AbsTol: 1e-4, RelTol: 1e-4, LimbDarkening: gamma}
			got, err := b.Gradients(nil, []float64{tm}, p.tr, rho, opt)
			if err != nil {
				t.Fatal(err)
			}
			fine, l := Options{AbsTol: 1e-8, RelTol: 1e-8, LimbDarkening: gamma}, 0.005*rho
			if gamma > 0 {
				fine.AbsTol, fine.RelTol, l = 1e-6, 1e-6, 0.01*rho
			}
			for k, h := range p.steps(x, y, l) {
				all++
				d, unsure := difference(p, tm, k, h, fine)
				if unsure > 0.03*math.Abs(d)+0.01*got[0].A*l/h/rho {
					continue // a caustic touches the limb within a step
				}
				unsure += 3 * fine.RelTol * got[0].A / h
				count++
				e := math.Abs(d-got[0].D[k]) / (got[0].Err[k] + unsure)
				if !(e <= 1) {
					bad++
				}
				if !(e <= worst) {
					worst = e
					where = fmt.Sprintf("draw %d: %+v at (%g, %g): A %g, ∂A/∂%s %.8g ± %.1g, differences %.8g ± %.1g", i, p, x, y, got[0].A, parameter[k], got[0].D[k], got[0].Err[k], d, unsure)
					if e > 1 {
						t.Log(where)
					}
				}
			}
		}
		t.Logf("Γ %g: %d of %d derivatives compared, %d beyond their errors, worst %.3g of them: %s", gamma, count, all, bad, worst, where)
		if bad > count/200 {
			t.Error("errors do not hold")
		}
	}
}

// Whole light curves: A is that of LightCurve, −∂A/∂t0 the slope in time,
// ∂A/∂tE = τ·∂A/∂t0; labels exchanged and the mirror image change what they
// must.
func TestGradientsCurve(t *testing.T) {
	times := cadence()
	var dst, swapped, mirrored []Gradient
	worst, slope := 0.0, 0.0
	for i := range stressSize(20) {
		r := rand.New(rand.NewPCG(113, uint64(i)))
		b, tr, rho := priorDraw(r)
		if i%2 == 1 {
			tr.U0 *= 0.1
		}
		if i%4 == 3 {
			rho = 0
		}
		opt := Options{AbsTol: 1e-5, RelTol: 1e-5, LimbDarkening: 0.5 * float64(i%3/2)}
		part := times
		if opt.LimbDarkening > 0 {
			part = times[6000:8000]
		}
		a, err := b.LightCurve(nil, part, tr, rho, opt)
		if err != nil {
			t.Fatal(err)
		}
		if dst, err = b.Gradients(nil, part, tr, rho, opt); err != nil {
			t.Fatal(err)
		}
		if swapped, err = b.Swap().Gradients(nil, part, tr.Swap(), rho, opt); err != nil {
			t.Fatal(err)
		}
		m := tr
		m.U0, m.Alpha = -tr.U0, -tr.Alpha
		if mirrored, err = b.Gradients(nil, part, m, rho, opt); err != nil {
			t.Fatal(err)
		}
		for k := range part {
			d, s, m := dst[k], swapped[k], mirrored[k]
			worst = math.Max(worst, math.Abs(d.A-a[k])/(2e-5*a[k])/math.Max(1, 1e-9*a[k]*a[k]))
			tau := (part[k] - tr.T0) / tr.TE
			if e := math.Abs(d.D[5] - tau*d.D[4]); e > 1e-12*math.Abs(d.D[5]) {
				t.Errorf("curve %d: ∂A/∂tE %g, τ·∂A/∂t0 %g", i, d.D[5], tau*d.D[4])
			}
			for p := range d.D {
				x, y := s.D[p], m.D[p]
				ex := s.Err[p]
				switch p {
				case 1:
					x *= -1 / (b.Q * b.Q)
					ex /= b.Q * b.Q
				case 2, 3:
					y = -y
				}
				if math.Abs(x-d.D[p]) > 2*(ex+d.Err[p])+1e-9*math.Abs(x) || math.Abs(y-d.D[p]) > 2*(m.Err[p]+d.Err[p])+1e-9*math.Abs(x) {
					t.Errorf("curve %d %+v %+v rho %g at %g: A %g ∂A/∂%s %.8g ± %.1g, labels exchanged %.8g ± %.1g, mirrored %.8g ± %.1g", i, b, tr, rho, part[k], d.A, parameter[p], d.D[p], d.Err[p], x, ex, y, m.Err[p])
				}
			}
			if k >= 2 && k+2 < len(part) && opt.LimbDarkening == 0 {
				// A derivative of fourth order in the interval, and its change if
				// it is that of second order, as uncertainty.
				h := part[k+1] - part[k]
				one := (dst[k+1].A - dst[k-1].A) / (2 * h)
				two := (dst[k+2].A - dst[k-2].A) / (4 * h)
				if unsure := math.Abs(one - two); unsure < 1e-2*math.Abs(one) {
					slope = math.Max(slope, math.Abs((4*one-two)/3+d.D[4])/(unsure+d.Err[4]+3e-5*d.A/h))
				}
			}
		}
	}
	t.Logf("A differs by up to %.2g of the tolerances, slopes by %.2g of their uncertainty", worst, slope)
	if !(worst <= 1) || !(slope <= 1) {
		t.Error("not the light curve and its slope")
	}
}

// A light companion far away: dA/du = −8/(u²(u²+4)^{3/2}).
func TestGradientsSingleLens(t *testing.T) {
	b := Binary{5, 1e-12}
	for _, u0 := range []float64{0.01, 0.3, 1, 2} {
		for _, tau := range []float64{-1, 0, 0.2} {
			tr := Trajectory{U0: u0, Alpha: 30, T0: 0, TE: 10}
			d, err := b.Gradients(nil, []float64{10 * tau}, tr, 0, Options{})
			if err != nil {
				t.Fatal(err)
			}
			u := math.Hypot(u0, tau)
			slope := -8 / (u * u * math.Pow(u*u+4, 1.5))
			for k, want := range [7]float64{0, 0, 0, slope * u0 / u, -slope * tau / u / 10, -slope * tau * tau / u / 10, 0} {
				if got := d[0].D[k]; k != 1 && math.Abs(got-want) > 1e-7*math.Abs(slope) {
					t.Errorf("u0 %g τ %g: ∂A/∂%s %.10g, want %.10g", u0, tau, parameter[k], got, want)
				}
			}
		}
	}
	// And a disc before it: by the derivatives of SingleLensDisc.
	opt := Options{RelTol: 1e-9}
	for _, rho := range []float64{0.01, 0.2} {
		for _, u := range []float64{0.3 * rho, 1.5 * rho, 6 * rho} {
			d, err := b.Gradients(nil, []float64{0}, Trajectory{U0: u, Alpha: 90, TE: 1}, rho, opt)
			if err != nil {
				t.Fatal(err)
			}
			h := 1e-3 * rho
			wantU := (SingleLensDisc(u+h, rho, opt) - SingleLensDisc(u-h, rho, opt)) / (2 * h)
			wantRho := (SingleLensDisc(u, rho+h, opt) - SingleLensDisc(u, rho-h, opt)) / (2 * h)
			if !close64(d[0].D[3], wantU, 1e-4) || !close64(d[0].D[6], wantRho, 1e-4) {
				t.Errorf("rho %g u %g: %g and %g, want %g and %g", rho, u, d[0].D[3], d[0].D[6], wantU, wantRho)
			}
		}
	}
}

// Nothing is NaN, whatever the lens and wherever the source.
func TestGradientsExtremes(t *testing.T) {
	unknown := 0
	n := draws(4000)
	for i := range n {
		r := rand.New(rand.NewPCG(114, uint64(i)))
		b, x, y, rho := extremeDraw(r)
		opt := Options{}
		if i%10 == 0 {
			opt.LimbDarkening = 0.5
		}
		p, tm := through(r, b, x, y, rho)
		d, err := b.Gradients(nil, []float64{tm}, p.tr, rho, opt)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range d[0].D {
			if !(d[0].A >= 1) || !(math.Abs(v) <= math.MaxFloat64) || !(d[0].Err[k] >= 0) {
				t.Errorf("draw %d: %+v at (%g, %g): %+v", i, p, x, y, d[0])
			}
		}
		if math.IsInf(d[0].Err[3], 1) {
			unknown++
		}
	}
	t.Logf("%d of %d without derivatives", unknown, n)
	if unknown > n/100 {
		t.Error("too many")
	}
}

// Where the limb touches a fold the derivative steps: on both sides it is
// known, and at the touch Err says that it is not.
func TestGradientsTouch(t *testing.T) {
	const n = 200
	said, known, steps := 0, 0, 0
	for i := range n {
		r := rand.New(rand.NewPCG(131, uint64(i)))
		b, _, _, rho := hardDraw(r)
		g := b.geom()
		folds := b.folds(&g, nil, 32)
		f := folds[r.IntN(len(folds))]
		phi := f.phi0 + (f.phi1-f.phi0)*r.Float64()
		touch := g.lensMap(g.between(&f, phi))
		normal := tangent(phi) * 1i
		if r.IntN(2) == 0 {
			normal = -normal
		}
		var slope, sure [3]float64
		for k, off := range []float64{0, 1e-5, -1e-5} {
			x, y := g.public(touch + scale(rho*(1+off), normal))
			d, err := b.Gradients(nil, []float64{x}, Trajectory{U0: y, TE: 1}, rho, Options{RelTol: 1e-4})
			if err != nil {
				t.Fatal(err)
			}
			slope[k], sure[k] = d[0].D[3]*rho/d[0].A, d[0].Err[3]*rho/d[0].A
			if !(math.Abs(slope[k]) < 100) {
				t.Errorf("draw %d: %+v", i, d[0])
			}
		}
		if sure[0] > 0.01 {
			said++
		}
		if sure[1] < 0.01 && sure[2] < 0.01 {
			known++
		}
		if math.Abs(slope[1]-slope[2]) > 0.1 {
			steps++
		}
	}
	t.Logf("%d touches: %d said to be unknown, %d known on both sides, %d steps of more than 0.1 A/ρ", n, said, known, steps)
	if said < n*9/10 || known < n*9/10 {
		t.Error("errors do not tell")
	}
}

func TestGradientsErrors(t *testing.T) {
	b, tr := Binary{1, 1}, Trajectory{TE: 1}
	if _, err := b.Gradients(make([]Gradient, 2), []float64{0}, tr, 0, Options{}); err == nil {
		t.Error("dst of the wrong length")
	}
	if _, err := (Binary{}).Gradients(nil, []float64{0}, tr, 0, Options{}); err == nil {
		t.Error("no lens")
	}
	if _, err := b.Gradients(nil, []float64{0}, tr, 0, Options{LimbDarkening: 2}); err == nil {
		t.Error("Γ = 2")
	}
	if d, err := b.Gradients(nil, nil, tr, 0, Options{}); err != nil || len(d) != 0 {
		t.Error(d, err)
	}
}
