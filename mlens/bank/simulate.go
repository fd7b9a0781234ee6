package bank

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/mlens-go/microlens/mlens/event"
)

// Progress tells how far a simulation is.
type Progress struct {
	Done, Total int // simulations
	Kept        int // of those done, above Config.Keep
	Failed      int
}

// Simulate makes the bank of cfg in folder dir, or what is missing of it, and
// opens it. progress, which may be nil, is called after every shard from one
// goroutine.
//
// Work is saved a shard of 500 simulations at a time, under a temporary name
// that is then renamed: a kill at any moment loses at most one shard. When ctx
// ends, Simulate returns its error at once; calling it again resumes.
func Simulate(ctx context.Context, cfg Config, dir string, progress func(Progress)) (*Bank, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	m, err := startManifest(cfg, dir)
	if err != nil {
		return nil, err
	}
	report := func() {
		if progress != nil {
			p := Progress{Total: cfg.N}
			for _, s := range m.Shards {
				p.Done += s.N
				p.Kept += s.Kept
				p.Failed += s.failed()
			}
			progress(p)
		}
	}
	report()
	for first := m.done(); first < cfg.N; first = m.done() {
		n := min(shardSize, cfg.N-first)
		s, err := simulateShard(ctx, cfg, first, n)
		if err != nil {
			return nil, err
		}
		info, err := s.write(dir)
		if err != nil {
			return nil, err
		}
		m.Shards = append(m.Shards, info)
		if err := m.write(dir); err != nil {
			return nil, err
		}
		report()
	}
	return Open(dir)
}

// simulateShard makes simulations first … first+n−1.
func simulateShard(ctx context.Context, cfg Config, first, n int) (*shard, error) {
	s := &shard{first: first, records: make([]Record, n), curves: make([][]float32, n), epochs: cfg.Cadence.N}
	times := cfg.Cadence.Times()
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var a []float64
			for i := range next {
				s.records[i], s.curves[i], a = simulateOne(cfg, first+i, times, a)
			}
		})
	}
	var err error
feed:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			err = fmt.Errorf("bank: stopped with %d of %d simulations saved: %w", first, cfg.N, context.Cause(ctx))
			break feed
		}
	}
	close(next)
	wg.Wait()
	return s, err
}

// simulateOne makes simulation i. a is work space.
func simulateOne(cfg Config, i int, times, a []float64) (Record, []float32, []float64) {
	r := rand.New(rand.NewPCG(cfg.Seed, uint64(i)))
	p := cfg.Prior.Sample(r)
	// t0 lies in the middle; its fraction of a step is drawn, because every
	// window starts on a step.
	p.T0 = cfg.Cadence.Length()/2 - cfg.Cadence.Step*r.Float64()
	rec := Record{Params: p}
	a, err := p.Magnification(a, times, cfg.lensOptions())
	if err != nil {
		rec.Status = LensFailed
		return rec, nil, a
	}
	for _, v := range a {
		if !(v >= 1-cfg.Tol) || math.IsInf(v, 0) {
			rec.Status = LensFailed
			return rec, nil, a
		}
	}
	rec.Chi2 = event.ResidualChi2(cfg.Cadence, a, cfg.SN, event.SingleLens{T0: p.T0, U0: max(p.U0, 1e-4), TE: p.TE})
	if math.IsNaN(rec.Chi2) || math.IsInf(rec.Chi2, 0) {
		rec.Chi2, rec.Status = 0, FitFailed
		return rec, nil, a
	}
	if rec.Chi2 <= cfg.Keep {
		return rec, nil, a
	}
	curve := make([]float32, len(a))
	for j, v := range a {
		curve[j] = float32(v)
	}
	return rec, curve, a
}

// startManifest reads the manifest in dir, or begins one.
func startManifest(cfg Config, dir string) (*manifest, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("bank: %w", err)
	}
	path := filepath.Join(dir, manifestName)
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return &manifest{Version: version, Hash: cfg.Hash(), Config: cfg}, nil
	}
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if m.Hash != cfg.Hash() {
		return nil, fmt.Errorf("bank: %s holds simulations of another configuration (%s, not %s): choose another folder", path, m.Hash, cfg.Hash())
	}
	// What kills have left under temporary names; if it cannot be removed it does
	// no harm.
	for _, pattern := range []string{".shard-*.bin*", "." + manifestName + "*"} {
		left, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, p := range left {
			os.Remove(p)
		}
	}
	return m, nil
}
