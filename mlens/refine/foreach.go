package refine

import (
	"context"
	"runtime"
	"sync"
)

// forEach calls f(0) … f(n−1) from as many goroutines as there are processors,
// until ctx ends.
func forEach(ctx context.Context, n int, f func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wg.Wait()
}
