package jupyter

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/mlens-go/microlens/mlens/internal/checkout"
)

// cellPackages are what cells import: the library, the figures, and GoNB's own display package.
// The commands are left out: their link is the most expensive part, and no cell needs them.
var cellPackages = []string{checkout.Module + "/mlens/...", checkout.Module + "/plots/...", "github.com/janpfeifer/gonb/gonbui"}

// BuildKernel builds ahead what a cell's first run would wait for: the kernel itself (Jupyter
// allows it a minute to start, a cold build takes longer), goimports, and all packages that cells
// import, with the settings that cells are built with.
func BuildKernel(ctx context.Context, root string, p *Progress) error {
	script := filepath.Join(root, "notebooks", "jupyter", "kernels", "gonb", "kernel.sh")
	out, err := exec.CommandContext(ctx, "/bin/sh", script, "env").Output()
	if err != nil {
		return fmt.Errorf("%s env: %w", script, err)
	}
	settings := strings.Split(strings.TrimSpace(string(out)), "\n")
	// The tools are built with the flags but without the experiment, as kernel.sh does.
	var flags []string
	for _, s := range settings {
		if strings.HasPrefix(s, "GOFLAGS=") {
			flags = append(flags, s)
		}
	}
	t := p.Start("Go kernel", "programs")
	for i, tool := range []string{"gonb", "goimports"} {
		t.Set(i, 2, 0)
		if err := goRun(ctx, root, flags, nil, "tool", "-n", tool); err != nil {
			t.End(err)
			return fmt.Errorf("building %s: %w", tool, err)
		}
	}
	t.Set(2, 2, 0)
	t.End(nil)
	err = buildPackages(ctx, root, settings, p)
	if err != nil && ctx.Err() == nil {
		// Someone is at work on the library: the cells that import what is broken will say so.
		p.Printf("%v", err)
		return nil
	}
	return err
}

// buildPackages compiles what cells import, and links nothing.
func buildPackages(ctx context.Context, root string, env []string, p *Progress) error {
	t := p.Start("Packages", "compiled")
	list, err := goOutput(ctx, root, env, append([]string{"list", "-e", "-f",
		`{{if and (ne .Name "main") (not .Error) (not .DepsErrors) .GoFiles}}{{.ImportPath}}{{end}}`}, cellPackages...)...)
	if err != nil {
		t.End(err)
		return err
	}
	pkgs := strings.Fields(list)
	if len(pkgs) == 0 {
		t.End(nil)
		return nil
	}
	stale, err := goOutput(ctx, root, env, append([]string{"list", "-e", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"}, pkgs...)...)
	if err != nil {
		t.End(err)
		return err
	}
	total := len(strings.Fields(stale))
	if total == 0 {
		t.End(nil)
		return nil
	}
	done := 0
	t.Set(0, total, 0)
	err = goRun(ctx, root, env, func(line string) {
		if !strings.HasPrefix(line, "go: ") && !strings.Contains(line, " ") {
			done++
			t.Set(min(done, total), total, 0)
		}
	}, append([]string{"build", "-v"}, pkgs...)...)
	t.End(err)
	if err != nil {
		return fmt.Errorf("building the packages that cells import: %w", err)
	}
	return nil
}

// BuildGopls builds gopls, which gives cells completion and contextual help. It has a go.mod of
// its own because its golang.org/x/tools is not ours.
func (j *Jupyter) BuildGopls(ctx context.Context, p *Progress) error {
	if err := os.MkdirAll(j.toolDir(), 0o700); err != nil {
		return err
	}
	t := p.Start("gopls", "programs")
	err := goRun(ctx, filepath.Join(j.Root, ".gopls"), []string{"GOFLAGS=-mod=readonly -ldflags=-s"}, nil,
		"build", "-o", filepath.Join(j.toolDir(), "gopls"), "golang.org/x/tools/gopls")
	t.End(err)
	return err
}

// goRun runs the go command in dir, hands each line of stderr to line (nil: nobody), and returns
// an error that carries the last of them.
func goRun(ctx context.Context, dir string, env []string, line func(string), args ...string) error {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	r, w := io.Pipe()
	c.Stderr = w
	var tail []string
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(r); s.Scan(); {
			if line != nil {
				line(s.Text())
			}
			if l := s.Text(); strings.Contains(l, " ") && !strings.HasPrefix(l, "go: downloading") {
				tail = append(tail, l) // an error, not a package that was compiled
			}
		}
		io.Copy(io.Discard, r)
	}()
	err := c.Run()
	w.Close()
	<-read
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, strings.Join(tail[max(0, len(tail)-15):], "\n"))
	}
	return nil
}

func goOutput(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
