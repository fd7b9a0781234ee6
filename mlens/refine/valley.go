package refine

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Trace follows the valley in which a start from [Settle] lies: both ways along each of its two
// flattest directions, at each step to where the density is highest across the way. If the valley
// is bent, or longer than the curvature at the start says, the start that it returns has the places
// on its way besides its own: [Sample] begins at all of them. One t distribution at the top would
// seldom draw from the far end of a thin, bent valley, and nothing would tell.
//
// It costs about twenty-five evaluations a step, and up to fourteen steps each way. Where residuals
// fail, it goes no farther; the error is ctx's.
func Trace(ctx context.Context, r Residuals, n int, from Start, params []Parameter) (Start, error) {
	if from.settled == nil {
		return from, nil
	}
	v := tracer{space: newSpace(params), residuals: r, n: n, top: from}
	for k := range v.space {
		u := v.space.spread(k)
		if math.IsInf(u, 1) {
			u = v.space[k].Scale
		}
		v.unit = append(v.unit, u)
	}
	// The residuals need not be those of Settle, but of some of the measurements.
	y := v.space.y(from.X)
	dst := make([]float64, v.n+len(y))
	if err := v.evaluate(dst, make([]float64, len(y)), y); err != nil {
		return from, nil
	}
	v.top.chi2 = floats.Dot(dst, dst)
	for _, w := range v.directions() {
		for _, sign := range []float64{-1, 1} {
			along := v.walk(ctx, scaled(sign, w.axis), w.sigma)
			if err := ctx.Err(); err != nil {
				return from, err
			}
			if slices.ContainsFunc(along, v.surprises) {
				for k := range along {
					along[k].chi2 += from.chi2 - v.top.chi2
				}
				from.along = append(from.along, along...)
			}
		}
	}
	return from, nil
}

// A tracer follows a valley, in the coordinates of a space in units of what is known of each
// beforehand.
type tracer struct {
	space     space
	unit      []float64
	unknown   []bool // parameters of which the residuals say nothing: they lead nowhere
	residuals Residuals
	n         int
	top       Start
}

// evaluate stores the residuals at y in dst, and what the volume adds to them, and x.
func (v *tracer) evaluate(dst, x, y []float64) error {
	v.space.x(x, y)
	for k, c := range y {
		dst[v.n+k] = v.space.residual(k, c)
	}
	return v.residuals(dst[:v.n], x)
}

type direction struct {
	axis  []float64
	sigma float64
}

// directions returns the flattest ones, but for parameters of which nothing is known by themselves.
func (v *tracer) directions() (out []direction) {
	const (
		most    = 2
		nothing = 3 // times what is known beforehand
	)
	d := len(v.unit)
	info := v.space.turned(v.top.settled)
	for j := range d {
		for k := j; k < d; k++ {
			info.SetSym(j, k, info.At(j, k)*v.unit[j]*v.unit[k])
		}
	}
	v.unknown = make([]bool, d)
	for k := range d {
		v.unknown[k] = info.At(k, k) < nothing
	}
	var eig mat.EigenSym
	if !eig.Factorize(info, true) {
		return nil
	}
	var axes mat.Dense
	eig.VectorsTo(&axes)
	for a, value := range eig.Values(nil) {
		axis := mat.Col(nil, a, &axes)
		if length := v.known(axis); value > 0 && length > 0.5 {
			floats.Scale(1/length, axis)
			if out = append(out, direction{axis, 1 / math.Sqrt(value)}); len(out) == most {
				break
			}
		}
	}
	return out
}

// known takes what leads nowhere out of a difference, and returns what length is left.
func (v *tracer) known(x []float64) float64 {
	for k := range x {
		if v.unknown[k] {
			x[k] = 0
		}
	}
	return floats.Norm(x, 2)
}

// walk goes one way, in steps of sigma that grow where it is flat.
func (v *tracer) walk(ctx context.Context, axis []float64, sigma float64) (along []Start) {
	const (
		steps   = 14
		deep    = 18 // in χ²
		flat    = 1
		longest = 0.5
		turn    = 0.7 // cosine of the largest
		hold    = 0.1 // of a step, to which its length is kept
	)
	d := len(v.unit)
	y := v.space.y(v.top.X)
	chi2 := v.top.chi2
	x, near := make([]float64, d), make([]float64, d)
	free := make([]Parameter, d)
	for range steps {
		step := min(sigma, longest)
		target := slices.Clone(y)
		for k := range target {
			target[k] += step * axis[k] * v.unit[k]
		}
		for k, p := range v.space {
			free[k] = Parameter{Min: math.Inf(-1), Max: math.Inf(1), Scale: p.Scale, Period: p.Period}
			if v.space.bounded(k) {
				v.space.x(x, target)
				free[k].Scale = min(1, p.Scale/v.space.slope(k, x[k]))
			}
		}
		off := func(y []float64) (o float64) {
			v.space.delta(near, y, target)
			for k := range near {
				o += near[k] / v.unit[k] * axis[k]
			}
			return o / (hold * step)
		}
		m, err := Minimise(ctx, func(dst, y []float64) error {
			dst[v.n+d] = off(y)
			return v.evaluate(dst, x, y)
		}, v.n+d+1, target, free, Options{Iterations: 25, Tolerance: 0.1})
		if err != nil || !m.Converged {
			return along
		}
		o := off(m.X)
		now := m.Chi2 - o*o
		if !(now < v.top.chi2+deep) {
			sigma = step / 2
			continue
		}
		// As wide as a step along the way, instead of what held it.
		info := m.Information
		hand := 1/(step*step) - 1/(hold*step*hold*step)
		for j := range d {
			for k := j; k < d; k++ {
				info.SetSym(j, k, info.At(j, k)+hand*axis[j]*axis[k]/(v.unit[j]*v.unit[k]))
			}
		}
		v.space.x(x, m.X)
		v.space.delta(near, m.X, y)
		for k := range near {
			near[k] /= v.unit[k]
		}
		length := v.known(near)
		if ahead := floats.Dot(near, axis); !(ahead > turn*length) {
			sigma = step / 2 // across the way there is more than this valley
			continue
		}
		along = append(along, Start{X: slices.Clone(x), settled: info, chi2: now})
		axis = scaled(1/length, near)
		if now < chi2+flat {
			sigma *= 1.5
		}
		y, chi2 = m.X, now
	}
	return along
}

// surprises tells whether the density at a place is much more than the parabola of its logarithm
// at the top of the valley says.
func (v *tracer) surprises(s Start) bool {
	const much = 6 // in χ²
	delta := mat.NewVecDense(len(v.unit), nil)
	v.space.delta(delta.RawVector().Data, v.space.y(s.X), v.space.y(v.top.X))
	return mat.Inner(delta, v.space.turned(v.top.settled), delta) > s.chi2-v.top.chi2+much
}

func scaled(by float64, x []float64) []float64 {
	out := slices.Clone(x)
	floats.Scale(by, out)
	return out
}
