//go:build !unix

package lens

import "time"

func cpuTime() time.Duration { return 0 }
