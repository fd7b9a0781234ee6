package refine

import (
	"context"
	"errors"
	"math"
	"testing"
)

func free(n int) []Parameter {
	p := make([]Parameter, n)
	for k := range p {
		p[k] = Parameter{Min: math.Inf(-1), Max: math.Inf(1), Scale: 10}
	}
	return p
}

// line is a straight line with two parameters through points that do not lie on
// one.
func line(dst, x []float64) error {
	for i := range dst {
		t := float64(i)
		dst[i] = 2 + 0.5*t + math.Sin(7*t) - x[0] - x[1]*t
	}
	return nil
}

func TestMinimiseLinear(t *testing.T) {
	const n = 20
	m, err := Minimise(context.Background(), line, n, []float64{-5, 5}, free(2), Options{Tolerance: 1e-10})
	if err != nil || !m.Converged {
		t.Fatalf("%+v, %v", m, err)
	}
	// Normal equations of a straight line.
	var s, st, stt, sy, sty float64
	for i := range n {
		x := float64(i)
		y := 2 + 0.5*x + math.Sin(7*x)
		s, st, stt, sy, sty = s+1, st+x, stt+x*x, sy+y, sty+x*y
	}
	det := s*stt - st*st
	for k, want := range []float64{(stt*sy - st*sty) / det, (s*sty - st*sy) / det} {
		if math.Abs(m.X[k]-want) > 1e-6 {
			t.Errorf("x[%d] = %v, want %v", k, m.X[k], want)
		}
	}
	for _, c := range []struct {
		j, k int
		want float64
	}{{0, 0, s}, {0, 1, st}, {1, 1, stt}} {
		if got := m.Information.At(c.j, c.k); math.Abs(got-c.want) > 1e-6*c.want {
			t.Errorf("information[%d,%d] = %v, want %v", c.j, c.k, got, c.want)
		}
	}
}

func TestMinimiseValley(t *testing.T) {
	rosenbrock := func(dst, x []float64) error {
		dst[0], dst[1] = 10*(x[1]-x[0]*x[0]), 1-x[0]
		return nil
	}
	p := free(2)
	p[0].Scale, p[1].Scale = 0.5, 0.5
	m, err := Minimise(context.Background(), rosenbrock, 2, []float64{-1.2, 1}, p, Options{Tolerance: 1e-10})
	if err != nil || !m.Converged || m.Chi2 > 1e-8 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMinimiseOnBorder(t *testing.T) {
	p := free(2)
	p[1].Max = 0.2 // less than the free slope
	m, err := Minimise(context.Background(), line, 20, []float64{0, 0}, p, Options{Tolerance: 1e-10})
	if err != nil || !m.Converged || m.X[1] != 0.2 {
		t.Fatalf("%+v, %v", m, err)
	}
	// With the slope held, the best constant leaves residuals of mean zero.
	r := make([]float64, 20)
	line(r, m.X)
	var sum float64
	for _, v := range r {
		sum += v
	}
	if math.Abs(sum) > 1e-5 {
		t.Errorf("the residuals sum to %v", sum)
	}
}

func TestMinimiseFailures(t *testing.T) {
	// Beyond 1 there is no model; the minimum is at 0.9.
	wall := errors.New("wall")
	residuals := func(dst, x []float64) error {
		if x[0] > 1 {
			return wall
		}
		dst[0] = 5 * (x[0] - 0.9)
		return nil
	}
	m, err := Minimise(context.Background(), residuals, 1, []float64{-3}, free(1), Options{})
	if err != nil || math.Abs(m.X[0]-0.9) > 1e-3 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := Minimise(context.Background(), residuals, 1, []float64{2}, free(1), Options{}); !errors.Is(err, wall) {
		t.Errorf("starting beyond the wall: %v", err)
	}
	nan := func(dst, x []float64) error { dst[0] = math.NaN(); return nil }
	if _, err := Minimise(context.Background(), nan, 1, []float64{2}, free(1), Options{}); err == nil {
		t.Error("no error for residuals that are NaN")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if m, err := Minimise(ctx, residuals, 1, []float64{-3}, free(1), Options{}); !errors.Is(err, context.Canceled) || m.X[0] != -3 {
		t.Errorf("cancelled: %+v, %v", m, err)
	}
}

// A parameter on which nothing depends, and one at the end of its range in very
// different units, do not keep the others from their minimum.
func TestMinimiseBadlyScaled(t *testing.T) {
	p := []Parameter{
		{Min: math.Inf(-1), Max: math.Inf(1), Scale: 1e-6},
		{Min: math.Inf(-1), Max: math.Inf(1), Scale: 1},
		{Min: -1, Max: 1, Scale: 1e6},
	}
	residuals := func(dst, x []float64) error {
		dst[0] = 1e9 * (x[0] - 3e-6)
		dst[1] = 1e-7 * (x[2] - 5)
		return nil
	}
	m, err := Minimise(context.Background(), residuals, 2, []float64{0, 7, 1}, p, Options{Tolerance: 1e-9})
	if err != nil || !m.Converged || math.Abs(m.X[0]-3e-6) > 1e-13 || m.X[1] != 7 || m.X[2] != 1 {
		t.Errorf("%+v, %v", m, err)
	}
}

// Where no derivative can be made there is no telling a minimum from any other
// place.
func TestMinimiseBlind(t *testing.T) {
	island := func(dst, x []float64) error {
		if x[0] != 2 {
			return errors.New("sea")
		}
		dst[0] = 3
		return nil
	}
	m, err := Minimise(context.Background(), island, 1, []float64{2}, free(1), Options{})
	if err != nil || m.Converged || m.Information != nil {
		t.Errorf("%+v, %v", m, err)
	}
	// On the edge of a cliff one side suffices.
	cliff := func(dst, x []float64) error {
		if x[0] > 1 {
			return errors.New("sea")
		}
		dst[0] = x[0] - 1
		return nil
	}
	m, err = Minimise(context.Background(), cliff, 1, []float64{1}, free(1), Options{})
	if err != nil || !m.Converged || m.Information.At(0, 0) < 0.99 {
		t.Errorf("%+v, %v", m, err)
	}
}

// A descent that is taken up again goes where it would have gone.
func TestDescentContinue(t *testing.T) {
	calls := 0
	rosenbrock := func(dst, x []float64) error {
		calls++
		dst[0], dst[1] = 10*(x[1]-x[0]*x[0]), 1-x[0]
		return nil
	}
	start := []float64{-1.2, 1}
	whole, err := Minimise(context.Background(), rosenbrock, 2, start, free(2), Options{})
	if err != nil || !whole.Converged {
		t.Fatalf("%+v, %v", whole, err)
	}
	want := calls
	calls = 0
	d, err := NewDescent(rosenbrock, 2, start, free(2))
	if err != nil {
		t.Fatal(err)
	}
	var m Minimum
	for range 60 {
		if m, err = d.Continue(context.Background(), Options{Iterations: 1}); err != nil {
			t.Fatal(err)
		}
		if m.Converged {
			break
		}
	}
	if calls != want || m.Chi2 != whole.Chi2 || m.X[0] != whole.X[0] {
		t.Errorf("%d calls to %v with χ² %v, but %d to %v with %v in one go", calls, m.X, m.Chi2, want, whole.X, whole.Chi2)
	}
	if _, err := NewDescent(func(_, _ []float64) error { return errors.New("no") }, 2, start, free(2)); err == nil {
		t.Error("no error from where there are no residuals")
	}
}
