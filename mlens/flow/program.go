package flow

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// A program is a graph over one network: its inputs are the arrays of a batch and the weights ps.
// It is compiled once for each batch size and may be run by several goroutines at once.
type program struct {
	cfg Config
	ps  []param

	backend compute.Backend
	native  bool // use the backend's own convolution and pooling
	exec    *graph.Exec
}

// inputs are the nodes of a batch of examples.
type inputs struct {
	x        *graph.Node   // [B, Length, Channels]
	branches []*graph.Node // each [B, Length, Channels] of its own
	s        *graph.Node   // [B, Scalars], or nil if there are none
	y        *graph.Node   // [B, Dim], or nil if it is not needed
}

// newProgram compiles body for the backend. It gets the builder and the nodes of the inputs, y only
// if withY; ws are the weights ps as they are given, before masks.
func newProgram(backend compute.Backend, cfg Config, ps []param, withY bool, body func(b *builder, in inputs, ws []*graph.Node) []*graph.Node) (*program, error) {
	p := &program{cfg: cfg, ps: ps, backend: backend, native: !isGo(backend)}
	err := catch(func() (err error) {
		p.exec, err = graph.NewExec(backend, func(in []*graph.Node) []*graph.Node {
			next := func() *graph.Node {
				n := in[0]
				in = in[1:]
				return n
			}
			data := inputs{x: next()}
			for range cfg.Branches {
				data.branches = append(data.branches, next())
			}
			if cfg.Scalars > 0 {
				data.s = next()
			}
			if withY {
				data.y = next()
			}
			b := newBuilder(cfg, data.x.Graph(), ps, in, p.native)
			defer b.release()
			return body(b, data, in)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("flow: building the network: %w", err)
	}
	return p, nil
}

// newLogProb is the program inputs, y → log p̂(y|x) [B].
func newLogProb(backend compute.Backend, cfg Config) (*program, error) {
	return newProgram(backend, cfg, cfg.params(), true, func(b *builder, in inputs, _ []*graph.Node) []*graph.Node {
		return []*graph.Node{b.logProb(in.y, b.context(in))}
	})
}

// newContext is the program inputs → h [B, Context]; it needs the weights of the embedding network
// only.
func newContext(backend compute.Backend, cfg Config) (*program, error) {
	return newProgram(backend, cfg, cfg.embedParams(), false, func(b *builder, in inputs, _ []*graph.Node) []*graph.Node {
		return []*graph.Node{b.context(in)}
	})
}

// newGradient is the program inputs, y → the sum over the batch of min(−log p̂(y|x), limit), and its
// gradient by each weight.
func newGradient(backend compute.Backend, cfg Config, limit float64) (*program, error) {
	return newProgram(backend, cfg, cfg.params(), true, func(b *builder, in inputs, ws []*graph.Node) []*graph.Node {
		nll := graph.Neg(b.logProb(in.y, b.context(in)))
		if limit > 0 {
			nll = graph.Min(nll, graph.Scalar(b.g, dtypes.Float32, limit))
		}
		loss := graph.ReduceAllSum(nll)
		return append([]*graph.Node{loss}, graph.Gradient(loss, ws...)...)
	})
}

// tensors copies the weights ws, in the order of p.ps, to the backend, so that goroutines can share
// them.
func (p *program) tensors(ws [][]float32) ([]any, error) {
	ts := make([]any, len(ws))
	return ts, catch(func() error {
		for i, w := range ws {
			t := tensors.FromFlatDataAndDimensions(w, p.ps[i].dims...)
			if err := t.ToDevice(p.backend, 0); err != nil {
				return err
			}
			ts[i] = t
		}
		return nil
	})
}

// run executes the program on rows [from, to) of b; weights come from [program.tensors]. The k-th
// output is copied into dst(k), which must have its size.
func (p *program) run(weights []any, b *Batch, from, to int, withY bool, dst func(k int) []float32) error {
	return catch(func() error {
		n := to - from
		var own []any
		sequence := func(x []float32, br Branch) {
			size := br.size()
			own = append(own, tensors.FromFlatDataAndDimensions(x[from*size:to*size], n, br.Length, br.Channels))
		}
		sequence(b.X, p.cfg.trunk())
		for i, br := range p.cfg.Branches {
			sequence(b.Branches[i], br)
		}
		if s := p.cfg.Scalars; s > 0 {
			own = append(own, tensors.FromFlatDataAndDimensions(b.C[from*s:to*s], n, s))
		}
		if withY {
			d := p.cfg.Dim
			own = append(own, tensors.FromFlatDataAndDimensions(b.Y[from*d:to*d], n, d))
		}
		out, err := p.exec.Call(append(own, weights...)...)
		if err != nil {
			return err
		}
		for k, t := range out {
			to := dst(k)
			if e := tensors.ConstFlatData(t, func(flat []float32) {
				if len(flat) != len(to) {
					err = fmt.Errorf("flow: output %d has %d numbers instead of %d", k, len(flat), len(to))
					return
				}
				copy(to, flat)
			}); e != nil && err == nil {
				err = e
			}
			// Memory on a device is freed by hand only.
			if e := t.FinalizeAll(); e != nil && err == nil {
				err = e
			}
		}
		for _, t := range own {
			if e := t.(*tensors.Tensor).FinalizeAll(); e != nil && err == nil {
				err = e
			}
		}
		return err
	})
}

// free releases tensors made by [program.tensors].
func free(ts []any) {
	for _, t := range ts {
		_ = t.(*tensors.Tensor).FinalizeAll()
	}
}
