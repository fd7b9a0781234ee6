package main

import (
	"math"

	"github.com/mlens-go/microlens/mlens/lens"
)

// A window is the part of a light curve to compute, from first to last, in days. A fine one is
// for the eye that rests on it, the other for the hand that moves.
type window struct {
	first, last float64
	fine        bool
}

// lightCurve appends pairs of time and magnification, in the order of time, that can be joined by
// lines: it begins with even steps and halves those where the curve bends.
func lightCurve(dst []float64, b lens.Binary, tr lens.Trajectory, rho float64, w window) []float64 {
	most, tol, halvings := 320., 1e-2, 3
	if w.fine {
		most, tol, halvings = 1440, 2e-3, 5
	}
	// Nothing in the curve is shorter than the source takes to cross its own radius, and few
	// anomalies that are worth a look are shorter than the shortest step.
	length := w.last - w.first
	n := int(min(max(4*length/(rho*math.Abs(tr.TE)), 120), most))
	t := make([]float64, n+1)
	for i := range t {
		t[i] = w.first + length*float64(i)/float64(n)
	}
	a, err := b.LightCurve(nil, t, tr, rho, lens.Options{RelTol: tol})
	if err != nil {
		return dst
	}
	var split []bool
	for range halvings {
		split = bends(split, t, a, 4*tol)
		var mid []float64
		for i, s := range split {
			if s {
				mid = append(mid, (t[i]+t[i+1])/2)
			}
		}
		if len(mid) == 0 {
			break
		}
		more, err := b.LightCurve(nil, mid, tr, rho, lens.Options{RelTol: tol})
		if err != nil {
			return dst
		}
		t, a = between(t, mid, split), between(a, more, split)
	}
	for i := range t {
		dst = append(dst, t[i], a[i])
	}
	return dst
}

// singleLens appends n magnifications at even steps of time by a single lens at the origin.
func singleLens(dst []float64, tr lens.Trajectory, rho float64, w window, n int) []float64 {
	for i := range n {
		x, y := tr.At(w.first + (w.last-w.first)*float64(i)/float64(n-1))
		dst = append(dst, lens.SingleLensDisc(math.Hypot(x, y), rho, lens.Options{RelTol: 1e-2}))
	}
	return dst
}

// bends says of each step whether the curve bends by more than tol, as a part of its height, at
// one of the step's ends.
func bends(split []bool, t, a []float64, tol float64) []bool {
	split = append(split[:0], make([]bool, len(t)-1)...)
	for i := 1; i+1 < len(t); i++ {
		f := (t[i] - t[i-1]) / (t[i+1] - t[i-1])
		if math.Abs(a[i-1]+f*(a[i+1]-a[i-1])-a[i]) > tol*a[i] {
			split[i-1], split[i] = true, true
		}
	}
	return split
}

// between puts the next of mid after each v whose step is split.
func between(v, mid []float64, split []bool) []float64 {
	out := make([]float64, 0, len(v)+len(mid))
	for i, x := range v {
		out = append(out, x)
		if i < len(split) && split[i] {
			out = append(out, mid[0])
			mid = mid[1:]
		}
	}
	return out
}
