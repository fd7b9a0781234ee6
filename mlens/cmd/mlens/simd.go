package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mlens-go/microlens/mlens/cache"
	"github.com/mlens-go/microlens/mlens/jupyter"
)

// rebuilt marks the environment of a program that ensureSIMD started.
const rebuilt = "MLENS_REBUILT"

// ensureSIMD makes sure that this command runs with the SIMD code paths, which the compiler has
// only under GOEXPERIMENT=simd; `go tool` builds without. Matrix products are twenty times slower
// without them, draws several times. If they are missing, it builds the same command with them into
// the cache, unless it is there, and becomes that program, with the same arguments. It does nothing
// where there is no such code (other processors); when the build fails, it warns and work goes on
// slowly.
//
// Call it in the RunE of a command that trains or draws, after its flags are checked and before it
// reads anything (the program starts anew, and its input may be a pipe).
func ensureSIMD(ctx context.Context) error {
	if haveSIMD || runtime.GOARCH != "amd64" || os.Getenv(rebuilt) != "" {
		return nil
	}
	program, err := programSIMD(ctx, buildTags()...)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		err = become(program)
	}
	fmt.Fprintf(os.Stderr, "mlens: going on without SIMD, slowly: %v\n", err)
	return nil
}

// become goes on as another program with the same arguments.
func become(program string, env ...string) error {
	env = append(append(os.Environ(), rebuilt+"=1"), env...)
	return syscall.Exec(program, append([]string{program}, os.Args[1:]...), env)
}

// programSIMD returns the path of this command with SIMD and the build tags given, which it builds
// if it is not in the cache.
func programSIMD(ctx context.Context, tags ...string) (string, error) {
	dir, err := cache.Dir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "bin")
	name, err := nameSIMD(tags...)
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, name)
	if info, err := os.Stat(program); err == nil && info.Mode().IsRegular() {
		now := time.Now()
		os.Chtimes(program, now, now) // tidySIMD keeps what was used last
		return program, nil
	}
	root, err := jupyter.Root(".")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if err := buildSIMD(ctx, root, program, tags); err != nil {
		return "", err
	}
	tidySIMD(dir)
	return program, nil
}

// prefixSIMD begins the names of the programs in the cache, and of nothing else there.
const prefixSIMD = "mlens-simd-"

// nameSIMD names the program after its tags and the bytes of the one that runs: they change with the
// sources, the flags and the Go release that it was built from.
func nameSIMD(tags ...string) (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	fmt.Fprintln(h, tags)
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%x", prefixSIMD, h.Sum(nil)[:8]), nil
}

// buildSIMD builds this command with GOEXPERIMENT=simd. It does so in a folder of its own and then
// renames: of programs that are built at once, each is whole.
func buildSIMD(ctx context.Context, root, program string, tags []string) error {
	what := strings.Join(append([]string{"SIMD"}, tags...), " and ")
	fmt.Fprintf(os.Stderr, "mlens: building with %s (up to a minute, once) …\n", what)
	tmp, err := os.MkdirTemp(filepath.Dir(program), prefixSIMD+"build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	built := filepath.Join(tmp, "mlens")
	args := []string{"build", "-o", built, "-tags=" + strings.Join(tags, ",")}
	c := exec.CommandContext(ctx, "go", append(args, "./mlens/cmd/mlens")...)
	c.Dir = root
	experiment := "simd"
	if e := os.Getenv("GOEXPERIMENT"); e != "" {
		experiment = e + ",simd"
	}
	c.Env = append(os.Environ(), "GOEXPERIMENT="+experiment)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.Rename(built, program)
}

// buildTags are those of the program that runs.
func buildTags() []string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-tags" && s.Value != "" {
				return strings.Split(s.Value, ",")
			}
		}
	}
	return nil
}

// tidySIMD removes programs of older sources, and what killed builds have left. A few stay: checkouts
// may take turns. What cannot be removed does no harm.
func tidySIMD(dir string) {
	const keep = 4
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var programs []os.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err != nil || !strings.HasPrefix(e.Name(), prefixSIMD):
		case e.IsDir():
			if time.Since(info.ModTime()) > time.Hour { // no build takes as long
				os.RemoveAll(filepath.Join(dir, e.Name()))
			}
		default:
			programs = append(programs, info)
		}
	}
	slices.SortFunc(programs, func(a, b os.FileInfo) int { return cmp.Compare(b.ModTime().UnixNano(), a.ModTime().UnixNano()) })
	for _, p := range programs[min(keep, len(programs)):] {
		os.Remove(filepath.Join(dir, p.Name()))
	}
}
