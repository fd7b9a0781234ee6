// Package checkout finds the clone of this repository.
package checkout

import (
	"os"
	"path/filepath"
	"strings"
)

// Module is the path of the repository's module.
const Module = "github.com/mlens-go/microlens"

// Around returns the absolute path of the checkout that holds dir: the nearest folder upwards with
// our go.mod, "" when there is none.
func Around(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for ; ; dir = filepath.Dir(dir) {
		if ours(dir) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// ours says whether dir itself holds the go.mod of our module.
func ours(dir string) bool {
	b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	for l := range strings.Lines(string(b)) {
		if f := strings.Fields(l); len(f) >= 2 && f[0] == "module" {
			return strings.Trim(f[1], `"`) == Module
		}
	}
	return false
}
