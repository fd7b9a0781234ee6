// Package spell writes durations and errors for people.
package spell

import (
	"fmt"
	"time"
)

// Duration writes d with the precision that helps: "0.4 s", "12 s", "3 min 5 s", "2 h 10 min".
func Duration(d time.Duration) string {
	s := int(d.Seconds() + 0.5)
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}
