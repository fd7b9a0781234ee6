package lens

import (
	"math"
	"runtime"
	"slices"
	"testing"
)

// Pixels are those of the sources one by one, and the same bits with any number
// of processors.
func TestMap(t *testing.T) {
	b := Binary{0.9, 0.1}
	m := Grid{X: 0.1, Y: -0.05, Pixel: 0.01, NX: 61, NY: 40}
	var first []float64
	for _, procs := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(procs)
		a, err := b.Map(nil, m, 0.01, Options{})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = a
		} else if !slices.Equal(a, first) {
			t.Errorf("other bits with %d processors", procs)
		}
	}
	for row := range m.NY {
		for col := range m.NX {
			x, y := m.At(col, row)
			want := b.Magnification(x, y, 0.01, Options{}).Magnification
			if got := first[row*m.NX+col]; math.Abs(got-want) > 1e-3*(1+want) {
				t.Errorf("(%g, %g): %g, want %g", x, y, got, want)
			}
		}
	}
	for _, m := range []Grid{{}, {NX: 1, NY: 1}, {Pixel: math.NaN(), NX: 1, NY: 1}, {Pixel: math.Inf(1), NX: 2, NY: 2}} {
		if _, err := b.Map(nil, m, 0, Options{}); err == nil {
			t.Errorf("%+v is accepted", m)
		}
	}
	if _, err := b.Map(make([]float64, 3), Grid{Pixel: 1, NX: 2, NY: 2}, 0, Options{}); err == nil {
		t.Error("dst of the wrong length")
	}
}
