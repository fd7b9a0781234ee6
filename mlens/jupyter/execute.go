package jupyter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// ExecuteOptions are the settings of [Jupyter.Execute]; the zero value runs without limits.
type ExecuteOptions struct {
	Timeout time.Duration   // for each cell; 0 means none
	Quick   bool            // small settings where the notebook has some: MLENS_QUICK=1
	Write   bool            // write the outputs back, if all cells passed
	Cell    func(n, of int) // called as code cell n of `of` starts
}

// CellError says that a cell failed: where, and what it said.
type CellError struct {
	Notebook string // file name
	Cell     int    // from 1, all kinds of cell counted
	Source   string // its first lines
	Message  string
}

func (e *CellError) Error() string {
	return fmt.Sprintf("%s: cell %d failed:\n%s\n→ %s", e.Notebook, e.Cell, indent(e.Source), strings.TrimSpace(e.Message))
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

// event is a line of notebooks/jupyter/execute.py.
type event struct {
	Event   string   `json:"event"`
	Index   int      `json:"index"`
	Outputs []Output `json:"outputs"`
}

// Execute runs the notebook at path top to bottom, without a browser, and stops at the first cell
// that fails: that one is returned as a *[CellError]. Outputs are written back only when asked
// for, and only when every cell passed. Where MLENS_FIGURES names a folder, the notebook's figures
// go to a subfolder with the notebook's name.
func (j *Jupyter) Execute(ctx context.Context, path string, opt ExecuteOptions) error {
	nb, err := ReadNotebook(path)
	if err != nil {
		return err
	}
	out, err := os.MkdirTemp("", "mlens-run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	timeout := -1
	if opt.Timeout > 0 {
		timeout = max(1, int(opt.Timeout.Seconds()))
	}
	c := j.command(ctx, "nbconvert", "--execute", "--to", "notebook", "--log-level", "WARN",
		"--config", filepath.Join(j.settings(), "execute.py"),
		fmt.Sprintf("--ExecutePreprocessor.timeout=%d", timeout), "--output-dir", out, path)
	c.Env = append(c.Env, "MLENS_HEADLESS=1")
	if opt.Quick {
		c.Env = append(c.Env, "MLENS_QUICK=1")
	}
	if folder := os.Getenv(figures); folder != "" {
		sub, err := figureFolder(folder, path)
		if err != nil {
			return err
		}
		c.Env = append(c.Env, figures+"="+sub)
	}
	// execute.py ends itself, the kernel and the cell's program when its input ends.
	input, err := c.StdinPipe()
	if err != nil {
		return err
	}
	c.Cancel = input.Close
	var stderr bytes.Buffer
	c.Stderr = &stderr
	r, w := io.Pipe()
	c.Stdout = w
	failed := make(chan *CellError, 1)
	go func() {
		failed <- watch(r, nb, filepath.Base(path), opt.Cell, input)
	}()
	err = c.Run()
	w.Close()
	if e := <-failed; e != nil {
		return e
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && opt.Timeout > 0 && strings.Contains(stderr.String(), "CellTimeoutError") {
		return fmt.Errorf("%s: a cell took longer than %v:\n%s", filepath.Base(path), opt.Timeout, indent(timedOut(stderr.String())))
	}
	if err != nil {
		return fmt.Errorf("%s: nbconvert: %w\n%s", filepath.Base(path), err, complaint(stderr.String()))
	}
	executed := filepath.Join(out, filepath.Base(path))
	b, err := os.ReadFile(executed)
	if err != nil {
		return err
	}
	if b, err = tidy(b); err != nil {
		return err
	}
	var done Notebook
	if err := json.Unmarshal(b, &done); err != nil {
		return err
	}
	if wrong := done.CheckOutputs(); len(wrong) > 0 {
		return errors.New(filepath.Base(path) + ": " + strings.Join(wrong, "\n"))
	}
	if opt.Write {
		return writeFile(path, b)
	}
	return nil
}

// figures is the environment variable with the folder that nb.Show also writes to.
const figures = "MLENS_FIGURES"

// figureFolder returns the folder of a notebook's figures: notebooks have figures of the same name.
// It is absolute, because cells run in a folder of their own.
func figureFolder(folder, notebook string) (string, error) {
	base := filepath.Base(notebook)
	return filepath.Abs(filepath.Join(folder, strings.TrimSuffix(base, filepath.Ext(base))))
}

// watch follows the lines of execute.py and lets it go on after each cell, up to the first one
// that failed.
func watch(r io.Reader, nb *Notebook, name string, cell func(int, int), goOn io.WriteCloser) *CellError {
	defer io.Copy(io.Discard, r)
	of, n := 0, 0
	for _, c := range nb.Cells {
		if c.Type == "code" && strings.TrimSpace(string(c.Source)) != "" {
			of++
		}
	}
	s := bufio.NewReader(r)
	for {
		line, err := s.ReadBytes('\n')
		var e event
		if b, ok := bytes.CutPrefix(line, []byte("mlens-cell ")); ok && json.Unmarshal(b, &e) == nil {
			switch e.Event {
			case "start":
				n++
				if cell != nil {
					cell(n, of)
				}
			case "end":
				if f := Failure(e.Outputs); f != "" && e.Index < len(nb.Cells) {
					goOn.Close()
					return &CellError{name, e.Index + 1, firstLines(nb.Cells[e.Index].Source, 3), f}
				}
				goOn.Write([]byte("\n"))
			}
		}
		if err != nil {
			return nil
		}
	}
}

// timedOut finds the cell that nbclient quotes between dashes after its error.
func timedOut(stderr string) string {
	_, s, _ := strings.Cut(stderr, "CellTimeoutError:")
	if _, cell, ok := strings.Cut(s, "-------------------\n"); ok {
		s, _, _ = strings.Cut(cell, "\n-------------------")
	}
	return firstLines(Text(s), 3)
}

// raised is the line of a Python traceback that says what was raised.
var raised = regexp.MustCompile(`(?m)^[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)(: .*)?$`)

// complaint is what nbconvert's standard error says went wrong: of a traceback the line of the
// error, else, and of one that quotes a cell, the last lines.
func complaint(stderr string) string {
	if i := strings.LastIndex(stderr, "Traceback (most recent call last)"); i >= 0 && !strings.Contains(stderr, "CellExecutionError") {
		if line := raised.FindString(stderr[i:]); line != "" {
			return line
		}
	}
	return lastLines(stderr, 6)
}

func lastLines(s string, n int) string {
	l := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(l[max(0, len(l)-n):], "\n")
}
