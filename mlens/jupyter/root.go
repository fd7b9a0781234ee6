package jupyter

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/mlens-go/microlens/mlens/internal/checkout"
)

// Root returns the folder of the repository that holds dir: the nearest one upwards whose go.mod
// names our module. When there is none, `go list` is asked, which knows of go.work files too.
func Root(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if root := checkout.Around(dir); root != "" {
		return root, nil
	}
	c := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", checkout.Module)
	c.Dir = dir
	if out, err := c.Output(); err == nil {
		if d := strings.TrimSpace(string(out)); d != "" {
			return d, nil
		}
	}
	return "", fmt.Errorf("%s is not inside a checkout of %s: change to the cloned folder first", dir, checkout.Module)
}
