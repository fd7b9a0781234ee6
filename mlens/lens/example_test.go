package lens_test

import (
	"fmt"
	"math"
	"slices"

	"github.com/mlens-go/microlens/mlens/lens"
)

// Two equal masses one Einstein radius apart, the source on the centre of
// mass: 13/3 exactly.
func ExampleBinary_PointSource() {
	a, n := lens.Binary{S: 1, Q: 1}.PointSource(0, 0)
	fmt.Printf("%.12f %d\n", a, n)
	// Output: 4.333333333333 5
}

func ExampleBinary_Magnification() {
	b := lens.Binary{S: 0.8, Q: 1e-3}
	r := b.Magnification(1e-3, 1e-3, 1e-3, lens.Options{RelTol: 1e-6})
	fmt.Printf("%.4f by %v\n", r.Magnification, r.Method)
	// Output: 687.8033 by contour
}

// The same source uniform, and with the limb darkening u = 0.51 of the law
// I = 1 − u(1 − √(1−r²)).
func ExampleLimbDarkening() {
	b := lens.Binary{S: 0.8, Q: 0.1}
	opt := lens.Options{RelTol: 1e-6}
	fmt.Printf("%.4f\n", b.Magnification(0.01, 0.01, 0.01, opt).Magnification)
	opt.LimbDarkening = lens.LimbDarkening(0.51)
	fmt.Printf("%.4f\n", b.Magnification(0.01, 0.01, 0.01, opt).Magnification)
	// Output:
	// 18.2834
	// 18.2753
}

// The light curve of MulensModel's issue 36, which settled the sense of α.
func ExampleBinary_LightCurve() {
	b := lens.Binary{S: 1.5, Q: 0.5}
	tr := lens.Trajectory{U0: 1, Alpha: 90, T0: 0, TE: 9}
	a, err := b.LightCurve(nil, []float64{0, 1, 10}, tr, 0, lens.Options{})
	fmt.Printf("%.6f %v\n", a, err)
	tr.Alpha += 180
	a, err = b.LightCurve(nil, []float64{0, 1, 10}, tr, 0, lens.Options{})
	fmt.Printf("%.4f %v\n", a, err)
	// Output:
	// [1.506101 1.493634 1.137384] <nil>
	// [2.3287 1.9988 1.1053] <nil>
}

