package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// shardSize is the number of examples that one goroutine takes through the network at a time on the
// Go backend: enough for its fast kernels, few enough that a shard takes about a second at most,
// and that several processors find work. It does not depend on their number, since the result does
// on it.
func (c Config) shardSize() int {
	work := c.trunk().work() // multiplications for one example
	for _, br := range c.Branches {
		work += br.work()
	}
	work += c.GRU * c.trunk().tokens() * 6 * c.Context * c.Context
	n := 64
	for n > 8 && n*work > 4<<30 {
		n /= 2
	}
	return n
}

// work is the number of multiplications of the residual blocks.
func (b Branch) work() int {
	tokens, d := b.Length/b.Patch, b.Dims[0]
	work := tokens * b.Patch * b.Channels * d
	for i, d2 := range b.Dims {
		if b.pool(i) {
			tokens /= 2
		}
		work += 3 * tokens * (d*d2 + d2*d2)
		d = d2
	}
	return work
}

// maxSkipped is the number of steps in a row without a finite gradient after which training gives
// up.
const maxSkipped = 20

// Train trains a network of configuration c by maximum likelihood (Eq. 12) and returns it, with the
// averaged weights.
//
// The result depends on c, on the data and on the options named in [TrainOptions.Dir], bit for bit
// on one kind of processor and backend: not on the number of processors, nor on whether the run was
// interrupted and continued. A process killed at any time loses at most CheckpointEvery.
//
// When ctx is done, Train saves a checkpoint and returns the model as it is, together with an error
// that wraps ctx.Err and says the step. A failing Source, a graph that cannot be built and a
// checkpoint that cannot be used are errors too.
func Train(ctx context.Context, c Config, o TrainOptions) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	for i := range o.Validation {
		if err := o.Validation[i].check(c, true); err != nil {
			return nil, fmt.Errorf("flow: TrainOptions.Validation[%d]: %w", i, err)
		}
	}
	if o.Start != nil && !reflect.DeepEqual(o.Start.Config, c) {
		return nil, errors.New("flow: TrainOptions.Start is a network of another configuration: train it with its own")
	}
	t, err := newTrainer(c, o)
	if err != nil {
		return nil, err
	}
	defer t.backend.Finalize()
	err = t.run(ctx)
	if err != nil && !errors.Is(err, ctx.Err()) {
		return nil, err
	}
	m := newModel(c, t.state.best())
	m.Backend = t.describe
	return m, err
}

// A trainer is a run under way.
type trainer struct {
	cfg     Config
	opt     TrainOptions
	ps      []param
	state   *state
	history *history
	print   string // fingerprint

	backend  interface{ Finalize() }
	describe Backend
	grad     *program
	valid    *program
	shard    int

	losses  []float32     // of each shard
	grads   [][][]float32 // of each shard
	started time.Time
	first   int // step at which this process began
	lastRow time.Time
	skipped int // in a row
}

func newTrainer(c Config, o TrainOptions) (*trainer, error) {
	t := &trainer{cfg: c, opt: o, ps: c.params(), print: fingerprint(c, o)}
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o755); err != nil {
			return nil, fmt.Errorf("flow: the folder of the run: %w", err)
		}
		removeTemporary(filepath.Join(o.Dir, checkpointFile))
		removeTemporary(filepath.Join(o.Dir, historyFile))
		var err error
		if t.state, t.history, err = loadCheckpoint(o.Dir, t.print, BackendKind(o.Backend), t.ps, o.Average > 0); err != nil {
			return nil, err
		}
	}
	if t.state == nil {
		w := c.initial(o.Seed)
		if o.Start != nil {
			for i := range w {
				copy(w[i], o.Start.weights[i])
			}
		}
		t.state, t.history = newState(w, o.Average > 0), &history{}
	}
	backend, err := openBackend(o.Backend)
	if err != nil {
		return nil, err
	}
	t.backend, t.describe = backend, describe(backend, o.Backend)
	t.shard = o.Batch
	if isGo(backend) {
		t.shard = min(c.shardSize(), o.Batch)
	}
	if t.grad, err = newGradient(backend, c, o.LossLimit); err != nil {
		return nil, err
	}
	if t.valid, err = newLogProb(backend, c); err != nil {
		return nil, err
	}
	n := (o.Batch + t.shard - 1) / t.shard
	t.losses = make([]float32, n)
	for range n {
		t.grads = append(t.grads, zerosLike(t.state.w))
	}
	return t, nil
}

// run trains to the end, keeping checkpoints.
func (t *trainer) run(ctx context.Context) (err error) {
	if t.opt.Resumed != nil && t.state.step > 0 {
		t.opt.Resumed(t.history.past(t.opt))
	}
	if t.state.step >= t.opt.Steps {
		return nil
	}
	data := newFeed(ctx, t.cfg, t.opt.Source, t.opt.Batch, t.state.step, t.opt.Steps, t.opt.Workers)
	defer data.close()
	t.started, t.lastRow, t.first = time.Now(), time.Now(), t.state.step
	saved := time.Now()
	if t.history.pending > 0 { // a line that was due when the last process was stopped
		if err := t.record(ctx); err != nil {
			return err
		}
	}
	for t.state.step < t.opt.Steps {
		if err = t.step(ctx, data); err != nil {
			break
		}
		if err = t.record(ctx); err != nil {
			break
		}
		if time.Since(saved) >= t.opt.CheckpointEvery && t.state.step < t.opt.Steps {
			if err := t.save(); err != nil {
				return err
			}
			saved = time.Now()
		}
	}
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("flow: training stopped after step %d of %d: %w", t.state.step, t.opt.Steps, ctx.Err())
	}
	return errors.Join(err, t.save())
}

