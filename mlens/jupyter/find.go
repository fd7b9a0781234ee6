package jupyter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mlens-go/microlens/mlens/cache"
)

// Least versions of the parts of Jupyter that we use, found to work with our settings.
var least = map[string][2]int{
	"jupyterlab":      {4, 2},
	"nbconvert":       {7, 4},
	"nbclient":        {0, 8}, // the cell hooks of execute.py
	"jupyter_console": {6, 6},
}

// Unavailable says that no Jupyter can be had on this machine, why, and what to do about it.
type Unavailable struct {
	Why string
	Fix string // one command, or a sentence
}

func (e *Unavailable) Error() string {
	return "no Jupyter: " + e.Why + "\n  what to do: " + e.Fix
}

// Jupyter is an installation that is fit for us, set up for one checkout.
type Jupyter struct {
	Root    string // the repository
	Command string // path of the program `jupyter`
	cache   string
}

// Find returns the Jupyter to use, and installs a private one when there is no fit one.
//
// The environment variable MLENS_JUPYTER overrides the search: the path of a jupyter program, or
// "private" to pass over the one on PATH. The error is an *[Unavailable] when none can be had.
func Find(ctx context.Context, root string, p *Progress) (*Jupyter, error) {
	dir, err := cache.Dir()
	if err != nil {
		return nil, err
	}
	j := &Jupyter{Root: root, cache: dir}
	switch want := os.Getenv("MLENS_JUPYTER"); want {
	case "":
		path, err := exec.LookPath("jupyter")
		if err != nil || j.fit(ctx, path) != nil {
			break
		}
		j.Command = path
		return j, nil
	case "private":
	default:
		if err := j.fit(ctx, want); err != nil {
			return nil, &Unavailable{Why: fmt.Sprintf("MLENS_JUPYTER=%s: %v", want, err), Fix: "unset MLENS_JUPYTER"}
		}
		j.Command = want
		return j, nil
	}
	v := venv{lock: filepath.Join(j.settings(), "requirements.lock"), cache: dir}
	dir, err = v.ensure(ctx, p)
	if err != nil {
		return nil, err
	}
	j.Command = filepath.Join(dir, "bin", "jupyter")
	return j, nil
}

// settings is the checked-in folder of Jupyter's configuration.
func (j *Jupyter) settings() string { return filepath.Join(j.Root, "notebooks", "jupyter") }

// fit tells what makes the jupyter program at path unfit for us, nil when it is fit.
func (j *Jupyter) fit(ctx context.Context, path string) error {
	c := exec.CommandContext(ctx, path, "--version")
	c.Env = j.environ()
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("%s --version: %w", path, err)
	}
	return fitVersions(string(out))
}

// fitVersions judges the output of `jupyter --version`, lines like "jupyterlab       : 4.6.6".
func fitVersions(out string) error {
	have := map[string]string{}
	for _, l := range strings.Split(out, "\n") {
		if name, version, ok := strings.Cut(l, ":"); ok {
			have[strings.ReplaceAll(strings.TrimSpace(name), "-", "_")] = strings.TrimSpace(version)
		}
	}
	var errs []error
	for name, want := range least {
		if v, ok := have[name]; !ok {
			errs = append(errs, fmt.Errorf("it says nothing of %s", name))
		} else if got, ok := majorMinor(v); !ok {
			errs = append(errs, fmt.Errorf("%s is %s", name, v))
		} else if got[0] < want[0] || got[0] == want[0] && got[1] < want[1] {
			errs = append(errs, fmt.Errorf("%s is %s, older than %d.%d", name, v, want[0], want[1]))
		}
	}
	return errors.Join(errs...)
}

func majorMinor(v string) (mm [2]int, ok bool) {
	f := strings.SplitN(v, ".", 3)
	if len(f) < 2 {
		return mm, false
	}
	for i := range mm {
		n, err := strconv.Atoi(f[i])
		if err != nil {
			return mm, false
		}
		mm[i] = n
	}
	return mm, true
}
