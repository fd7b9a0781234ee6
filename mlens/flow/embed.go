package flow

import "fmt"

// embedShard is the number of examples that one goroutine embeds at a time when there are many.
const embedShard = 16

// An embedder runs the embedding network on the Go backend.
type embedder struct {
	prog    *program
	weights []any
}

// prepare compiles what inference needs, once.
func (m *Model) prepare() error {
	m.embedOnce.Do(func() {
		backend, err := openBackend("go")
		if err != nil {
			m.embedErr = err
			return
		}
		e := &embedder{}
		if e.prog, m.embedErr = newContext(backend, m.Config); m.embedErr != nil {
			return
		}
		if e.weights, m.embedErr = e.prog.tensors(m.weights[:len(e.prog.ps)]); m.embedErr != nil {
			return
		}
		m.embed = e
	})
	return m.embedErr
}

// Context embeds n examples: x [n][Length][Channels], s [n][Scalars] (nil if there are none) and the
// further sequences of each branch, [n][Length][Channels] of its own, to context vectors
// [n][Context].
func (m *Model) Context(x, s []float32, branches ...[]float32) ([]float32, error) {
	size := m.Config.trunk().size()
	b := &Batch{X: x, C: s, Branches: branches, N: len(x) / size}
	if err := b.check(m.Config, false); err != nil {
		return nil, fmt.Errorf("flow: Context: %w", err)
	}
	if err := m.prepare(); err != nil {
		return nil, err
	}
	h := make([]float32, b.N*m.Config.Context)
	if b.N == 1 {
		return h, m.embedRows(h, b, 0, 1)
	}
	// Many examples go through in shards of one size, the last filled up, so that only two graphs
	// are ever compiled.
	count := (b.N + embedShard - 1) / embedShard
	errs := make([]error, count)
	parallel(count, func(i int) {
		from, to := i*embedShard, min((i+1)*embedShard, b.N)
		if to-from == embedShard {
			errs[i] = m.embedRows(h[from*m.Config.Context:to*m.Config.Context], b, from, to)
			return
		}
		full := NewBatch(m.Config, embedShard)
		copy(full.X, b.X[from*size:])
		copy(full.C, b.C[from*m.Config.Scalars:])
		for k, br := range m.Config.Branches {
			copy(full.Branches[k], b.Branches[k][from*br.size():])
		}
		out := make([]float32, embedShard*m.Config.Context)
		errs[i] = m.embedRows(out, full, 0, embedShard)
		copy(h[from*m.Config.Context:], out)
	})
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("flow: embedding: %w", err)
		}
	}
	return h, nil
}

func (m *Model) embedRows(h []float32, b *Batch, from, to int) error {
	return m.embed.prog.run(m.embed.weights, b, from, to, false, func(int) []float32 { return h })
}
