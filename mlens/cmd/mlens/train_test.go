package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens"
	"github.com/mlens-go/microlens/mlens/flow"
)

// tiny is a network of a few thousand weights.
func tiny() flow.Config {
	net := mlens.Small()
	net.Patch, net.Dims, net.Pool = 72, []int{16}, nil
	net.Context, net.Blocks, net.Hidden, net.Mixture = 16, 3, 16, 2
	return net
}

func TestTrain(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	networks["tiny"] = tiny
	defer delete(networks, "tiny")
	dir, model := t.TempDir(), filepath.Join(t.TempDir(), "my", "model")
	args := []string{"train", "-network", "tiny", "-sims", "700", "-cut", "0.009", "-curves", "64", "-batch", "16", "-judge", "3", "-dir", dir}
	out := mustRun(t, append(args, "-out", model)...)
	for _, want := range []string{"NLL, standardised: training", "\n3 held-out events: NLL", "\nmodel: " + model + "\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q does not say %q", out, want)
		}
	}
	if got, want := names(t, model), []string{"history.csv", "judgement.json", "model.json", "weights.safetensors"}; !slices.Equal(got, want) {
		t.Errorf("the model's files are %q", got)
	}
	e, err := mlens.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	if e.Record.CurvesSeen != 64 || e.Record.Simulations != 700 || e.Training.Cut != 0.009 {
		t.Errorf("the model's record is %+v", e.Record)
	}
	// Trained, it is found again; nothing is written but the copy that is asked for.
	files := modTimes(t, dir)
	again := mustRun(t, args...)
	_, where, _ := strings.Cut(again, "\nmodel: ")
	where = strings.TrimSpace(where)
	if !strings.HasPrefix(where, filepath.Join(dir, "runs")) {
		t.Errorf("the second time it prints %q", again)
	}
	if found, err := mlens.Load(where); err != nil || found.WeightsSHA256 != e.WeightsSHA256 {
		t.Errorf("the model in %s: %v", where, err)
	}
	if now := modTimes(t, dir); !maps.Equal(now, files) {
		t.Errorf("a finished training was written again: %v, %v", files, now)
	}
	// Where no copy can be made, the error says where the model is.
	blocked := t.TempDir()
	if err := os.MkdirAll(filepath.Join(blocked, "weights.safetensors", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	refused(t, "trained and lies in "+where+", but|-out "+blocked, append(args, "-out", blocked)...)
	// It can be trained on from there.
	on := mustRun(t, append(args, "-from", model, "-lr", "1e-4")...)
	_, where, _ = strings.Cut(on, "\nmodel: ")
	if further, err := mlens.Load(strings.TrimSpace(where)); err != nil || further.Record.TotalCurves != 128 || further.Training.From != e.WeightsSHA256 {
		t.Errorf("trained on, it prints %q; %v", on, err)
	}
}

func TestTrainRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	t.Setenv("MLENS_CACHE", dir)
	t.Setenv(rebuilt, "") // nothing is built, though it could be
	for flag, words := range map[string]string{
		"-backend=tpu":   `-backend is "tpu"|go or xla`,
		"-network=huge":  `-network is "huge"|small, paper or roman`,
		"-sims=0":        "-sims is 0",
		"-curves=0":      "-curves is 0|one batch of 128",
		"-curves=100":    "-curves is 100",
		"-batch=0":       "-batch is 0",
		"-batch=-3":      "-batch is -3",
		"-lr=0":          "-lr is 0",
		"-lr=nan":        "-lr is NaN",
		"-lr=2":          "learning rate is 2",
		"-cut=0":         `-cut is "0"|paper, literal`,
		"-out=main.go":   "-out is main.go|a file: name a folder",
		"-out=main.go/m": "-out is main.go/m|main.go is a file",
		"-cut=1e-3":      "cut|> 0.001|0.008",
		"-irregular=1.5": "irregular|1.5",
		"-judge=-1":      "-judge is -1",
		"-from=nowhere":  "no model in nowhere",
		"-curves=many":   `"many"|--help`,
	} {
		refused(t, words, "train", flag, "-dir", dir)
	}
	if left := names(t, dir); left != nil {
		t.Errorf("left are %q", left)
	}
}
