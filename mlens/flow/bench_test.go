//go:build unix

package flow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// cpuTime is the processor time of this process, which tells more than the clock where other
// processes run.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// noise is a source of normal numbers whose Y is a function of X, so that there is something to
// learn.
type noise struct{ c Config }

func (s noise) Batch(step int, b *Batch) error {
	r := rand.New(rand.NewPCG(1, uint64(step)))
	for i := range b.X {
		b.X[i] = float32(r.NormFloat64())
	}
	for i := range b.C {
		b.C[i] = float32(r.NormFloat64())
	}
	n := s.c.Length * s.c.Channels
	for i := range b.Y {
		b.Y[i] = float32(r.NormFloat64())
	}
	for i := range b.N {
		for j := range n {
			b.X[i*n+j] = 0.3*b.X[i*n+j] + b.Y[i*s.c.Dim+j*s.c.Dim/n]
		}
	}
	return nil
}

// BenchmarkTrainStep times steps of 128 examples of 7,200 × 3 points through the small network,
// without and with splines, and through the network with an angle and two branches.
func BenchmarkTrainStep(b *testing.B) {
	for _, bins := range []int{0, 8} {
		c := Small(7200, 3, 1)
		c.Bins = bins
		b.Run(fmt.Sprintf("bins%d", bins), func(b *testing.B) { benchmarkTrainStep(b, c, "go") })
	}
	c := Roman(7200, 4, 15)
	c.Branches = []Branch{
		{Length: 512, Channels: 3, Patch: 16, Dims: []int{48, 48}, Width: 128},
		{Length: 256, Channels: 3, Patch: 8, Dims: []int{32}, Width: 64},
	}
	b.Run("roman", func(b *testing.B) { benchmarkTrainStep(b, c, "go") })
}

func benchmarkTrainStep(b *testing.B, c Config, backend string) {
	o, err := TrainOptions{Source: noise{c}, Steps: 1 << 20, Backend: backend}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	tr, err := newTrainer(c, o)
	if err != nil {
		b.Fatal(err)
	}
	batch := NewBatch(c, o.Batch)
	if err := o.Source.Batch(0, batch); err != nil {
		b.Fatal(err)
	}
	data := &feed{ready: []chan fetched{make(chan fetched, 1)}, spent: make(chan *Batch, 1)}
	step := func() {
		data.ready[0] <- fetched{b: batch}
		if err := tr.step(context.Background(), data); err != nil {
			b.Fatal(err)
		}
		<-data.spent
	}
	step()
	from := cpuTime()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64((cpuTime()-from).Milliseconds())/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(b.N*o.Batch)/b.Elapsed().Seconds(), "curves/s")
	b.ReportMetric(float64(tr.losses[0])/float64(tr.shard), "loss")
}

// BenchmarkContext times the embedding of one light curve: the first call of a fresh model, which
// compiles the graph, and later ones.
func BenchmarkContext(b *testing.B) {
	c := Small(7200, 3, 1)
	w := c.initial(1)
	x := randomBatch(c, 1, 1)
	call := func(b *testing.B, m *Model) {
		if _, err := m.Context(x.X, x.C); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			call(b, newModel(c, w))
		}
	})
	b.Run("later", func(b *testing.B) {
		m := newModel(c, w)
		call(b, m)
		for b.Loop() {
			call(b, m)
		}
	})
}

// BenchmarkSample times samples and densities of one context vector.
func BenchmarkSample(b *testing.B) {
	const n = 20000
	for _, shape := range [][2]int{{8, 0}, {20, 0}, {8, 8}} {
		c := Small(640, 3, 1)
		blocks, bins := shape[0], shape[1]
		c.Blocks, c.Bins = blocks, bins
		m := randomModel(c, 1)
		x := randomBatch(c, 1, 1)
		h, err := m.Context(x.X, x.C)
		if err != nil {
			b.Fatal(err)
		}
		y, lp := make([]float32, n*c.Dim), make([]float32, n)
		rate := func(b *testing.B) { b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "samples/s") }
		b.Run(fmt.Sprintf("at/%dx128_bins%d", blocks, bins), func(b *testing.B) {
			for b.Loop() {
				m.Density(h)
			}
		})
		b.Run(fmt.Sprintf("sample/%dx128_bins%d", blocks, bins), func(b *testing.B) {
			d := m.Density(h)
			for b.Loop() {
				d.Sample(y, 1)
			}
			rate(b)
		})
		b.Run(fmt.Sprintf("logprob/%dx128_bins%d", blocks, bins), func(b *testing.B) {
			d := m.Density(h)
			for b.Loop() {
				d.LogProb(lp, y)
			}
			rate(b)
		})
	}
}
