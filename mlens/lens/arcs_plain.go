//go:build !(amd64 && goexperiment.simd)

package lens

// Plain kernels need no memory.
//
//lint:ignore U1000 see arcs.wide
type wide struct{}

func (p *arcs) image(b *batch, n, i int) { p.imagePlain(b, n, i) }

func (h *hop) evaluate(dst, times []float64) { h.evaluatePlain(dst, times) }
