package maf

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// tileSize is the number of samples computed side by side. An array of a tile holds for each
// variable or unit its tileSize values, one after another.
const tileSize = 64

// A workspace is one goroutine's memory.
type workspace struct {
	z, x   []float32   // [Dim][tile]: by variable
	xp     []float32   // [features+Dim][tile]: the angle's inputs, then x by place in the order
	units  [][]float32 // [layer][Hidden][tile]
	out    []float32   // [2·Dim][tile]
	raw    []float32   // [3·bins−1][tile]
	logDet [tileSize]float32
	scale  [tileSize]float32
	slope  [tileSize]float32
	// If the first variable is an angle: it, and the log of its density.
	angle, logAngle [tileSize]float32
}

func (f *Flow) workspace() *workspace {
	w := &workspace{
		z: make([]float32, f.dim*tileSize), x: make([]float32, f.dim*tileSize), xp: make([]float32, (f.features+f.dim)*tileSize),
		out: make([]float32, 2*f.dim*tileSize), raw: make([]float32, f.splineSize()*tileSize),
	}
	for range 1 + len(f.blocks[0].layers) {
		w.units = append(w.units, make([]float32, f.hidden*tileSize))
	}
	return w
}

// tiles calls f for each tile of n samples, from as many goroutines as there are processors.
func (d *Density) tiles(n int, f func(w *workspace, tile int)) {
	count := (n + tileSize - 1) / tileSize
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(count, runtime.GOMAXPROCS(0)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w := d.f.workspace()
			for t := int(next.Add(1)) - 1; t < count; t = int(next.Add(1)) - 1 {
				f(w, t)
			}
		}()
	}
	wg.Wait()
}

// Sample draws len(dst)/Dim samples into dst [n][Dim]. Sample i is made of random numbers from
// rand.NewPCG(seed, i/64), so it depends neither on n nor on the number of processors.
func (d *Density) Sample(dst []float32, seed uint64) { d.SampleLogProb(dst, nil, seed) }

// SampleLogProb is Sample, and also stores the log density of each sample in logProb [n], unless
// that is nil. It costs nothing extra.
func (d *Density) SampleLogProb(dst, logProb []float32, seed uint64) {
	dim, all := d.f.dim, d.f.variables()
	skip := all - dim // of the blocks' variables
	n := len(dst) / all
	sized(dst, n*all)
	if logProb != nil {
		sized(logProb, n)
	}
	d.tiles(n, func(w *workspace, tile int) {
		r := rand.New(rand.NewPCG(seed, uint64(tile)))
		for s := range tileSize {
			if d.angle != nil {
				w.angle[s] = d.angle.sample(r)
			}
			var mean []float32
			if d.f.k > 1 {
				mean = d.f.mixture.Means[d.component(r.Float64())*dim:]
			}
			far := float32(1)
			if d.degrees > 0 {
				var chi2 float64
				for range d.degrees {
					v := r.NormFloat64()
					chi2 += v * v
				}
				far = float32(math.Sqrt(float64(d.degrees) / chi2))
			}
			for i := range dim {
				v := far * float32(r.NormFloat64())
				if mean != nil {
					v += mean[i]
				}
				w.z[i*tileSize+s] = v
			}
		}
		first := tile * tileSize
		m := min(tileSize, n-first)
		var base [tileSize]float32
		if logProb != nil {
			d.base(&base, w.z)
		}
		if d.angle != nil {
			d.angle.features(w, logProb != nil)
		}
		clear(w.logDet[:])
		for k := len(d.f.blocks) - 1; k >= 0; k-- {
			d.forward(k, w)
			w.z, w.x = w.x, w.z
		}
		for s := range m {
			y := dst[(first+s)*all:][:all]
			if d.angle != nil {
				y[0] = w.angle[s]
			}
			for i := range dim {
				y[skip+i] = w.z[i*tileSize+s]
			}
			if logProb != nil {
				logProb[first+s] = base[s] - w.logDet[s]
				if d.angle != nil {
					logProb[first+s] += w.logAngle[s]
				}
			}
		}
	})
}

// component is the first one whose cumulated weight exceeds u.
func (d *Density) component(u float64) int {
	for k, c := range d.cumulated {
		if u < c {
			return k
		}
	}
	return len(d.cumulated) - 1
}

// LogProb stores the log density of each y [n][Dim] in dst [n] and returns it; nil allocates.
func (d *Density) LogProb(dst, y []float32) []float32 {
	dim, all := d.f.dim, d.f.variables()
	n := len(y) / all
	sized(y, n*all)
	if dst == nil {
		dst = make([]float32, n)
	}
	sized(dst, n)
	d.tiles(n, func(w *workspace, tile int) {
		first := tile * tileSize
		m := min(tileSize, n-first)
		clear(w.x)
		for s := range m {
			for i, v := range y[(first+s)*all+all-dim : (first+s+1)*all] {
				w.x[i*tileSize+s] = v
			}
			w.angle[s] = y[(first+s)*all] // if there is one
		}
		if d.angle != nil {
			d.angle.features(w, true)
		}
		clear(w.logDet[:])
		for k := range d.f.blocks {
			d.inverse(k, w)
			w.z, w.x = w.x, w.z
		}
		var base [tileSize]float32
		d.base(&base, w.x)
		for s := range m {
			dst[first+s] = base[s] - w.logDet[s]
			if d.angle != nil {
				dst[first+s] += w.logAngle[s]
			}
		}
	})
	return dst
}

