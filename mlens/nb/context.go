package nb

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

var interrupted = sync.OnceValue(func() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	return ctx
})

// Context returns a context that ends at the notebook's interrupt button, at a restart of the
// kernel, and at Ctrl-C. The cell then has five seconds to save what it has. An interrupt sent
// while the cell is still being compiled is lost: press again once it runs.
func Context() context.Context { return interrupted() }

// Quick says whether small settings are asked for (MLENS_QUICK is set): tests run the notebooks
// that way, and it is the way to have a first look at a long one.
func Quick() bool {
	q := os.Getenv("MLENS_QUICK")
	return q != "" && q != "0"
}

// Size returns full, or quick where notebooks are to be quick (see [Quick]).
func Size(full, quick int) int {
	if Quick() {
		return quick
	}
	return full
}
