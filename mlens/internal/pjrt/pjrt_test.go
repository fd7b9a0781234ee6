package pjrt

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestSetting(t *testing.T) {
	plugin := filepath.Join(t.TempDir(), "pjrt_c_api_cuda_plugin.so")
	t.Setenv(Setting, plugin+",preallocate=true")
	if _, err := Environment(t.Context(), t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), Setting) || !strings.Contains(err.Error(), plugin) {
		t.Errorf("a plugin that is not there: %v", err)
	}
	if err := os.WriteFile(plugin, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	env, err := Environment(t.Context(), t.TempDir(), nil)
	if err != nil || !slices.Contains(env, "GOMLX_BACKEND=xla:"+plugin+",preallocate=true") {
		t.Errorf("%q, %v", env, err)
	}

	// Its kind must be plain from its path, of which a symbolic link is enough.
	both := filepath.Join(t.TempDir(), "NoCPU")
	if err := os.Symlink(filepath.Dir(plugin), both); err != nil {
		t.Fatal(err)
	}
	t.Setenv(Setting, filepath.Join(both, filepath.Base(plugin)))
	if _, err := Environment(t.Context(), t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), `both "cpu" and "cuda"`) {
		t.Errorf("a plugin of two kinds: %v", err)
	}
}

// fakePython puts a python3 on an otherwise empty PATH.
func fakePython(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "python3"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

func TestFetch(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("there is no plugin for this system")
	}
	t.Setenv(Setting, "")
	cache := t.TempDir()
	said := 0
	environment := func() ([]string, error) { return Environment(context.Background(), cache, func(string) { said++ }) }
	expect := func(words ...string) {
		t.Helper()
		_, err := environment()
		if err == nil {
			t.Fatal("no error")
		}
		for _, w := range append(words, Setting, "-backend go") {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
		if left, _ := os.ReadDir(cache); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
	}
	t.Setenv("PATH", "")
	expect("no python3")
	fakePython(t, "exit 1\n")
	expect("has no pip")
	fakePython(t, `[ "$3" = --version ] && exit 0; echo no route to host; exit 1`)
	expect("no route to host", "go online")

	// A pip that installs, and checks what it is asked for.
	t.Setenv("PATH", os.Getenv("PATH"))
	fakePython(t, `[ "$3" = --version ] && exit 0
case "$*" in *--require-hashes*) ;; *) exit 1 ;; esac
while [ "$1" != --target ]; do shift; done
/bin/mkdir -p "$2/`+libraryDir+`"
: > "$2/`+libraryDir+`/`+libraryName+`"
`)
	said = 0
	for range 2 {
		env, err := environment()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(env, func(s string) bool { return strings.HasPrefix(s, "GOMLX_BACKEND=xla:"+cache) })
		if i < 0 {
			t.Fatalf("%q", env)
		}
		if _, err := os.Stat(strings.TrimPrefix(env[i], "GOMLX_BACKEND=xla:")); err != nil {
			t.Error(err)
		}
	}
	if said != 1 {
		t.Errorf("fetched %d times", said)
	}
	if left, _ := os.ReadDir(cache); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
}
