package nb

import (
	"fmt"
	"html"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"

	"github.com/mlens-go/microlens/mlens/internal/spell"
)

// Progress returns a callback for a long loop: one line, updated in place, with the rate and the
// time left; no line where the first call says that all is done. Call it with the steps done and
// their total (0: not known); it may be called often and from several goroutines.
//
//	bar := nb.Progress("simulations")
//	run := mlens.Run{Simulating: func(p bank.Progress) { bar(p.Done, p.Total) }}
func Progress(name string) func(done, total int) {
	p := &progress{name: name, now: time.Now, start: time.Now()}
	switch {
	case os.Getenv("MLENS_CONSOLE") != "": // `mlens console`: what the cell prints reaches a terminal
		p.show = func(s string, last bool) { terminal(os.Stdout, s, last) }
	case gonbui.IsNotebook:
		id := "progress-" + gonbui.UniqueId()
		p.show = func(s string, last bool) {
			gonbui.UpdateHTML(id, `<pre style="margin:0">`+html.EscapeString(s)+"</pre>")
			if last {
				gonbui.Sync()
			}
		}
	default:
		tty := isTerminal(os.Stderr)
		p.show = func(s string, last bool) {
			if tty {
				terminal(os.Stderr, s, last)
			} else if last {
				fmt.Fprintln(os.Stderr, s)
			}
		}
	}
	return p.set
}

// progress is the state of one line.
type progress struct {
	mu          sync.Mutex
	name        string
	show        func(line string, last bool)
	now         func() time.Time
	start, last time.Time
	done        int
	first       int // steps that were done before we looked: resumed work must not count as speed
	started     bool
	ended       bool
}

// every is the least time between two updates: more would only fill the browser's queue.
const every = 200 * time.Millisecond

func (p *progress) set(done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if !p.started {
		p.started = true
		if done > 1 {
			p.first = done
			p.start = now
		}
		if done > 1 && done == total {
			p.ended = true // all was there: nothing to tell
		}
	}
	if p.ended || done < p.done {
		return // a late report of another goroutine
	}
	p.done = done
	last := total > 0 && done >= total
	if !last && now.Sub(p.last) < every {
		return
	}
	p.last, p.ended = now, last
	p.show(p.line(total, now.Sub(p.start)), last)
}

// line is what is shown, "light curves  1,200/20,000  6%  310/s  1 min 1 s left".
func (p *progress) line(total int, took time.Duration) string {
	parts := []string{p.name}
	if total > 0 {
		parts = append(parts, thousands(p.done)+"/"+thousands(total), fmt.Sprintf("%d%%", 100*p.done/total))
	} else {
		parts = append(parts, thousands(p.done))
	}
	rate := float64(p.done-p.first) / max(took.Seconds(), 1e-9)
	if p.done > p.first && took > 10*time.Millisecond {
		parts = append(parts, rateText(rate))
	}
	switch {
	case total > 0 && p.done >= total:
		parts = append(parts, "done in "+spell.Duration(took))
	case total > 0 && p.done > p.first && took > time.Second:
		parts = append(parts, spell.Duration(time.Duration(float64(total-p.done)/rate*1e9))+" left")
	}
	return strings.Join(parts, "  ")
}

func rateText(r float64) string {
	switch {
	case r >= 100:
		return thousands(int(r+0.5)) + "/s"
	case r >= 1:
		return fmt.Sprintf("%.1f/s", r)
	}
	return fmt.Sprintf("%.1f s each", 1/r)
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// terminal writes s over the line before, and ends it when it is the last.
func terminal(w *os.File, s string, last bool) {
	fmt.Fprint(w, "\r\033[K"+s)
	if last {
		fmt.Fprintln(w)
	}
}

func isTerminal(f *os.File) bool {
	i, err := f.Stat()
	return err == nil && i.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
