package refine

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Settle goes from x to the nearest maximum of the density exp(−½ Σ r²), r the n
// residuals and x uniform in its ranges, as [Sample] sees it: in the coordinates
// in which it draws, where a parameter of which the residuals say nothing has its
// maximum in the middle of its range. It returns a Start there, and whether it got
// there. An error is that of the residuals at x, or ctx's.
func Settle(ctx context.Context, r Residuals, n int, x []float64, params []Parameter, opt Options) (Start, bool, error) {
	s := newSpace(params)
	y := s.y(x)
	free := make([]Parameter, len(params))
	for k, p := range params {
		free[k] = Parameter{Min: math.Inf(-1), Max: math.Inf(1), Scale: p.Scale, Period: p.Period}
		if s.bounded(k) {
			free[k].Scale = min(1, p.Scale/s.slope(k, x[k]))
		}
	}
	at := make([]float64, len(x))
	residuals := func(dst, y []float64) error {
		s.x(at, y)
		for k, v := range y {
			dst[n+k] = s.residual(k, v)
		}
		return r(dst[:n], at)
	}
	m, err := Minimise(ctx, residuals, n+len(x), y, free, opt)
	if m.X == nil {
		return Start{}, false, err
	}
	s.x(at, m.X)
	return Start{X: at, settled: m.Information, chi2: m.Chi2}, m.Converged, err
}

// residual is what the volume of a parameter adds to the residuals at coordinate
// y: half its square is the drop of ln|dx/dy| from the middle of the range.
func (s space) residual(k int, y float64) float64 {
	if !s.bounded(k) {
		return 0
	}
	a := math.Abs(y)
	drop := a + 2*math.Log1p(math.Exp(-a)) - 2*math.Ln2
	return math.Copysign(math.Sqrt(2*max(drop, 0)), y)
}

// near tells whether two starts are one place, as far as their own widths tell.
func (s space) near(a, b Start) bool {
	if a.settled == nil || b.settled == nil {
		return false
	}
	delta := mat.NewVecDense(len(s), nil)
	s.delta(delta.RawVector().Data, s.y(a.X), s.y(b.X))
	const sigmas = 2.5
	within := func(info *mat.SymDense) bool {
		var v mat.VecDense
		v.MulVec(info, delta)
		return mat.Dot(delta, &v) < sigmas*sigmas
	}
	return within(a.settled) && within(b.settled)
}

// Distinct returns the indices of those starts that are not in the neighbourhood of
// a better one, the best first. Starts that are not from [Settle] come last.
func Distinct(starts []Start, params []Parameter) (out []int) {
	s := newSpace(params)
	order := make([]int, len(starts))
	for i := range order {
		order[i] = i
	}
	chi2 := func(i int) float64 {
		if starts[i].settled == nil {
			return math.Inf(1)
		}
		return starts[i].chi2
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(chi2(a), chi2(b)) })
	for _, i := range order {
		if !slices.ContainsFunc(out, func(k int) bool { return s.near(starts[i], starts[k]) }) {
			out = append(out, i)
		}
	}
	return out
}

// LogEvidence returns the logarithm of the integral of the density that [Settle] went up in, by
// Laplace's method, but for a constant that is the same for all starts of the same parameters. It
// is −Inf for those that are not from Settle.
func (s Start) LogEvidence(params []Parameter) float64 {
	var chol mat.Cholesky
	if s.settled == nil || !chol.Factorize(newSpace(params).turned(s.settled)) {
		return math.Inf(-1)
	}
	return -(s.chi2 + chol.LogDet()) / 2
}
