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

// A program with XLA that was carried to a machine without Go does without SIMD if it must.
func TestXLAWithoutSIMD(t *testing.T) {
	if !haveXLA || haveSIMD {
		t.Skip("this program lacks XLA, or has SIMD")
	}
	plugin := filepath.Join(t.TempDir(), "plugin.so")
	if err := os.WriteFile(plugin, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MLENS_CACHE", t.TempDir())
	t.Setenv("PATH", "")
	t.Setenv("GOMLX_BACKEND", "")
	t.Setenv(rebuilt, "")
	t.Setenv(pjrt.Setting, plugin+",tf32=false")
	if err := ensureBackend(t.Context(), "xla"); err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv("GOMLX_BACKEND"); got != "xla:"+plugin+",tf32=false" {
		t.Errorf("GOMLX_BACKEND is %q", got)
	}
}

// XLA that the environment asks for, and this program has not, is refused before anything is made.
func TestBackendOfEnvironment(t *testing.T) {
	if haveXLA {
		t.Skip("this program has XLA")
	}
	dir := filepath.Join(t.TempDir(), "new")
	t.Setenv("GOMLX_BACKEND", "xla:/somewhere/plugin.so")
	refused(t, "/somewhere/plugin.so|use -backend xla|"+pjrt.Setting, "train", "-dir", dir)
	if left := names(t, dir); left != nil {
		t.Errorf("left are %q", left)
	}
}
