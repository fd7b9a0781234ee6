package lens

import (
	"fmt"
	"math"
	"testing"
)

func TestDbg2(t *testing.T) {
	ids := map[int]bool{1334: true}
	for _, r := range readReference(t) {
		if !ids[r.id] {
			continue
		}
		var e engine
		e.g = r.b.geom()
		eta, beta := e.g.source(r.x, r.y)
		for _, th := range []float64{-0.2378 + 0.001, -.22, -0.21, -.1, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6} {
			d := complex(r.rho*math.Cos(th), r.rho*math.Sin(th))
			for warm := range 2 {
				var roots [5]complex128
				if warm == 1 {
					ee := complex(1e-6, 1e-7)
					ok := e.g.roots(eta+d+ee, beta+d+ee, &roots, false)
					if !ok {
						fmt.Println("no")
					}
				}
				ok := e.g.roots(eta+d, beta+d, &roots, warm == 1)
				p := e.g.quintic(eta+d, beta+d)
				fmt.Println(th, ok)
				for _, w := range roots {
					r := abs1(e.g.lensMap(w) - eta - d)
					_, d, size := horner(p[:], w)
					tol := 16 * eps * (size/(abs1(d)+1e-300) + abs1(w)) * (1 + abs(e.g.shear(w)))
					fmt.Printf("   %.3g res %.2g tol %.2g  J %.3g\n", w, r, tol, 1-norm(e.g.shear(w)))
				}
			}
		}
	}
}
