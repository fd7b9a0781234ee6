package jupyter

import (
	"bufio"
	"errors"
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

// CacheDir returns the folder for what is made once per machine: MLENS_CACHE, else mlens in the
// user's cache folder, else (a machine with no home) mlens-cache-UID in the temporary folder.
func CacheDir() (string, error) {
	if d := os.Getenv("MLENS_CACHE"); d != "" {
		return filepath.Abs(d)
	}
	if d, err := os.UserCacheDir(); err == nil {
		return filepath.Join(d, "mlens"), nil
	}
	d := filepath.Join(os.TempDir(), fmt.Sprintf("mlens-cache-%d", os.Getuid()))
	if err := os.Mkdir(d, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	// Others can write to the temporary folder: take only a folder that is ours alone.
	if i, err := os.Lstat(d); err != nil || !i.IsDir() || i.Mode().Perm() != 0o700 {
		return "", fmt.Errorf("%s is not a private folder: set MLENS_CACHE to a folder of your own", d)
	}
	return d, nil
}
