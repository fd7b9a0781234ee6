package lens

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

// priorDraw draws a light curve from the prior of Zhang et al. 2021, Eq. 13:
// the lens, the path and the source radius, for 144 days.
func priorDraw(r *rand.Rand) (Binary, Trajectory, float64) {
	logU := func(a, b float64) float64 { return a * math.Exp(math.Log(b/a)*r.Float64()) }
	b := Binary{S: logU(0.2, 5), Q: logU(1e-6, 1)}
	l := 1.15 + 0.45*r.NormFloat64()
	for l < 0 || l > 2 {
		l = 1.15 + 0.45*r.NormFloat64()
	}
	tr := Trajectory{U0: 2 * r.Float64(), Alpha: 360 * r.Float64(), T0: 36 + 72*r.Float64(), TE: math.Pow(10, l)}
	return b, tr, logU(1e-4, 1e-2)
}

// cadence is 144 days at 0.01 days.
func cadence() []float64 {
	times := make([]float64, 14400)
	for i := range times {
		times[i] = 0.01 * float64(i)
	}
	return times
}

func benchmarkLightCurve(b *testing.B, opt Options) {
	r := rand.New(rand.NewPCG(1, 0))
	times := cadence()
	dst := make([]float64, len(times))
	worst := time.Duration(0)
	cpu := cpuTime()
	for b.Loop() {
		l, tr, rho := priorDraw(r)
		start := time.Now()
		if _, err := l.LightCurve(dst, times, tr, rho, opt); err != nil {
			b.Fatal(err)
		}
		worst = max(worst, time.Since(start))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "curves/s")
	if cpu = cpuTime() - cpu; cpu > 0 {
		b.ReportMetric(float64(b.N)/cpu.Seconds(), "curves/cpu-s")
	}
	b.ReportMetric(worst.Seconds()*1e3, "worst-ms")
}

func BenchmarkLightCurveStrict(b *testing.B) { benchmarkLightCurve(b, Options{}) }
func BenchmarkLightCurveAdaptive(b *testing.B) {
	benchmarkLightCurve(b, Options{Interpolate: 1e-4})
}
func BenchmarkLightCurve1e4(b *testing.B) {
	benchmarkLightCurve(b, Options{AbsTol: 1e-4, RelTol: 1e-4})
}

// BenchmarkLightCurveParallel tells how the strict mode scales: run it with -cpu 1,2.
func BenchmarkLightCurveParallel(b *testing.B) {
	var curve atomic.Uint64
	times := cadence()
	b.RunParallel(func(pb *testing.PB) {
		dst := make([]float64, len(times))
		for pb.Next() {
			l, tr, rho := priorDraw(rand.New(rand.NewPCG(1, curve.Add(1))))
			if _, err := l.LightCurve(dst, times, tr, rho, Options{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "curves/s")
}

func BenchmarkLightCurvePoint(b *testing.B) { benchmarkLightCurve(b, Options{PointSource: true}) }

func BenchmarkLightCurveDarkened(b *testing.B) { benchmarkLightCurve(b, Options{LimbDarkening: 0.5}) }

func benchmarkGradients(b *testing.B, opt Options) {
	r := rand.New(rand.NewPCG(1, 0))
	times := cadence()
	dst := make([]Gradient, len(times))
	cpu := cpuTime()
	for b.Loop() {
		l, tr, rho := priorDraw(r)
		if _, err := l.Gradients(dst, times, tr, rho, opt); err != nil {
			b.Fatal(err)
		}
	}
	if cpu = cpuTime() - cpu; cpu > 0 {
		b.ReportMetric(float64(b.N)/cpu.Seconds(), "curves/cpu-s")
	}
}

func BenchmarkGradients(b *testing.B)      { benchmarkGradients(b, Options{}) }
func BenchmarkGradientsPoint(b *testing.B) { benchmarkGradients(b, Options{PointSource: true}) }

func BenchmarkPointSource(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 0))
	for b.Loop() {
		l := Binary{S: 0.5 + r.Float64(), Q: r.Float64()}
		l.PointSource(2*r.Float64()-1, 2*r.Float64()-1)
	}
}

func BenchmarkMagnification(b *testing.B) {
	rows := readReference(b)
	i := 0
	for b.Loop() {
		r := rows[i%len(rows)]
		r.b.Magnification(r.x, r.y, r.rho, Options{})
		i++
	}
}

func BenchmarkPreparedMagnification(b *testing.B) {
	rows := readReference(b)
	lenses := make([]*Prepared, len(rows))
	for i, r := range rows {
		lenses[i] = r.b.Prepare()
	}
	i := 0
	for b.Loop() {
		k := i % len(rows)
		lenses[k].Magnification(rows[k].x, rows[k].y, rows[k].rho, Options{})
		i++
	}
}

func BenchmarkPrepare(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 0))
	for b.Loop() {
		l, _, _ := priorDraw(r)
		l.Prepare()
	}
}
