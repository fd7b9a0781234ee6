package mlens

import (
	"context"
	"runtime"
	"sync"
)

// parallel calls f(0) … f(n−1) from as many goroutines as there are processors,
// until ctx ends, whose error it returns. progress, which may be nil, is told how
// many are done, from one goroutine at a time.
func parallel(ctx context.Context, n int, f func(i int), progress func(done, total int)) error {
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				f(i)
				mu.Lock()
				done++
				if progress != nil {
					progress(done, n)
				}
				mu.Unlock()
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wg.Wait()
	return ctx.Err()
}
