//go:build !(amd64 && goexperiment.simd)

package lens

type wide struct{}

func (p *arcs) image(b *batch, n, i int) { p.imagePlain(b, n, i) }
