package jupyter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mlens-go/microlens/mlens/internal/spell"
)

// Progress shows what is going on while things are made ready: on a terminal one line, rewritten
// in place; elsewhere a line now and then. A nil *Progress shows nothing.
type Progress struct {
	mu    sync.Mutex
	w     io.Writer
	tty   bool
	now   func() time.Time
	last  time.Time // of the last line written
	tasks []*Task
	stop  chan struct{}
}

// A Task is one thing under way, counted from 0 to a total.
type Task struct {
	p           *Progress
	name, unit  string
	done, total int
	bytes       int64
	start       time.Time
	ended       bool
}

// NewProgress shows progress on w.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{w: w, now: time.Now, stop: make(chan struct{})}
	if f, ok := w.(*os.File); ok {
		if i, err := f.Stat(); err == nil {
			p.tty = i.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
		}
	}
	p.last = p.now()
	go func() {
		for t := time.NewTicker(250 * time.Millisecond); ; {
			select {
			case <-t.C:
				p.tick()
			case <-p.stop:
				t.Stop()
				return
			}
		}
	}()
	return p
}

// Start adds a task; unit names what it counts ("packages").
func (p *Progress) Start(name, unit string) *Task {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &Task{p: p, name: name, unit: unit, start: p.now()}
	p.tasks = append(p.tasks, t)
	return t
}

// Set says how far the task is; a total of 0 means that it is not known yet.
func (t *Task) Set(done, total int, bytes int64) {
	if t == nil {
		return
	}
	t.p.mu.Lock()
	defer t.p.mu.Unlock()
	t.done, t.total, t.bytes = done, total, bytes
}

// End closes the task. One that took over a second leaves a line behind.
func (t *Task) End(err error) {
	if t == nil {
		return
	}
	t.p.mu.Lock()
	defer t.p.mu.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	took := t.p.now().Sub(t.start)
	switch {
	case errors.Is(err, context.Canceled): // the caller says so
	case err != nil:
		t.p.line(t.name + ": failed")
	case took > time.Second:
		t.p.line(fmt.Sprintf("%s: ready%s in %s", t.name, t.amount(t.total), spell.Duration(took)))
	}
}

// Printf writes a line above the one that is rewritten.
func (p *Progress) Printf(format string, a ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(fmt.Sprintf(format, a...))
}

// Close ends the display.
func (p *Progress) Close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.stop:
	default:
		close(p.stop)
		if p.tty {
			fmt.Fprint(p.w, "\r\033[K")
		}
	}
}

func (p *Progress) line(s string) {
	if p.tty {
		fmt.Fprint(p.w, "\r\033[K")
	}
	fmt.Fprintln(p.w, s)
	p.last = p.now()
}

// tick redraws: in place four times a second, or as a new line every ten seconds.
func (p *Progress) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status()
	if s == "" {
		return
	}
	if p.tty {
		fmt.Fprint(p.w, "\r\033[K"+s)
	} else if p.now().Sub(p.last) > 10*time.Second {
		p.line(s)
	}
}

// status is the line for the tasks under way that have lasted a moment.
func (p *Progress) status() string {
	var parts []string
	var left time.Duration
	for _, t := range p.tasks {
		took := p.now().Sub(t.start)
		if t.ended || took < 300*time.Millisecond {
			continue
		}
		s := t.name
		switch {
		case t.total > 0:
			s += fmt.Sprintf(" %d/%d %s", t.done, t.total, t.unit)
		default:
			s += " …"
		}
		if t.bytes > 0 {
			s += fmt.Sprintf(" (%.0f MB)", float64(t.bytes)/1e6)
		}
		if t.total > 0 && t.done > 0 && took > 2*time.Second {
			left = max(left, took*time.Duration(t.total-t.done)/time.Duration(t.done))
		}
		parts = append(parts, s)
	}
	s := strings.Join(parts, " · ")
	if left > 0 {
		s += " · about " + spell.Duration(left) + " left"
	}
	return s
}

func (t *Task) amount(n int) string {
	var a []string
	if n > 0 {
		a = append(a, fmt.Sprintf("%d %s", n, t.unit))
	}
	if t.bytes > 0 {
		a = append(a, fmt.Sprintf("%.0f MB", float64(t.bytes)/1e6))
	}
	if a == nil {
		return ""
	}
	return " (" + strings.Join(a, ", ") + ")"
}
