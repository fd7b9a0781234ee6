package mlens

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A model that is saved over another brings its own judgement or none, and takes the old one away
// before anything else.
func TestSaveReplacesTheJudgement(t *testing.T) {
	e := *trained(t) // not judged
	dir := t.TempDir()
	old := &Judgement{Events: 7}
	saved := func(e Estimator) *Judgement {
		t.Helper()
		if err := e.Save(dir); err != nil {
			t.Fatal(err)
		}
		l, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		j, err := l.Judgement()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return j
	}
	if err := old.Save(dir); err != nil {
		t.Fatal(err)
	}
	if j := saved(e); j != nil {
		t.Errorf("the judgement of another model stays: %+v", j)
	}
	// Its own goes with it, also to the folder where it is.
	judged := e
	if err := judged.Save(t.TempDir()); err != nil { // sets Dir
		t.Fatal(err)
	}
	if err := (&Judgement{Events: 9}).Save(judged.Dir); err != nil {
		t.Fatal(err)
	}
	if err := old.Save(dir); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if j := saved(judged); j == nil || j.Events != 9 {
			t.Errorf("the model's own judgement is %+v", j)
		}
		judged.Dir = dir
	}
	// Stopped before the first file of the model is written, the old judgement is gone.
	if err := old.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, weightsName)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, weightsName), 0o755); err != nil { // cannot be replaced
		t.Fatal(err)
	}
	fresh := *trained(t)
	if err := fresh.Save(dir); err == nil {
		t.Error("weights were written over a folder")
	}
	if _, err := os.Stat(filepath.Join(dir, judgementName)); !os.IsNotExist(err) {
		t.Errorf("the old judgement: %v", err)
	}
}

// What a killed Save has left under temporary names goes; files of others stay.
func TestSaveTidiesUp(t *testing.T) {
	e, dir := *trained(t), t.TempDir()
	for _, name := range []string{".weights.safetensors123456", ".model.json.swp"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".weights.safetensors123456")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a temporary file: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".model.json.swp")); err != nil {
		t.Errorf("an editor's file: %v", err)
	}
}
