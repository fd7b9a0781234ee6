package main

import (
	"math"
	"testing"

	"github.com/mlens-go/microlens/mlens/lens"
)

func TestCurves(t *testing.T) {
	for _, s := range []float64{0.5, 1, 2} {
		b := lens.Binary{S: s, Q: 0.1}
		v := curves(nil, b, 64)
		k := int(v[1])
		if lens.Topology(v[0]) != b.Topology() || k != len(b.CriticalCurves(64)) {
			t.Errorf("s = %v: topology %v with %d curves", s, v[0], k)
		}
		points := 0
		for _, n := range v[2 : 2+k] {
			points += int(n)
		}
		if points != 4*64 || len(v) != 2+k+2*2*points {
			t.Errorf("s = %v: %d points in %d numbers", s, points, len(v))
		}
		if z := b.Caustics(64)[0][0]; v[2+k+2*points] != real(z) || v[2+k+2*points+1] != imag(z) {
			t.Errorf("s = %v: the first caustic begins with %v", s, v[2+k+2*points:][:2])
		}
	}
}

// The points are those of the exact curve, and the lines between them miss it by little.
func TestLightCurve(t *testing.T) {
	b, tr := lens.Binary{S: 0.9, Q: 0.1}, lens.Trajectory{U0: 0.1, Alpha: 60, TE: 20}
	for _, rho := range []float64{1e-3, 1e-2, 0.1} {
		for _, fine := range []bool{false, true} {
			tol := 0.04
			if fine {
				tol = 0.008
			}
			v := lightCurve(nil, b, tr, rho, window{-36, 36, fine})
			n := len(v) / 2
			if v[0] != -36 || v[2*n-2] != 36 || n > 3000 {
				t.Fatalf("%d points from %v to %v", n, v[0], v[2*n-2])
			}
			off := 0
			for i := 1; i < n; i++ {
				if v[2*i] <= v[2*i-2] {
					t.Fatalf("time %v after %v", v[2*i], v[2*i-2])
				}
				if i%5 > 0 {
					continue
				}
				x, y := tr.At(v[2*i])
				if a := b.Magnification(x, y, rho, lens.Options{}).Magnification; math.Abs(v[2*i+1]/a-1) > tol {
					t.Errorf("ρ = %v, t = %v: %v, want %v", rho, v[2*i], v[2*i+1], a)
				}
				x, y = tr.At((v[2*i] + v[2*i-2]) / 2)
				a := b.Magnification(x, y, rho, lens.Options{}).Magnification
				if math.Abs((v[2*i+1]+v[2*i-1])/(2*a)-1) > tol {
					off++
				}
			}
			if off > n/100 {
				t.Errorf("ρ = %v, fine %v: %d of %d lines are off by more than %v", rho, fine, off, n/5, tol)
			}
		}
	}
}

// The area of the images over that of the source is the magnification.
func TestImages(t *testing.T) {
	var r raster
	for _, test := range []struct{ s, q, x, y, rho float64 }{
		{1, 0.1, 0.05, 0.02, 0.1},
		{1, 0.1, 0.3, -0.2, 0.05},
		{0.6, 0.5, -0.1, 0.1, 0.2},
		{1.8, 0.3, 0.4, 0, 0.1},
	} {
		b := lens.Binary{S: test.s, Q: test.q}
		f := frame{left: -2.2, top: 2, pixel: 0.005, w: 900, h: 800}
		for range 2 { // the second time with what the first has left
			sum := 0.0
			for _, v := range r.images(nil, b, test.x, test.y, test.rho, f) {
				sum += float64(v&255) / 255
			}
			got := sum * f.pixel * f.pixel / (math.Pi * test.rho * test.rho)
			want := b.Magnification(test.x, test.y, test.rho, lens.Options{}).Magnification
			if math.Abs(got/want-1) > 0.03 {
				t.Errorf("%+v: images of area %.3f, want %.3f", test, got, want)
			}
		}
	}
}

func TestSource(t *testing.T) {
	b := lens.Binary{S: 1, Q: 0.1}
	for _, want := range []int{3, 5} {
		x := map[int]float64{3: 0.8, 5: 0.05}[want]
		v := source(nil, b, x, 0.01, 1e-4)
		sum := 0.0
		for i := 5; i < len(v); i += 3 {
			sum += math.Abs(v[i])
		}
		if int(v[2]) != want || len(v) != 3+3*want || math.Abs(v[1]/lens.SingleLens(math.Hypot(x, 0.01))-1) > 1e-3 || math.Abs(sum/v[0]-1) > 1e-2 {
			t.Errorf("%v: want %d images that add up", v, want)
		}
	}
}

func TestSingleLens(t *testing.T) {
	v := singleLens(nil, lens.Trajectory{Alpha: 30, TE: 20}, 0.01, window{first: -20, last: 20}, 3)
	for i, want := range []float64{lens.SingleLens(1), math.Sqrt(1 + 4/1e-4), lens.SingleLens(1)} {
		if math.Abs(v[i]/want-1) > 0.01 {
			t.Errorf("%v, want %v", v[i], want)
		}
	}
}
