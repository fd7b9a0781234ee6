package refine

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"
)

// Observed is a [LogProb] that also stores the residuals r at x in dst, unless that is nil or
// the density vanishes there: −½ Σ r² is what varies most in its logarithm.
type Observed func(x []float64, dst []float32) float64

// An emulator is a density near a mode, in the coordinates of a space, as a few
// evaluations of it tell. Each residual is taken for a polynomial p of the coordinates,
// so that −½ Σ p² is one of twice the degree, with far fewer coefficients than a
// polynomial of that degree has in general; what the logarithm is beyond that is
// another polynomial. Parameters that the residuals tell apart only together, along
// bent valleys, are no difficulty.
type emulator struct {
	space       space
	mean        []float64
	whiten      []float64 // L⁻¹ by rows, L·Lᵀ being the covariance of the draws it was fitted to
	reach2      float64   // squared distance to which it is valid
	cubic       bool
	square      []float64 // of the residuals' coefficients: E = −½ φᵀ·square·φ + rest·φ
	rest        []float64
	least, most float64 // of the rest at the draws
}

// Of the draws that an emulator is fitted to, those with a density of e^-emulatedDepth
// times the largest count half, and it is taken to be valid where those above are, and
// as far as beyond times the squared distance.
const emulatedDepth, beyond = 10, 2

// terms is the number of terms of a polynomial in d coordinates.
func terms(d int, cubic bool) int {
	n := (d + 1) * (d + 2) / 2
	if cubic {
		n = n * (d + 3) / 3
	}
	return n
}

// fewest is the least number of draws to fit an emulator to, plenty the largest number.
func fewest(d int, cubic bool) int {
	if cubic {
		return 3 * terms(d, true)
	}
	return 2 * terms(d, false)
}

func plenty(d int, cubic bool) int { return 4 * fewest(d, cubic) / 3 }

// monomials stores the terms at z in dst, which it returns.
func monomials(dst, z []float64, cubic bool) []float64 {
	dst = append(dst[:0], 1)
	dst = append(dst, z...)
	for i, a := range z {
		for _, b := range z[i:] {
			dst = append(dst, a*b)
		}
	}
	if cubic {
		for i, a := range z {
			for j, b := range z[i:] {
				for _, c := range z[i+j:] {
					dst = append(dst, a*b*c)
				}
			}
		}
	}
	return dst
}

// coordinates stores those of the emulator in z and returns their squared length.
func (e *emulator) coordinates(z, y []float64) (r2 float64) {
	var room [mostParameters]float64
	near := room[:len(y)]
	e.space.delta(near, y, e.mean)
	row := e.whiten
	for i := range near {
		z[i] = 0
		for j, l := range row[:i+1] {
			z[i] += l * near[j]
		}
		row = row[i+1:]
		r2 += z[i] * z[i]
	}
	return r2
}

// logDensity is that of the density in y, up to a constant that is near 0; −Inf beyond its reach.
func (e *emulator) logDensity(y []float64) float64 {
	var zs [mostParameters]float64
	var phis [128]float64
	z := zs[:len(y)]
	if e.coordinates(z, y) > e.reach2 {
		return math.Inf(-1)
	}
	return e.at(monomials(phis[:0], z, e.cubic))
}

func (e *emulator) at(phi []float64) (ln float64) {
	row := e.square
	for i, a := range phi {
		sum := 0.5 * row[i] * a
		for j, b := range phi[:i] {
			sum += row[j] * b
		}
		row = row[len(phi):]
		ln -= sum * a
	}
	if e.rest == nil {
		return ln
	}
	var rest float64
	for i, v := range e.rest {
		rest += v * phi[i]
	}
	return ln + min(max(rest, e.least), e.most)
}

