//go:build js && wasm

package main

import (
	"unsafe"

	"github.com/mlens-go/microlens/mlens/lens"
)

// The page calls the functions below and reads their results from the memory of the program: the
// value returned is how many numbers there are, values or pixels where they begin. They stay
// until the next call.
var (
	values []float64
	pixels []uint32
	view   raster
)

func main() { select {} }

//go:wasmexport values
func valuesAt() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(values)) }

//go:wasmexport pixels
func pixelsAt() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(pixels)) }

//go:wasmexport curves
func exportCurves(s, q float64, n int32) int32 {
	values = curves(values[:0], lens.Binary{S: s, Q: q}, int(n))
	return int32(len(values))
}

//go:wasmexport lightCurve
func exportLightCurve(s, q, u0, alpha, tE, rho, first, last float64, fine bool) int32 {
	values = lightCurve(values[:0], lens.Binary{S: s, Q: q}, lens.Trajectory{U0: u0, Alpha: alpha, TE: tE}, rho,
		window{first, last, fine})
	return int32(len(values))
}

//go:wasmexport singleLens
func exportSingleLens(u0, alpha, tE, rho, first, last float64, n int32) int32 {
	values = singleLens(values[:0], lens.Trajectory{U0: u0, Alpha: alpha, TE: tE}, rho, window{first: first, last: last}, int(n))
	return int32(len(values))
}

//go:wasmexport source
func exportSource(s, q, x, y, rho float64) int32 {
	values = source(values[:0], lens.Binary{S: s, Q: q}, x, y, rho)
	return int32(len(values))
}

//go:wasmexport images
func exportImages(s, q, x, y, rho, left, top, pixel float64, w, h int32) int32 {
	pixels = view.images(pixels[:0], lens.Binary{S: s, Q: q}, x, y, rho, frame{left, top, pixel, int(w), int(h)})
	return int32(len(pixels))
}
