package refine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Residuals writes the residuals of a model with parameters x to dst, data
// minus model in units of the errors, so that ln L = −½ Σ dst² up to a
// constant. It must be a smooth function of x, up to errors much smaller than
// what a thousandth of Parameter.Scale changes.
type Residuals func(dst, x []float64) error

// Parameter is what is known of one parameter beforehand.
type Parameter struct {
	// Min and Max are the allowed range, infinite for none. [Sample] and [Ensemble] take a
	// parameter with one end for one without.
	Min, Max float64
	// Scale, above 0, is a change of the parameter that is large; no step goes further. Numerical
	// derivatives are those of a thousandth of it.
	Scale float64
	// Period is that of an angle, which lies in [Min, Min+Period) for [Sample] and
	// has no range for [Minimise]; zero for other parameters.
	Period float64
}

// Options of [Minimise]. The zero value is valid.
type Options struct {
	// Iterations is the largest number of steps tried; zero means 60.
	Iterations int
	// Tolerance is the decrease of χ² not worth another step; zero means 0.01.
	Tolerance float64
}

// Minimum is a local minimum of χ².
type Minimum struct {
	X    []float64
	Chi2 float64
	// Information is JᵀJ at X, the inverse of the covariance of X where the
	// posterior is Gaussian; nil unless Converged.
	Information *mat.SymDense
	Evaluations int // of the residuals
	// Converged says that no step promised a decrease above Tolerance, with the
	// derivatives by all parameters known.
	Converged bool
}

// Minimise goes downhill in χ² from x to a minimum within the parameters'
// ranges, by the method of Levenberg and Marquardt with the damping of Nielsen
// (1999). Derivatives come from differences and, for the few steps that follow,
// from what the steps themselves show of them (Broyden 1965): most steps cost one
// evaluation. n is the number of residuals.
//
// An error is that of the first evaluation, or ctx's; a later evaluation that
// fails only makes the step shorter.
func Minimise(ctx context.Context, r Residuals, n int, x []float64, params []Parameter, opt Options) (Minimum, error) {
	d, err := NewDescent(r, n, x, params)
	if err != nil {
		return Minimum{}, err
	}
	return d.Continue(ctx, opt)
}

// oldest is the number of steps for which a Jacobian is kept up to date by the
// steps themselves.
const oldest = 5

// A Descent is a minimisation on its way. Use [NewDescent].
type Descent struct {
	residuals Residuals
	params    []Parameter
	x, trial  []float64
	r, rTrial []float64
	chi2      float64
	jac       [][]float64 // jac[k] holds ∂r/∂x_k
	info      *mat.SymDense
	gradient  *mat.VecDense // Jᵀr
	age       int           // steps since the derivatives were made of differences; −1: none yet
	blind     bool          // some derivative could not be made
	damping   float64
	growth    float64
	calls     int
}

// NewDescent returns the descent at x from which [Minimise] would go downhill. An
// error is that of the residuals.
func NewDescent(r Residuals, n int, x []float64, params []Parameter) (*Descent, error) {
	if len(params) != len(x) {
		panic(fmt.Sprintf("refine: %d parameters with %d descriptions", len(x), len(params)))
	}
	d := &Descent{
		residuals: r, params: slices.Clone(params), x: make([]float64, len(x)), trial: make([]float64, len(x)),
		r: make([]float64, n), rTrial: make([]float64, n), jac: make([][]float64, len(x)),
		info: mat.NewSymDense(len(x), nil), gradient: mat.NewVecDense(len(x), nil),
		age: -1, damping: 1e-3, growth: 2,
	}
	for k, p := range d.params {
		if p.Period > 0 {
			p.Min, p.Max = math.Inf(-1), math.Inf(1)
			d.params[k] = p
		}
		d.x[k] = min(max(x[k], p.Min), p.Max)
		d.jac[k] = make([]float64, n)
	}
	var err error
	if d.chi2, err = d.at(d.r, d.x); err != nil {
		return nil, err
	}
	return d, nil
}

// Continue goes on for the iterations of opt, as if there had been no stop. The error is
// ctx's. What it returns is overwritten by the next call.
func (d *Descent) Continue(ctx context.Context, opt Options) (Minimum, error) {
	for range cmp.Or(opt.Iterations, 60) {
		if err := ctx.Err(); err != nil {
			return d.minimum(false), err
		}
		if d.age < 0 {
			d.derivatives()
		}
		age := d.age
		tolerance := cmp.Or(opt.Tolerance, 0.01)
		promised, accepted := d.step()
		switch {
		case promised < tolerance && age == 0:
			return d.minimum(true), nil
		case age > 0 && (promised < tolerance || !accepted), d.age > oldest:
			d.age = -1
		}
	}
	return d.minimum(false), nil
}

// Information returns JᵀJ at x, see [Minimum]. An error is that of the residuals.
func Information(r Residuals, n int, x []float64, params []Parameter) (*mat.SymDense, error) {
	d, err := NewDescent(r, n, x, params)
	if err != nil {
		return nil, err
	}
	if d.derivatives(); d.blind {
		return nil, errBlind
	}
	return d.info, nil
}

var errBlind = errors.New("refine: the residuals have no derivative by some parameter")

var errNotFinite = errors.New("refine: the residuals are not finite")

// at evaluates the residuals into dst and returns χ².
func (d *Descent) at(dst, x []float64) (float64, error) {
	d.calls++
	if err := d.residuals(dst, x); err != nil {
		return math.Inf(1), err
	}
	var chi2 float64
	for _, v := range dst {
		chi2 += v * v
	}
	if chi2-chi2 != 0 {
		return math.Inf(1), errNotFinite
	}
	return chi2, nil
}

