package lens

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Far from the lens one image has the magnification 1 + 1/u⁴ and those next to
// the bodies have m_i²/u⁴, if 1/u is well below s.
func TestFarSource(t *testing.T) {
	r := rand.New(rand.NewPCG(121, 1))
	for range 500 {
		b := Binary{0.2 + 2*r.Float64(), math.Exp(math.Log(1e-6) * r.Float64())}
		u := 50 * math.Pow(20, r.Float64())
		sn, cs := math.Sincos(2 * math.Pi * r.Float64())
		for _, opt := range []Options{{RelTol: 1e-12}, {RelTol: 1e-12, LimbDarkening: 0.6}} {
			got := b.Magnification(u*cs, u*sn, 0.01, opt).Magnification - 1
			m := 1 / (1 + b.Q)
			want := (1 + m*m + (1-m)*(1-m)) / math.Pow(u, 4)
			if rest := 10*(1+b.S)/u + 10/(u*u*b.S*b.S); math.Abs(got-want) > rest*want+1e-13 {
				t.Errorf("%+v at %g: A − 1 = %g, want %g", b, u, got, want)
			}
		}
	}
}

// A disc much larger than the lens gains 2π θ_E² of area where the lens is:
// A = 1 + 2 S(r)/ρ² with the intensity S, whose mean is 1, of that place.
func TestLargeDisc(t *testing.T) {
	r := rand.New(rand.NewPCG(122, 1))
	for range 30 {
		b := Binary{0.3 + r.Float64(), math.Exp(math.Log(1e-4) * r.Float64())}
		rho := 20 * math.Pow(5, r.Float64())
		sn, cs := math.Sincos(2 * math.Pi * r.Float64())
		u := 0.5 * rho * r.Float64()
		for _, gamma := range []float64{0, 0.5, 1} {
			got := b.Magnification(u*cs, u*sn, rho, Options{RelTol: 1e-6, LimbDarkening: gamma}).Magnification - 1
			s := 1 - gamma*(1-1.5*math.Sqrt(1-u*u/(rho*rho)))
			if want := 2 * s / (rho * rho); math.Abs(got-want) > 0.02*want+1e-6 {
				t.Errorf("%+v at %g, rho %g, Γ %g: A − 1 = %g, want %g", b, u, rho, gamma, got, want)
			}
		}
	}
}

// Two bodies far apart are two lenses, each with its mass and, of the other,
// a shear of the order of 1/s².
func TestWideBinary(t *testing.T) {
	for _, q := range []float64{1e-3, 0.1, 1} {
		b := Binary{300, q}
		p, s := b.Positions()
		for _, c := range []struct{ x, m float64 }{{p, 1 / (1 + q)}, {s, q / (1 + q)}} {
			root := math.Sqrt(c.m)
			// The other body pulls the images: the lens is where the source is seen
			// on it, shifted by (1−m)/s.
			x := c.x + math.Copysign((1-c.m)/b.S, -c.x)
			for _, u := range []float64{0.1, 0.5, 1} {
				want := SingleLensDisc(u, 0.05, strict)
				got := b.Magnification(x, u*root, 0.05*root, strict).Magnification
				if !close64(got, want, 2e-3) {
					t.Errorf("q %g, body at %g, u %g: %.7g, single lens %.7g", q, c.x, u, got, want)
				}
			}
		}
	}
}

// Central caustics at s and 1/s differ by a part of the order of q; far from
// resonance and for light companions the magnifications about them agree.
func TestCloseWideDegeneracyEverywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(123, 1))
	for range 200 {
		q := math.Exp(math.Log(1e-6) + math.Log(1e2)*r.Float64())
		w := Binary{1.8 + 2*r.Float64(), q}
		c := Binary{1 / w.S, q}
		u := math.Exp(math.Log(1e-3) + math.Log(100)*r.Float64())
		sn, cs := math.Sincos(2 * math.Pi * r.Float64())
		rho := 0.3 * u
		opt := Options{RelTol: 1e-6, LimbDarkening: 0.5 * float64(r.IntN(2))}
		a := w.Magnification(w.CentralCaustic()+u*cs, u*sn, rho, opt).Magnification
		b := c.Magnification(c.CentralCaustic()+u*cs, u*sn, rho, opt).Magnification
		if !close64(a, b, 3*math.Sqrt(q)*u+20*q) {
			t.Errorf("%+v, u %g: wide %.7g, close %.7g", w, u, a, b)
		}
	}
}

// A is a linear function of Γ.
func TestLinearInDarkening(t *testing.T) {
	for i := range stressSize(100) {
		r := rand.New(rand.NewPCG(124, uint64(i)))
		b, x, y, rho := hardDraw(r)
		p := b.Prepare()
		var a [4]float64
		for k, gamma := range []float64{0, 1e-9, 0.4, 1} {
			a[k] = p.Magnification(x, y, rho, Options{RelTol: 1e-5, LimbDarkening: gamma}).Magnification
		}
		if want := 0.6*a[0] + 0.4*a[3]; !close64(a[2], want, 2e-5) || !close64(a[0], a[1], 2e-5) {
			t.Errorf("draw %d: %+v (%g, %g) rho %g: %.8g, want %.8g from %.8g and %.8g; %.8g for Γ of 1e-9", i, b, x, y, rho, a[2], want, a[0], a[3], a[1])
		}
	}
}

// The magnification of a disc, darkened or not, is continuous where one method
// hands over to the next: a step across the border, as small as wanted,
// changes it by less than the tolerance.
func TestEscalationBorders(t *testing.T) {
	borders := 0
	for i := range stressSize(40) {
		r := rand.New(rand.NewPCG(125, uint64(i)))
		b, x, y, rho := hardDraw(r)
		p := b.Prepare()
		opt := Options{AbsTol: 1e-3, RelTol: 1e-3, LimbDarkening: 0.5 * float64(i%2)}
		sn, cs := math.Sincos(2 * math.Pi * r.Float64())
		at := func(s float64) Result { return p.Magnification(x+s*cs, y+s*sn, rho, opt) }
		const steps = 60
		last := at(0)
		for k := 1; k <= steps; k++ {
			lo, hi := 30*rho*float64(k-1)/steps, 30*rho*float64(k)/steps
			next := at(hi)
			if next.Method != last.Method {
				borders++
				m := last.Method
				for range 40 {
					if mid := 0.5 * (lo + hi); at(mid).Method == m {
						lo = mid
					} else {
						hi = mid
					}
				}
				a, c := at(lo), at(hi)
				if d := math.Abs(a.Magnification - c.Magnification); d > math.Max(1e-3, 1e-3*a.Magnification) {
					t.Errorf("draw %d: %+v (%g, %g) rho %g %+v: %.8g by %v and %.8g by %v", i, b, x, y, rho, opt, a.Magnification, a.Method, c.Magnification, c.Method)
				}
			}
			last = next
		}
	}
	t.Logf("%d borders", borders)
	if borders < 10 && !testing.Short() {
		t.Error("too few borders")
	}
}
