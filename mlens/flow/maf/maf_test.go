package maf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// random is a flow with weights of a size that bends densities well, and a context vector for it.
func random(dim, hidden, layers, blocks, components, bins, circular int, seed uint64) (*Flow, []float32) {
	const context = 5
	r := rand.New(rand.NewPCG(seed, 0))
	normal := func(n int, std float64) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64() * std)
		}
		return v
	}
	inputs := dim
	var angle *Angle
	if circular > 0 {
		const width = 6
		inputs = dim + AngleFeatures
		angle = &Angle{
			Components: circular, Hidden: normal(context*width, 0.5), HiddenBias: normal(width, 0.3),
			Out: normal(width*3*circular, 1), OutBias: normal(3*circular, 1),
		}
	}
	degree := make([]int, hidden)
	for j := range degree {
		degree[j] = j * dim / hidden
	}
	bs := make([]Weights, blocks)
	for k := range bs {
		w := Weights{
			Position: r.Perm(dim),
			Context:  normal(context*hidden, 0.4), ContextBias: normal(hidden, 0.3),
			In:  normal(inputs*hidden, 0.7),
			Out: normal(hidden*2*dim, 0.5/math.Sqrt(float64(hidden))), OutBias: normal(2*dim, 0.2),
			OutContext: normal(context*2*dim, 0.2),
		}
		if bins > 0 {
			n := dim * (3*bins - 1)
			w.Spline, w.SplineBias, w.SplineContext = normal(hidden*n, 0.3/math.Sqrt(float64(hidden))), normal(n, 0.3), normal(context*n, 0.1)
		}
		for range layers - 1 {
			w.Hidden = append(w.Hidden, normal(hidden*hidden, 1/math.Sqrt(float64(hidden))))
			w.HiddenBias = append(w.HiddenBias, normal(hidden, 0.3))
		}
		bs[k] = w
	}
	var m *Mixture
	if components > 1 {
		m = &Mixture{
			Means: normal(components*dim, 1), Logits: normal(hidden*components, 0.3),
			LogitsBias: normal(components, 0.3), LogitsContext: normal(context*components, 0.3),
		}
		if angle != nil {
			m.Logits = nil
		}
	}
	return New(dim+min(circular, 1), context, degree, 2, bins, bs, m, angle), normal(context, 1)
}

// flows are the shapes that every test goes through.
func flows(t *testing.T, test func(t *testing.T, f *Flow, d *Density)) {
	for _, s := range [][7]int{
		{1, 3, 1, 1, 1, 0, 0}, {2, 9, 2, 2, 1, 0, 0}, {2, 10, 2, 2, 3, 0, 0}, {5, 23, 3, 3, 4, 0, 0}, {8, 128, 2, 8, 8, 0, 0},
		{1, 4, 1, 1, 1, 4, 0}, {3, 15, 2, 2, 3, 5, 0}, {8, 128, 2, 3, 8, 8, 0},
		{1, 4, 1, 1, 1, 0, 1}, {3, 15, 2, 2, 3, 5, 4}, {7, 128, 2, 3, 1, 8, 16},
	} {
		t.Run(fmt.Sprintf("dim%d_hidden%d_layers%d_blocks%d_mixture%d_bins%d_circular%d", s[0], s[1], s[2], s[3], s[4], s[5], s[6]), func(t *testing.T) {
			f, h := random(s[0], s[1], s[2], s[3], s[4], s[5], s[6], 1)
			test(t, f, f.At(h))
		})
	}
}

// apart is how far log densities are from others at most: absolutely where those are small, relative
// to them where they are larger than 1.
func apart(a, b []float32) float64 {
	var d float64
	for i := range a {
		if v := math.Abs(float64(a[i])-float64(b[i])) / max(1, math.Abs(float64(b[i]))); !(v <= d) {
			d = v
		}
	}
	return d
}

// rounding is how far log densities that are computed in two ways may be apart. Of the small flows
// here none is by more than 8e-6; of those as wide as the networks that are used, by up to 3e-5:
// sums over a hundred units are taken in single precision, and what they lose of one variable the
// next ones, and the next blocks, magnify. Processors with other instructions get a factor of two.
func (f *Flow) rounding() float64 {
	if f.hidden > 100 {
		return 6e-5
	}
	return 2e-5
}

func maxDiff(a, b []float32) float64 {
	var d float64
	for i := range a {
		if v := math.Abs(float64(a[i]) - float64(b[i])); !(v <= d) {
			d = v
		}
	}
	return d
}

// inverse maps y to the base and returns Σα too.
func (d *Density) inverseAll(y []float64) (z []float64, logDet float64) {
	w := d.f.workspace()
	for s := range tileSize {
		w.angle[s] = 0.7
	}
	if d.angle != nil {
		d.angle.features(w, true)
	}
	for i, v := range y {
		for s := range tileSize {
			w.x[i*tileSize+s] = float32(v)
		}
	}
	for k := range d.f.blocks {
		d.inverse(k, w)
		w.z, w.x = w.x, w.z
	}
	for i := range y {
		z = append(z, float64(w.x[i*tileSize]))
	}
	return z, float64(w.logDet[0])
}

