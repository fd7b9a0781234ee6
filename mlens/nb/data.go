package nb

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mlens-go/microlens/mlens/internal/checkout"
)

// Data returns the absolute path of a file or folder under the repository's data folder, such as
// "events/roman-planet.csv". It stops the cell when there is none.
func Data(path string) string { return Must(data(path)) }

func data(path string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	full := filepath.Join(root, "data", filepath.FromSlash(path))
	if _, err := os.Stat(full); err == nil {
		return full, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	// Say what there is instead, in the nearest folder that exists.
	dir := filepath.Dir(full)
	for dir != root {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	entries, _ := os.ReadDir(dir)
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	rel, _ := filepath.Rel(root, dir)
	return "", fmt.Errorf("no data/%s: %s holds %s", path, filepath.ToSlash(rel), list(have))
}

func list(names []string) string {
	const most = 12
	switch n := len(names); {
	case n == 0:
		return "nothing"
	case n > most:
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", n-most)
	}
	return strings.Join(names, ", ")
}

// Root returns the repository's folder: the one that the kernel was started from, else the one
// that holds the working directory or the notebook, else what the cell's go.work names.
func Root() (string, error) {
	for _, dir := range []string{os.Getenv("MLENS_ROOT"), ".", os.Getenv("GONB_DIR")} {
		if dir == "" {
			continue
		}
		if root := checkout.Around(dir); root != "" {
			return root, nil
		}
	}
	if tmp := os.Getenv("GONB_TMP_DIR"); tmp != "" {
		for _, dir := range workUses(filepath.Join(tmp, "go.work")) {
			if root := checkout.Around(dir); root != "" {
				return root, nil
			}
		}
	}
	return "", fmt.Errorf("no checkout of %s around the notebook: put it into the notebooks folder, or set MLENS_ROOT", checkout.Module)
}

// workUses lists the folders that a go.work names.
func workUses(file string) (dirs []string) {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	block := false
	for s := bufio.NewScanner(f); s.Scan(); {
		l, _, _ := strings.Cut(s.Text(), " //")
		l = strings.TrimSpace(l)
		switch {
		case block && l == ")":
			block = false
			continue
		case l == "use (":
			block = true
			continue
		case block:
		default:
			var ok bool
			if l, ok = strings.CutPrefix(l, "use "); !ok {
				continue
			}
		}
		if l = strings.Trim(strings.TrimSpace(l), `"`); l == "" || strings.HasPrefix(l, "//") {
			continue
		}
		if !filepath.IsAbs(l) {
			l = filepath.Join(filepath.Dir(file), l)
		}
		dirs = append(dirs, l)
	}
	return dirs
}
