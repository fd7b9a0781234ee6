package refine

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// degrees of freedom of the proposals: tails heavy enough to cover what a
// Gaussian at a mode misses, a variance that exists.
const degrees = 5

// A student is a multivariate t distribution in the coordinates of a space,
// wound round its angles.
type student struct {
	space  space
	weight float64
	mean   []float64
	cov    *mat.SymDense // its shape matrix
	wide   []int         // angles in which it is not narrow, so that it counts a turn away

	// cov = L·Lᵀ; L and L⁻¹ by rows, each up to its diagonal.
	lower, inverse []float64
	height         float64 // the density at the mean
}

// student returns false where cov is not positive definite.
func (s space) student(weight float64, mean []float64, cov *mat.SymDense) (*student, bool) {
	c := &student{space: s, weight: weight, mean: mean, cov: cov}
	for k, p := range s {
		if p.Period > 0 && 36*cov.At(k, k) >= p.Period*p.Period/4 {
			c.wide = append(c.wide, k)
		}
	}
	// In units of the widths: whether it is nearly singular does not depend on those of parameters.
	wide, logDet := make([]float64, len(mean)), 0.0
	for k := range wide {
		if wide[k] = math.Sqrt(cov.At(k, k)); !(wide[k] > 0) {
			return nil, false
		}
		logDet += 2 * math.Log(wide[k])
	}
	scaled := mat.NewSymDense(len(mean), nil)
	for j := range wide {
		for k := j; k < len(wide); k++ {
			scaled.SetSym(j, k, cov.At(j, k)/(wide[j]*wide[k]))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(scaled) || chol.Cond() > 1e14 {
		return nil, false
	}
	logDet += chol.LogDet()
	var lower, inverse mat.TriDense
	chol.LTo(&lower)
	if inverse.InverseTri(&lower) != nil {
		return nil, false
	}
	for i := range mean {
		for j := 0; j <= i; j++ {
			c.lower = append(c.lower, lower.At(i, j)*wide[i])
			c.inverse = append(c.inverse, inverse.At(i, j)/wide[j])
		}
	}
	d := float64(len(mean))
	top, _ := math.Lgamma((degrees + d) / 2)
	bottom, _ := math.Lgamma(degrees / 2.0)
	c.height = math.Exp(top - bottom - d/2*math.Log(degrees*math.Pi) - logDet/2)
	return c, true
}

// studentOf returns the t distribution whose shape is the inverse of info, false
// where that has none.
func (s space) studentOf(info *mat.SymDense, weight float64, mean []float64) (*student, bool) {
	var chol mat.Cholesky
	cov := mat.NewSymDense(len(mean), nil)
	if !chol.Factorize(info) || chol.InverseTo(cov) != nil {
		return nil, false
	}
	return s.student(weight, mean, cov)
}

// distance2 returns the squared Mahalanobis distance of delta.
func (c *student) distance2(delta []float64) (d2 float64) {
	row := c.inverse
	for i := range delta {
		var v float64
		for j, l := range row[:i+1] {
			v += l * delta[j]
		}
		row = row[i+1:]
		d2 += v * v
	}
	return d2
}

// density is that at a squared Mahalanobis distance.
func (c *student) density(d2 float64) float64 {
	v := 1 / (1 + d2/degrees)
	p := c.height
	if n := degrees + len(c.mean); n%2 == 0 {
		for range n / 2 {
			p *= v
		}
	} else {
		p *= math.Sqrt(v)
		for range n / 2 {
			p *= v
		}
	}
	return p
}

// draw stores a random y.
func (c *student) draw(y []float64, r *rand.Rand) {
	z := make([]float64, len(y))
	for i := range z {
		z[i] = r.NormFloat64()
	}
	var chi2 float64 // degrees is a small integer
	for range degrees {
		v := r.NormFloat64()
		chi2 += v * v
	}
	scale := math.Sqrt(degrees / chi2)
	row := c.lower
	for i := range y {
		y[i] = c.mean[i]
		for j, l := range row[:i+1] {
			y[i] += scale * l * z[j]
		}
		row = row[i+1:]
	}
}

// A mixture of t distributions.
type mixture []*student

// normalise makes the weights add up to 1.
func (m mixture) normalise() {
	var sum float64
	for _, c := range m {
		sum += c.weight
	}
	for _, c := range m {
		c.weight /= sum
	}
}

// scaled returns a copy whose weights add up to the weight given.
func (m mixture) scaled(weight float64) mixture {
	out := make(mixture, len(m))
	for i, c := range m {
		p := *c
		out[i] = &p
	}
	out.normalise()
	for _, c := range out {
		c.weight *= weight
	}
	return out
}

// logDensity is the density at y, summed over the turns of the angles.
func (m mixture) logDensity(y []float64) float64 {
	var room [mostParameters]float64
	delta := room[:len(y)]
	var sum float64
	for _, c := range m {
		c.space.delta(delta, y, c.mean)
		sum += c.weight * c.wound(delta, c.distance2(delta))
	}
	return math.Log(sum)
}

// wound is the density at delta from the mean, at distance2, and up to two turns to either side,
// for each angle by itself.
func (c *student) wound(delta []float64, distance2 float64) float64 {
	p := c.density(distance2)
	for _, k := range c.wide {
		v, sum := delta[k], 1.0
		here := max(c.density(distance2), 1e-300)
		for _, turns := range []float64{-1, 1, -2, 2} {
			delta[k] = v + turns*c.space[k].Period
			sum += c.density(c.distance2(delta)) / here
		}
		delta[k] = v
		p *= sum
	}
	return p
}

// draw stores a random y of the mixture.
func (m mixture) draw(y []float64, r *rand.Rand) {
	u := r.Float64()
	for i, c := range m {
		if u -= c.weight; u < 0 || i == len(m)-1 {
			c.draw(y, r)
			return
		}
	}
}
