// Package cache knows the one folder for what is made once per machine: the
// private JupyterLab, programs, training sets and training runs. Everything in
// it can be made again.
package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Dir returns the folder for what is made once per machine: MLENS_CACHE, else mlens in the
// user's cache folder, else (a machine with no home) mlens-cache-UID in the temporary folder.
func Dir() (string, error) {
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
