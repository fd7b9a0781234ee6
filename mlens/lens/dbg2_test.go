package lens
import ("testing";"fmt")
func TestDbg2(t *testing.T) {
	ids := map[int]bool{4769:true}
	for _, r := range readReference(t) {
		if !ids[r.id] { continue }
		var e engine
		e.g = r.b.geom()
		e.folds = r.b.folds(&e.g, nil, 16)
		eta, beta := e.g.source(r.x, r.y)
		c := &e.c
		c.g = &e.g
		c.centre, c.beta, c.rho = eta, beta, r.rho
		for i := range e.folds { c.n=0; c.arc(&e.folds[i],40); if c.n>0 { f:=e.folds[i]; fmt.Println(i, f.phi0,f.phi1, f.cusp0, c.at[:c.n])
		for k := range 11 { phi := f.phi0+(f.phi1-f.phi0)*float64(k)/10; w:=e.g.between(&f,phi); z := e.g.lensMap(w); fmt.Printf("    %.6f w %.8f r %.6f speed %.4g\n", phi, w, abs(z-eta)/r.rho, e.g.speed(w,phi)) }
		} }
	}
}
