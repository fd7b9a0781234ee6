package plots

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// For a Gaussian the best bandwidth is 1.06·σ·n^(−1/5) in theory.
func TestBandwidthGaussian(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	const n, bins, sigma = 20_000, 1024, 80.0
	hist := make([]float64, bins)
	for range n {
		if i := int(512 + sigma*rng.NormFloat64()); i >= 0 && i < bins {
			hist[i]++
		}
	}
	want := 1.06 * sigma * math.Pow(n, -0.2)
	if got := bandwidth(hist, n); math.Abs(got/want-1) > 0.15 {
		t.Errorf("bandwidth %.2f bins, theory %.2f", got, want)
	}
}

// Two narrow modes far apart need the bandwidth of one, not of the distance.
func TestBandwidthBimodal(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 0))
	const n, bins, sigma = 20_000, 1024, 8.0
	hist := make([]float64, bins)
	for i := range n {
		hist[int(200+float64(i%2)*600+sigma*rng.NormFloat64())]++
	}
	want := 1.06 * sigma * math.Pow(n/2, -0.2)
	if got := bandwidth(hist, n); math.Abs(got/want-1) > 0.25 {
		t.Errorf("bandwidth %.2f bins, theory %.2f", got, want)
	}
}

// The n-σ region of a round Gaussian is a disc of radius n σ; smoothing
// widens it by the kernel.
func TestRegionsOfGaussian(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	const n, cells, sigma = 50_000, 128, 14.0
	ix, iy := make([]int32, n), make([]int32, n)
	clip := func(v float64) int32 { return int32(math.Min(math.Max(v, 0), cells-1)) }
	for i := range ix {
		ix[i], iy[i] = clip(64+sigma*rng.NormFloat64()), clip(64+sigma*rng.NormFloat64())
	}
	h := sigma * math.Pow(n, -1.0/6)
	d := estimate(histogram2(ix, iy, nil, cells, cells), blur{hx: h, hy: h}, 1.0/n)
	masses := []float64{sigmaMass(3), sigmaMass(2), sigmaMass(1)}
	g := d.region(uniform(cells), uniform(cells), d.levels(masses)[0]/30)
	for i, level := range d.levels(masses) {
		want := float64(3 - i)
		var area float64
		for _, r := range g.rings(math.Log(level)) {
			area += signedArea(r)
		}
		if got := math.Sqrt(area/math.Pi) / sigma; math.Abs(got/want-1) > 0.045 {
			t.Errorf("%v σ region has the radius %.3f σ", want, got)
		}
	}
}

// uniform are the borders of n cells of width 1.
func uniform(n int) (borders []float64) {
	for i := range n + 1 {
		borders = append(borders, float64(i))
	}
	return borders
}

// A thin oblique ridge must not be blurred by its marginal bandwidths.
func TestRidge(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	const n, cells = 20_000, 200
	var ix, iy []int32
	for range n {
		a, b := 30*rng.NormFloat64(), 1.5*rng.NormFloat64()
		x, y := 100+(a+b)/math.Sqrt2, 100+(a-b)/math.Sqrt2
		if x >= 0 && y >= 0 && x < cells && y < cells {
			ix, iy = append(ix, int32(x)), append(iy, int32(y))
		}
	}
	h := 21 * math.Pow(n, -1.0/6)
	d := estimate(histogram2(ix, iy, nil, cells, cells), blur{hx: h, hy: h}, 1.0/n)
	var area float64
	level := d.levels([]float64{sigmaMass(1)})[0]
	for _, v := range d.v {
		if v >= level {
			area++
		}
	}
	if want := math.Pi * 30 * 1.5; area > 1.4*want {
		t.Errorf("1σ region of %.0f cells, the ridge has %.0f", area, want)
	}
}

// The regions of a thin straight ridge of few draws have no beads: they are nearly those of its
// Gaussian.
func TestStraightRidge(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	const n, thin = 1500, 0.05
	var draws []event.Theta
	for range n {
		a, b := rng.NormFloat64(), thin*rng.NormFloat64()
		draws = append(draws, event.Theta{event.U0: 1 + 0.01*a, event.LogTE: 1.3 - 0.02*(a+b)})
	}
	c := newCorner(draws, CornerOptions{Params: []int{event.U0, event.LogTE}, Sigmas: 2})
	rings := c.pairs()[2].rings[0]
	if len(rings) != 1 {
		t.Fatalf("%d rings", len(rings))
	}
	least, most := math.Inf(1), 0.0
	for _, p := range rings[0] {
		a := (p[0] - 1) / 0.01
		r := math.Hypot(a, ((1.3-p[1])/0.02-a)/thin)
		least, most = min(least, r), max(most, r)
	}
	t.Logf("2σ region from %.2f to %.2f σ", least, most)
	if least < 1.5 || most > 2.7 {
		t.Errorf("2σ region from %.2f to %.2f σ", least, most)
	}
}

// Smoothing keeps the mass, at mirrored edges too.
func TestSmoothKeepsMass(t *testing.T) {
	d := &density{nx: 40, ny: 30, v: make([]float64, 1200)}
	d.v[3*40+2], d.v[28*40+39] = 0.5, 0.5
	d.smooth(blur{hx: 3, hy: 2, ex: edges{true, true}, ey: edges{true, true}})
	var sum float64
	for _, v := range d.v {
		sum += v
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("mass %v after smoothing", sum)
	}
}

// An annulus: outer rings turn left, holes right, so areas subtract.
func TestRingsWithHole(t *testing.T) {
	g := &grid{}
	const n = 201
	for i := range n {
		g.x = append(g.x, float64(i-n/2)/50)
		g.y = append(g.y, float64(i-n/2)/50)
	}
	for _, y := range g.y {
		for _, x := range g.x {
			g.v = append(g.v, 0.25-math.Abs(math.Hypot(x, y)-1))
		}
	}
	rings := g.rings(0)
	if len(rings) != 2 {
		t.Fatalf("%d rings, want 2", len(rings))
	}
	a, b := signedArea(rings[0]), signedArea(rings[1])
	if a*b > 0 {
		t.Errorf("outer ring and hole turn the same way: areas %v, %v", a, b)
	}
	if want := math.Pi * (1.25*1.25 - 0.75*0.75); math.Abs(a+b-want) > 2e-3 {
		t.Errorf("area %v, want %v", a+b, want)
	}
}

func signedArea(r [][2]float64) (a float64) {
	for i, p := range r {
		q := r[(i+1)%len(r)]
		a += (p[0]*q[1] - p[1]*q[0]) / 2
	}
	return a
}
