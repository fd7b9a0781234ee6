package bank

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
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
// Work is saved a shard of 1,000 simulations at a time, under a temporary name
// that is then renamed: a kill at any moment loses at most one shard. When ctx
// ends, Simulate returns its error at once; calling it again resumes. Shards
// that [SimulatePart] made in dir are taken as they are, and so are those of banks in
// folders beside dir that differ in nothing but N: a bank grows at the price of what is
// new.
func Simulate(ctx context.Context, cfg Config, dir string, progress func(Progress)) (*Bank, error) {
	if err := simulate(ctx, cfg, dir, Part{1, 1}, progress); err != nil {
		return nil, err
	}
	return Open(dir)
}

// A Part is one of the Of jobs, I = 1 … Of, among which the shards of a bank are
// dealt out in turn.
type Part struct{ I, Of int }

// Check reports what is wrong with the part, or nil.
func (p Part) Check() error {
	if p.Of < 1 || p.I < 1 || p.I > p.Of {
		return fmt.Errorf("bank: part %d of %d: parts are counted from 1", p.I, p.Of)
	}
	return nil
}

// manifest is the name of the part's manifest.
func (p Part) manifest() string {
	if p.Of == 1 {
		return manifestName
	}
	return fmt.Sprintf("manifest-%d-of-%d.json", p.I, p.Of)
}

const partManifests = "manifest-*-of-*.json"

// SimulatePart makes one part of the bank of cfg in folder dir, or what is
// missing of it. Parts may be made at the same time and in the same folder, or
// in different ones whose files are then put into one; [Simulate] there merges
// them. The bank is the same, bit for bit, however it was divided.
func SimulatePart(ctx context.Context, cfg Config, dir string, part Part, progress func(Progress)) error {
	if err := part.Check(); err != nil {
		return err
	}
	return simulate(ctx, cfg, dir, part, progress)
}

func simulate(ctx context.Context, cfg Config, dir string, part Part, progress func(Progress)) error {
	if err := cfg.Check(); err != nil {
		return err
	}
	cfg = cfg.withDefaults()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("bank: %w", err)
	}
	done, err := collect(cfg, dir)
	if err != nil {
		return err
	}
	beside := besides(cfg, dir)
	m := &manifest{Version: version, Hash: cfg.Hash(), Config: cfg}
	p := Progress{}
	add := func(s shardInfo) {
		m.Shards = append(m.Shards, s)
		p.Done += s.N
		p.Kept += s.Kept
		p.Failed += s.failed()
	}
	var missing []int // first simulations
	for k, first := 0, 0; first < cfg.N; k, first = k+1, first+shardSize {
		if k%part.Of != part.I-1 {
			continue
		}
		p.Total += min(shardSize, cfg.N-first)
		if s, ok := done[first]; ok {
			add(s)
		} else if i := slices.IndexFunc(beside[first], func(s foreign) bool { return adopt(dir, s) }); i >= 0 {
			add(beside[first][i].shardInfo)
		} else {
			missing = append(missing, first)
		}
	}
	report := func() {
		if progress != nil {
			progress(p)
		}
	}
	report()
	removeTemporary(dir, part.manifest())
	if own, err := readManifest(dir, part.manifest()); err != nil || len(own.Shards) != len(m.Shards) {
		if err := m.write(dir, part.manifest()); err != nil {
			return err
		}
	}
	save := func(s *shard) error {
		info, err := s.write(dir)
		if err != nil {
			return err
		}
		add(info)
		slices.SortFunc(m.Shards, func(a, b shardInfo) int { return cmp.Compare(a.First, b.First) })
		if err := m.write(dir, part.manifest()); err != nil {
			return err
		}
		report()
		return nil
	}
	// A shard is written while the next one is made.
	saved := make(chan error, 1)
	saved <- nil
	for _, first := range missing {
		removeTemporary(dir, shardFile(first))
		s, err := simulateShard(ctx, cfg, first, min(shardSize, cfg.N-first))
		if err := <-saved; err != nil {
			return err
		}
		if err != nil {
			return fmt.Errorf("bank: stopped with %d of %d simulations saved: %w", p.Done, p.Total, err)
		}
		go func() { saved <- save(s) }()
	}
	if err := <-saved; err != nil {
		return err
	}
	if part.Of == 1 { // all of them are in the bank's own manifest now
		parts, _ := filepath.Glob(filepath.Join(dir, partManifests))
		for _, path := range parts {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("bank: %w", err)
			}
		}
	}
	return nil
}

