package mlens

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"

	"github.com/mlens-go/microlens/mlens/flow"
)

// The record of a model says what it was trained on; a run of another kind of backend is neither
// returned for this one nor gone on with. Runs of old, which do not say, are.
func TestTrainKeepsItsBackend(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	e := trained(t)
	if b := e.Record.Backend; b.Kind != "go" || b.Description == "" || !strings.HasPrefix(b.Go, "go") {
		t.Errorf("trained on %+v", b)
	}
	l, err := Load(e.Dir)
	if err != nil || l.Record.Backend.Kind != "go" || l.stage().Backend.Kind != "go" {
		t.Errorf("loaded, it was trained on %+v, %v", l.Record.Backend, err)
	}

	compute.Register("twin", gobackend.New) // the same under another name
	says := func(err error, words ...string) {
		t.Helper()
		if err == nil {
			t.Fatal("no error")
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
	t.Setenv("GOMLX_BACKEND", "twin")
	_, err = Train(context.Background(), tiny(), Run{Dir: testDirs[0]})
	says(err, e.Dir, `trained on the backend "go"`, `ask for the backend "go"`, `another seed or folder to train one on "twin"`)

	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(testDirs[0], "banks"), filepath.Join(dir, "banks")); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := Train(ctx, tiny(), Run{Dir: dir, Training: func(flow.Progress) { cancel() }}); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	t.Setenv("GOMLX_BACKEND", "go")
	_, err = Train(context.Background(), tiny(), Run{Dir: dir})
	says(err, "checkpoint", `on the backend "twin"`, `go on with the backend "twin"`)

	// One of old is taken for what is asked.
	run := filepath.Join(dir, "runs", tiny().Hash(), "model")
	if err := os.MkdirAll(run, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{weightsName, historyName, manifestName} {
		b, err := os.ReadFile(filepath.Join(e.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == manifestName {
			var m map[string]any
			if err := json.Unmarshal(b, &m); err != nil {
				t.Fatal(err)
			}
			record := m["Record"].(map[string]any)
			if _, ok := record["Backend"]; !ok {
				t.Error("the manifest does not name the backend")
			}
			delete(record, "Backend")
			if b, err = json.Marshal(m); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(run, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"go", "twin"} {
		t.Setenv("GOMLX_BACKEND", kind)
		old, err := Train(context.Background(), tiny(), Run{Dir: dir})
		if err != nil || old.WeightsSHA256 != e.WeightsSHA256 || old.Record.Backend.Kind != "" {
			t.Errorf("a model of old on %s: %v", kind, err)
		}
	}
}
