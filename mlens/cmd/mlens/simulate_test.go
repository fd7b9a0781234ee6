package main

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

func TestSimulate(t *testing.T) {
	dir := t.TempDir()
	out := mustRun(t, "simulate", "-n", "40", "-seed", "3", "-dir", dir)
	banks := names(t, filepath.Join(dir, "banks"))
	if len(banks) != 1 {
		t.Fatalf("banks are %q", banks)
	}
	if !strings.HasPrefix(out, "40 simulations in bank "+banks[0]+"\n") || strings.Count(out, "χ²/dof >") != 2 {
		t.Errorf("printed %q", out)
	}
	files := modTimes(t, dir)
	if again := mustRun(t, "simulate", "-n", "40", "-seed", "3", "-dir", dir); again != out {
		t.Errorf("again: %q instead of %q", again, out)
	}
	if now := modTimes(t, dir); !maps.Equal(now, files) {
		t.Errorf("a complete bank was written again: %v, %v", files, now)
	}
	mustRun(t, "simulate", "-n", "20", "-seed", "4", "-dir", dir)
	if banks := names(t, filepath.Join(dir, "banks")); len(banks) != 2 {
		t.Errorf("banks of two seeds are %q", banks)
	}
}

func TestSimulateRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	refused(t, "0 simulations", "simulate", "-n", "0", "-dir", dir)
	refused(t, "-seed", "simulate", "-seed", "-1", "-dir", dir)
	refused(t, "unknown command", "simulate", "extra", "-dir", dir)
	if left := names(t, dir); left != nil {
		t.Errorf("left are %q", left)
	}
}