// collect returns the shards in dir by their first simulation, from the bank's
// manifest and those of its parts.
func collect(cfg Config, dir string) (map[int]shardInfo, error) {
	parts, _ := filepath.Glob(filepath.Join(dir, partManifests))
	done := map[int]shardInfo{}
	for _, path := range append(parts, filepath.Join(dir, manifestName)) {
		m, err := readManifest(dir, filepath.Base(path))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if m.Hash != cfg.Hash() {
			return nil, fmt.Errorf("bank: %s holds simulations of another configuration (%s, not %s): choose another folder", path, m.Hash, cfg.Hash())
		}
		for _, s := range m.Shards {
			if old, ok := done[s.First]; ok && old.SHA256 != s.SHA256 {
				return nil, fmt.Errorf("bank: %s and another manifest in its folder do not agree on %s: delete this shard and the manifests, then simulate again", path, s.File)
			}
			if _, err := os.Stat(filepath.Join(dir, s.File)); err != nil {
				return nil, fmt.Errorf("bank: %s lists a shard that is not in its folder: copy it there, or delete the manifest and simulate again: %w", path, err)
			}
			done[s.First] = s
		}
	}
	return done, nil
}

// foreign is a shard of another bank.
type foreign struct {
	shardInfo
	dir string
}

// besides returns the shards, by their first simulation, that banks in the folders beside
// dir have in common with that of cfg.
func besides(cfg Config, dir string) map[int][]foreign {
	shards := map[int][]foreign{}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return shards
	}
	others, _ := os.ReadDir(filepath.Dir(dir))
	for _, entry := range others {
		other := filepath.Join(filepath.Dir(dir), entry.Name())
		m, err := readManifest(other, manifestName)
		if err != nil || other == dir {
			continue
		}
		same := m.Config
		same.N = cfg.N
		if same.Hash() != cfg.Hash() {
			continue
		}
		for _, s := range m.Shards {
			if s.N == min(shardSize, cfg.N-s.First) {
				shards[s.First] = append(shards[s.First], foreign{s, other})
			}
		}
	}
	return shards
}

// adopt links a shard into dir, unless it is damaged or that fails: then it is made again.
func adopt(dir string, s foreign) bool {
	from, to := filepath.Join(s.dir, s.File), filepath.Join(dir, s.File)
	data, err := os.ReadFile(from)
	if sum := sha256.Sum256(data); err != nil || hex.EncodeToString(sum[:]) != s.SHA256 {
		return false
	}
	part := filepath.Join(dir, "."+s.File+"0") // removed with what kills leave
	ok := os.Link(from, part) == nil && os.Rename(part, to) == nil
	os.Remove(part) // where it was there already, renaming does nothing
	return ok
}

// removeTemporary removes what kills have left of a file under temporary names;
// if that fails it does no harm.
func removeTemporary(dir, name string) {
	left, _ := filepath.Glob(filepath.Join(dir, "."+name+"[0-9]*"))
	for _, p := range left {
		os.Remove(p)
	}
}

// simulateShard makes simulations first … first+n−1.
func simulateShard(ctx context.Context, cfg Config, first, n int) (*shard, error) {
	s := &shard{first: first, records: make([]Record, n), curves: make([][]byte, n), epochs: cfg.Cadence.N}
	times := cfg.Cadence.Times()
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var c lens.Curve
			for i := range next {
				s.records[i], s.curves[i] = simulateOne(cfg, first+i, times, &c)
			}
		})
	}
	var err error
feed:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			err = context.Cause(ctx)
			break feed
		}
	}
	close(next)
	wg.Wait()
	return s, err
}

// simulateOne makes simulation i and the stored form of its curve. c is work
// space.
func simulateOne(cfg Config, i int, times []float64, c *lens.Curve) (Record, []byte) {
	r := rand.New(rand.NewPCG(cfg.Seed, uint64(i)))
	p := cfg.Prior.Sample(r)
	// t0 lies in the middle; its fraction of a step is drawn, because every
	// window starts on a step.
	p.T0 = cfg.Cadence.Length()/2 - cfg.Cadence.Step*r.Float64()
	rec := Record{Params: p}
	rec.Chi2, rec.Status = cfg.residual(p, times, c, 0)
	if rec.Status != LensFailed {
		rec.Late = c.Late
	}
	if rec.Status != OK {
		return rec, nil
	}
	if rec.Chi2 <= cfg.Keep {
		return rec, nil
	}
	return rec, compact(nil, c.A, cfg.storeTol())
}

// residual simulates p at times, into c, and returns the residual χ²/dof of the
// best single lens, 0 if that failed.
func (cfg Config) residual(p event.Params, times []float64, c *lens.Curve, omit int) (float64, Status) {
	if err := p.Binary().BoundedLightCurve(c, times, nil, p.Trajectory(), p.Rho, cfg.lensOptions()); err != nil {
		return 0, LensFailed
	}
	for _, v := range c.A {
		if !(v >= 1-1e-3) || math.IsInf(v, 0) {
			return 0, LensFailed
		}
	}
	chi2 := event.ResidualChi2Without(omit, cfg.Cadence, c.A, cfg.SN, event.SingleLens{T0: p.T0, U0: max(p.U0, 1e-4), TE: p.TE})
	if math.IsNaN(chi2) || math.IsInf(chi2, 0) {
		return 0, FitFailed
	}
	return chi2, OK
}
