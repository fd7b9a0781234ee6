package lens

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

var curvesOf = [...]int{Close: 3, Resonant: 1, Wide: 2}
var cuspsOf = [...]int{Close: 10, Resonant: 6, Wide: 8}

// Points of a critical curve satisfy |∂ζ/∂z̄| = 1; the curves are as many as
// the topology says, closed and smoothly linked; the cusps are as many, too.
func TestCaustics(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	seen := map[Topology]int{}
	for range 600 {
		b := Binary{0.2 * math.Exp(math.Log(25)*r.Float64()), math.Exp(math.Log(1e-6) * r.Float64())}
		if r.IntN(3) == 0 {
			b.S = 1 + 0.3*(2*r.Float64()-1)
		}
		top := b.Topology()
		seen[top]++
		curves := b.CriticalCurves(128)
		caustics := b.Caustics(128)
		if len(curves) != curvesOf[top] || len(caustics) != len(curves) {
			t.Errorf("%+v: %v, but %d curves", b, top, len(curves))
			continue
		}
		p, s := b.Positions()
		m1, m2 := complex(1/(1+b.Q), 0), complex(b.Q/(1+b.Q), 0)
		points := 0
		for k, c := range curves {
			points += len(c)
			for i, z := range c {
				u, v := z-complex(p, 0), z-complex(s, 0)
				if h := m1/(u*u) + m2/(v*v); math.Abs(cmplx.Abs(h)-1) > 1e-8 {
					t.Fatalf("%+v: |h| = 1%+.1e", b, cmplx.Abs(h)-1)
				}
				zc := cmplx.Conj(z)
				zeta := z - m1/(zc-complex(p, 0)) - m2/(zc-complex(s, 0))
				if cmplx.Abs(zeta-caustics[k][i]) > 1e-12 {
					t.Fatalf("%+v: caustic not the image of the critical curve", b)
				}
			}
		}
		if points != 4*128 {
			t.Errorf("%+v: %d points", b, points)
		}
		g := b.geom()
		cusps := 0
		for _, f := range b.folds(&g, nil, 16) {
			if f.cusp0 {
				cusps++
			}
		}
		if cusps != cuspsOf[top] {
			t.Errorf("%+v: %v, but %d cusps", b, top, cusps)
		}
	}
	for top := range curvesOf {
		if seen[Topology(top)] < 30 {
			t.Errorf("only %d lenses %v", seen[Topology(top)], Topology(top))
		}
	}
}

// Boundaries for equal masses: s = 1/√2 and s = 2 (Erdl & Schneider 1993).
func TestTopologyBoundaries(t *testing.T) {
	for _, c := range []struct {
		s    float64
		want Topology
	}{{0.7071, Close}, {0.70711, Resonant}, {1.99999, Resonant}, {2.00001, Wide}} {
		if got := (Binary{c.s, 1}).Topology(); got != c.want {
			t.Errorf("s = %g: %v, want %v", c.s, got, c.want)
		}
	}
}

// The number of images is 5 inside a caustic and 3 outside: across a fold,
// along its normal, it changes by two.
func TestImageCountAcrossFolds(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	for range 3000 {
		b := Binary{0.3 * math.Exp(math.Log(10)*r.Float64()), math.Exp(math.Log(1e-5) * r.Float64())}
		g := b.geom()
		folds := b.folds(&g, nil, 16)
		f := folds[r.IntN(len(folds))]
		if f.phi1-f.phi0 < 0.05 {
			continue // next to a cusp the other fold is near
		}
		phi := f.phi0 + (f.phi1-f.phi0)*(0.2+0.6*r.Float64())
		w := g.between(&f, phi)
		z := g.lensMap(w)
		step := 1e-6 * math.Abs(g.speed(w, phi))
		if step < 1e-11 {
			continue // too near to tell the sides apart
		}
		sn, cs := math.Sincos(-0.5*phi + math.Pi/2)
		n := [2]int{}
		for i, sign := range []float64{-1, 1} {
			x, y := g.public(z + complex(sign*step*cs, sign*step*sn))
			_, n[i] = b.PointSource(x, y)
		}
		if n[0]+n[1] != 8 {
			t.Errorf("%+v: %d and %d images on both sides of a fold", b, n[0], n[1])
		}
	}
}

// The closed formulas for the centres of caustics against the curves.
func TestCausticCentres(t *testing.T) {
	centre := func(c []complex128) complex128 {
		lo, hi := c[0], c[0]
		for _, z := range c {
			lo = complex(math.Min(real(lo), real(z)), math.Min(imag(lo), imag(z)))
			hi = complex(math.Max(real(hi), real(z)), math.Max(imag(hi), imag(z)))
		}
		return (lo + hi) / 2
	}
	nearest := func(b Binary, x float64) float64 {
		best := math.Inf(1)
		for _, c := range b.Caustics(256) {
			best = math.Min(best, math.Abs(real(centre(c))-x))
		}
		return best
	}
	for _, b := range []Binary{{3, 1e-3}, {4, 0.3}, {5, 1}, {2.5, 1e-4}} {
		if d := nearest(b, b.CentralCaustic()); d > 2*b.Q/(b.S*b.S) {
			t.Errorf("%+v: central caustic off by %g", b, d)
		}
		if d := nearest(b, -b.Swap().CentralCaustic()); d > 2/(b.S*b.S)/(1+b.Q) {
			t.Errorf("%+v: caustic about the secondary off by %g", b, d)
		}
	}
	for _, b := range []Binary{{3, 1e-4}, {1.6, 1e-5}, {0.6, 1e-4}, {0.4, 1e-5}} {
		if d := nearest(b, b.PlanetaryCaustic()); d > 10*b.Q {
			t.Errorf("%+v: planetary caustic off by %g", b, d)
		}
	}
}

// One caustic winds about CentralCaustic, whatever the topology, and where the
// lenses are far apart or close the point is in its middle.
func TestCentralCausticIsInside(t *testing.T) {
	for _, s := range []float64{0.3, 0.5, 0.7, 0.85, 0.95, 1, 1.1, 1.3, 1.6, 2, 2.5, 4} {
		for _, q := range []float64{1e-4, 1e-2, 0.1, 0.5, 1, 3} {
			b := Binary{s, q}
			x := complex(b.CentralCaustic(), 0)
			around := 0
			for _, c := range b.Caustics(1024) {
				lo, hi := math.Inf(1), math.Inf(-1)
				var angle float64
				for i, z := range c {
					lo, hi = math.Min(lo, real(z)), math.Max(hi, real(z))
					angle += cmplx.Phase((c[(i+1)%len(c)] - x) / (z - x))
				}
				if math.Abs(angle) < math.Pi {
					continue
				}
				around++
				far := s < 0.4 || s > 3
				if f := (real(x) - lo) / (hi - lo); far && (f < 0.25 || f > 0.75) {
					t.Errorf("%+v: the central caustic is from %g to %g, but CentralCaustic %g", b, lo, hi, real(x))
				}
			}
			if around != 1 {
				t.Errorf("%+v: %d caustics wind about %g", b, around, real(x))
			}
		}
	}
}
