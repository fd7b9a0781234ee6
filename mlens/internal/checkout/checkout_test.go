package checkout

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAround(t *testing.T) {
	root := t.TempDir()
	for name, body := range map[string]string{
		"ours/go.mod":           "// a comment\nmodule \"" + Module + "\" // ours\n\ngo 1.26\n",
		"ours/notebooks/go.mod": "module example.com/inner\n", // does not hide it
		"fork/go.mod":           "module " + Module + "/v2\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ours := filepath.Join(root, "ours")
	for dir, want := range map[string]string{"ours": ours, "ours/notebooks/deep": ours, "fork": "", ".": ""} {
		if got := Around(filepath.Join(root, dir)); got != want {
			t.Errorf("around %s: %q, want %q", dir, got, want)
		}
	}
}
