package lens

import (
	"fmt"
	"math"
	"testing"
)

func TestDbg(t *testing.T) {
	ids := map[int]bool{1267:true}
	for _, r := range readReference(t) {
		if !ids[r.id] {
			continue
		}
		var e engine
		e.g = r.b.geom()
		e.folds = r.b.folds(&e.g, nil, 16)
		eta, beta := e.g.source(r.x, r.y)
		c := &e.c
		c.g = &e.g
		c.centre, c.beta, c.rho = eta, beta, r.rho
		c.find(e.folds)
		fmt.Println(r.id, r.b, r.b.Topology(), len(e.folds), "n", c.n, "cross", c.nCross, "want", r.disc)
		for i := range c.n {
			fmt.Printf("   %+v\n", c.at[i])
		}
		var ps [maxPanels]panel
		n := c.divide(&ps)
		a, err := c.adapt(&ps, n, Options{1e-6,1e-6,false})
		fmt.Println("   a", a, err, a/r.disc-1, "bad", c.bad, "lost", c.lost, "evals", c.evals)
		for i := range n {
			p := ps[i]
			fmt.Printf("   %d [%.5g %.5g] mid %.5g half %.4g v %.6g err %.2g\n", p.want, p.lo, p.hi, p.mid, p.half, p.v/2/math.Pi, p.err)
		}
	}
}
