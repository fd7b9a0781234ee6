package lens
import ("testing";"fmt";"math/rand/v2";"math";"slices")
func TestDbg3(t *testing.T) {
	for _, fl := range []float64{0} {
	fmt.Println("floor",fl)
	r := rand.New(rand.NewPCG(3,3))
	type S struct{ ratio, k, d float64 }
	bins := map[int][]S{}
	worst := []struct{ratio float64; s string}{}
	for range 12000 {
		logU := func(a, b float64) float64 { return a * math.Exp(math.Log(b/a)*r.Float64()) }
		b := Binary{logU(0.2,5), logU(1e-6,1)}
		if r.Float64()<.3 { b.S = 1+0.1*r.NormFloat64() }
		rho := logU(1e-4,1e-2)
		var e engine
		e.g = b.geom()
		g := &e.g
		e.folds = b.folds(g,nil,32)
		fo := g.critical(6.28*r.Float64())
		z := g.lensMap(fo[r.IntN(4)])
		if r.Float64() < .4 { z = e.folds[r.IntN(len(e.folds))].a; for range 50 { f := e.folds[r.IntN(len(e.folds))]; if f.cusp0 { z = f.a; break } } }
		dd := rho*logU(1.5,60)
		sn,cs := math.Sincos(6.28*r.Float64())
		eta := z+complex(dd*cs,dd*sn)
		x,y := g.public(eta)
		eta,beta := g.source(x,y)
		d := distance(e.folds,eta,1e3)
		if d < 2*rho { continue }
		g.point(x,y,&e.im)
		q,size := g.quadrupole(&e.im,rho,d)
		c := &e.c; c.g = g
		tr, err, ok := c.integrate(e.folds, eta, beta, rho, Options{1e-9,1e-9,false})
		if !ok || err > 1e-7*tr { continue }
		act := math.Abs(e.im.a+q-tr)
		est := size
		k := int(math.Log2(d/rho))
		bins[k] = append(bins[k], S{act/(1e-9*tr+est), est, d})
		if act > 1e-4*tr && act > 4*est { worst = append(worst, struct{ratio float64; s string}{act/est, fmt.Sprintf("%+v rho %g x %g y %g d/rho %.3g act %.2g q %.2g size %.2g a %.4g n %d",b,rho,x,y,d/rho,act,q,size,e.im.a,e.im.n)}) }
	}
	for k := range 8 { s := bins[k]; if len(s)==0 {continue}; slices.SortFunc(s, func(a,b S) int { if a.ratio<b.ratio {return -1}; return 1 }); n := len(s); fmt.Printf("d/rho %d: n %d median %.3g 90 %.3g 99 %.3g 99.9 %.3g max %.3g\n", 1<<k, n, s[n/2].ratio, s[n*9/10].ratio, s[n*99/100].ratio, s[n*999/1000].ratio, s[n-1].ratio) }
	slices.SortFunc(worst, func(a,b struct{ratio float64; s string}) int { if a.ratio>b.ratio {return -1}; return 1 })
	for i := range min(12,len(worst)) { fmt.Printf("%.3g %s\n", worst[i].ratio, worst[i].s) }
}
}
