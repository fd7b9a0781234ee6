package bank

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"unsafe"
)

// Bank is a set of simulations on disk. Its methods are safe for concurrent
// use.
type Bank struct {
	Config  Config
	Records []Record // all simulations, in order

	dir    string
	shards []shardInfo
	files  []*os.File
	where  []place // of the curve of each record
}

type place struct {
	shard  int32
	slot   int32 // −1: no curve
	offset int64 // of the curve in the shard's file
}

// Open opens the bank in dir, as far as it has been made: Records is shorter
// than Config.N until [Simulate] has finished. It checks that every shard is
// whole by its size and header; [Bank.Verify] checks the contents.
func Open(dir string) (_ *Bank, err error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	b := &Bank{Config: m.Config, dir: dir, shards: m.Shards}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	for k, s := range m.Shards {
		path := filepath.Join(dir, s.File)
		bad := func(err error) error {
			return fmt.Errorf("bank: shard %s: %w: delete it and %s, then simulate again", path, err, manifestName)
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, bad(err)
		}
		b.files = append(b.files, f)
		if st, err := f.Stat(); err != nil {
			return nil, bad(err)
		} else if st.Size() != s.Bytes {
			return nil, bad(fmt.Errorf("it has %d bytes instead of %d", st.Size(), s.Bytes))
		}
		records, slots, err := readRecords(f, s, m.Config.Cadence.N)
		if err != nil {
			return nil, bad(err)
		}
		if s.First != len(b.Records) {
			return nil, bad(fmt.Errorf("it begins with simulation %d, but %d was expected", s.First, len(b.Records)))
		}
		b.Records = append(b.Records, records...)
		base := int64(headerSize + recordSize*s.N)
		for _, slot := range slots {
			b.where = append(b.where, place{shard: int32(k), slot: int32(slot), offset: base + int64(slot)*4*int64(m.Config.Cadence.N)})
		}
	}
	return b, nil
}

// Close closes the bank's files.
func (b *Bank) Close() error {
	for _, f := range b.files {
		f.Close()
	}
	b.files = nil
	return nil
}

// Verify reads every shard and compares it with its checksum.
func (b *Bank) Verify() error {
	for k, s := range b.shards {
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(b.files[k], 0, s.Bytes)); err != nil {
			return fmt.Errorf("bank: shard %s: %w", s.File, err)
		}
		if sum := hex.EncodeToString(h.Sum(nil)); sum != s.SHA256 {
			return fmt.Errorf("bank: shard %s in %s is damaged: its checksum is %.12s…, not %.12s…: delete it and %s, then simulate again",
				s.File, b.dir, sum, s.SHA256, manifestName)
		}
	}
	return nil
}

// Failures counts the simulations that failed, by reason.
func (b *Bank) Failures() map[string]int {
	n := map[string]int{}
	for _, r := range b.Records {
		if r.Status != OK {
			n[r.Status.String()]++
		}
	}
	return n
}

// Split is a part of a bank.
type Split int

const (
	Train    Split = iota // 90 %
	Validate              // 5 %, for choosing when and what to stop
	Test                  // 5 %, never looked at while training
)

// splitOf returns the split to which simulation i belongs.
func splitOf(i int) Split {
	switch i % 20 {
	case 9:
		return Validate
	case 19:
		return Test
	}
	return Train
}

// Select returns the simulations of a split whose residual χ²/dof is above
// cut. An error says when the bank does not store the curves that the cut
// asks for.
func (b *Bank) Select(split Split, cut float64) ([]int, error) {
	if cut < b.Config.Keep {
		return nil, fmt.Errorf("bank: a cut at χ²/dof > %g asks for curves that this bank did not keep (Keep = %g): simulate with a smaller Keep", cut, b.Config.Keep)
	}
	var out []int
	for i, r := range b.Records {
		if r.Status == OK && r.Chi2 > cut && splitOf(i) == split {
			out = append(out, i)
		}
	}
	return out, nil
}

// Fraction returns the fraction of all simulations with χ²/dof above cut.
func (b *Bank) Fraction(cut float64) float64 {
	if len(b.Records) == 0 {
		return math.NaN()
	}
	n := 0
	for _, r := range b.Records {
		if r.Status == OK && r.Chi2 > cut {
			n++
		}
	}
	return float64(n) / float64(len(b.Records))
}

// Curve reads n magnifications of simulation i from epoch on. dst is reused
// when it is long enough; nil allocates.
func (b *Bank) Curve(dst []float32, i, epoch, n int) ([]float32, error) {
	if epoch < 0 || n < 1 || epoch+n > b.Config.Cadence.N {
		panic(fmt.Sprintf("bank: epochs %d to %d of %d", epoch, epoch+n, b.Config.Cadence.N))
	}
	p := b.where[i]
	if p.slot < 0 {
		return nil, fmt.Errorf("bank: the curve of simulation %d was not kept: its χ²/dof is %.3g", i, b.Records[i].Chi2)
	}
	if cap(dst) < n {
		dst = make([]float32, n)
	}
	dst = dst[:n]
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), 4*n)
	if _, err := b.files[p.shard].ReadAt(raw, p.offset+4*int64(epoch)); err != nil {
		return nil, fmt.Errorf("bank: shard %s: %w", b.shards[p.shard].File, err)
	}
	littleEndian(raw)
	return dst, nil
}
