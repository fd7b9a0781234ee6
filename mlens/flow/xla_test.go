//go:build xla

package flow

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/cache"
	"github.com/mlens-go/microlens/mlens/internal/pjrt"
)

// xlaBackend makes the environment in which XLA runs, and returns the backend's name.
func xlaBackend(t testing.TB) string {
	t.Helper()
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	env, err := pjrt.Environment(t.Context(), dir, func(what string) { t.Log(what) })
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	return os.Getenv("GOMLX_BACKEND")
}

// firstStep is the loss of a batch and its gradient by each weight.
func firstStep(t *testing.T, backend string, m *Model, b *Batch) (loss float32, gradient [][]float32) {
	t.Helper()
	be, err := openBackend(backend)
	if err != nil {
		t.Fatal(err)
	}
	defer be.Finalize()
	p, err := newGradient(be, m.Config, 60)
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.tensors(m.weights)
	if err != nil {
		t.Fatal(err)
	}
	defer free(w)
	gradient = zerosLike(m.weights)
	sum := make([]float32, 1)
	if err := p.run(w, b, 0, b.N, true, func(k int) []float32 {
		if k == 0 {
			return sum
		}
		return gradient[k-1]
	}); err != nil {
		t.Fatal(err)
	}
	return sum[0], gradient
}

// The same weights and data give the same loss and gradients through XLA, which has kernels of its
// own for convolutions, poolings and recurrent layers, as in pure Go. Later steps cannot be compared:
// rounding makes any two trainings part.
func TestXLAFirstStep(t *testing.T) {
	backend := xlaBackend(t)
	small := Small(320, 3, 1)
	small.Dims, small.Pool = []int{12, 16, 16}, []bool{false, true, false}
	small.Context, small.Blocks, small.Hidden = 24, 2, 24
	paper := Paper(64, 2, 1)
	paper.Dims, paper.Pool = []int{8, 12, 16}, []bool{false, true, true}
	paper.Context, paper.Blocks, paper.Hidden = 20, 2, 24
	for name, c := range map[string]Config{"small": small, "paper": paper, "angle and branches": branched()} {
		m, b := randomModel(c, 3), randomBatch(c, 6, 4)
		want, slopes := firstStep(t, "go", m, b)
		got, slopesXLA := firstStep(t, backend, m, b)
		if d := math.Abs(float64(got/want) - 1); !(d < 1e-5) {
			t.Errorf("%s: the loss is %v through XLA and %v in Go", name, got, want)
		}
		worst, at := 0.0, ""
		for i, p := range m.params {
			size := 0.0
			for _, v := range slopes[i] {
				size = max(size, math.Abs(float64(v)))
			}
			if size == 0 {
				t.Errorf("%s: %s has no gradient", name, p.name)
			}
			if d := maxDiff(slopes[i], slopesXLA[i]) / size; !(d <= worst) {
				worst, at = d, p.name
			}
		}
		if !(worst < 2e-4) {
			t.Errorf("%s: the gradients by %s differ by %.1e of the largest", name, at, worst)
		}
		t.Logf("%s: losses %v and %v, gradients agree to %.1e", name, got, want, worst)
	}
}

// BenchmarkTrainBackends times steps of 128 examples through the small network in Go and through
// XLA; take it with GOEXPERIMENT=simd.
func BenchmarkTrainBackends(b *testing.B) {
	xla := xlaBackend(b)
	b.Run("go", func(b *testing.B) { benchmarkTrainStep(b, Small(7200, 3, 1), "go") })
	b.Run("xla", func(b *testing.B) { benchmarkTrainStep(b, Small(7200, 3, 1), xla) })
}
