package lens

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

// A prepared lens gives what the lens itself gives, to any goroutine.
func TestPrepared(t *testing.T) {
	for i := range stressSize(200) {
		r := rand.New(rand.NewPCG(71, uint64(i)))
		b, x, y, rho := hardDraw(r)
		p := b.Prepare()
		if p.Binary() != b {
			t.Fatal(p.Binary())
		}
		want := b.Magnification(x, y, rho, Options{RelTol: 1e-4}).Magnification
		first := p.Magnification(x, y, rho, Options{RelTol: 1e-4})
		if d := math.Abs(first.Magnification - want); !(d <= 2e-4*want) {
			t.Errorf("draw %d: %+v (%g, %g) rho %g: %g prepared, %g alone", i, b, x, y, rho, first.Magnification, want)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if p.Magnification(x, y, rho, Options{RelTol: 1e-4}) != first {
					t.Error("goroutines differ")
				}
			})
		}
		wg.Wait()
	}
}
