package lens
import ("testing";"fmt";"math/rand/v2";"math";"slices")
// gap between images and ghosts in units of tol
func TestDbg3(t *testing.T) {
	r := rand.New(rand.NewPCG(3,3))
	var reals, ghosts []float64
	for range 300000 {
		logU := func(a, b float64) float64 { return a * math.Exp(math.Log(b/a)*r.Float64()) }
		b := Binary{logU(0.05,20), logU(1e-9,1)}
		g := b.geom()
		fo := g.critical(6.28*r.Float64())
		z := g.lensMap(fo[r.IntN(4)])
		dd := logU(1e-13,1e-2)
		sn,cs := math.Sincos(6.28*r.Float64())
		eta := z+complex(dd*cs,dd*sn)
		x,y := g.public(eta)
		eta,beta := g.source(x,y)
		var roots [5]complex128
		if !g.roots(eta,beta,&roots,false) { fmt.Println("no roots", b, x, y); continue }
		p := g.quintic(eta,beta)
		var q [5]float64
		for i, w := range roots {
			res := abs1(g.lensMap(w)-eta)
			_, d, size := horner(p[:], w)
			size += g.rounding(eta,beta,w)
			tol := 4*eps * (size/(abs1(d)+1e-300) + abs1(w)) * (1 + abs(g.shear(w)))
			q[i] = res/tol
		}
		slices.Sort(q[:])
		reals = append(reals, q[2])
		if q[3] > 30 { ghosts = append(ghosts, q[3]) } else { reals = append(reals, q[4]) }
	}
	slices.Sort(reals); slices.Sort(ghosts)
	for _, f := range []float64{.5,.9,.99,.999,.9999,.99999} { fmt.Printf("real %g %.3g\n", f, reals[int(f*float64(len(reals)))]) }
	for _, f := range []float64{0,.0001,.001,.01,.1,.5} { fmt.Printf("ghost %g %.3g\n", f, ghosts[int(f*float64(len(ghosts)))]) }
}