// The samples' densities, found on the way from the base, are those found on the way back.
func TestSamplesAndDensitiesAgree(t *testing.T) {
	flows(t, func(t *testing.T, f *Flow, d *Density) {
		const n = 777
		y, lp := make([]float32, n*f.variables()), make([]float32, n)
		d.SampleLogProb(y, lp, 3)
		e := apart(lp, d.LogProb(nil, y))
		t.Logf("densities differ by %.2g", e)
		if !(e < f.rounding()) {
			t.Errorf("densities differ by %g", e)
		}
	})
}

// Results depend neither on the number of processors nor on the number of samples.
func TestDeterministic(t *testing.T) {
	f, h := random(5, 23, 3, 3, 4, 6, 4, 1)
	d := f.At(h)
	y := make([]float32, 1000*f.variables())
	d.Sample(y, 3)
	old := runtime.GOMAXPROCS(5)
	defer runtime.GOMAXPROCS(old)
	few := make([]float32, 130*f.variables())
	d.Sample(few, 3)
	if e := maxDiff(few, y); e != 0 {
		t.Errorf("samples differ by %g", e)
	}
	other := make([]float32, 130*f.variables())
	d.Sample(other, 4)
	if e := maxDiff(other, y); e == 0 {
		t.Error("another seed gives the same samples")
	}
	if e := maxDiff(d.LogProb(nil, few), d.LogProb(nil, y)); e != 0 {
		t.Errorf("densities differ by %g", e)
	}
}

// The map to the base is triangular in each block's order, and Σα is the logarithm of its
// determinant (Eq. 9).
func TestJacobian(t *testing.T) {
	flows(t, func(t *testing.T, f *Flow, d *Density) {
		r := rand.New(rand.NewPCG(5, 5))
		y := make([]float64, f.dim)
		for i := range y {
			y[i] = r.NormFloat64()
		}
		// One block alone.
		one := &Density{f: &Flow{dim: f.dim, hidden: f.hidden, context: f.context, maxLogScale: f.maxLogScale, from: f.from, blocks: f.blocks[:1], k: 1, bins: f.bins, angle: f.angle, features: f.features}, angle: d.angle, bias: d.bias[:1], outBias: d.outBias[:1], splineBias: d.splineBias[:1]}
		place := make([]int, f.dim)
		for p, i := range f.blocks[0].variable {
			place[i] = p
		}
		j, logDet := jacobian(one, y)
		sum := 0.0
		for a := range f.dim {
			for b := range f.dim {
				if place[b] > place[a] && j[a][b] != 0 {
					t.Errorf("variable %d depends on %d, which comes later: %g", a, b, j[a][b])
				}
			}
			sum += math.Log(j[a][a])
		}
		if e := math.Abs(sum + logDet); !(e < 0.02) {
			t.Errorf("one block: log det is %g, by differences %g", -logDet, sum)
		}
		if f.dim > 5 {
			return // differences in float32 are too coarse for many blocks
		}
		j, logDet = jacobian(d, y)
		if e := math.Abs(math.Log(math.Abs(determinant(j))) + logDet); !(e < 0.05) {
			t.Errorf("all blocks: log det is %g, by differences %g", -logDet, math.Log(math.Abs(determinant(j))))
		}
	})
}

// jacobian is dz/dy by central differences.
func jacobian(d *Density, y []float64) ([][]float64, float64) {
	_, logDet := d.inverseAll(y)
	j := make([][]float64, len(y))
	for i := range j {
		j[i] = make([]float64, len(y))
	}
	const ε = 1.0 / 512
	for b := range y {
		at := append([]float64{}, y...)
		at[b] = y[b] + ε
		up, _ := d.inverseAll(at)
		at[b] = y[b] - ε
		down, _ := d.inverseAll(at)
		for a := range y {
			j[a][b] = (up[a] - down[a]) / (float64(float32(y[b]+ε)) - float64(float32(y[b]-ε)))
		}
	}
	return j, logDet
}

func determinant(a [][]float64) float64 {
	det := 1.0
	for i := range a {
		p := i
		for r := i; r < len(a); r++ {
			if math.Abs(a[r][i]) > math.Abs(a[p][i]) {
				p = r
			}
		}
		if p != i {
			a[i], a[p], det = a[p], a[i], -det
		}
		det *= a[i][i]
		for r := i + 1; r < len(a); r++ {
			q := a[r][i] / a[i][i]
			for c := i; c < len(a); c++ {
				a[r][c] -= q * a[i][c]
			}
		}
	}
	return det
}

// Every variable's distribution depends on the context, also that of the first in the order.
func TestFirstVariableSeesContext(t *testing.T) {
	f, h := random(4, 16, 2, 1, 1, 0, 4, 1)
	other := append([]float32{}, h...)
	other[0]++
	a, b := make([]float32, f.variables()), make([]float32, f.variables())
	f.At(h).Sample(a, 1)
	f.At(other).Sample(b, 1)
	for i := range a {
		if a[i] == b[i] {
			t.Errorf("variable %d does not depend on the context", i)
		}
	}
}

