package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/mlens-go/microlens/mlens/cache"
	"github.com/mlens-go/microlens/mlens/internal/pjrt"
)

func checkBackend(name string) error {
	if name != "" && name != "go" && name != "xla" {
		return fmt.Errorf("-backend is %q, but must be go or xla", name)
	}
	return nil
}

// ensureBackend makes sure that this command runs with the backend of that name, go or xla, and
// with SIMD. For XLA it finds or fetches a plugin, builds the command with the tag xla and becomes
// that program; one that has XLA and lacks SIMD only goes on without where it cannot be built. An
// empty name leaves the choice to the environment. The caveats of [ensureSIMD] hold.
func ensureBackend(ctx context.Context, name string) error {
	if name != "xla" {
		if name != "" {
			os.Setenv("GOMLX_BACKEND", name)
		}
		if spec := os.Getenv("GOMLX_BACKEND"); strings.HasPrefix(spec, "xla") && !haveXLA {
			return fmt.Errorf("GOMLX_BACKEND is %q, but this program was built without XLA: use -backend xla, which builds it anew; %s names the plugin", spec, pjrt.Setting)
		}
		return ensureSIMD(ctx)
	}
	if haveXLA && os.Getenv(rebuilt) != "" {
		return nil // the environment was made below
	}
	dir, err := cache.Dir()
	if err != nil {
		return err
	}
	say := func(what string) { fmt.Fprintln(os.Stderr, "mlens: "+what+" …") }
	env, err := pjrt.Environment(ctx, dir, say)
	if err != nil {
		return err
	}
	if !haveXLA || !haveSIMD && runtime.GOARCH == "amd64" {
		err := rebuild(ctx, env)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !haveXLA {
			return err
		}
		fmt.Fprintf(os.Stderr, "mlens: going on without SIMD, slowly: %v\n", err)
	}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		os.Setenv(name, value)
	}
	return nil
}

// rebuild builds this command with XLA and SIMD and becomes it, in an environment with env. It
// returns only if that fails.
func rebuild(ctx context.Context, env []string) error {
	if os.Getenv(rebuilt) != "" {
		return errors.New("this program was built without XLA: build it with -tags xla")
	}
	if err := compiler(ctx); err != nil {
		return err
	}
	tags := buildTags()
	if !slices.Contains(tags, "xla") {
		tags = append(tags, "xla")
	}
	program, err := programSIMD(ctx, tags...)
	if err != nil {
		return err
	}
	return become(program, env...)
}

// compiler says whether there is the C compiler that programs with XLA are linked with.
func compiler(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "env", "CC", "CGO_ENABLED").Output()
	if err != nil {
		return fmt.Errorf("the program must be built anew, but `go env` fails: %w", err)
	}
	f := strings.Split(strings.TrimSpace(string(out)), "\n")
	if cc := strings.Fields(f[0]); len(cc) > 0 {
		if _, err := exec.LookPath(cc[0]); err == nil {
			if len(f) > 1 && f[1] == "0" {
				return errors.New("XLA is linked through cgo, but CGO_ENABLED is 0: set it to 1, or train with -backend go")
			}
			return nil
		}
	}
	return fmt.Errorf("XLA is linked with a C compiler, but %q is not on PATH: install gcc or clang, or train with -backend go", f[0])
}
