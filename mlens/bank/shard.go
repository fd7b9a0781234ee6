package bank

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/mlens-go/microlens/mlens/event"
)

const (
	version      = 3
	manifestName = "manifest.json"
	magic        = "MLBANK03"
)

// shardSize is the number of simulations in a shard; tests lower it.
var shardSize = 1000

// Status says what became of a simulation.
type Status uint8

const (
	OK         Status = iota
	LensFailed        // the magnification was not finite or below 1
	FitFailed         // the single-lens fit found no χ²
	statuses
)

func (s Status) String() string {
	return [...]string{"ok", "magnification failed", "single-lens fit failed"}[s]
}

// Record is one simulation without its curve.
type Record struct {
	Params event.Params // Fs is a draw of the prior that realisations replace
	Chi2   float64      // residual χ²/dof of the best single lens
	Status Status
	// Late counts the epochs of which the simulator cannot say that they are as
	// good as they should be. They are kept.
	Late int
}

// manifest lists the shards of a bank with their checksums.
type manifest struct {
	Version int
	Hash    string
	Config  Config
	Shards  []shardInfo
}

type shardInfo struct {
	File     string
	First, N int
	Kept     int
	Late     int            `json:",omitempty"` // simulations with late epochs
	Failures map[string]int `json:",omitempty"`
	Bytes    int64
	SHA256   string
}

func (s shardInfo) failed() (n int) {
	for _, k := range s.Failures {
		n += k
	}
	return n
}

func (m *manifest) write(dir, name string) error {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return fmt.Errorf("bank: %w", err)
	}
	return writeFile(filepath.Join(dir, name), func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

func readManifest(dir, name string) (*manifest, error) {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("bank: no training set in %s (make one with Simulate): %w", dir, err)
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("bank: %s is damaged (%v): delete the folder and simulate again", path, err)
	}
	if m.Version != version {
		return nil, fmt.Errorf("bank: %s is of version %d, but this program reads version %d: simulate again", path, m.Version, version)
	}
	if m.Hash != m.Config.Hash() {
		return nil, fmt.Errorf("bank: %s is damaged: its configuration has the hash %s, not %s: delete the folder and simulate again", path, m.Config.Hash(), m.Hash)
	}
	for i, s := range m.Shards {
		if s.First%shardSize != 0 || s.N != min(shardSize, m.Config.N-s.First) || s.Kept < 0 || s.Kept > s.N {
			return nil, fmt.Errorf("bank: %s is damaged: shard %d has %d simulations and %d curves: delete the folder and simulate again", path, i, s.N, s.Kept)
		}
	}
	return &m, nil
}

// writeFile writes a file under a temporary name, makes it durable and renames
// it.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("bank: %w", err)
	}
	defer f.Cleanup()
	if err := write(f); err != nil {
		return fmt.Errorf("bank: writing %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("bank: writing %s: %w", path, err)
	}
	return nil
}

// shard is a run of simulations. On disk: the magic, three uint32 (records,
// curves, epochs of a curve), the records, the curves in the order of the
// records that have one, as compact.go stores them; little-endian.
type shard struct {
	first   int
	records []Record
	curves  [][]byte // stored form, nil where none is kept
	epochs  int
}

const (
	headerSize = 8 + 3*4
	recordSize = event.Dim*8 + 8 + 8 // parameters, χ², bytes of the curve, late epochs, status, padding
)

func shardFile(first int) string { return fmt.Sprintf("shard-%06d.bin", first/shardSize) }

func (s *shard) write(dir string) (shardInfo, error) {
	info := shardInfo{File: shardFile(s.first), First: s.first, N: len(s.records)}
	buf := make([]byte, 0, headerSize+recordSize*len(s.records))
	for _, c := range s.curves {
		if c != nil {
			info.Kept++
		}
	}
	le := binary.LittleEndian
	buf = append(buf, magic...)
	buf = le.AppendUint32(buf, uint32(len(s.records)))
	buf = le.AppendUint32(buf, uint32(info.Kept))
	buf = le.AppendUint32(buf, uint32(s.epochs))
	for i, r := range s.records {
		p := r.Params
		for _, v := range [...]float64{p.S, p.Q, p.Alpha, p.U0, p.T0, p.TE, p.Rho, p.Fs, r.Chi2} {
			buf = le.AppendUint64(buf, math.Float64bits(v))
		}
		buf = le.AppendUint32(buf, uint32(len(s.curves[i])))
		buf = le.AppendUint16(buf, uint16(r.Late))
		buf = append(buf, byte(r.Status), 0)
		if r.Late > 0 {
			info.Late++
		}
		if r.Status != OK {
			if info.Failures == nil {
				info.Failures = map[string]int{}
			}
			info.Failures[r.Status.String()]++
		}
	}
	for _, c := range s.curves {
		buf = append(buf, c...)
	}
	info.Bytes = int64(len(buf))
	sum := sha256.Sum256(buf)
	info.SHA256 = hex.EncodeToString(sum[:])
	return info, writeFile(filepath.Join(dir, info.File), func(w io.Writer) error {
		_, err := w.Write(buf)
		return err
	})
}

// readRecords reads the records of a shard and, for each, where its curve is in
// the file.
func readRecords(r io.Reader, want shardInfo, epochs int) ([]Record, []place, error) {
	buf := make([]byte, headerSize+recordSize*want.N)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, nil, err
	}
	le := binary.LittleEndian
	if string(buf[:8]) != magic || int(le.Uint32(buf[8:])) != want.N || int(le.Uint32(buf[12:])) != want.Kept || int(le.Uint32(buf[16:])) != epochs {
		return nil, nil, fmt.Errorf("its header does not agree with the manifest")
	}
	records, places := make([]Record, want.N), make([]place, want.N)
	kept, offset := 0, int64(len(buf))
	for i := range records {
		b := buf[headerSize+i*recordSize:]
		f := func(k int) float64 { return math.Float64frombits(le.Uint64(b[8*k:])) }
		records[i] = Record{
			Params: event.Params{S: f(0), Q: f(1), Alpha: f(2), U0: f(3), T0: f(4), TE: f(5), Rho: f(6), Fs: f(7)},
			Chi2:   f(8), Late: int(le.Uint16(b[76:])), Status: Status(b[78]),
		}
		if records[i].Status >= statuses {
			return nil, nil, fmt.Errorf("record %d has an unknown status", i)
		}
		places[i] = place{offset: offset, bytes: int32(le.Uint32(b[72:]))}
		if places[i].bytes > 0 {
			kept++
			offset += int64(places[i].bytes)
		}
	}
	if kept != want.Kept || offset != want.Bytes {
		return nil, nil, fmt.Errorf("it holds %d curves and %d bytes, but the manifest says %d and %d", kept, offset, want.Kept, want.Bytes)
	}
	return records, places, nil
}
