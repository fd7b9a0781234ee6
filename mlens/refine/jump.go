package refine

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// jumps take places from mode to mode, each by the affine map that makes of the mean and covariance
// of one mode those of the other (Pompe et al. 2020). The way back is as likely: by its inverse, from
// where it leads.
type jumps struct {
	space space
	modes []bump
}

// A bump is a Gaussian in y.
type bump struct {
	mean   []float64
	chol   mat.Cholesky
	factor mat.TriDense // lower
}

// newJumps describes modes by places of each.
func newJumps(s space, modes [][][]float64) (*jumps, error) {
	j := &jumps{space: s}
	d := len(s)
	for m, places := range modes {
		if least := 2 * d; len(places) < least {
			return nil, fmt.Errorf("refine: %d places of mode %d, but %d are needed", len(places), m, least)
		}
		first := s.y(places[0])
		mean, off := make([]float64, d), mat.NewDense(len(places), d, nil)
		for i, x := range places {
			row := off.RawRowView(i)
			s.delta(row, s.y(x), first)
			for k, v := range row {
				mean[k] += v / float64(len(places))
			}
		}
		cov := mat.NewSymDense(d, nil)
		for i := range places {
			row := off.RawRowView(i)
			for k := range row {
				row[k] -= mean[k]
			}
		}
		cov.SymOuterK(1/float64(len(places)-1), off.T())
		var b bump
		if !b.chol.Factorize(cov) {
			return nil, fmt.Errorf("refine: the places of mode %d do not span all parameters", m)
		}
		b.chol.LTo(&b.factor)
		for k := range mean {
			mean[k] += first[k]
		}
		b.mean = mean
		j.modes = append(j.modes, b)
	}
	return j, nil
}

// standard stores in z what y is in a mode where that has mean 0 and covariance 1, and returns the
// logarithm of the mode's density, but for a constant.
func (j *jumps) standard(z *mat.VecDense, m int, y []float64) float64 {
	b := &j.modes[m]
	delta := make([]float64, len(y))
	j.space.delta(delta, y, b.mean)
	// No error: the covariance has been factorised.
	_ = z.SolveVec(&b.factor, mat.NewVecDense(len(y), delta))
	return -0.5 * (mat.Dot(z, z) + b.chol.LogDet())
}

// at returns the mode that y is in most likely, and z as standard does.
func (j *jumps) at(y []float64) (mode int, z *mat.VecDense) {
	best := math.Inf(-1)
	for m := range j.modes {
		var there mat.VecDense
		if p := j.standard(&there, m, y); m == 0 || p > best {
			best, mode, z = p, m, &there
		}
	}
	return mode, z
}

// from returns a place in another mode, and the logarithm of the factor in the move's acceptance:
// −Inf if it would not lead back.
func (j *jumps) from(y []float64, g *rand.Rand) ([]float64, float64) {
	here, z := j.at(y)
	there := g.IntN(len(j.modes) - 1)
	if there >= here {
		there++
	}
	to := &j.modes[there]
	var next mat.VecDense
	next.MulVec(&to.factor, z)
	out := make([]float64, len(y))
	for k := range out {
		out[k] = to.mean[k] + next.AtVec(k)
	}
	if at, _ := j.at(out); at != there {
		return out, math.Inf(-1)
	}
	for k, p := range j.space {
		if p.Period > 0 && math.Abs(out[k]-to.mean[k]) > p.Period/2 {
			return out, math.Inf(-1) // the way back would be the other way round
		}
	}
	return out, (to.chol.LogDet() - j.modes[here].chol.LogDet()) / 2
}
