package maf

import (
	"math"
	"math/rand/v2"
	"slices"
)

// AngleFeatures is the number of inputs that blocks get of an angle a: sin a, cos a, sin 2a, cos 2a,
// sin 3a, cos 3a.
const AngleFeatures = 6

// The logarithm of a von Mises density's concentration κ lies within LogKappaHalf of LogKappaMiddle:
// from −3, nearly uniform, to 9.5, a width of half a degree. A raw value r gives LogKappaMiddle +
// LogKappaHalf·tanh((r − LogKappaMiddle)/LogKappaHalf).
const (
	LogKappaMiddle = 3.25
	LogKappaHalf   = 6.25
)

// Angle describes the density of a first variable that is an angle in radians: a mixture of von
// Mises densities. A ReLU layer and another one turn the context vector into the logits of their
// weights, their mean directions less 2πk/Components, and their raw log κ.
type Angle struct {
	Components         int
	Hidden, HiddenBias []float32 // [Context][n], [n]
	Out, OutBias       []float32 // [n][3·Components], [3·Components]: logits, means, log κ
}

// check panics if sizes do not agree.
func (a *Angle) check(context int) {
	n := len(a.HiddenBias)
	sized(a.Hidden, context*n)
	sized(a.Out, n*3*a.Components)
	sized(a.OutBias, 3*a.Components)
}

// vonMises is the mixture for one context vector.
type vonMises struct {
	mean, kappa, cos, sin []float64 // of each component
	log                   []float64 // log of its weight over 2π·I₀(κ)·e^{−κ}
	cumulated             []float64 // sums of the weights
}

// at is the mixture for the context vector h.
func (a *Angle) at(h []float32) *vonMises {
	n := len(a.HiddenBias)
	u := affine(transpose(a.Hidden, len(h), n), a.HiddenBias, h)
	for j, v := range u {
		u[j] = max(v, 0)
	}
	k := a.Components
	out := affine(transpose(a.Out, n, 3*k), a.OutBias, u)
	v := &vonMises{}
	top := math.Inf(-1)
	for _, l := range out[:k] {
		top = max(top, float64(l))
	}
	var sum float64
	for _, l := range out[:k] {
		sum += math.Exp(float64(l) - top)
	}
	var cum float64
	for i := range k {
		lw := float64(out[i]) - top - math.Log(sum)
		mean := float64(out[k+i]) + 2*math.Pi*float64(i)/float64(k)
		lk := LogKappaMiddle + LogKappaHalf*math.Tanh((float64(out[2*k+i])-LogKappaMiddle)/LogKappaHalf)
		kappa := math.Exp(lk)
		cum += math.Exp(lw)
		v.mean, v.kappa = append(v.mean, mean), append(v.kappa, kappa)
		v.cos, v.sin = append(v.cos, math.Cos(mean)), append(v.sin, math.Sin(mean))
		v.log = append(v.log, lw-math.Log(2*math.Pi)-LogI0(kappa))
		v.cumulated = append(v.cumulated, cum)
	}
	return v
}

// widened is the mixture with one component more, as wide as there are, of that weight.
func (v *vonMises) widened(weight float64) *vonMises {
	kappa := math.Exp(LogKappaMiddle - LogKappaHalf)
	out := &vonMises{
		mean: append(slices.Clone(v.mean), 0), kappa: append(slices.Clone(v.kappa), kappa),
		cos: append(slices.Clone(v.cos), 1), sin: append(slices.Clone(v.sin), 0),
	}
	for i := range v.log {
		out.log = append(out.log, v.log[i]+math.Log1p(-weight))
		out.cumulated = append(out.cumulated, v.cumulated[i]*(1-weight))
	}
	out.log = append(out.log, math.Log(weight)-math.Log(2*math.Pi)-LogI0(kappa))
	out.cumulated = append(out.cumulated, 1)
	return out
}

// sample draws an angle from −π to π (Best & Fisher 1979: rejection under a wrapped Cauchy density,
// exact at any κ).
func (v *vonMises) sample(r *rand.Rand) float32 {
	u, k := r.Float64(), 0
	for k < len(v.cumulated)-1 && u >= v.cumulated[k] {
		k++
	}
	kappa := v.kappa[k]
	τ := 1 + math.Sqrt(1+4*kappa*kappa)
	ρ := (τ - math.Sqrt(2*τ)) / (2 * kappa)
	s := (1 + ρ*ρ) / (2 * ρ)
	for {
		z := math.Cos(math.Pi * r.Float64())
		f := (1 + s*z) / (s + z)
		c := kappa * (s - f)
		w := r.Float64()
		if c*(2-c) <= w && math.Log(c/w)+1 < c {
			continue
		}
		a := math.Acos(min(max(f, -1), 1))
		if r.Float64() < 0.5 {
			a = -a
		}
		return float32(math.Remainder(v.mean[k]+a, 2*math.Pi))
	}
}

// features stores what the blocks see of a tile's angles, w.angle, and the logarithm of the
// angles' density if it is wanted.
func (v *vonMises) features(w *workspace, density bool) {
	var s1, c1 [tileSize]float64
	for t, a := range w.angle {
		s, c := math.Sincos(float64(a))
		s1[t], c1[t] = s, c
		sk, ck := s, c
		for k := 0; k < AngleFeatures; k += 2 {
			w.xp[k*tileSize+t], w.xp[(k+1)*tileSize+t] = float32(sk), float32(ck)
			sk, ck = sk*c+ck*s, ck*c-sk*s
		}
	}
	if !density {
		return
	}
	terms := make([][tileSize]float32, len(v.log))
	var top, sum [tileSize]float32
	for k := range terms {
		for t := range terms[k] {
			x := float32(v.log[k] + v.kappa[k]*(v.cos[k]*c1[t]+v.sin[k]*s1[t]-1))
			terms[k][t] = x
			if k == 0 || x > top[t] {
				top[t] = x
			}
		}
	}
	for k := range terms {
		addExp(&sum, &terms[k], &top)
	}
	for t := range sum {
		w.logAngle[t] = top[t] + float32(math.Log(float64(sum[t])))
	}
}

// The modified Bessel function I₀ (Abramowitz & Stegun 9.8.1 and 9.8.2, whose errors are below
// 2·10⁻⁷): below BesselSplit, I₀(x) is the polynomial BesselSmall in (x/BesselSplit)²; above,
// √x·e^{−x}·I₀(x) is BesselLarge in BesselSplit/x.
const BesselSplit = 3.75

var (
	BesselSmall = [...]float64{1, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813}
	BesselLarge = [...]float64{0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537, -0.01647633, 0.00392377}
)

// LogI0 is ln(I₀(x)·e^{−x}) for x ≥ 0.
func LogI0(x float64) float64 {
	polynomial := func(t float64, c []float64) (p float64) {
		for i := len(c) - 1; i >= 0; i-- {
			p = p*t + c[i]
		}
		return p
	}
	if x < BesselSplit {
		return math.Log(polynomial(x*x/(BesselSplit*BesselSplit), BesselSmall[:])) - x
	}
	return math.Log(polynomial(BesselSplit/x, BesselLarge[:])) - math.Log(x)/2
}

// variables is the number of variables, an angle included.
func (f *Flow) variables() int {
	if f.angle != nil {
		return f.dim + 1
	}
	return f.dim
}
