package lens_test

import (
	"fmt"

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
