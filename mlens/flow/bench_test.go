package flow

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// cpuTime is the processor time of this process, which tells more than the clock where other processes run.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// noise is a source of normal numbers whose Y is a function of X, so that there is something to learn.
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

// BenchmarkTrainStep times steps of 128 examples of 7,200 × 3 points through the small network.
func BenchmarkTrainStep(b *testing.B) {
	c := Small(7200, 3, 1)
	o, err := TrainOptions{Source: noise{c}, Steps: 1 << 20}.withDefaults()
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
