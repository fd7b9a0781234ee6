package bank

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
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
	bytes  int32 // of the curve's stored form; 0: none
	offset int64 // in the shard's file
}

// Open opens the bank in dir, as far as it has been made without a gap: Records
// is shorter than Config.N until [Simulate] has finished. It checks that every shard is
// whole by its size and header; [Bank.Verify] checks the contents.
func Open(dir string) (_ *Bank, err error) {
	m, err := readManifest(dir, manifestName)
	if err != nil {
		return nil, err
	}
	b := &Bank{Config: m.Config, dir: dir}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	for k, s := range m.Shards {
		if s.First != len(b.Records) {
			break
		}
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
		records, places, err := readRecords(f, s, m.Config.Cadence.N)
		if err != nil {
			return nil, bad(err)
		}
		for i := range places {
			places[i].shard = int32(k)
		}
		b.shards = append(b.shards, s)
		b.Records = append(b.Records, records...)
		b.where = append(b.where, places...)
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

// Late counts the simulations with epochs of which the simulator cannot say
// that they are within [Config.FluxError].
func (b *Bank) Late() (n int) {
	for _, s := range b.shards {
		n += s.Late
	}
	return n
}

// Dir returns the bank's folder.
func (b *Bank) Dir() string { return b.dir }

// Bytes returns the size of the bank on disk.
func (b *Bank) Bytes() (n int64) {
	for _, s := range b.shards {
		n += s.Bytes
	}
	return n
}

// Curve reads n magnifications of simulation i from epoch on. dst is reused
// when it is long enough; nil allocates.
func (b *Bank) Curve(dst []float64, i, epoch, n int) ([]float64, error) {
	if epoch < 0 || n < 1 || epoch+n > b.Config.Cadence.N {
		panic(fmt.Sprintf("bank: epochs %d to %d of %d", epoch, epoch+n, b.Config.Cadence.N))
	}
	var c curve
	if _, err := b.open(&c, nil, i); err != nil {
		return nil, err
	}
	if cap(dst) < n {
		dst = make([]float64, n)
	}
	dst = dst[:n]
	c.grid(dst, epoch)
	return dst, nil
}

// open reads the curve of simulation i into raw, which it grows as needed and
// returns, and goes to its beginning.
func (b *Bank) open(c *curve, raw []byte, i int) ([]byte, error) {
	p := b.where[i]
	if p.bytes == 0 {
		return raw, fmt.Errorf("bank: the curve of simulation %d was not kept: its χ²/dof is %.3g", i, b.Records[i].Chi2)
	}
	raw = slices.Grow(raw[:0], int(p.bytes))[:p.bytes]
	_, err := b.files[p.shard].ReadAt(raw, p.offset)
	if err == nil {
		err = c.open(raw, b.Config.Cadence.N)
	}
	if err != nil {
		return raw, fmt.Errorf("bank: simulation %d in shard %s: %w", i, b.shards[p.shard].File, err)
	}
	return raw, nil
}
