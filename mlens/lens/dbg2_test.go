package lens
import ("testing";"fmt")
func TestDbg2(t *testing.T) {
	ids := map[int]bool{13029:true, 5719:true,587:true}
	for _, r := range readReference(t) {
		if !ids[r.id] { continue }
		var e engine
		e.g = r.b.geom()
		e.folds = r.b.folds(&e.g, nil, 16)
		eta, beta := e.g.source(r.x, r.y)
		c := &e.c
		c.g = &e.g
		a,er,ok := c.integrate(e.folds, eta, beta, r.rho, Options{1e-3,1e-3,false})
		fmt.Println(r.id, r.disc, a, er, ok, c.n, c.nCross, c.bad, c.evals, c.gap(e.folds))
		for n := range 33 { th := -3.14159265+float64(n)/16*3.14159265; fmt.Printf("%.3f %.4g  ", th, c.value(th,0)) }
		fmt.Println()
	}
}