// forward is block k from the base's side to y's: w.z → w.x, and the logarithm of the volume it
// gains, Σα less the splines' slopes, is added to w.logDet (Eq. 10 of Zhang et al. 2021). Variables
// are found in the block's order; as soon as one is known, so are the hidden units that see no more
// than it and those before it.
func (d *Density) forward(k int, w *workspace) {
	f, b := d.f, &d.f.blocks[k]
	for p, i := range b.variable {
		d.layers(k, w, p)
		d.output(k, w, p)
		μ, α := row(w.out, 2*p), row(w.out, 2*p+1)
		clampExp(α, &w.scale, f.maxLogScale, 1)
		z, x, xp := row(w.z, i), row(w.x, i), row(w.xp, f.features+p)
		if f.bins > 0 {
			d.rawSpline(k, w, p)
			splines(z, &w.slope, w.raw, f.bins, true)
		}
		for s := range z {
			v := z[s]*w.scale[s] + μ[s]
			x[s], xp[s] = v, v
			w.logDet[s] += α[s] - w.slope[s]
		}
	}
}

// inverse is block k from y's side to the base's: w.x → w.z, and the same is added to w.logDet (Eq.
// 6).
func (d *Density) inverse(k int, w *workspace) {
	f, b := d.f, &d.f.blocks[k]
	for p, i := range b.variable {
		copy(row(w.xp, f.features+p)[:], w.x[i*tileSize:(i+1)*tileSize])
	}
	for p, i := range b.variable {
		d.layers(k, w, p)
		d.output(k, w, p)
		μ, α := row(w.out, 2*p), row(w.out, 2*p+1)
		clampExp(α, &w.scale, f.maxLogScale, -1)
		z, x := row(w.z, i), row(w.x, i)
		for s := range z {
			z[s] = (x[s] - μ[s]) * w.scale[s]
		}
		if f.bins > 0 {
			d.rawSpline(k, w, p)
			splines(z, &w.slope, w.raw, f.bins, false)
		}
		for s := range z {
			w.logDet[s] += α[s] - w.slope[s]
		}
	}
}

// layers computes the hidden units of block k that see exactly the first p variables.
func (d *Density) layers(k int, w *workspace, p int) {
	f, b := d.f, &d.f.blocks[k]
	lo, hi := f.from[p], f.from[p+1]
	dense(w.units[0], b.in, f.features+f.dim, d.bias[k], w.xp, lo, hi, f.features+p, true)
	for l := range b.layers {
		dense(w.units[l+1], b.layers[l], f.hidden, b.biases[l], w.units[l], lo, hi, hi, true)
	}
}

// output computes μ and the raw α of the variable at place p of block k.
func (d *Density) output(k int, w *workspace, p int) {
	f, b := d.f, &d.f.blocks[k]
	dense(w.out, b.out, f.hidden, d.outBias[k], w.units[len(w.units)-1], 2*p, 2*p+2, f.from[p+1], false)
}

// rawSpline computes what describes the spline of the variable at place p of block k.
func (d *Density) rawSpline(k int, w *workspace, p int) {
	f, b := d.f, &d.f.blocks[k]
	n := f.splineSize()
	dense(w.raw, b.spline[p*n*f.hidden:], f.hidden, d.splineBias[k][p*n:], w.units[len(w.units)-1], 0, n, f.from[p+1], false)
}

// base stores the log density of the base at z [Dim][tile] in dst.
func (d *Density) base(dst *[tileSize]float32, z []float32) {
	dim := d.f.dim
	norm := float32(-0.5 * float64(dim) * math.Log(2*math.Pi))
	if n := float64(d.degrees); n > 0 {
		top, _ := math.Lgamma((n + float64(dim)) / 2)
		bottom, _ := math.Lgamma(n / 2)
		norm = float32(top - bottom - 0.5*float64(dim)*math.Log(n*math.Pi))
	}
	if d.f.k == 1 {
		var q [tileSize]float32
		for i := range dim {
			addSquare(&q, row(z, i), 0)
		}
		d.fall(&q)
		for s := range dst {
			dst[s] = norm + q[s]
		}
		return
	}
	terms := make([][tileSize]float32, d.f.k) // log of each component's share
	var top, sum [tileSize]float32
	for k, lw := range d.logWeight {
		t := &terms[k]
		for i, m := range d.f.mixture.Means[k*dim : (k+1)*dim] {
			addSquare(t, row(z, i), m)
		}
		d.fall(t)
		for s := range t {
			t[s] += lw
			if k == 0 || t[s] > top[s] {
				top[s] = t[s]
			}
		}
	}
	for k := range terms {
		addExp(&sum, &terms[k], &top)
	}
	for s := range dst {
		dst[s] = norm + top[s] + float32(math.Log(float64(sum[s])))
	}
}

// fall replaces squared distances from the mean of a component of the base by what its log density
// is below that at the mean.
func (d *Density) fall(q *[tileSize]float32) {
	if d.degrees == 0 {
		for s := range q {
			q[s] *= -0.5
		}
		return
	}
	n := float64(d.degrees)
	for s := range q {
		q[s] = float32(-0.5 * (n + float64(d.f.dim)) * math.Log1p(float64(q[s])/n))
	}
}

// row is the i-th array of a tile.
func row(a []float32, i int) *[tileSize]float32 { return (*[tileSize]float32)(a[i*tileSize:]) }