func (t *trainer) save() error {
	if t.opt.Dir == "" {
		return nil
	}
	return saveCheckpoint(t.opt.Dir, t.print, t.describe.Kind, t.ps, t.state, t.history)
}

// step takes one step of training. If it fails, or ctx is done before it ends, nothing has changed.
func (t *trainer) step(ctx context.Context, data *feed) error {
	b, err := data.get(ctx, t.state.step)
	if err != nil {
		return err
	}
	defer data.put(b)
	if err := b.check(t.cfg, true); err != nil {
		return fmt.Errorf("flow: step %d: %w", t.state.step, err)
	}
	weights, err := t.grad.tensors(t.state.w)
	if err != nil {
		return err
	}
	defer free(weights)
	err = t.shards(ctx, b.N, func(i, from, to int) error {
		var sum [1]float32
		err := t.grad.run(weights, b, from, to, true, func(k int) []float32 {
			if k == 0 {
				return sum[:]
			}
			return t.grads[i][k-1]
		})
		t.losses[i] = sum[0]
		return err
	})
	if err != nil {
		return err
	}
	var loss float64
	for _, l := range t.losses {
		loss += float64(l)
	}
	n := b.N
	loss += float64(n) * b.meanLogVolume()
	rate := learningRate(t.state.step, t.opt.Steps, t.opt.Warmup, t.opt.LearningRate)
	before := t.state.updates
	t.state.update(t.grads, n, rate, t.opt.Clip, t.opt.Average)
	if t.state.updates == before {
		if t.skipped++; t.skipped >= maxSkipped {
			return fmt.Errorf("flow: no finite gradient in %d steps up to step %d (loss %g): look for NaN or huge numbers in the data", t.skipped, t.state.step, loss/float64(n))
		}
	} else {
		t.skipped = 0
		t.history.sum += loss / float64(n)
		t.history.pending++
	}
	t.state.step++
	return nil
}

// shards calls f for each shard [from, to) of n examples, from as many goroutines as there are
// processors, until one fails or ctx is done.
func (t *trainer) shards(ctx context.Context, n int, f func(i, from, to int) error) error {
	count := (n + t.shard - 1) / t.shard
	errs := make([]error, count)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(count, runtime.GOMAXPROCS(0)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := int(next.Add(1)) - 1; i < count && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				errs[i] = f(i, i*t.shard, min((i+1)*t.shard, n))
			}
		}()
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.Join(errs...)
}

// record writes a line of the history when it is time for one.
func (t *trainer) record(ctx context.Context) error {
	step, last := t.state.step, t.state.step == t.opt.Steps
	validate := len(t.opt.Validation) > 0 && (last || step%t.opt.ValidEvery == 0)
	if !last && !validate && step%t.opt.ProgressEvery != 0 {
		return nil
	}
	now := time.Now()
	prev := t.first
	if n := len(t.history.rows); n > 0 {
		prev = max(prev, t.history.rows[n-1].Step)
	}
	p := Progress{
		Step: step, Steps: t.opt.Steps, Seen: step * t.opt.Batch,
		Loss:         t.history.sum / float64(max(t.history.pending, 1)),
		Valid:        math.NaN(),
		LearningRate: learningRate(step-1, t.opt.Steps, t.opt.Warmup, t.opt.LearningRate),
		Rate:         float64((step-prev)*t.opt.Batch) / now.Sub(t.lastRow).Seconds(),
		ETA:          time.Duration(float64(now.Sub(t.started)) / float64(max(step-t.first, 1)) * float64(t.opt.Steps-step)),
		Skipped:      step - t.state.updates,
	}
	if validate {
		var err error
		if p.Valid, err = t.validate(ctx); err != nil {
			return err
		}
	}
	t.history.rows = append(t.history.rows, p)
	t.history.sum, t.history.pending = 0, 0
	t.lastRow = time.Now()
	if t.opt.Progress != nil {
		t.opt.Progress(p)
	}
	return nil
}

// validate is the mean −log p of the validation examples.
func (t *trainer) validate(ctx context.Context) (float64, error) {
	weights, err := t.valid.tensors(t.state.best())
	if err != nil {
		return 0, err
	}
	defer free(weights)
	var sum float64
	var n int
	for i := range t.opt.Validation {
		b := &t.opt.Validation[i]
		lp := make([]float32, b.N)
		err := t.shards(ctx, b.N, func(_, from, to int) error {
			return t.valid.run(weights, b, from, to, true, func(int) []float32 { return lp[from:to] })
		})
		if err != nil {
			return 0, err
		}
		for _, v := range lp {
			sum -= float64(v)
		}
		sum += float64(b.N) * b.meanLogVolume()
		n += b.N
	}
	return sum / float64(n), nil
}
