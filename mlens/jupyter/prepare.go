package jupyter

import (
	"context"
	"slices"
	"syscall"
)

// Prepare finds or installs Jupyter, signs the notebooks, and builds the kernel meanwhile.
func Prepare(ctx context.Context, root string, p *Progress) (*Jupyter, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	built := make(chan error, 1)
	go func() {
		err := BuildKernel(ctx, root, p)
		if err != nil {
			cancel(err) // no use in a Jupyter without its kernel
		}
		built <- err
	}()
	j, err := Find(ctx, root, p)
	if err == nil {
		if notebooks, _ := Notebooks(root); len(notebooks) > 0 {
			_ = j.Trust(ctx, notebooks...) // without it scripts in outputs are inert, and all else works
		}
	} else {
		cancel(err)
	}
	if e := <-built; e != nil && err == nil {
		err = e
	}
	if err != nil {
		return nil, context.Cause(ctx)
	}
	return j, nil
}

// Console becomes `jupyter console` on our kernel.
func (j *Jupyter) Console(args []string) error {
	argv := slices.Concat([]string{j.Command, "console", "--kernel", "gonb",
		"--ZMQTerminalInteractiveShell.use_kernel_is_complete=False"}, args) // GoNB does not answer that request
	return syscall.Exec(j.Command, argv, j.environ("MLENS_CONSOLE=1", "PYTHONWARNINGS=ignore::UserWarning"))
}
