package flow

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sort"

	"github.com/google/renameio/v2"
)

// A tensorFile is the content of a safetensors file: named arrays of float32 or float64 and a
// little text. The format is eight bytes of header length (little-endian), a JSON header, and the
// arrays' bytes one after another (https://huggingface.co/docs/safetensors).
type tensorFile struct {
	meta    map[string]string
	tensors []tensor
}

// A tensor is one array of a file; one of f32 and f64 is set.
type tensor struct {
	name string
	dims []int
	f32  []float32
	f64  []float64
}

func (t tensor) bytes() int { return 4*len(t.f32) + 8*len(t.f64) }

// tensorEntry is a tensor's description in the header.
type tensorEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// maxHeader is the largest header the format allows.
const maxHeader = 100 << 20

// write stores f, its tensors in their order; equal content gives equal bytes.
func (f *tensorFile) write(w io.Writer) error {
	header := map[string]any{}
	if len(f.meta) > 0 {
		header["__metadata__"] = f.meta
	}
	var at int64
	for _, t := range f.tensors {
		dtype := "F32"
		if t.f64 != nil {
			dtype = "F64"
		}
		end := at + int64(t.bytes())
		header[t.name] = tensorEntry{dtype, append([]int{}, t.dims...), [2]int64{at, end}}
		at = end
	}
	js, err := json.Marshal(header) // keys in order
	if err != nil {
		return err
	}
	for (8+len(js))%8 != 0 { // the data start at a multiple of eight
		js = append(js, ' ')
	}
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(js)))
	if _, err := w.Write(append(length[:], js...)); err != nil {
		return err
	}
	var buf []byte
	for _, t := range f.tensors {
		buf = buf[:0]
		for _, v := range t.f32 {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		for _, v := range t.f64 {
			buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(v))
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// readTensors reads a whole file and checks that its header describes exactly its bytes.
func readTensors(r io.Reader) (*tensorFile, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(data) < 8 {
		return nil, fmt.Errorf("it has %d bytes, too few for a header: it is truncated or no safetensors file", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader {
		return nil, fmt.Errorf("its header claims %d bytes: it is no safetensors file, or corrupt", n)
	}
	if uint64(len(data)-8) < n {
		return nil, fmt.Errorf("it ends inside its header (%d bytes of %d): it is truncated", len(data)-8, n)
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		return nil, fmt.Errorf("its header is not readable (%w): it is corrupt", err)
	}
	data = data[8+n:]
	f := &tensorFile{}
	if m, ok := header["__metadata__"]; ok {
		if err := json.Unmarshal(m, &f.meta); err != nil {
			return nil, fmt.Errorf("its metadata are not readable (%w): it is corrupt", err)
		}
		delete(header, "__metadata__")
	}
	type located struct {
		from, to int64
		t        tensor
	}
	var all []located
	for name, raw := range header {
		var e tensorEntry
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, fmt.Errorf("the description of tensor %q is not readable (%w): it is corrupt", name, err)
		}
		size := int64(1)
		for _, d := range e.Shape {
			if d < 0 || d > 1<<40 || size > 1<<40 {
				return nil, fmt.Errorf("tensor %q has the impossible shape %v: it is corrupt", name, e.Shape)
			}
			size *= int64(d)
		}
		width := map[string]int64{"F32": 4, "F64": 8}[e.DType]
		if width == 0 {
			return nil, fmt.Errorf("tensor %q has dtype %q, only F32 and F64 are known here", name, e.DType)
		}
		from, to := e.Offsets[0], e.Offsets[1]
		if from < 0 || to-from != size*width {
			return nil, fmt.Errorf("tensor %q of shape %v lies at [%d, %d), which does not fit: it is corrupt", name, e.Shape, from, to)
		}
		if to > int64(len(data)) {
			return nil, fmt.Errorf("it ends at byte %d of its data, inside tensor %q that needs %d: it is truncated", len(data), name, to)
		}
		t := tensor{name: name, dims: e.Shape}
		b := bytes.NewBuffer(data[from:to])
		if width == 4 {
			t.f32 = make([]float32, size)
			for i := range t.f32 {
				t.f32[i] = math.Float32frombits(binary.LittleEndian.Uint32(b.Next(4)))
			}
		} else {
			t.f64 = make([]float64, size)
			for i := range t.f64 {
				t.f64[i] = math.Float64frombits(binary.LittleEndian.Uint64(b.Next(8)))
			}
		}
		all = append(all, located{from, to, t})
	}
	sort.Slice(all, func(i, j int) bool {
		return all[i].from < all[j].from || all[i].from == all[j].from && all[i].to < all[j].to
	})
	var at int64
	for _, l := range all {
		if l.from != at {
			return nil, fmt.Errorf("tensor %q begins at byte %d instead of %d: it is corrupt", l.t.name, l.from, at)
		}
		at = l.to
		f.tensors = append(f.tensors, l.t)
	}
	if at != int64(len(data)) {
		return nil, fmt.Errorf("%d bytes follow the last tensor: it is corrupt", int64(len(data))-at)
	}
	return f, nil
}

// removeTemporary removes what a process killed within [replaceFile] has left.
func removeTemporary(path string) {
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"*"))
	for _, p := range left {
		os.Remove(p) // if it cannot be removed it does no harm
	}
}

// replaceFile writes a file so that at any moment either the old or the new content is there.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if err := write(f); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
