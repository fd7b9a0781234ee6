package plots

import (
	"cmp"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
)

// Solution is one explanation of a light curve.
type Solution struct {
	Label  string
	Params event.Params
	Weight float64 // probability, shown with the label; 0: not shown
}

// name is the label with the weight.
func (s Solution) name() string {
	if s.Weight == 0 {
		return s.Label
	}
	w := number3(100 * s.Weight)
	if s.Weight < 1e-4 {
		w = "< 0.01"
	}
	return s.Label + ", " + w + " %"
}

// Center is what a map of the source plane is centred on.
type Center int

const (
	// CentralCaustic is the caustic of the heavier lens. Solutions with
	// different lenses are comparable there, because that is where a
	// high-magnification event sees the same thing.
	CentralCaustic Center = iota
	// NearestCaustic is the caustic that the source comes closest to.
	NearestCaustic
	// CenterOfMass is the origin of the parameters' frame.
	CenterOfMass
)

// A scene is the source plane of one solution.
type scene struct {
	Solution
	caustics  [][]complex128
	center    complex128 // subtracted where the scene is drawn
	size      float64    // farthest point, from the center, of the caustic at the center
	u0        float64    // closest approach of the source to the center
	crossings int        // of caustics by the source's centre
}

func newScene(s Solution, center Center) (*scene, error) {
	if err := s.Params.Check(); err != nil {
		return nil, fmt.Errorf("plots: solution %q: %w", s.Label, err)
	}
	b := lens.Binary{S: s.Params.S, Q: s.Params.Q}
	sc := &scene{Solution: s, caustics: b.Caustics(1024)}
	sc.crossings = countCrossings(sc.caustics, sc.at(0), sc.direction())
	var loop []complex128
	switch center {
	case CentralCaustic:
		sc.center = complex(heavierCaustic(b), 0)
		loop = slices.MinFunc(sc.caustics, func(a, b []complex128) int {
			return cmp.Compare(nearest(a, sc.center), nearest(b, sc.center))
		})
	case NearestCaustic:
		loop = slices.MinFunc(sc.caustics, func(a, b []complex128) int {
			return cmp.Compare(sc.approach(a), sc.approach(b))
		})
		sc.center = middle(loop)
	case CenterOfMass:
		loop = slices.Concat(sc.caustics...)
	default:
		panic(fmt.Sprintf("plots: unknown center %d", center))
	}
	for _, z := range loop {
		sc.size = math.Max(sc.size, cmplx.Abs(z-sc.center))
	}
	sc.u0 = math.Abs(cross(sc.at(0)-sc.center, sc.direction()))
	return sc, nil
}

// heavierCaustic returns the x of the caustic of the heavier lens.
func heavierCaustic(b lens.Binary) float64 {
	if b.Q > 1 { // swapping the lenses turns the x axis round
		return -b.Swap().CentralCaustic()
	}
	return b.CentralCaustic()
}

// at returns the position of the source at tau Einstein times after t0.
func (sc *scene) at(tau float64) complex128 {
	x, y := lens.Trajectory{U0: sc.Params.U0, Alpha: sc.Params.Alpha, TE: 1}.At(tau)
	return complex(x, y)
}

// direction returns the direction of the source's motion.
func (sc *scene) direction() complex128 { return sc.at(1) - sc.at(0) }

// met returns how far from the center the caustics reach that the source meets there or within two
// Einstein radii: those that it crosses, or passes nearer than half their length.
func (sc *scene) met() float64 {
	const far = 2
	reach := sc.size
	for _, loop := range sc.caustics {
		var out, length float64
		for _, z := range loop {
			out, length = math.Max(out, cmplx.Abs(z-sc.center)), math.Max(length, cmplx.Abs(z-loop[0]))
		}
		if out < far && sc.approach(loop) < length/2 {
			reach = math.Max(reach, out)
		}
	}
	return reach
}

// approach returns the least distance of a caustic from the source's path.
func (sc *scene) approach(loop []complex128) float64 {
	best := math.Inf(1)
	p, d := sc.at(0), sc.direction()
	for _, z := range loop {
		best = math.Min(best, math.Abs(cross(z-p, d)))
	}
	return best
}

func cross(a, b complex128) float64 { return real(a)*imag(b) - imag(a)*real(b) }

func nearest(loop []complex128, c complex128) float64 {
	best := math.Inf(1)
	for _, z := range loop {
		best = math.Min(best, cmplx.Abs(z-c))
	}
	return best
}

// middle returns the centre of the bounding box.
func middle(loop []complex128) complex128 {
	var xs, ys []float64
	for _, z := range loop {
		xs, ys = append(xs, real(z)), append(ys, imag(z))
	}
	return complex((slices.Min(xs)+slices.Max(xs))/2, (slices.Min(ys)+slices.Max(ys))/2)
}

// countCrossings counts where the line through p along d crosses the curves.
func countCrossings(loops [][]complex128, p, d complex128) (n int) {
	for _, loop := range loops {
		last := cross(loop[len(loop)-1]-p, d)
		for _, z := range loop {
			side := cross(z-p, d)
			if (side > 0) != (last > 0) {
				n++
			}
			last = side
		}
	}
	return n
}