// How much the peak of a curve moves with the parameters: the matrix Σ D·Dᵀ/σ²
// of a light curve is its Fisher information.
func ExampleBinary_Gradients() {
	b := lens.Binary{S: 1.1, Q: 1e-3}
	tr := lens.Trajectory{U0: 0.1, Alpha: 40, T0: 10, TE: 15}
	d, err := b.Gradients(nil, []float64{11}, tr, 1e-3, lens.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("A = %.4f\n", d[0].A)
	for k, name := range []string{"s", "q", "α", "u0", "t0", "tE", "ρ"} {
		fmt.Printf("∂A/∂%s = %.4g\n", name, d[0].D[k])
	}
	// Output:
	// A = 8.3749
	// ∂A/∂s = -0.007966
	// ∂A/∂q = 9.327
	// ∂A/∂α = 0.001905
	// ∂A/∂u0 = -56.94
	// ∂A/∂t0 = 2.603
	// ∂A/∂tE = 0.1735
	// ∂A/∂ρ = 0.1457
}

func ExampleTrajectory_Shift() {
	b := lens.Binary{S: 2, Q: 1e-3}
	tr := lens.Trajectory{U0: 0.1, Alpha: 30, T0: 50, TE: 20}
	p := tr.Shift(b.PlanetaryCaustic())
	fmt.Printf("u0 = %.4f, t0 = %.3f d\n", p.U0, p.T0)
	// Output: u0 = 0.8490, t0 = 75.946 d
}

func ExampleBinary_Topology() {
	for _, s := range []float64{0.6, 1, 2.5} {
		b := lens.Binary{S: s, Q: 1}
		fmt.Println(b.Topology(), len(b.Caustics(64)))
	}
	// Output:
	// close 3
	// resonant 1
	// wide 2
}

func ExampleSingleLens() {
	fmt.Printf("%.6f\n", lens.SingleLens(1)) // 3/√5
	// Output: 1.341641
}

// The tolerance of a likelihood: 0.02 σ of the flux at every epoch.
func ExampleBinary_BoundedLightCurve() {
	b := lens.Binary{S: 1.1, Q: 1e-3}
	tr := lens.Trajectory{U0: 0.1, Alpha: 40, T0: 10, TE: 15}
	times := []float64{9, 10, 11}
	const sn = 230 // of the baseline, without a blend: F = sn²·A, σ = √F
	tol := []float64{0.02 / sn, 0.02 / sn, 0.02 / sn}
	var c lens.Curve
	if err := b.BoundedLightCurve(&c, times, tol, tr, 1e-3, lens.Options{}); err != nil {
		panic(err)
	}
	fmt.Printf("%.4f, %d late\n", c.A, c.Late)
	// Output: [8.6165 10.1569 8.3749], 0 late
}

// Many sources behind one lens need its caustics only once.
func ExampleBinary_Prepare() {
	p := lens.Binary{S: 0.8, Q: 0.1}.Prepare()
	r := p.Magnification(0.01, 0.01, 0.01, lens.Options{RelTol: 1e-6})
	fmt.Printf("%.4f by %v\n", r.Magnification, r.Method)
	// Output: 18.2834 by contour
}

// The images of a source inside the caustic. A negative magnification is an image
// turned inside out, as in a mirror; the signs add up to −1.
func ExampleBinary_Images() {
	b := lens.Binary{S: 0.9, Q: 0.1}
	for _, im := range b.Images(nil, 0.1, 0.1) {
		fmt.Printf("(%6.3f, %6.3f) %6.3f\n", im.X, im.Y, im.Magnification)
	}
	// Output:
	// ( 0.908, -0.439)  2.364
	// ( 0.588,  0.858)  2.244
	// (-0.818, -0.479) -2.229
	// ( 1.078, -0.203) -1.350
	// ( 0.675, -0.020) -0.030
}

// A source crosses a caustic: two images more on the way.
func ExampleBinary_Tracks() {
	b := lens.Binary{S: 0.9, Q: 0.1}
	tr := lens.Trajectory{U0: 0.1, Alpha: 60, T0: 0, TE: 20}
	times := make([]float64, 73)
	for i := range times {
		times[i] = float64(i - 36)
	}
	tracks, err := b.Tracks(times, tr)
	if err != nil {
		panic(err)
	}
	for _, k := range tracks {
		first, last := times[k.First], times[k.First+len(k.Images)-1]
		fmt.Printf("day %3.0f to %3.0f, parity %+.0f\n", first, last, math.Copysign(1, k.Images[0].Magnification))
	}
	// Output:
	// day -36 to  36, parity +1
	// day -36 to   3, parity -1
	// day -36 to -10, parity -1
	// day  -9 to  36, parity -1
	// day   2 to   3, parity +1
	// day   2 to  36, parity -1
}

// A map of 200 by 200 sources.
func ExampleBinary_Map() {
	b := lens.Binary{S: 0.9, Q: 0.1}
	m := lens.Grid{Pixel: 0.01, NX: 200, NY: 200}
	a, err := b.Map(nil, m, 0.01, lens.Options{})
	if err != nil {
		panic(err)
	}
	x, y := m.At(110, 90)
	fmt.Printf("A(%.3f, %.3f) = %.2f, highest %.1f\n", x, y, a[90*m.NX+110], slices.Max(a))
	// Output:
	// A(0.105, 0.095) = 8.19, highest 72.0
}

// Mass ratios above 1 are welcome: the labels are exchanged and the frame turns
// by 180°.
func ExampleBinary_Swap() {
	heavy := lens.Binary{S: 1.2, Q: 10}
	light := heavy.Swap()
	a, _ := heavy.PointSource(0.3, 0.1)
	c, _ := light.PointSource(-0.3, -0.1)
	fmt.Printf("q = %g: %.6f, q = %g: %.6f\n", heavy.Q, a, light.Q, c)
	// Output:
	// q = 10: 2.990055, q = 0.1: 2.990055
}