// derivatives fills the Jacobian and its products. Where a difference can be made to
// neither side the parameter stays, and the descent is blind.
func (d *Descent) derivatives() {
	d.blind = false
	for k, p := range d.params {
		h := 1e-3 * p.Scale
		if d.x[k]+h > p.Max {
			h = -h
		}
		err := d.displaced(k, h)
		if err != nil && d.x[k]-h >= p.Min && d.x[k]-h <= p.Max {
			h = -h
			err = d.displaced(k, h)
		}
		if err != nil {
			d.blind = true
			clear(d.jac[k])
			continue
		}
		for i, r := range d.r {
			d.jac[k][i] = (d.jac[k][i] - r) / h
		}
	}
	d.age = 0
	d.products()
}

// products computes JᵀJ and Jᵀr.
func (d *Descent) products() {
	for j := range d.x {
		for k := j; k < len(d.x); k++ {
			d.info.SetSym(j, k, dot(d.jac[j], d.jac[k]))
		}
		d.gradient.SetVec(j, dot(d.jac[j], d.r))
	}
}

// secant changes the Jacobian, as little as possible in units of the parameters'
// scales, to what the residuals before and after a step demand.
func (d *Descent) secant(delta *mat.VecDense, before, after []float64) {
	var length float64
	for k, p := range d.params {
		v := delta.AtVec(k) / p.Scale
		length += v * v
	}
	if length == 0 {
		return
	}
	for i := range before {
		miss := after[i] - before[i]
		for k := range d.params {
			miss -= d.jac[k][i] * delta.AtVec(k)
		}
		miss /= length
		for k, p := range d.params {
			d.jac[k][i] += miss * delta.AtVec(k) / (p.Scale * p.Scale)
		}
	}
}

// displaced evaluates the residuals with parameter k changed by h into jac[k].
func (d *Descent) displaced(k int, h float64) error {
	copy(d.trial, d.x)
	d.trial[k] += h
	_, err := d.at(d.jac[k], d.trial)
	return err
}

// leastDamping keeps the matrix of a step positive definite in floating point.
const leastDamping = 1e-12

// step tries one step and returns the decrease of χ² that it promised, and
// whether χ² did decrease.
func (d *Descent) step() (promised float64, accepted bool) {
	delta := d.solve()
	far := 1.0
	for k, p := range d.params {
		far = max(far, math.Abs(delta.AtVec(k))/p.Scale)
	}
	for k, p := range d.params {
		d.trial[k] = min(max(d.x[k]+delta.AtVec(k)/far, p.Min), p.Max)
		delta.SetVec(k, d.trial[k]-d.x[k])
	}
	var bend mat.VecDense
	bend.MulVec(d.info, delta)
	promised = -2*mat.Dot(delta, d.gradient) - mat.Dot(delta, &bend)
	chi2, err := d.at(d.rTrial, d.trial)
	if gain := (d.chi2 - chi2) / promised; err == nil && chi2 < d.chi2 && promised > 0 {
		d.secant(delta, d.r, d.rTrial)
		d.x, d.trial = d.trial, d.x
		d.r, d.rTrial = d.rTrial, d.r
		d.chi2 = chi2
		d.age++
		d.products()
		d.damping = max(leastDamping, d.damping*max(1.0/3, 1-math.Pow(2*gain-1, 3)))
		d.growth = 2
		return promised, true
	}
	// A step that the damping or a range's end made short promises little: that
	// alone is no minimum.
	if (d.damping > 1 || promised < 0) && d.damping < 1e6 {
		promised = math.Inf(1)
	}
	d.damping *= d.growth
	d.growth *= 2
	return promised, false
}

// solve returns −(JᵀJ + λD)⁻¹ Jᵀr with D the diagonal of JᵀJ, at least the
// inverse square of the parameters' scales. Parameters that stand at the end of
// their range and would leave it stay.
func (d *Descent) solve() *mat.VecDense {
	n := len(d.x)
	// In units in which D is 1 the matrix is as well conditioned as it can be.
	unit := make([]float64, n)
	b := mat.NewVecDense(n, nil)
	for k, p := range d.params {
		unit[k] = 1 / math.Sqrt(max(d.info.At(k, k), 1/(p.Scale*p.Scale)))
		b.SetVec(k, d.gradient.AtVec(k)*unit[k])
		if g := b.AtVec(k); (d.x[k] <= p.Min && g > 0) || (d.x[k] >= p.Max && g < 0) {
			unit[k] = 0
			b.SetVec(k, 0)
		}
	}
	a := mat.NewSymDense(n, nil)
	for j := range n {
		for k := j; k < n; k++ {
			a.SetSym(j, k, d.info.At(j, k)*unit[j]*unit[k])
		}
		if unit[j] == 0 {
			a.SetSym(j, j, 1)
		}
		a.SetSym(j, j, a.At(j, j)+d.damping)
	}
	delta := mat.NewVecDense(n, nil)
	var chol mat.Cholesky
	if !chol.Factorize(a) || chol.SolveVecTo(delta, b) != nil {
		delta.Zero() // the damping will grow
		return delta
	}
	for k := range n {
		delta.SetVec(k, -unit[k]*delta.AtVec(k))
	}
	return delta
}

func (d *Descent) minimum(converged bool) Minimum {
	if converged && d.age != 0 {
		d.derivatives()
	}
	m := Minimum{X: d.x, Chi2: d.chi2, Evaluations: d.calls, Converged: converged && !d.blind}
	if m.Converged {
		m.Information = d.info
	}
	return m
}

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}
