//go:build js && wasm

// Command explore is the engine of the interactive panel that nb.Explore embeds in a notebook:
// the lens package, compiled for the browser. It gives the page one object, mlensLens, whose
// functions write float64 numbers into a buffer of the page and return how many they wrote.
package main

import (
	"math"
	"syscall/js"
	"unsafe"

	"github.com/mlens-go/microlens/mlens/lens"
)

func main() {
	js.Global().Set("mlensLens", map[string]any{
		"curve":    function(curve),
		"caustics": function(caustics),
		"images":   function(images),
		"topology": js.FuncOf(func(_ js.Value, a []js.Value) any {
			return binary(a).Topology().String()
		}),
	})
	select {}
}

// function wraps f for JavaScript: its arguments are numbers, the last one the buffer. A panic of
// the lens becomes -1, because an engine that has panicked answers no more.
func function(f func(a []js.Value, dst []float64) []float64) js.Func {
	var dst []float64
	return js.FuncOf(func(_ js.Value, a []js.Value) (n any) {
		defer func() {
			if recover() != nil {
				n = -1
			}
		}()
		dst = f(a[:len(a)-1], dst[:0])
		if len(dst) == 0 {
			return 0
		}
		js.CopyBytesToJS(a[len(a)-1], unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), 8*len(dst)))
		return len(dst)
	})
}

func binary(a []js.Value) lens.Binary { return lens.Binary{S: a[0].Float(), Q: a[1].Float()} }

// curve: s, q, alpha, u0, rho, tE, first and last day, n → n magnifications.
func curve(a []js.Value, dst []float64) []float64 {
	tr := lens.Trajectory{Alpha: a[2].Float(), U0: a[3].Float(), TE: a[5].Float()}
	from, to, n := a[6].Float(), a[7].Float(), a[8].Int()
	times := make([]float64, n)
	for i := range times {
		times[i] = from + (to-from)*float64(i)/float64(n-1)
	}
	if cap(dst) < n {
		dst = make([]float64, n)
	}
	out, err := binary(a).LightCurve(dst[:n], times, tr, a[4].Float(), lens.Options{RelTol: 1e-3})
	if err != nil {
		panic(err)
	}
	return out
}

// caustics: s, q, n → for each closed curve its number of points and then their x and y; the
// caustics first, then as many critical curves.
func caustics(a []js.Value, dst []float64) []float64 {
	b, n := binary(a), a[2].Int()
	for _, curves := range [][][]complex128{b.Caustics(n), b.CriticalCurves(n)} {
		for _, c := range curves {
			dst = append(dst, float64(len(c)))
			for _, z := range c {
				dst = append(dst, real(z), imag(z))
			}
		}
	}
	return dst
}

// images: s, q, alpha, u0, rho, tE, day, n → x and y of the source, then those of the images of n
// points of its limb.
func images(a []js.Value, dst []float64) []float64 {
	b := binary(a)
	tr := lens.Trajectory{Alpha: a[2].Float(), U0: a[3].Float(), TE: a[5].Float()}
	x, y := tr.At(a[6].Float())
	dst = append(dst, x, y)
	var images []lens.Image
	rho, n := a[4].Float(), a[7].Int()
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		images = b.Images(images, x+rho*cos, y+rho*sin)
		for _, im := range images {
			dst = append(dst, im.X, im.Y)
		}
	}
	return dst
}
