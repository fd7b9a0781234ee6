// Command explore is the engine of the panel that nb.Explore shows: package lens, compiled to
// WebAssembly, with the three things that the panel draws.
//
// It is built for GOOS=js GOARCH=wasm; elsewhere it does nothing.
package main

import (
	"math"

	"github.com/mlens-go/microlens/mlens/lens"
)

// curves appends the topology, the number k of closed curves, their k lengths in points, the
// points (x, y) of the critical curves, and then those of the caustics in the same order.
func curves(dst []float64, b lens.Binary, n int) []float64 {
	critical, caustics := b.CriticalCurves(n), b.Caustics(n)
	dst = append(dst, float64(b.Topology()), float64(len(critical)))
	for _, c := range critical {
		dst = append(dst, float64(len(c)))
	}
	for _, set := range [...][][]complex128{critical, caustics} {
		for _, c := range set {
			for _, z := range c {
				dst = append(dst, real(z), imag(z))
			}
		}
	}
	return dst
}

// source appends the magnification of a disc, the same by a single lens at the origin, the number
// of images of its centre, and x, y and the signed magnification of each of them.
func source(dst []float64, b lens.Binary, x, y, rho float64) []float64 {
	r := b.Magnification(x, y, rho, lens.Options{})
	dst = append(dst, r.Magnification, lens.SingleLensDisc(math.Hypot(x, y), rho, lens.Options{}), float64(r.Images))
	for _, im := range b.Images(nil, x, y) {
		dst = append(dst, im.X, im.Y, im.Magnification)
	}
	return dst
}
