package mlens

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/internal/spell"
)

// An Event is a light curve whose parameters are known.
type Event struct {
	File  string      // a light curve that event.Read reads; or the name of a simulated one
	Truth event.Theta // t0 counted from the start of the window, see [Event.Window]

	row       string // the table and line that it stands in, or ""
	simulated *event.LightCurve
}

// HeldOut simulates n events that no training has seen: from the model's prior
// and the cut of its training set, observed as obs says. The same seed gives the
// same events.
func (e *Estimator) HeldOut(ctx context.Context, n int, seed uint64, obs bank.Observing) ([]Event, error) {
	selection := bank.NewSelection(e.Training.Bank, e.Training.Cut)
	// The bank's simulation i draws from stream i.
	const stream = 1 << 40
	events := make([]Event, n)
	errs := make([]error, n)
	err := parallel(ctx, n, func(i int) {
		r := rand.New(rand.NewPCG(seed, stream+uint64(i)))
		p := e.Prior.Sample(r)
		for !selection.Passes(p) {
			p = e.Prior.Sample(r)
		}
		lc, err := p.Simulate(obs.Times(r), obs.DrawSN(r), r)
		lc.Name = fmt.Sprintf("held-out event %d of seed %d", i, seed)
		events[i], errs[i] = Event{File: lc.Name, Truth: p.Theta(), simulated: &lc}, err
	}, nil)
	return events, errors.Join(append(errs, err)...)
}

// ReadEvents reads a table of events: a CSV file with the columns file, log10_s,
// log10_q, alpha, u0, t0, log10_tE, log10_rho and f_s (see [event.Theta]), in any
// order and beside others; lines that start with # are comments. Paths are
// relative to the table. An error names the line and the column.
func ReadEvents(path string) ([]Event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mlens: the table of events: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment, r.TrimLeadingSpace = '#', true
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("mlens: %s is empty: a table of events has the columns file, %s", path, strings.Join(event.Names[:], ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("mlens: %s: %w", path, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	find := func(name string) int {
		return slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
	}
	file := find("file")
	var column [event.Dim]int
	var missing []string
	if file < 0 {
		missing = append(missing, "file")
	}
	for k, name := range event.Names {
		if column[k] = find(name); column[k] < 0 {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("mlens: %s has no column %s; its header is %.200q", path, strings.Join(missing, ", "), strings.Join(header, ", "))
	}
	var out []Event
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("mlens: %w", spell.Row(path, err, row, len(header)))
		}
		line, _ := r.FieldPos(file)
		e := Event{File: strings.TrimSpace(row[file]), row: fmt.Sprintf("%s:%d", path, line)}
		if e.File == "" {
			return nil, fmt.Errorf("mlens: %s:%d: there is no name of a file", path, line)
		}
		if !filepath.IsAbs(e.File) {
			e.File = filepath.Join(filepath.Dir(path), e.File)
		}
		for k, c := range column {
			v, err := strconv.ParseFloat(strings.TrimSpace(row[c]), 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("mlens: %s:%d: %s is %.40q, but must be a number", path, line, event.Names[k], row[c])
			}
			e.Truth[k] = v
		}
		e.Truth[event.Alpha] = math.Mod(math.Mod(e.Truth[event.Alpha], 360)+360, 360)
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("mlens: %s has a header, but no event", path)
	}
	return out, nil
}

// Usable returns the events that a model of this prior can be judged on, in their order, and for
// each other one the reason: the truth is outside the prior, or the light curve cannot be read or
// has too few measurements in its window.
func Usable(events []Event, prior event.Prior) (usable []Event, refused []error) {
	reasons := make([]error, len(events))
	parallel(context.Background(), len(events), func(i int) {
		if reasons[i] = events[i].check(prior); reasons[i] != nil {
			return
		}
		win, err := events[i].Window()
		if err == nil {
			err = checkWindow(win)
		}
		reasons[i] = err
	}, nil)
	for i, err := range reasons {
		if err == nil {
			usable = append(usable, events[i])
		} else {
			refused = append(refused, err)
		}
	}
	return usable, refused
}

// check says if the truth is outside the prior, where none of the model's
// posteriors can be.
func (e Event) check(prior event.Prior) error {
	err := prior.Check(e.Truth)
	if err == nil {
		return nil
	}
	at := ""
	if e.row != "" {
		at = e.row + ": "
	}
	return fmt.Errorf("mlens: %sthe truth of %s: %w, and the model knows events inside it only", at, e.File, spell.Bare(err))
}

// Window reads the light curve and cuts the 72-day window out of it whose start
// the truth's t0 is counted from: time 0 if all times lie in the 72 days after
// it, else the start that [event.LightCurve.BestWindow] proposes, which in a
// light curve of at most 72 days is the first measurement.
func (e Event) Window() (event.LightCurve, error) {
	if e.simulated != nil {
		return *e.simulated, nil
	}
	lc, err := event.Read(e.File)
	if err != nil {
		return event.LightCurve{}, err
	}
	season := event.Season().Length()
	start := 0.0
	if n := lc.Len(); n > 0 && (lc.Times[0] < 0 || lc.Times[n-1] >= season) {
		if start, err = lc.BestWindow(season); err != nil {
			return event.LightCurve{}, err
		}
	}
	return lc.Window(start, season)
}