// emulate fits an emulator to draws, nil if they are too few. The best of them
// count most.
func emulate(s space, in []*drawn, cubic bool) *emulator {
	d := len(s)
	f := terms(d, cubic)
	in = slices.Clone(in)
	in = slices.DeleteFunc(in, func(w *drawn) bool { return w.residuals == nil || math.IsInf(w.logP, -1) })
	slices.SortStableFunc(in, func(a, b *drawn) int { return cmp.Compare(b.logP, a.logP) })
	if len(in) < fewest(d, cubic) {
		return nil
	}
	in = in[:min(len(in), plenty(d, cubic))]
	n := len(in[0].residuals)
	weights := make([]float64, len(in))
	for j, w := range in {
		far := (in[0].logP - w.logP) / emulatedDepth
		weights[j] = 1 / (1 + far*far)
	}
	e := &emulator{space: s, mean: slices.Clone(in[0].y), cubic: cubic}
	if !e.standardise(in, weights) {
		return nil
	}
	// Φ·C = R, each row with its weight.
	phi := mat.NewDense(len(in), f, nil)
	var row, z []float64
	z = make([]float64, d)
	for j, w := range in {
		if r2 := e.coordinates(z, w.y); w.logP > in[0].logP-emulatedDepth {
			e.reach2 = max(e.reach2, beyond*r2)
		}
		row = monomials(row, z, cubic)
		for k, v := range row {
			phi.Set(j, k, v*math.Sqrt(weights[j]))
		}
	}
	var normal mat.SymDense
	normal.SymOuterK(1, phi.T())
	var total float64
	for _, w := range weights {
		total += w
	}
	for k := range f {
		normal.SetSym(k, k, normal.At(k, k)+1e-5*total)
	}
	var chol mat.Cholesky
	if !chol.Factorize(&normal) {
		return nil
	}
	var solve mat.Dense // (ΦᵀΦ)⁻¹Φᵀ
	if chol.SolveTo(&solve, phi.T()) != nil {
		return nil
	}
	a := blas32.General{Rows: f, Cols: len(in), Stride: len(in), Data: make([]float32, f*len(in))}
	for k := range f {
		for j := range in {
			a.Data[k*len(in)+j] = float32(solve.At(k, j) * math.Sqrt(weights[j]))
		}
	}
	r := blas32.General{Rows: len(in), Cols: n, Stride: n, Data: make([]float32, 0, len(in)*n)}
	for _, w := range in {
		r.Data = append(r.Data, w.residuals...)
	}
	c := blas32.General{Rows: f, Cols: n, Stride: n, Data: make([]float32, f*n)}
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, a, r, 0, c)
	g := blas32.General{Rows: f, Cols: f, Stride: f, Data: make([]float32, f*f)}
	blas32.Gemm(blas.NoTrans, blas.Trans, 1, c, c, 0, g)
	e.square = make([]float64, f*f)
	for i, v := range g.Data {
		e.square[i] = float64(v)
	}
	left := make([]float64, len(in))
	for j, w := range in {
		e.coordinates(z, w.y)
		row = monomials(row, z, cubic)
		left[j] = w.logP - in[0].logP - e.at(row)
		if j == 0 {
			e.least, e.most = left[j], left[j]
		}
		if w.logP > in[0].logP-emulatedDepth {
			e.least, e.most = min(e.least, left[j]), max(e.most, left[j])
		}
		left[j] *= math.Sqrt(weights[j])
	}
	e.rest = make([]float64, f)
	for k := range e.rest {
		for j := range in {
			e.rest[k] += solve.At(k, j) * left[j]
		}
	}
	return e
}

// standardise sets the coordinates to those in which the draws have mean 0 and
// covariance 1.
func (e *emulator) standardise(in []*drawn, weights []float64) bool {
	d := len(e.mean)
	delta := mat.NewVecDense(d, nil)
	shift := mat.NewVecDense(d, nil) // from the old mean to the new
	var total float64
	for j, w := range in {
		e.space.delta(delta.RawVector().Data, w.y, e.mean)
		shift.AddScaledVec(shift, weights[j], delta)
		total += weights[j]
	}
	shift.ScaleVec(1/total, shift)
	cov := mat.NewSymDense(d, nil)
	for j, w := range in {
		e.space.delta(delta.RawVector().Data, w.y, e.mean)
		delta.SubVec(delta, shift)
		cov.SymRankOne(cov, weights[j]/total, delta)
	}
	mean := slices.Clone(e.mean)
	for k := range mean {
		mean[k] += shift.AtVec(k)
	}
	c, ok := e.space.student(1, mean, cov)
	if !ok {
		return false
	}
	e.mean, e.whiten = mean, c.inverse
	return true
}
