package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/bank"
)

func TestSimulate(t *testing.T) {
	dir := t.TempDir()
	out := mustRun(t, "simulate", "-n", "40", "-seed", "3", "-dir", dir)
	banks := names(t, filepath.Join(dir, "banks"))
	if len(banks) != 1 {
		t.Fatalf("banks are %q", banks)
	}
	if !strings.HasPrefix(out, "40 simulations in bank "+banks[0]+": ") || strings.Count(out, "χ²/dof >") != 2 {
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

// Parts made apart become the bank that is made at once.
func TestSimulateParts(t *testing.T) {
	dir := t.TempDir()
	args := []string{"simulate", "-n", "1050", "-seed", "3", "-dir", dir}
	for _, shard := range []string{"2/2", "1/2"} {
		if out := mustRun(t, append(args, "-shard", shard)...); !strings.Contains(out, "part "+shard[:1]+" of 2") {
			t.Errorf("printed %q", out)
		}
	}
	if out := mustRun(t, args...); !strings.HasPrefix(out, "1050 simulations") {
		t.Errorf("merged: %q", out)
	}
	banks := names(t, filepath.Join(dir, "banks"))
	files := names(t, filepath.Join(dir, "banks", banks[0]))
	if want := []string{"manifest.json", "shard-000000.bin", "shard-000001.bin"}; !slices.Equal(files, want) {
		t.Errorf("merged, the files are %q", files)
	}
}

func TestCutFlag(t *testing.T) {
	v := bank.CutPaper
	f := cutFlag{&v}
	for in, want := range map[string]float64{"literal": bank.CutLiteral, "paper": bank.CutPaper, "0.5": 0.5} {
		if err := f.Set(in); err != nil || v != want || f.String() != in {
			t.Errorf("%s: %v, %v, printed as %s", in, v, err, f)
		}
	}
	for _, in := range []string{"", "papers", "0", "-1", "nan"} {
		if err := f.Set(in); err == nil {
			t.Errorf("%q is accepted", in)
		}
	}
}

func TestSimulateRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	refused(t, "-n is 0", "simulate", "-n", "0", "-dir", dir)
	for _, shard := range []string{"0/3", "4/3", "1", "1/0", "a/b", "1/2/3"} {
		refused(t, `-shard is "`+shard+`"|3/16`, "simulate", "-shard", shard, "-dir", dir)
	}
	refused(t, "-seed", "simulate", "-seed", "-1", "-dir", dir)
	refused(t, "unknown command", "simulate", "extra", "-dir", dir)
	if left := names(t, dir); left != nil {
		t.Errorf("left are %q", left)
	}
}
