//go:build unix

package lens

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used, so that a benchmark on a busy
// machine means something.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
