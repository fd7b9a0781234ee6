package cache

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDir(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("MLENS_CACHE", dir)
	if d, err := Dir(); err != nil || d != dir {
		t.Errorf("MLENS_CACHE: %q, %v", d, err)
	}
	for _, v := range []string{"MLENS_CACHE", "HOME", "XDG_CACHE_HOME"} {
		t.Setenv(v, "")
	}
	t.Setenv("TMPDIR", dir)
	d, err := Dir()
	if err != nil || filepath.Dir(d) != dir {
		t.Fatalf("no home: %q, %v", d, err)
	}
	if err := os.Chmod(d, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Dir(); err == nil {
		t.Error("took a folder that others can write to")
	}
}
