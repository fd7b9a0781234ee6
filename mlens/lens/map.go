package lens

import (
	"errors"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// A Grid is a rectangle of square pixels in the plane of the source.
type Grid struct {
	X, Y   float64 // centre of the rectangle, θ_E
	Pixel  float64 // edge of a pixel, θ_E
	NX, NY int     // pixels in x and in y
}

// At returns the centre of a pixel. Rows are counted from the top.
func (m Grid) At(col, row int) (x, y float64) {
	return m.X + m.Pixel*(float64(col)-0.5*float64(m.NX-1)), m.Y - m.Pixel*(float64(row)-0.5*float64(m.NY-1))
}

// Map returns the magnification of a disc of radius rho, in θ_E, at the centre of
// every pixel, row by row from the top as in a picture: pixel (col, row) is
// number row·NX + col. dst is nil, which allocates, or has NX·NY values.
//
// A row is the light curve of a source that moves along x, which is much faster
// than its pixels one by one, and opt means what it means there. Rows are
// computed in parallel; the bits are the same with any number of processors.
func (b Binary) Map(dst []float64, m Grid, rho float64, opt Options) ([]float64, error) {
	if m.NX < 1 || m.NY < 1 {
		return nil, errors.New("lens: a map of " + strconv.Itoa(m.NX) + " by " + strconv.Itoa(m.NY) + " pixels")
	}
	if !(m.Pixel > 0) {
		return nil, errors.New("lens: pixels of " + show(m.Pixel) + " θ_E, but a pixel must be larger than 0")
	}
	if dst == nil {
		dst = make([]float64, m.NX*m.NY)
	}
	if len(dst) != m.NX*m.NY {
		return nil, errors.New("lens: dst holds " + strconv.Itoa(len(dst)) + " values, but the map has " + strconv.Itoa(m.NX*m.NY) + " pixels")
	}
	xs := make([]float64, m.NX)
	for col := range xs {
		xs[col], _ = m.At(col, 0)
	}
	errs := make([]error, m.NY)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), m.NY) {
		all.Go(func() {
			for row := int(next.Add(1)) - 1; row < m.NY; row = int(next.Add(1)) - 1 {
				_, y := m.At(0, row)
				_, errs[row] = b.LightCurve(dst[row*m.NX:(row+1)*m.NX], xs, Trajectory{U0: y, TE: 1}, rho, opt)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}
