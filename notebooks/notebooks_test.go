// Package notebooks_test executes the notebooks as a reader would, top to bottom, and checks what
// is checked in: that every cell ran in order, none failed, and no file is too large.
//
// Where no Jupyter can be had the executions are skipped, loudly; MLENS_NEED_JUPYTER=1 makes that
// a failure. -short skips them always. MLENS_QUICK=1 is set for the notebooks.
package notebooks_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mlens-go/microlens/mlens/jupyter"
)

const (
	maxBytes = 2_500_000 // of a notebook with its outputs
	maxLines = 16        // of a code cell: what is longer belongs into a package
)

// ready finds or installs Jupyter and builds the kernel, once for all tests.
var ready = sync.OnceValues(func() (*jupyter.Jupyter, error) {
	root, err := jupyter.Root(".")
	if err != nil {
		return nil, err
	}
	p := jupyter.NewProgress(os.Stderr)
	defer p.Close()
	return jupyter.Prepare(context.Background(), root, p)
})

func need(t *testing.T) *jupyter.Jupyter {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: notebooks are not executed")
	}
	j, err := ready()
	if jupyter.IsUnavailable(err) && os.Getenv("MLENS_NEED_JUPYTER") == "" {
		message := "NOTEBOOKS NOT EXECUTED: " + err.Error()
		os.Stderr.WriteString("\n" + message + "\n\n") // seen without -v too, if only when others fail
		t.Skip(message)
	}
	if err != nil {
		t.Fatal(err)
	}
	dependOnSources(t, j.Root)
	return j
}

// dependOnSources makes go test's cache of results look at what the notebooks are built from: it
// knows of the files a test touches, and not of those that the kernel compiles.
func dependOnSources(t *testing.T, root string) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case !d.IsDir():
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, j *jupyter.Jupyter, path string) error {
	ctx := context.Background()
	if d, ok := t.Deadline(); ok {
		var cancel func()
		ctx, cancel = context.WithDeadlineCause(ctx, d.Add(-20*time.Second), errors.New("go test's -timeout is near"))
		defer cancel()
	}
	return j.Execute(ctx, path, jupyter.ExecuteOptions{Quick: true, Timeout: 5 * time.Minute})
}

// notebooks returns the names of all notebooks.
func notebooks(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.ipynb")
	if err != nil || len(names) < 3 {
		t.Fatalf("%d notebooks, but there are at least 3 (%v)", len(names), err)
	}
	return names
}

func TestNotebooksExecute(t *testing.T) {
	names := notebooks(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if err := execute(t, need(t), name); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// homes are the folders of people's machines, which have no place in what is published.
var homes = regexp.MustCompile(`(/home/|/Users/|/root/|C:\\+Users\\+)[\w.-]*|/tmp/gonb_[0-9a-f]+`)

func TestNotebooksAsStored(t *testing.T) {
	names := notebooks(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(b) > maxBytes {
				t.Errorf("%.1f MB, over %.1f: show fewer or smaller pictures", float64(len(b))/1e6, maxBytes/1e6)
			}
			if m := homes.Find(b); m != nil {
				t.Errorf("a path of the machine it ran on: %s", m)
			}
			nb, err := jupyter.ReadNotebook(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range nb.CheckOutputs() {
				t.Errorf("%s; run `go tool mlens run -w notebooks/%s`", w, name)
			}
			for i, c := range nb.Cells {
				if n := strings.Count(strings.TrimSpace(string(c.Source)), "\n") + 1; c.Type == "code" && n > maxLines {
					t.Errorf("cell %d has %d lines, over %d", i+1, n, maxLines)
				}
			}
		})
	}
}

// The two tests below are of the way to execute itself.

func TestSmoke(t *testing.T) {
	if err := execute(t, need(t), filepath.Join("testdata", "smoke.ipynb")); err != nil {
		t.Fatal(err)
	}
}

func TestFailuresAreSeen(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"panic", "%%\npanic(\"the sky fell\")", "the sky fell"},
		{"exit", "%%\nfmt.Println(\"so far so good\")\nos.Exit(3)", "exit status 3"},
		{"must", "import \"github.com/mlens-go/microlens/mlens/nb\"\n%%\nnb.Data(\"no/such.csv\")", "no data/no/such.csv"},
		{"compile", "%%\nvar x int = \"one\"\n_ = x", "cannot use"},
	} {
		t.Run(test.name, func(t *testing.T) {
			j := need(t)
			path := filepath.Join(t.TempDir(), "fails.ipynb")
			after := filepath.Join(t.TempDir(), "after")
			write(t, path, "%%\nfmt.Println(\"before\")", test.source, "!touch "+after)
			err := execute(t, j, path)
			var cell *jupyter.CellError
			if !errors.As(err, &cell) {
				t.Fatalf("no failure of a cell: %v", err)
			}
			if cell.Cell != 2 || !strings.Contains(cell.Message, test.want) {
				t.Errorf("got cell %d: %q, want cell 2: %q", cell.Cell, cell.Message, test.want)
			}
			if _, err := os.Stat(after); err == nil {
				t.Error("the notebook went on after its failure")
			}
		})
	}
}

// write makes a notebook of code cells.
func write(t *testing.T, path string, sources ...string) {
	t.Helper()
	type m = map[string]any
	var cells []m
	for _, s := range sources {
		cells = append(cells, m{"cell_type": "code", "id": string(rune('a' + len(cells))), "metadata": m{},
			"execution_count": nil, "outputs": []any{}, "source": s})
	}
	b, err := json.Marshal(m{"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": m{
		"kernelspec": m{"display_name": "Go (mlens)", "language": "go", "name": "gonb"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
