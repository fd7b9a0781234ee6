package nb

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlens-go/microlens/mlens/cache"
)

// An engine is mlens/nb/explore, compiled for a web page.
type engine struct {
	Key  string // names its version
	Wasm string // the program: gzip, base64
	Glue string // wasm_exec.js of the Go release that compiled it
}

const enginePackage = "./mlens/nb/explore"

// The same sources give the same bytes everywhere, without the names of folders or the commit.
var engineFlags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w"}

// buildEngine returns the engine of the checkout at root. It is compiled once for each state of
// its sources and kept in the cache folder.
func buildEngine(ctx context.Context, root string) (engine, error) {
	out, err := wasmGo(ctx, root, "env", "GOVERSION", "GOROOT")
	if err != nil {
		return engine{}, err
	}
	version, goroot, _ := strings.Cut(strings.TrimSpace(out), "\n")
	files, err := wasmGo(ctx, root, "list", "-deps", "-f",
		`{{if not .Standard}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}`, enginePackage)
	if err != nil {
		return engine{}, err
	}
	h := sha256.New()
	fmt.Fprintln(h, version, engineFlags)
	for f := range strings.Lines(files) {
		b, err := os.ReadFile(strings.TrimSpace(f))
		if err != nil {
			return engine{}, err
		}
		fmt.Fprintln(h, filepath.Base(f), len(b))
		h.Write(b)
	}
	e := engine{Key: fmt.Sprintf("%.8x", h.Sum(nil))}
	var kept string
	if dir, err := cache.Dir(); err == nil {
		kept = filepath.Join(dir, "explore-"+e.Key+".json")
		if b, err := os.ReadFile(kept); err == nil && json.Unmarshal(b, &e) == nil {
			return e, nil
		}
	}
	if e.Wasm, err = compileEngine(ctx, root); err != nil {
		return engine{}, err
	}
	// Some systems keep Go's libraries apart: misc/wasm was the place before Go 1.24.
	glue, err := os.ReadFile(filepath.Join(goroot, "lib", "wasm", "wasm_exec.js"))
	if errors.Is(err, fs.ErrNotExist) {
		glue, err = os.ReadFile(filepath.Join(goroot, "misc", "wasm", "wasm_exec.js"))
	}
	if err != nil {
		return engine{}, err
	}
	e.Glue = string(glue)
	if kept != "" {
		if b, err := json.Marshal(e); err == nil {
			writeFile(kept, b) // a cache that cannot be written costs time, no more
		}
	}
	return e, nil
}

func compileEngine(ctx context.Context, root string) (string, error) {
	tmp, err := os.MkdirTemp("", "mlens-explore-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, "explore.wasm")
	if _, err := wasmGo(ctx, root, slices.Concat([]string{"build", "-o", out}, engineFlags, []string{enginePackage})...); err != nil {
		return "", err
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return "", err
	}
	var z bytes.Buffer
	w, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
	w.Write(b) // to memory: cannot fail
	w.Close()
	return base64.StdEncoding.EncodeToString(z.Bytes()), nil
}

// wasmGo runs the go command in the checkout for the browser: the settings that cells are built
// with (flags, SIMD, their go.work) are not those of the engine.
func wasmGo(ctx context.Context, root string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = root
	c.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOWASM=", "GOFLAGS=-mod=readonly", "GOEXPERIMENT=nosimd", "GOWORK=off")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("the engine of the panel: go %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
