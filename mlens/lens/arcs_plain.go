//go:build !(amd64 && goexperiment.simd)

package lens

func (p *arcs) image(b *batch, n, i int) { p.imagePlain(b, n, i) }
