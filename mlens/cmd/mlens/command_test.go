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

// Values that flags cannot have are refused in the words of this program.
func TestBadValues(t *testing.T) {
	for _, test := range []struct {
		words string
		args  []string
	}{
		{`-seed is "-1", but must be a whole number, 0 or above: "go tool mlens infer --help"`, []string{"infer", "-seed", "-1", "a.csv"}},
		{`-seed is "99999999999999999999", which is too large`, []string{"infer", "-seed", "99999999999999999999", "a.csv"}},
		{`-tol is "abc", but must be a number: "go tool mlens magnify --help"`, []string{"magnify", "-tol", "abc", "a.csv"}},
		{`-port is "abc", but must be a whole number`, []string{"lab", "-port", "abc"}},
		{`-timeout is "5", but must be a time such as 90s`, []string{"run", "-timeout", "5"}},
		{`-json is "perhaps", but must be true or false`, []string{"infer", "-json=perhaps", "a.csv"}},
		{`-cut is "x", but must be paper, literal, or a number above 0`, []string{"train", "-cut", "x"}},
		{"-port is 99999999|from 1 to 65535|0 takes the first free one", []string{"lab", "-port", "99999999"}},
		{"-port is -1|from 1 to 65535", []string{"lab", "-port", "-1"}},
	} {
		refused(t, test.words, test.args...)
		if _, err := run(t, test.args...); err != nil && strings.Contains(err.Error(), "strconv") {
			t.Errorf("%q", err)
		}
	}
}

func TestConsoleHelp(t *testing.T) {
	if out := mustRun(t, "console", "--help"); !strings.Contains(out, ": %%\n") {
		t.Errorf("no example of a statement in %q", out)
	}
}
