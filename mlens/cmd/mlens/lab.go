package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/mlens-go/microlens/mlens/jupyter"
)

func newLabCommand() *cobra.Command {
	var port int
	var noBrowser, gopls bool
	c := &cobra.Command{
		Use:   "lab [flags] [-- arguments of jupyter lab]",
		Short: "Open JupyterLab on the notebooks, with everything made ready",
		Long: `Makes everything ready and opens JupyterLab on this machine, at a URL with a token.

Jupyter is the one on PATH if it is fit, else a private one, installed once from
the pinned list in notebooks/jupyter. The Go kernel and the packages that cells
import are built ahead. Nothing is written to your Jupyter configuration. Ctrl-C
ends JupyterLab and its kernels.

  MLENS_CACHE     folder for what is made once (default: mlens in your cache folder)
  MLENS_JUPYTER   path of the jupyter program to use, or "private"`,
		Example: "  go tool mlens lab\n  go tool mlens lab --port 9000 --no-browser",
		RunE: func(cmd *cobra.Command, args []string) error {
			if port < 0 || port > 65535 {
				return fmt.Errorf("-port is %d, but ports go from 1 to 65535; 0 takes the first free one from 8888 up", port)
			}
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			j, err := prepare(ctx, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			p := jupyter.NewProgress(cmd.ErrOrStderr())
			defer p.Close()
			s, err := j.StartLab(ctx, port, args, p)
			if err != nil {
				return err
			}
			p.Close()
			fmt.Fprintf(out, "JupyterLab is at\n\n    %s\n\nCtrl-C ends it. Its messages go to %s\n", s.URL, s.Log)
			if !noBrowser {
				jupyter.OpenBrowser(s.URL)
			}
			if gopls {
				go func() {
					if err := j.BuildGopls(ctx, nil); err != nil && ctx.Err() == nil {
						fmt.Fprintln(os.Stderr, "mlens: no gopls, so no completion in cells:", err)
					}
				}()
			}
			return s.Wait(ctx)
		},
	}
	c.Flags().IntVar(&port, "port", 0, "port to listen on (default: the first free one from 8888 up)")
	c.Flags().BoolVar(&noBrowser, "no-browser", false, "print the URL only")
	c.Flags().BoolVar(&gopls, "gopls", false, "build gopls in the background (about a minute, once): completion and help in cells, 150 MB of memory a kernel")
	return c
}

// prepare finds or installs Jupyter and builds the kernel, both at once, showing progress on w.
func prepare(ctx context.Context, w io.Writer) (*jupyter.Jupyter, error) {
	root, err := jupyter.Root(".")
	if err != nil {
		return nil, err
	}
	p := jupyter.NewProgress(w)
	defer p.Close()
	return jupyter.Prepare(ctx, root, p)
}
