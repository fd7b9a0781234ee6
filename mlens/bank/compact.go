package bank

import (
	"encoding/binary"
	"errors"
	"math"
)

// A curve is stored as polynomials in time, one after the other, through
// samples of the simulated curve: a stretch of n steps of the grid holds
// min(n, degree) samples besides the one that it shares with the stretch before
// it. They lie near the Chebyshev–Lobatto points, where interpolation is close
// to the best polynomial, and a stretch is as long as its polynomial stays
// within a tolerance of all epochs in it. Next to caustics stretches shrink to
// neighbouring epochs.
//
// On disk: the number of stretches and the steps of each as uint16, the samples
// as float32; little-endian.

// degree is that of the polynomials: 3 needs 20 % more bytes, 5 a tenth less.
const degree = 4

// lobatto are the interior points of a stretch, as parts of it.
var lobatto = func() (x [degree - 1]float64) {
	for k := range x {
		x[k] = (1 - math.Cos(math.Pi*float64(k+1)/degree)) / 2
	}
	return
}()

// knots sets at to the steps, from the beginning of a stretch of n, at which
// its samples lie, and returns their number, at least 2.
func knots(at *[degree + 1]int, n int) int {
	if n <= degree {
		for k := range n + 1 {
			at[k] = k
		}
		return n + 1
	}
	for k, x := range lobatto {
		at[k+1] = int(x*float64(n) + 0.5)
	}
	at[0], at[degree] = 0, n
	return degree + 1
}

// A stretch is a polynomial in Newton's form: c[0] + (x−x[0])(c[1] + (x−x[1])(…)),
// x in steps from its beginning.
type stretch struct {
	n    int // steps
	x, c [degree + 1]float64
	y    [degree + 1]float64 // samples
}

// interpolate makes the polynomial of a stretch of n steps through the samples
// s.y.
func (s *stretch) interpolate(n int) {
	var at [degree + 1]int
	m := knots(&at, n)
	s.n = n
	s.c = s.y
	for k := range m {
		s.x[k] = float64(at[k])
	}
	for k := m; k <= degree; k++ {
		s.c[k] = 0
	}
	for order := 1; order < m; order++ {
		for k := m - 1; k >= order; k-- {
			s.c[k] = (s.c[k] - s.c[k-1]) / (s.x[k] - s.x[k-order])
		}
	}
}

// at returns the polynomial at x, in steps from the beginning.
func (s *stretch) at(x float64) float64 {
	x0, x1, x2, x3 := x-s.x[0], x-s.x[1], x-s.x[2], x-s.x[3]
	return (((s.c[4]*x3+s.c[3])*x2+s.c[2])*x1+s.c[1])*x0 + s.c[0]
}

// between returns the magnification at x, in steps from the beginning, which
// need not be an epoch. A short stretch may hold a caustic: there neighbouring
// epochs are joined by lines.
func (s *stretch) between(x float64) float64 {
	if s.n > degree {
		return s.at(x)
	}
	k := min(int(x), s.n-1)
	w := x - float64(k)
	return (1-w)*s.y[k] + w*s.y[k+1]
}

// compact appends the stored form of the curve a to dst. Its error is at most
// tol·√a at each epoch, but for the rounding of a to float32.
func compact(dst []byte, a []float64, tol float64) []byte {
	var s stretch
	var at [degree + 1]int
	// fits says whether one stretch will do for n steps from i on.
	fits := func(i, n int) bool {
		if n <= degree {
			return true
		}
		knots(&at, n)
		for k, j := range at {
			s.y[k] = float64(float32(a[i+j]))
		}
		s.interpolate(n)
		for j := 1; j < n; j++ {
			v := a[i+j]
			if d := s.at(float64(j)) - v; !(d*d <= tol*tol*v) {
				return false
			}
		}
		return true
	}
	le := binary.LittleEndian
	count := len(dst)
	dst = le.AppendUint16(dst, 0)
	samples := make([]float32, 1, 1000)
	samples[0] = float32(a[0])
	last, n := len(a)-1, degree
	for i := 0; i < last; i += n {
		n = min(n, last-i)
		if fits(i, n) {
			for n < last-i {
				more := min(n+1+n/4, last-i, math.MaxUint16)
				if !fits(i, more) {
					break
				}
				n = more
			}
		} else {
			for !fits(i, n) {
				n = n * 3 / 4
			}
		}
		dst = le.AppendUint16(dst, uint16(n))
		for _, j := range at[1:knots(&at, n)] {
			samples = append(samples, float32(a[i+j]))
		}
	}
	le.PutUint16(dst[count:], uint16((len(dst)-count)/2-1))
	for _, v := range samples {
		dst = le.AppendUint32(dst, math.Float32bits(v))
	}
	return dst
}

var errCurve = errors.New("a stored curve is damaged")

// A curve walks along the stored form of a curve.
type curve struct {
	steps   []byte // of the stretches to come
	samples []byte // from those of the current stretch on
	first   int    // epoch at which the current stretch begins
	stretch
}

// open checks the stored form of a curve of n epochs and goes to its beginning.
func (c *curve) open(raw []byte, n int) error {
	le := binary.LittleEndian
	if len(raw) < 2 {
		return errCurve
	}
	end := 2 + 2*int(le.Uint16(raw))
	if end == 2 || end > len(raw) {
		return errCurve
	}
	steps, samples := 0, 1
	for k := 2; k < end; k += 2 {
		s := int(le.Uint16(raw[k:]))
		if s == 0 {
			return errCurve
		}
		steps += s
		samples += min(s, degree)
	}
	if steps != n-1 || len(raw) != end+4*samples {
		return errCurve
	}
	c.first, c.n = 0, int(le.Uint16(raw[2:]))
	c.steps, c.samples = raw[4:end], raw[end:]
	c.load()
	return nil
}

// load makes the polynomial of the current stretch.
func (c *curve) load() {
	for k := range min(c.n, degree) + 1 {
		c.y[k] = float64(math.Float32frombits(binary.LittleEndian.Uint32(c.samples[4*k:])))
	}
	c.interpolate(c.n)
}

// seek goes to the stretch that holds position x, in steps from epoch 0, which
// must not be before the current one.
func (c *curve) seek(x float64) {
	if x <= float64(c.first+c.n) {
		return
	}
	for x > float64(c.first+c.n) && len(c.steps) > 0 {
		c.first += c.n
		c.samples = c.samples[4*min(c.n, degree):]
		c.n = int(binary.LittleEndian.Uint16(c.steps))
		c.steps = c.steps[2:]
	}
	c.load()
}

// grid fills dst with the epochs from the given one on.
func (c *curve) grid(dst []float64, epoch int) {
	for i := 0; i < len(dst); {
		c.seek(float64(epoch + i))
		from := epoch + i - c.first
		s := c.stretch
		part := dst[i:min(len(dst), i+s.n+1-from)]
		for j := range part {
			part[j] = s.at(float64(from + j))
		}
		i += len(part)
	}
}

// at replaces the increasing positions x, in steps from epoch 0, by the
// magnifications there.
func (c *curve) at(x []float64) {
	for i, v := range x {
		c.seek(v)
		x[i] = c.between(v - float64(c.first))
	}
}
