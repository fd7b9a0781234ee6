package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/mlens-go/microlens/mlens/cache"
	"github.com/mlens-go/microlens/mlens/jupyter"
)

// rebuilt marks the environment of a program that ensureSIMD started.
const rebuilt = "MLENS_REBUILT"

// ensureSIMD makes sure that this command runs with the SIMD code paths, twenty times faster in
// matrix products: the compiler has them only under GOEXPERIMENT=simd, and `go tool` builds
// without. If they are missing, it builds the same command with them into the cache and becomes
// that program, with the same arguments. It does nothing where there is no such code (other
// processors); when the build fails, it warns and work goes on slowly.
//
// Call it first thing in the RunE of a command that trains.
func ensureSIMD(ctx context.Context) error {
	if haveSIMD || runtime.GOARCH != "amd64" || os.Getenv(rebuilt) != "" {
		return nil
	}
	program, err := buildSIMD(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		err = syscall.Exec(program, append([]string{program}, os.Args[1:]...), append(os.Environ(), rebuilt+"=1"))
	}
	fmt.Fprintf(os.Stderr, "mlens: going on without SIMD, slowly: %v\n", err)
	return nil
}

// buildSIMD builds this command with GOEXPERIMENT=simd. Go's build cache makes all but the first
// time a matter of a second.
func buildSIMD(ctx context.Context) (string, error) {
	root, err := jupyter.Root(".")
	if err != nil {
		return "", err
	}
	dir, err := cache.Dir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "bin")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	slow := time.AfterFunc(time.Second, func() {
		fmt.Fprintln(os.Stderr, "mlens: building with SIMD (about a minute, once) …")
	})
	defer slow.Stop()
	program := filepath.Join(dir, "mlens-simd")
	args := []string{"build", "-o", program}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-tags" {
				args = append(args, "-tags="+s.Value) // such as xla
			}
		}
	}
	c := exec.CommandContext(ctx, "go", append(args, "./mlens/cmd/mlens")...)
	c.Dir = root
	experiment := "simd"
	if e := os.Getenv("GOEXPERIMENT"); e != "" {
		experiment = e + ",simd"
	}
	c.Env = append(os.Environ(), "GOEXPERIMENT="+experiment)
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
}
