package flow

import (
	"context"
	"fmt"
	"sync"
)

// A Batch is N examples side by side, each array a flat one.
type Batch struct {
	X []float32 // [N][Length][Channels]
	C []float32 // [N][Scalars]
	Y []float32 // [N][Dim], standardised
	N int

	// Branches holds for each branch of the configuration an array [N][Length][Channels].
	Branches [][]float32

	// LogVolume, if there is one [N], is added to the −log p of each example wherever a mean of them
	// is reported: if Y is a function of the quantities of interest that differs between examples,
	// −ln|dY/d quantities|. The gradient does not depend on it.
	LogVolume []float32
}

// NewBatch makes room for n examples of c.
func NewBatch(c Config, n int) *Batch {
	b := &Batch{
		X: make([]float32, n*c.Length*c.Channels),
		C: make([]float32, n*c.Scalars),
		Y: make([]float32, n*c.Dim),
		N: n,
	}
	for _, br := range c.Branches {
		b.Branches = append(b.Branches, make([]float32, n*br.size()))
	}
	return b
}

// meanLogVolume is the mean of what is added to the −log p of b's examples.
func (b *Batch) meanLogVolume() float64 {
	var sum float64
	for _, v := range b.LogVolume {
		sum += float64(v)
	}
	return sum / float64(b.N)
}

// check says whether b's arrays fit its N and c; y is needed only if withY.
func (b *Batch) check(c Config, withY bool) error {
	wrong := func(name string, got, want int) error {
		return fmt.Errorf("a batch of %d examples has %d numbers in %s instead of %d", b.N, got, name, want)
	}
	switch {
	case b.N < 1:
		return fmt.Errorf("a batch has %d examples", b.N)
	case len(b.X) != b.N*c.Length*c.Channels:
		return wrong("X", len(b.X), b.N*c.Length*c.Channels)
	case len(b.C) != b.N*c.Scalars:
		return wrong("C", len(b.C), b.N*c.Scalars)
	case withY && len(b.Y) != b.N*c.Dim:
		return wrong("Y", len(b.Y), b.N*c.Dim)
	case len(b.Branches) != len(c.Branches):
		return fmt.Errorf("a batch has %d branches instead of %d", len(b.Branches), len(c.Branches))
	case b.LogVolume != nil && len(b.LogVolume) != b.N:
		return wrong("LogVolume", len(b.LogVolume), b.N)
	}
	for i, br := range c.Branches {
		if len(b.Branches[i]) != b.N*br.size() {
			return wrong(fmt.Sprintf("Branches[%d]", i), len(b.Branches[i]), b.N*br.size())
		}
	}
	return nil
}

// A Source makes the training data. Batch fills b, whose arrays have their sizes (but for
// LogVolume, which is nil or of an earlier step) and must all be overwritten, with the examples of a step; it depends on the step alone, and is called for
// different steps at once.
type Source interface {
	Batch(step int, b *Batch) error
}

// A feed fetches a source's batches ahead of their use.
type feed struct {
	ready []chan fetched // ready[s % depth] carries step s
	spent chan *Batch
	stop  context.CancelFunc
	wait  sync.WaitGroup
}

type fetched struct {
	b   *Batch
	err error
}

// newFeed starts workers that fetch the steps [from, to), each at most a few steps ahead.
func newFeed(ctx context.Context, c Config, src Source, n, from, to, workers int) *feed {
	ctx, stop := context.WithCancel(ctx)
	depth := workers + 1
	f := &feed{stop: stop, spent: make(chan *Batch, depth)}
	for range depth {
		f.ready = append(f.ready, make(chan fetched, 1))
	}
	// So that at most depth consecutive steps are under way, each with a slot of its own:
	for range depth {
		f.spent <- NewBatch(c, n)
	}
	// Steps are handed out in order and only as batches come back, so no worker can be more than
	// depth steps ahead.
	steps := make(chan int)
	f.wait.Add(1)
	go func() {
		defer f.wait.Done()
		defer close(steps)
		for s := from; s < to; s++ {
			select {
			case steps <- s:
			case <-ctx.Done():
				return
			}
		}
	}()
	var order sync.Mutex // a step and its batch are taken together
	for range workers {
		f.wait.Add(1)
		go func() {
			defer f.wait.Done()
			for {
				order.Lock()
				var b *Batch
				select {
				case b = <-f.spent:
				case <-ctx.Done():
				}
				s, ok := 0, false
				if b != nil {
					s, ok = <-steps
				}
				order.Unlock()
				if !ok {
					return
				}
				err := fetch(src, s, b)
				select {
				case f.ready[s%depth] <- fetched{b, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	return f
}

// fetch calls the source and turns a panic into an error, since it would otherwise end the process
// from a goroutine of ours.
func fetch(src Source, step int, b *Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return src.Batch(step, b)
}

// get waits for a step's batch; give it back with put.
func (f *feed) get(ctx context.Context, step int) (*Batch, error) {
	select {
	case r := <-f.ready[step%len(f.ready)]:
		if r.err != nil {
			return nil, fmt.Errorf("flow: training data of step %d: %w", step, r.err)
		}
		return r.b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *feed) put(b *Batch) { f.spent <- b }

// close ends the workers; a call of the source in progress is waited for.
func (f *feed) close() {
	f.stop()
	f.wait.Wait()
}
