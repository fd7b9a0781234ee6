package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain keeps commands that tests run from becoming the program with SIMD.
func TestMain(m *testing.M) {
	os.Setenv(rebuilt, "1")
	os.Exit(m.Run())
}

func TestTidySIMD(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, age time.Duration) {
		t.Helper()
		path := filepath.Join(dir, name)
		if strings.Contains(name, "build") {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte("x"), 0o700); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 {
		put(prefixSIMD+strconv.Itoa(i), time.Duration(i)*time.Minute)
	}
	put(prefixSIMD+"build-new", time.Minute) // somebody builds
	put(prefixSIMD+"build-old", 48*time.Hour)
	put("mlens", 48*time.Hour) // not ours
	tidySIMD(dir)
	if got, want := names(t, dir), []string{"mlens", "mlens-simd-0", "mlens-simd-1", "mlens-simd-2", "mlens-simd-3", "mlens-simd-build-new"}; !slices.Equal(got, want) {
		t.Errorf("left are %q", got)
	}
}

// names lists a folder, which need not exist.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// The program that is in the cache is found without the go command, or a checkout; outside both the
// error says what is missing.
func TestProgramSIMD(t *testing.T) {
	t.Setenv("MLENS_CACHE", t.TempDir())
	t.Setenv("PATH", "")
	t.Chdir(t.TempDir())
	if _, err := programSIMD(context.Background()); err == nil || !strings.Contains(err.Error(), "checkout") {
		t.Errorf("outside a checkout: %v", err)
	}
	name, err := nameSIMD()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(os.Getenv("MLENS_CACHE"), "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, name), nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := programSIMD(context.Background()); err != nil || got != filepath.Join(bin, name) {
		t.Errorf("%q, %v", got, err)
	}
}
