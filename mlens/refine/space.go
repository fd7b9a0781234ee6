package refine

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// A LogProb is the logarithm of a density, up to a constant, at x; −Inf where it
// vanishes. It is called from many goroutines.
type LogProb func(x []float64) float64

// A space maps parameters x onto coordinates y without ends: bounded parameters
// through a logit, others as they are. Angles keep their value, and the density
// is summed over their turns.
type space []Parameter

// mostParameters is the largest number of parameters of a space.
const mostParameters = 16

func newSpace(params []Parameter) space {
	if len(params) > mostParameters {
		panic(fmt.Sprintf("refine: %d parameters, but at most %d are possible", len(params), mostParameters))
	}
	for k, p := range params {
		if !(p.Min < p.Max) {
			panic(fmt.Sprintf("refine: parameter %d ranges from %g to %g", k, p.Min, p.Max))
		}
		if !(p.Scale > 0) {
			panic(fmt.Sprintf("refine: the scale of parameter %d is %g", k, p.Scale))
		}
	}
	return params
}

func (s space) bounded(k int) bool {
	return s[k].Period == 0 && !math.IsInf(s[k].Min, 0) && !math.IsInf(s[k].Max, 0)
}

// edge keeps a parameter that stands at the end of its range at a finite
// coordinate.
const edge = 1e-4

// y returns the coordinates of x.
func (s space) y(x []float64) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		if !s.bounded(k) {
			y[k] = v
			continue
		}
		u := (v - s[k].Min) / (s[k].Max - s[k].Min)
		u = min(max(u, edge), 1-edge)
		y[k] = math.Log(u / (1 - u))
	}
	return y
}

// x stores the parameters at coordinates y in dst and returns ln|dx/dy|.
func (s space) x(dst, y []float64) (logVolume float64) {
	for k, v := range y {
		switch {
		case s[k].Period > 0:
			dst[k] = v - s[k].Period*math.Floor((v-s[k].Min)/s[k].Period)
		case s.bounded(k):
			e := math.Exp(-math.Abs(v))
			u := 1 / (1 + e)
			if v < 0 {
				u = e / (1 + e)
			}
			width := s[k].Max - s[k].Min
			dst[k] = s[k].Min + width*u
			logVolume += math.Log(width) - math.Abs(v) - 2*math.Log1p(e)
		default:
			dst[k] = v
		}
	}
	return logVolume
}

// exactly stores in y the coordinates of x, which is no nearer to an end than it says, and
// returns ln|dx/dy|, or false where x is not within the parameters' ranges.
func (s space) exactly(y, x []float64) (logVolume float64, ok bool) {
	for k, v := range x {
		switch p := s[k]; {
		case p.Period > 0:
			if y[k] = v; !(v >= p.Min && v < p.Min+p.Period) {
				return 0, false
			}
		case s.bounded(k):
			below, above := v-p.Min, p.Max-v
			if !(below > 0 && above > 0) {
				return 0, false
			}
			y[k] = math.Log(below / above)
			logVolume += math.Log(below) + math.Log(above) - math.Log(p.Max-p.Min)
		default:
			if y[k] = v; !(v >= p.Min && v <= p.Max) {
				return 0, false
			}
		}
	}
	return logVolume, true
}

// slope returns dx/dy of parameter k at x.
func (s space) slope(k int, x float64) float64 {
	if !s.bounded(k) {
		return 1
	}
	width := s[k].Max - s[k].Min
	u := min(max((x-s[k].Min)/width, edge), 1-edge)
	return width * u * (1 - u)
}

// spread returns the standard deviation in y of a parameter of which nothing is
// known; infinite if its range is.
func (s space) spread(k int) float64 {
	switch {
	case s[k].Period > 0:
		return s[k].Period / math.Sqrt(12)
	case s.bounded(k):
		return math.Pi / math.Sqrt(3) // of the logistic distribution
	}
	return math.Inf(1)
}

// delta stores y − mean, the short way round for angles.
func (s space) delta(dst, y, mean []float64) {
	for k, p := range s {
		d := y[k] - mean[k]
		if p.Period > 0 {
			d = p.short(d)
		}
		dst[k] = d
	}
}

// short returns a difference of angles the short way round. (math.Remainder is slow.)
func (p Parameter) short(d float64) float64 { return d - p.Period*math.Floor(d/p.Period+0.5) }

// widths returns what is known in y at a mode: by its information and by the
// ranges of the parameters.
func (s space) widths(m Start) *mat.SymDense {
	d := len(m.X)
	info := mat.NewSymDense(d, nil)
	for j := range d {
		for k := j; k < d && m.Information != nil; k++ {
			info.SetSym(j, k, m.Information.At(j, k)*s.slope(j, m.X[j])*s.slope(k, m.X[k]))
		}
		spread := s.spread(j)
		if m.Information == nil || math.IsInf(spread, 1) {
			spread = min(spread, s[j].Scale/s.slope(j, m.X[j]))
		}
		info.SetSym(j, j, info.At(j, j)+1/(spread*spread))
	}
	return info
}

// turned adds to the information of residuals in y, which know no end of an angle,
// that of its range.
func (s space) turned(info *mat.SymDense) *mat.SymDense {
	out := mat.NewSymDense(len(s), nil)
	out.CopySym(info)
	for k, p := range s {
		if p.Period > 0 {
			w := s.spread(k)
			out.SetSym(k, k, out.At(k, k)+1/(w*w))
		}
	}
	return out
}
