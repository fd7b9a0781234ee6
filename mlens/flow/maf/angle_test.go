package maf

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// exactLogI0 is ln(I₀(x)·e^{−x}) by the trapezoidal rule on ∫ exp(x(cos t − 1)) dt/2π over a turn,
// whose error falls faster than any power.
func exactLogI0(x float64) float64 {
	const n = 4096
	var sum float64
	for i := range n {
		sum += math.Exp(x * (math.Cos(2*math.Pi*float64(i)/n) - 1))
	}
	return math.Log(sum / n)
}

func TestLogI0(t *testing.T) {
	var worst float64
	for l := math.Log(1e-3); l < LogKappaMiddle+LogKappaHalf; l += 0.013 {
		x := math.Exp(l)
		worst = max(worst, math.Abs(LogI0(x)-exactLogI0(x)))
	}
	for _, x := range []float64{0, BesselSplit, math.Nextafter(BesselSplit, 0), math.Exp(LogKappaMiddle + LogKappaHalf)} {
		worst = max(worst, math.Abs(LogI0(x)-exactLogI0(x)))
	}
	t.Logf("largest error %.2g", worst)
	if worst > 5e-7 { // 1.9·10⁻⁷ over at least 0.3989
		t.Errorf("ln I₀ is wrong by %g", worst)
	}
}

// mixture is a mixture of components with these logarithms of κ.
func mixture(logKappa ...float64) *vonMises {
	k := len(logKappa)
	a := &Angle{Components: k, Hidden: []float32{1}, HiddenBias: []float32{0}, Out: make([]float32, 3*k), OutBias: make([]float32, 3*k)}
	for i, l := range logKappa {
		a.OutBias[i] = float32(0.5 * float64(i))
		a.OutBias[k+i] = float32(3.1 - 0.3*float64(i)) // one near the seam
		a.OutBias[2*k+i] = float32(LogKappaMiddle + LogKappaHalf*math.Atanh((l-LogKappaMiddle)/LogKappaHalf))
	}
	return a.at([]float32{1})
}

// density is the log density at each angle.
func (v *vonMises) density(angles []float32) []float64 {
	w := &workspace{xp: make([]float32, AngleFeatures*tileSize)}
	out := make([]float64, 0, len(angles))
	for i := 0; i < len(angles); i += tileSize {
		n := copy(w.angle[:], angles[i:])
		v.features(w, true)
		for s := range n {
			out = append(out, float64(w.logAngle[s]))
		}
	}
	return out
}

// At all concentrations the density integrates to one over a turn, is periodic, and samples follow
// it (Kolmogorov–Smirnov).
func TestAngle(t *testing.T) {
	for name, v := range map[string]*vonMises{
		"broad": mixture(-2.99), "middle": mixture(1), "narrow": mixture(9.49), "mixture": mixture(-2, 3, 9.4, 6),
	} {
		t.Run(name, func(t *testing.T) {
			const n = 1 << 18
			grid := make([]float32, n)
			for i := range grid {
				grid[i] = float32(-math.Pi + 2*math.Pi*(float64(i)+0.5)/n)
			}
			cdf := make([]float64, n+1)
			for i, l := range v.density(grid) {
				cdf[i+1] = cdf[i] + math.Exp(l)*2*math.Pi/n
			}
			if e := math.Abs(cdf[n] - 1); !(e < 2e-4) { // rounding of the angles to float32
				t.Errorf("the density integrates to 1 + %g", cdf[n]-1)
			}
			a, b := v.density([]float32{-3.1, 0.5, 2}), v.density([]float32{-3.1 + 2*math.Pi, 0.5 + 2*math.Pi, 2 - 2*math.Pi})
			for i := range a {
				if e := math.Abs(a[i] - b[i]); !(e < 1e-3*max(1, math.Abs(a[i]))) {
					t.Errorf("a turn further the log density is %g instead of %g", b[i], a[i])
				}
			}
			r := rand.New(rand.NewPCG(1, 2))
			const m = 100_000
			draws := make([]float64, m)
			for i := range draws {
				draws[i] = float64(v.sample(r))
				if !(math.Abs(draws[i]) <= math.Pi+1e-6) {
					t.Fatalf("sample %g", draws[i])
				}
			}
			slices.Sort(draws)
			var d float64
			for i, x := range draws {
				at := min(max((x+math.Pi)/(2*math.Pi)*n, 0), n-1)
				k := int(at)
				p := cdf[k] + (at-float64(k))*(cdf[k+1]-cdf[k])
				d = max(d, math.Abs(p-float64(i)/m), math.Abs(p-float64(i+1)/m))
			}
			// The probability of more than 1.95/√m is 10⁻³; the seed is fixed.
			if d > 1.95/math.Sqrt(m) {
				t.Errorf("Kolmogorov–Smirnov distance %g of %d samples", d, m)
			}
		})
	}
}

// With an angle the joint density integrates to one.
func TestAngleAndNumber(t *testing.T) {
	f, h := random(1, 6, 2, 2, 2, 4, 3, 5)
	d := f.At(h)
	const n, m = 400, 1601
	y := make([]float32, 0, 2*n*m)
	for i := range n {
		for j := range m {
			y = append(y, float32(-math.Pi+2*math.Pi*float64(i)/n), float32(-30+60*float64(j)/(m-1)))
		}
	}
	var sum float64
	for _, l := range d.LogProb(nil, y) {
		sum += math.Exp(float64(l)) * 2 * math.Pi / n * 60 / (m - 1)
	}
	if math.Abs(sum-1) > 2e-3 {
		t.Errorf("the density integrates to %g", sum)
	}
	// Samples fall where it says: E[−log p] is the entropy.
	var entropy float64
	for _, l := range d.LogProb(nil, y) {
		entropy -= math.Exp(float64(l)) * float64(l) * 2 * math.Pi / n * 60 / (m - 1)
	}
	const k = 200_000
	draws, lp := make([]float32, 2*k), make([]float32, k)
	d.SampleLogProb(draws, lp, 9)
	var mean, square float64
	for _, l := range lp {
		mean -= float64(l) / k
		square += float64(l) * float64(l) / k
	}
	if e := math.Sqrt((square - mean*mean) / k); math.Abs(mean-entropy) > 4*e+2e-3 {
		t.Errorf("samples have the mean −log p %g ± %g, the entropy is %g", mean, e, entropy)
	}
}
