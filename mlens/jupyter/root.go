package jupyter

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Module is the path of the module whose notebooks these are.
const Module = "github.com/mlens-go/microlens"

// Root returns the folder of the repository that holds dir: the nearest one upwards whose go.mod
// names our module. When there is none, `go list` is asked, which knows of go.work files too.
func Root(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if moduleOf(filepath.Join(d, "go.mod")) == Module {
			return d, nil
		}
		if d == filepath.Dir(d) {
			break
		}
	}
	c := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", Module)
	c.Dir = dir
	if out, err := c.Output(); err == nil {
		if d := strings.TrimSpace(string(out)); d != "" {
			return d, nil
		}
	}
	return "", fmt.Errorf("%s is not inside a checkout of %s: change to the cloned folder first", dir, Module)
}

// moduleOf reads the module path from a go.mod, "" when there is none.
func moduleOf(gomod string) string {
	f, err := os.Open(gomod)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, ok := strings.CutPrefix(strings.TrimSpace(s.Text()), "module "); ok {
			return strings.Trim(strings.TrimSpace(name), `"`)
		}
	}
	return ""
}
