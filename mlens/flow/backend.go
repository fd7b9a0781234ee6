package flow

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/support/exceptions"
)

// A Backend tells what computed a training. Backends of two kinds, and two versions of one, round
// otherwise, so that a training ends in other weights.
type Backend struct {
	Kind        string // "go", "xla", …
	Description string // what the backend says of itself, without the folders of files
	// Go is the release of Go, with its experiments (simd), that the program was built with, and
	// Modules the versions of the graph library's modules in it, where the program knows them.
	Go      string
	Modules map[string]string `json:",omitempty"`
}

// BackendKind returns the kind of the backend that [TrainOptions].Backend names: the word before a
// colon, in the environment's GOMLX_BACKEND if spec is empty, and "go" if that is empty too.
func BackendKind(spec string) string {
	if spec == "" {
		spec = os.Getenv("GOMLX_BACKEND")
	}
	kind, _, _ := strings.Cut(spec, ":")
	if kind == "" {
		kind = gobackend.BackendName
	}
	return kind
}

// folder is what stands before the name of a file.
var folder = regexp.MustCompile(`/\S*/`)

// describe tells what b is, which was opened as spec.
func describe(b compute.Backend, spec string) Backend {
	d := Backend{Kind: BackendKind(spec), Description: folder.ReplaceAllString(b.Description(), ""), Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return d
	}
	for _, m := range info.Deps {
		if strings.HasPrefix(m.Path, "github.com/gomlx/") {
			if d.Modules == nil {
				d.Modules = map[string]string{}
			}
			if m.Replace != nil {
				m = m.Replace
			}
			d.Modules[m.Path] = m.Version
		}
	}
	return d
}

// openBackend opens the backend that spec names ("go", "xla:/path/to/plugin.so", …; empty: the
// environment's GOMLX_BACKEND, or else the Go backend). Only the Go backend is linked by this
// package; a program that wants another imports it.
//
// The Go backend is opened so that a graph runs in the goroutine that executes it: parallelism
// comes from running several graphs at once. (Its own parallel modes lose time waiting, and one of
// them, the default, can deadlock.)
func openBackend(spec string) (compute.Backend, error) {
	if spec == "" {
		spec = os.Getenv("GOMLX_BACKEND")
	}
	if spec == "" || spec == gobackend.BackendName {
		spec = gobackend.BackendName + ":ops_sequential"
	}
	var b compute.Backend
	err := catch(func() (err error) {
		b, err = compute.NewWithConfig(spec)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("flow: backend %q cannot be opened: %w", spec, err)
	}
	if isGo(b) {
		inlineWorkers(b)
	}
	return b, nil
}

// isGo says whether b is the pure-Go backend.
func isGo(b compute.Backend) bool { return b.String() == gobackend.BackendName }

// inlineWorkers tells the Go backend's matrix products not to start goroutines. The option for it,
// "parallelism=0", prints a line to the standard output, so its exported setter is called instead;
// should a later version lack it, products are merely slower.
func inlineWorkers(b compute.Backend) {
	v := reflect.Indirect(reflect.ValueOf(b))
	if v.Kind() != reflect.Struct {
		return
	}
	workers := v.FieldByName("Workers")
	if !workers.IsValid() || !workers.CanInterface() {
		return
	}
	if w, ok := workers.Interface().(interface{ SetMaxParallelism(int) }); ok {
		w.SetMaxParallelism(0)
	}
}

// catch runs f and turns a panic of the graph library into an error.
func catch(f func() error) error {
	var err error
	if p := exceptions.TryCatch[error](func() { err = f() }); p != nil {
		return p
	}
	return err
}
