package jupyter

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRoot(t *testing.T) {
	here, err := Root(".")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(here, "notebooks", "jupyter", "requirements.lock")); err != nil {
		t.Error(err)
	}
	// A module inside ours, such as the one of gopls, does not hide it.
	if sub, err := Root(filepath.Join(here, ".gopls")); err != nil || sub != here {
		t.Errorf("from .gopls: %q, %v", sub, err)
	}
	if _, err := Root(t.TempDir()); err == nil || !strings.Contains(err.Error(), "change to the cloned folder") {
		t.Errorf("outside: %v", err)
	}
}

func TestFitVersions(t *testing.T) {
	const good = "Selected Jupyter core packages...\nIPython          : 9.1\njupyter_client   : 8.1\n" +
		"jupyterlab       : 4.6.6\nnbclient         : 0.11.0\nnbconvert        : 7.17.2\n"
	for _, test := range []struct{ out, wrong string }{
		{good + "jupyter-console  : 6.6.3\n", ""},
		{good + "jupyter_console  : not installed\n", "jupyter_console is not installed"},
		{good, "nothing of jupyter_console"},
		{strings.Replace(good, "4.6.6", "3.6.1", 1) + "jupyter_console : 6.6.3", "jupyterlab is 3.6.1, older than 4.2"},
		{"jupyter 1.0", "nothing of"},
	} {
		err := fitVersions(test.out)
		if test.wrong == "" && err != nil || test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%q: got %v, want %q", test.out, err, test.wrong)
		}
	}
}

// fakePath puts shell scripts of the given names on an otherwise empty PATH.
func fakePath(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("MLENS_CACHE", filepath.Join(dir, "cache"))
	t.Setenv("MLENS_JUPYTER", "")
	return dir
}

const (
	fitJupyter = `echo "jupyterlab : 4.6.6"; echo "nbclient : 0.11.0"; echo "nbconvert : 7.17.2"; echo "jupyter_console : 6.6.3"`
	oldJupyter = `echo "jupyterlab : 3.6.1"`

	// A Python 3.12 whose venv makes an environment with a pip that succeeds.
	goodPython = `
case "$1 $2" in
"-c import"*) echo 3.12 ;;
"-m venv") /bin/mkdir -p "$3/bin"; for p in python jupyter; do printf '#!/bin/sh\necho "Collecting x"\n' >"$3/bin/$p"; /bin/chmod +x "$3/bin/$p"; done ;;
esac`
	// Debian's: venv fails for want of ensurepip, and there is no pip either.
	barePython = `
case "$1 $2 $3" in
"-c import"*) echo 3.11 ;;
"-m venv --clear") /bin/mkdir -p "$5/bin" ;;
*) echo "ensurepip is not available" >&2; exit 1 ;;
esac`
)

