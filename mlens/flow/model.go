package flow

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/mlens-go/microlens/mlens/flow/maf"
)

// A Model is a trained network: its configuration and its weights. Its methods may be called
// concurrently.
type Model struct {
	Config Config
	// Backend is what [Train] trained it with last; zero for a model that was read.
	Backend Backend

	params  []param
	weights [][]float32 // in the order of params

	embedOnce  sync.Once
	embed      *embedder
	embedErr   error
	exportOnce sync.Once
	exported   *maf.Flow
}

// newModel owns weights.
func newModel(c Config, weights [][]float32) *Model {
	return &Model{Config: c, params: c.params(), weights: weights}
}

// NumWeights is the number of trained numbers.
func (m *Model) NumWeights() int {
	n := 0
	for _, w := range m.weights {
		n += len(w)
	}
	return n
}

// WriteWeights writes the weights as a safetensors file: little-endian float32, named and shaped,
// equal weights to equal bytes. The configuration is not in it; [ReadModel] wants the same one.
func (m *Model) WriteWeights(w io.Writer) error {
	f := &tensorFile{meta: map[string]string{"format": "mlens/flow 1"}}
	for i, p := range m.params {
		f.tensors = append(f.tensors, tensor{name: p.name, dims: p.dims, f32: m.weights[i]})
	}
	if err := f.write(w); err != nil {
		return fmt.Errorf("flow: writing weights: %w", err)
	}
	return nil
}

// Save writes the weights to a file, which is replaced only when the new one is complete.
func (m *Model) Save(path string) error { return replaceFile(path, m.WriteWeights) }

// ReadModel reads the weights of a network of configuration c, as [Model.WriteWeights] wrote them.
// Each tensor that c asks for must be there in its shape, and none besides.
func ReadModel(c Config, r io.Reader) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	f, err := readTensors(r)
	if err != nil {
		return nil, fmt.Errorf("flow: these weights cannot be used: %w; copy the file again from where it came", err)
	}
	weights, err := f.matching(c.params(), "")
	if err != nil {
		return nil, fmt.Errorf("flow: these weights do not belong to this configuration: %w; give the two that were stored together", err)
	}
	return newModel(c, weights), nil
}

// LoadModel is [ReadModel] on a file.
func LoadModel(c Config, path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("flow: no weights: %w", err)
	}
	defer f.Close()
	m, err := ReadModel(c, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// matching returns the arrays called prefix+name for each of ps, in that order; without a prefix f
// must hold nothing else.
func (f *tensorFile) matching(ps []param, prefix string) ([][]float32, error) {
	byName := map[string]tensor{}
	for _, t := range f.tensors {
		byName[t.name] = t
	}
	ws := make([][]float32, len(ps))
	for i, p := range ps {
		t, ok := byName[prefix+p.name]
		switch {
		case !ok:
			return nil, fmt.Errorf("tensor %q is missing", prefix+p.name)
		case !slices.Equal(t.dims, p.dims):
			return nil, fmt.Errorf("tensor %q has shape %v instead of %v", t.name, t.dims, p.dims)
		case t.f32 == nil:
			return nil, fmt.Errorf("tensor %q is not of dtype F32", t.name)
		}
		ws[i] = t.f32
		delete(byName, t.name)
	}
	if prefix == "" {
		for name := range byName {
			return nil, fmt.Errorf("tensor %q is not known to it", name)
		}
	}
	return ws, nil
}

// weight is the weight called name.
func (m *Model) weight(format string, args ...any) []float32 {
	name := fmt.Sprintf(format, args...)
	for i, p := range m.params {
		if p.name == name {
			return m.weights[i]
		}
	}
	panic("flow: no weight is called " + name)
}
