package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// run executes a command line as main does and returns what it prints on standard output.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, progress bytes.Buffer
	c := newRootCommand()
	c.SetArgs(doubleDash(args))
	c.SetOut(&out)
	c.SetErr(&progress)
	err := c.ExecuteContext(context.Background())
	return out.String(), err
}

// mustRun is run for commands that must succeed.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	out, err := run(t, args...)
	if err != nil {
		t.Fatalf("mlens %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// refused checks that a command fails with an error that says all words.
func refused(t *testing.T, words string, args ...string) {
	t.Helper()
	_, err := run(t, args...)
	if err == nil {
		t.Errorf("mlens %s: no error", strings.Join(args, " "))
		return
	}
	for _, w := range strings.Split(words, "|") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("mlens %s: %q does not say %q", strings.Join(args, " "), err, w)
		}
	}
}

// modTimes returns the files below dir with the times when they were written.
func modTimes(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	out := map[string]time.Time{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out[rel] = info.ModTime()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUnknownFlag(t *testing.T) {
	refused(t, `unknown flag: --windw|"go tool mlens infer --help"`, "infer", "-windw", "3", "a.csv")
	refused(t, `"abc"|-n|"go tool mlens simulate --help"`, "simulate", "-n", "abc")
	refused(t, `unknown command "infr"`, "infr")
}
