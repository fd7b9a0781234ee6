package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/internal/pjrt"
)

// What XLA lacks is said before anything is built.
func TestBackendLacks(t *testing.T) {
	if haveXLA {
		t.Skip("this program has XLA")
	}
	bin := t.TempDir()
	t.Setenv("MLENS_CACHE", t.TempDir())
	t.Setenv(rebuilt, "")
	put := func(name, script string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	lacks := func(words ...string) {
		t.Helper()
		err := ensureBackend(context.Background(), "xla")
		if err == nil {
			t.Fatal("no error")
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv(pjrt.Setting, filepath.Join(bin, "none.so"))
	lacks(pjrt.Setting, "none.so", "no such plugin")

	put("plugin.so", "")
	t.Setenv(pjrt.Setting, filepath.Join(bin, "plugin.so"))
	lacks("go env")
	put("go", "printf 'no-cc\n1\n'")
	lacks("no-cc", "install gcc", "-backend go")
	put("no-cc", "")
	put("go", "printf 'no-cc\n0\n'")
	lacks("CGO_ENABLED is 0")

	put("go", `case $1 in env) printf 'no-cc\n1\n';; *) echo cannot build; exit 1;; esac`)
	if wd, err := os.Getwd(); err != nil || !strings.HasSuffix(wd, filepath.Join("cmd", "mlens")) {
		t.Fatal("the test does not run in its folder")
	}
	lacks("go build", "cannot build")
}