// The density integrates to one, and samples fall where it says.
func TestDensityIsNormalised(t *testing.T) {
	f1, h1 := random(1, 6, 2, 3, 3, 4, 0, 2)
	d := f1.At(h1)
	const n = 40001
	y := make([]float32, n)
	for i := range y {
		y[i] = float32(-40 + 80*float64(i)/(n-1))
	}
	var sum, mean float64
	for i, l := range d.LogProb(nil, y) {
		p := math.Exp(float64(l)) * 80 / (n - 1)
		sum += p
		mean += p * float64(y[i])
	}
	if math.Abs(sum-1) > 1e-3 {
		t.Errorf("in one dimension the density integrates to %g", sum)
	}
	draws := make([]float32, 200000)
	d.Sample(draws, 1)
	var got, square float64
	for _, v := range draws {
		got += float64(v) / float64(len(draws))
		square += float64(v) * float64(v) / float64(len(draws))
	}
	if e := math.Sqrt((square - got*got) / float64(len(draws))); math.Abs(got-mean) > 5*e {
		t.Errorf("samples have the mean %g ± %g, the density %g", got, e, mean)
	}

	f2, h2 := random(2, 8, 2, 2, 3, 5, 0, 3)
	d = f2.At(h2)
	const m = 801
	grid := make([]float32, 0, 2*m*m)
	for i := range m {
		for j := range m {
			grid = append(grid, float32(-20+40*float64(i)/(m-1)), float32(-20+40*float64(j)/(m-1)))
		}
	}
	sum = 0
	for _, l := range d.LogProb(nil, grid) {
		sum += math.Exp(float64(l)) * 40 * 40 / ((m - 1) * (m - 1))
	}
	if math.Abs(sum-1) > 3e-3 {
		t.Errorf("in two dimensions the density integrates to %g", sum)
	}
}

// The plain kernels agree with their definitions.
func TestExp32(t *testing.T) {
	for x := -87.0; x < 88; x += 0.0371 {
		want := math.Exp(float64(float32(x)))
		if e := math.Abs(float64(exp32(float32(x)))/want - 1); e > 3e-7 {
			t.Fatalf("exp(%g) is wrong by %g", x, e)
		}
	}
	if v := exp32(-1e9); !(v >= 0 && v < 1e-37) {
		t.Errorf("exp(−10⁹) is %g", v)
	}
}

func TestNewPanics(t *testing.T) {
	for name, degree := range map[string][]int{"missing": {0, 0, 2}, "unsorted": {1, 0, 2}, "large": {0, 1, 2, 3}} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("New accepts these degrees")
				}
			}()
			New(3, 1, degree, 1, 0, nil, nil, nil)
		})
	}
}

// Samples with heavier tails have the density that is said, and it is normalised: weighted by
// what the density itself has over it, they weigh 1 in the mean; and no weight is large.
func TestHeavy(t *testing.T) {
	flows(t, func(t *testing.T, f *Flow, d *Density) {
		const n = 3000
		heavy := d.Heavy(3, 0.2)
		y, lp := make([]float32, n*f.variables()), make([]float32, n)
		heavy.SampleLogProb(y, lp, 3)
		// Out in the tails single precision does not find the way back as well.
		wrong := 0
		for i, v := range heavy.LogProb(nil, y) {
			if !(math.Abs(float64(v-lp[i])) < 1e-3) {
				wrong++
			}
		}
		if wrong > n/100 {
			t.Errorf("%d of %d densities differ", wrong, n)
		}
		var sum, squares, most float64
		for i, v := range d.LogProb(nil, y) {
			w := math.Exp(float64(v - lp[i]))
			sum, squares, most = sum+w, squares+w*w, max(most, w)
		}
		mean := sum / n
		e := math.Sqrt((squares/n - mean*mean) / n)
		t.Logf("mean weight %.3f ± %.3f, largest %.1f", mean, e, most)
		if math.Abs(mean-1) > 4*e {
			t.Errorf("the mean weight is %.3f ± %.3f", mean, e)
		}
		// At a mean of a component the t distribution is the lowest, in comparison.
		dim := float64(f.dim)
		top, _ := math.Lgamma((3 + dim) / 2)
		bottom, _ := math.Lgamma(1.5)
		limit := math.Exp(dim/2*math.Log(1.5) - top + bottom)
		limit *= peak(dim)
		if f.angle != nil {
			limit /= 0.8
		}
		if most > 1.01*limit {
			t.Errorf("a weight is %.1f, at most %.1f is possible", most, limit)
		}
	})
}

// peak is the largest value of a Gaussian over a t distribution with three degrees of freedom, in
// units of that at their mean.
func peak(dim float64) float64 {
	var most float64
	for q := 0.0; q < 4*dim+20; q += 0.01 {
		most = max(most, math.Exp(-q/2+(3+dim)/2*math.Log1p(q/3)))
	}
	return most
}
