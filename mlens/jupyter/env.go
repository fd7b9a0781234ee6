package jupyter

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// environ is the environment of every Jupyter program we start: our kernel and settings are
// found in the checkout, and all that Jupyter writes goes to the cache folder.
func (j *Jupyter) environ(extra ...string) []string {
	private := filepath.Join(j.cache, "jupyter")
	env := append(os.Environ(),
		"JUPYTER_PATH="+j.settings(),
		"JUPYTER_CONFIG_PATH="+j.settings(),
		"JUPYTER_CONFIG_DIR="+filepath.Join(private, "config"),
		"JUPYTER_DATA_DIR="+filepath.Join(private, "data"),
		"JUPYTER_RUNTIME_DIR="+filepath.Join(private, "runtime"),
		"IPYTHONDIR="+filepath.Join(private, "ipython"),
		"JUPYTER_PLATFORM_DIRS=1", // else older versions print a warning
		"PATH="+strings.Join([]string{filepath.Dir(j.Command), j.toolDir(), os.Getenv("PATH")}, string(os.PathListSeparator)),
	)
	return append(env, extra...)
}

// toolDir holds programs that GoNB uses when they are there (gopls).
func (j *Jupyter) toolDir() string { return filepath.Join(j.cache, "bin") }

// command prepares `jupyter args…` in a process group of its own, so that Ctrl-C in the terminal
// reaches only us: the end of ctx asks it to stop, and kills the group if that takes too long.
func (j *Jupyter) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, j.Command, args...)
	c.Env = j.environ()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 15 * time.Second
	return c
}

// Trust signs the notebooks' checked-in outputs, without which JupyterLab strips their scripts.
func (j *Jupyter) Trust(ctx context.Context, notebooks ...string) error {
	if len(notebooks) == 0 {
		return nil
	}
	return j.command(ctx, slices.Concat([]string{"trust"}, notebooks)...).Run()
}

// Notebooks lists the repository's notebooks in order.
func Notebooks(root string) ([]string, error) {
	return filepath.Glob(filepath.Join(root, "notebooks", "*.ipynb"))
}
