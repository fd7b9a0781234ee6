package lens

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Methods that say they suffice agree, and the distance is that to points of the
// caustics.
func TestLevels(t *testing.T) {
	agreed := map[Method]int{}
	for i := range stressSize(40) {
		b, x, y, rho := hardDraw(rand.New(rand.NewPCG(81, uint64(i))))
		p := b.Prepare()
		want := p.Magnification(x, y, rho, Options{AbsTol: 1e-7, RelTol: 1e-7}).Magnification
		for m := PointSource; m <= Radial; m++ {
			r := p.MagnificationBy(m, x, y, rho, Options{})
			if r.Late || m < Contour && p.Distance(x, y) < nearest*rho {
				continue
			}
			agreed[m]++
			if math.Abs(r.Magnification-want) > 1e-3*want {
				t.Errorf("draw %d: %+v (%g, %g) rho %g: %+v, want %.8g", i, b, x, y, rho, r, want)
			}
		}
		least := math.Inf(1)
		for _, c := range b.Caustics(1024) {
			for k, z := range c {
				next := c[(k+1)%len(c)]
				least = math.Min(least, math.Sqrt(segment2(complex(x, y), z, next)))
			}
		}
		// The caustic of light q is a polygon to a part of its size.
		if d := p.Distance(x, y); d > 1.005*least+1e-4*math.Sqrt(b.Q) || d < 0.98*least-1e-4*math.Sqrt(b.Q) {
			t.Errorf("draw %d: %+v (%g, %g): distance %g, but a point of a caustic at %g", i, b, x, y, d, least)
		}
	}
	if len(agreed) < 4 {
		t.Errorf("too few agree: %v", agreed)
	}
}

// A source that a fold cuts, by four methods.
func ExamplePrepared_MagnificationBy() {
	p := Binary{S: 0.9, Q: 0.1}.Prepare()
	fmt.Printf("%.4f θ_E from a caustic\n", p.Distance(0.17, 0.1))
	for m := PointSource; m <= Radial; m++ {
		r := p.MagnificationBy(m, 0.17, 0.1, 0.02, Options{})
		fmt.Printf("%-13v %.3f late: %v\n", m, r.Magnification, r.Late)
	}
	// Output:
	// 0.0187 θ_E from a caustic
	// point source  3.452 late: true
	// quadrupole    3.456 late: true
	// contour       3.792 late: false
	// radial        3.792 late: false
}
