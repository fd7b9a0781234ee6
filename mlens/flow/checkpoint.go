package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

const (
	checkpointFile = "checkpoint.safetensors"
	historyFile    = "history.csv"
)

// fingerprint identifies a run: all that its result depends on, but for the data and the backend.
func fingerprint(c Config, o TrainOptions) string {
	start := ""
	if o.Start != nil {
		h := sha256.New()
		_ = o.Start.WriteWeights(h) // a hash takes everything
		start = hex.EncodeToString(h.Sum(nil))
	}
	js, err := json.Marshal(struct {
		Config                                 Config
		Steps, Batch, Warmup                   int
		Seed                                   uint64
		LearningRate, Clip, LossLimit, Average float64
		Start                                  string `json:",omitempty"`
	}{c, o.Steps, o.Batch, o.Warmup, o.Seed, o.LearningRate, o.Clip, o.LossLimit, o.Average, start})
	if err != nil {
		panic(err) // plain numbers
	}
	return string(js)
}

// saveCheckpoint stores the state of a run, on a backend of that kind, and its history in dir. Each
// file is replaced at once, so a process killed at any moment leaves the last complete checkpoint.
func saveCheckpoint(dir, run, backend string, ps []param, s *state, h *history) error {
	f := &tensorFile{meta: map[string]string{
		"format":  "mlens/flow checkpoint 1",
		"run":     run,
		"backend": backend,
		"step":    strconv.Itoa(s.step),
		"updates": strconv.Itoa(s.updates),
		"pending": strconv.Itoa(h.pending),
	}}
	add := func(prefix string, ws [][]float32) {
		for i, w := range ws {
			f.tensors = append(f.tensors, tensor{name: prefix + ps[i].name, dims: ps[i].dims, f32: w})
		}
	}
	rows := make([]float64, 0, historyColumns*(len(h.rows)+1))
	for _, p := range h.rows {
		rows = append(rows, p.row()...)
	}
	// The last row holds the sum of the losses that no line of the history covers yet.
	rows = append(rows, h.sum, 0, 0, 0, 0, 0)
	f.tensors = append(f.tensors, tensor{name: "history", dims: []int{len(h.rows) + 1, historyColumns}, f64: rows})
	add("weight/", s.w)
	add("adam.m/", s.m)
	add("adam.v/", s.v)
	if s.avg != nil {
		add("average/", s.avg)
	}
	if err := replaceFile(filepath.Join(dir, checkpointFile), f.write); err != nil {
		return fmt.Errorf("flow: writing the checkpoint: %w", err)
	}
	if err := replaceFile(filepath.Join(dir, historyFile), h.writeCSV); err != nil {
		return fmt.Errorf("flow: writing the history: %w", err)
	}
	return nil
}

// loadCheckpoint returns the run's state in dir, or nil if there is none. A checkpoint of another
// kind of backend is an error; one that does not say its backend, as those of old, is not.
func loadCheckpoint(dir, run, backend string, ps []param, average bool) (*state, *history, error) {
	path := filepath.Join(dir, checkpointFile)
	r, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("flow: opening the checkpoint: %w", err)
	}
	defer r.Close()
	bad := func(err error) (*state, *history, error) {
		return nil, nil, fmt.Errorf("flow: %s: %w; remove it to start the run anew", path, err)
	}
	f, err := readTensors(r)
	if err != nil {
		return bad(fmt.Errorf("the checkpoint is not readable: %w", err))
	}
	if f.meta["run"] != run {
		return bad(fmt.Errorf("the checkpoint belongs to another run (there %s, here %s)", f.meta["run"], run))
	}
	if there, ok := f.meta["backend"]; ok && there != backend {
		return nil, nil, fmt.Errorf("flow: %s: the checkpoint is of a training on the backend %q, this one is on %q, where it would become another: go on with the backend %[2]q, or remove the checkpoint to start the run anew", path, there, backend)
	}
	s, h := &state{}, &history{}
	var errs [3]error
	s.step, errs[0] = strconv.Atoi(f.meta["step"])
	s.updates, errs[1] = strconv.Atoi(f.meta["updates"])
	h.pending, errs[2] = strconv.Atoi(f.meta["pending"])
	if err := errors.Join(errs[:]...); err != nil {
		return bad(fmt.Errorf("the checkpoint's metadata are not readable: %w", err))
	}
	for _, part := range []struct {
		prefix string
		to     *[][]float32
		want   bool
	}{{"weight/", &s.w, true}, {"adam.m/", &s.m, true}, {"adam.v/", &s.v, true}, {"average/", &s.avg, average}} {
		if !part.want {
			continue
		}
		if *part.to, err = f.matching(ps, part.prefix); err != nil {
			return bad(fmt.Errorf("the checkpoint is incomplete: %w", err))
		}
	}
	for _, t := range f.tensors {
		if t.name != "history" {
			continue
		}
		if len(t.dims) != 2 || t.dims[0] < 1 || t.dims[1] != historyColumns || t.f64 == nil {
			return bad(fmt.Errorf("the checkpoint's history has shape %v", t.dims))
		}
		n := t.dims[0] - 1
		for i := range n {
			h.rows = append(h.rows, progressFrom(t.f64[i*historyColumns:]))
		}
		h.sum = t.f64[n*historyColumns]
	}
	return s, h, nil
}

// A history collects the losses of a run.
type history struct {
	rows    []Progress
	sum     float64 // of the losses since the last row
	pending int     // steps since the last row
}

// historyColumns is the number of numbers of a row.
const historyColumns = 6

func (p Progress) row() []float64 {
	return []float64{float64(p.Step), p.Loss, p.Valid, p.LearningRate, p.Rate, float64(p.Skipped)}
}

func progressFrom(v []float64) Progress {
	return Progress{Step: int(v[0]), Loss: v[1], Valid: v[2], LearningRate: v[3], Rate: v[4], Skipped: int(v[5])}
}

// past returns a copy of the rows, with what the checkpoint does not repeat in each of them.
func (h *history) past(o TrainOptions) []Progress {
	rows := slices.Clone(h.rows)
	for i := range rows {
		rows[i].Steps, rows[i].Seen = o.Steps, rows[i].Step*o.Batch
	}
	return rows
}

// writeCSV writes the history as a table; where no validation was made its column is empty.
func (h *history) writeCSV(w io.Writer) error {
	out := []byte("step,loss,valid,learning_rate,examples_per_s,skipped\n")
	for _, p := range h.rows {
		out = fmt.Appendf(out, "%d,%.6g,", p.Step, p.Loss)
		if !math.IsNaN(p.Valid) {
			out = fmt.Appendf(out, "%.6g", p.Valid)
		}
		out = fmt.Appendf(out, ",%.6g,%.4g,%d\n", p.LearningRate, p.Rate, p.Skipped)
	}
	_, err := w.Write(out)
	return err
}