func TestFind(t *testing.T) {
	for _, test := range []struct {
		name    string
		path    map[string]string
		jupyter string // "path", "private", or what the error says
	}{
		{"fit on PATH", map[string]string{"jupyter": fitJupyter}, "path"},
		{"old on PATH", map[string]string{"jupyter": oldJupyter, "python3": goodPython}, "private"},
		{"broken on PATH", map[string]string{"jupyter": "exit 1", "python3": goodPython}, "private"},
		{"none", map[string]string{"python3": goodPython}, "private"},
		{"python under another name", map[string]string{"python3": "echo 3.6", "python3.12": goodPython}, "private"},
		{"old python", map[string]string{"python3": "echo 3.6"}, "is Python 3.6, and 3.10 to 3.14 is needed"},
		{"no python", map[string]string{}, "there is no python3 on PATH\n  what to do: install Python"},
		{"no python, Debian", map[string]string{"apt-get": ""}, "sudo apt-get install -y python3-venv"},
		{"no pip", map[string]string{"python3": barePython, "apt-get": ""}, "sudo apt-get install -y python3-venv"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root, err := Root(".")
			if err != nil {
				t.Fatal(err)
			}
			dir := fakePath(t, test.path)
			j, err := Find(context.Background(), root, nil)
			switch test.jupyter {
			case "path":
				if err != nil || j.Command != filepath.Join(dir, "jupyter") {
					t.Fatalf("got %+v, %v", j, err)
				}
			case "private":
				if err != nil || !strings.HasPrefix(j.Command, filepath.Join(dir, "cache", "jupyter-")) {
					t.Fatalf("got %+v, %v", j, err)
				}
				if _, err := os.Stat(j.Command); err != nil {
					t.Error(err)
				}
			default:
				if !IsUnavailable(err) || !strings.Contains(err.Error(), test.jupyter) {
					t.Fatalf("got %v, want an Unavailable with %q", err, test.jupyter)
				}
				if left, _ := filepath.Glob(filepath.Join(dir, "cache", "jupyter-*")); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}

// TestKilledInstall has a half-made environment from an install that was killed.
func TestKilledInstall(t *testing.T) {
	root, err := Root(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := fakePath(t, map[string]string{"python3": goodPython})
	j, err := Find(context.Background(), root, nil)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Dir(filepath.Dir(j.Command))
	half := link + "-killed"
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	os.Chtimes(half, old, old)
	if again, err := Find(context.Background(), root, nil); err != nil || again.Command != j.Command {
		t.Fatalf("the finished one is not used: %v, %v", again, err)
	}
	if err := os.Remove(link); err != nil { // as if the install had been killed just before its end
		t.Fatal(err)
	}
	if _, err := Find(context.Background(), root, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s was not removed", strings.TrimPrefix(half, dir))
	}
}

func TestFollowPip(t *testing.T) {
	p := &Progress{w: &strings.Builder{}, now: time.Now}
	task := p.Start("x", "packages")
	tail := followPip(strings.NewReader("Ignoring appnope: markers\nCollecting anyio==4.16.0\n"+
		"  Downloading anyio-4.16.0-py3-none-any.whl (117 kB)\nCollecting b\n  Using cached b.whl.metadata (1.5 MB)\nERROR: no such thing\n"), 5, task)
	if task.done != 2 || task.total != 4 || task.bytes != 1_617_000 {
		t.Errorf("got %d/%d, %d bytes", task.done, task.total, task.bytes)
	}
	if len(tail) != 1 || tail[0] != "ERROR: no such thing" {
		t.Errorf("tail %q", tail)
	}
}

func TestProgress(t *testing.T) {
	now := time.Unix(0, 0)
	var out strings.Builder
	p := &Progress{w: &out, now: func() time.Time { return now }, stop: make(chan struct{}), last: now}
	a, b := p.Start("JupyterLab", "packages"), p.Start("Packages", "compiled")
	if s := p.status(); s != "" {
		t.Errorf("at once: %q", s)
	}
	now = now.Add(10 * time.Second)
	a.Set(20, 92, 11e6)
	if got, want := p.status(), "JupyterLab 20/92 packages (11 MB) · Packages … · about 36 s left"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	b.End(nil)
	a.Set(92, 92, 47e6)
	now = now.Add(65 * time.Second)
	a.End(nil)
	a.End(nil)
	p.Close()
	if got, want := out.String(), "Packages: ready in 10 s\nJupyterLab: ready (92 packages, 47 MB) in 1 min 15 s\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	var none *Progress
	none.Start("x", "").Set(1, 2, 3)
	none.Close()
}

// TestFigureFolders runs two notebooks with a jupyter that only notes where their figures go.
func TestFigureFolders(t *testing.T) {
	dir := t.TempDir()
	jupyter, note := filepath.Join(dir, "jupyter"), filepath.Join(dir, "note")
	if err := os.WriteFile(jupyter, []byte("#!/bin/sh\necho \"$MLENS_FIGURES\" >>"+note+"\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	j := &Jupyter{Root: dir, Command: jupyter, cache: dir}
	for _, name := range []string{"a.ipynb", "b.ipynb"} {
		if err := os.WriteFile(name, []byte(`{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Setenv("MLENS_FIGURES", "figures")
		j.Execute(t.Context(), name, ExecuteOptions{}) // fails, as jupyter does
	}
	t.Setenv("MLENS_FIGURES", "")
	j.Execute(t.Context(), "a.ipynb", ExecuteOptions{})
	got, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(here, "figures", "a") + "\n" + filepath.Join(here, "figures", "b") + "\n\n"; string(got) != want {
		t.Errorf("figures go to\n%swant\n%s", got, want)
	}
}
