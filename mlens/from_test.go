package mlens

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/flow"
)

// A training that goes on from a model begins with its weights, sees other light
// curves, and says where it comes from; its folder is one of its own.
func TestTrainFrom(t *testing.T) {
	first := trained(t)
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(testDirs[0], "banks"), filepath.Join(dir, "banks")); err != nil {
		t.Skip(err)
	}
	cfg := tiny()
	cfg.Curves, cfg.From, cfg.LearningRate = 320, first.WeightsSHA256, 1e-9
	if _, err := Train(context.Background(), cfg, Run{Dir: dir}); err == nil || !strings.Contains(err.Error(), "Run.From") {
		t.Errorf("without the model to start from: %v", err)
	}
	var last flow.Progress
	second, err := Train(context.Background(), cfg, Run{Dir: dir, From: first, Training: func(p flow.Progress) { last = p }})
	if err != nil {
		t.Fatal(err)
	}
	// At hardly any learning rate it stays where it was.
	if d := second.Record.ValidNLL - first.Record.ValidNLL; !(d < 0.01 && d > -0.01) {
		t.Errorf("validation NLL %.3f, of the model it started from %.3f", second.Record.ValidNLL, first.Record.ValidNLL)
	}
	if d := last.Valid - second.Record.ValidNLL; !(d < 1e-3 && d > -1e-3) {
		t.Errorf("the training reports a validation NLL of %.4f, the model has %.4f", last.Valid, second.Record.ValidNLL)
	}
	r := second.Record
	if len(r.Earlier) != 1 || r.Earlier[0].WeightsSHA256 != first.WeightsSHA256 || len(r.Earlier[0].Curve) == 0 {
		t.Errorf("earlier trainings: %+v", r.Earlier)
	}
	if want := first.Record.CurvesSeen + 320; r.TotalCurves != want || r.CurvesSeen != 320 {
		t.Errorf("%d light curves seen, %d in all, want 320 and %d", r.CurvesSeen, r.TotalCurves, want)
	}
	if second.Targets != first.Targets || second.Scaler != first.Scaler {
		t.Error("the targets are scaled otherwise than before")
	}
	if cfg.Hash() == tiny().Hash() {
		t.Error("the configuration has the hash of another start")
	}
	again, err := Load(second.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Record.Earlier) != 1 {
		t.Error("the manifest forgets the earlier training")
	}
	whole, err := again.WholeHistory()
	if err != nil {
		t.Fatal(err)
	}
	if end := whole[len(whole)-1]; end.Seen != r.TotalCurves {
		t.Errorf("the whole history ends at %d light curves, want %d", end.Seen, r.TotalCurves)
	}
	if begin := whole[0]; begin.Seen != r.Earlier[0].Curve[0].Seen || begin.Valid != r.Earlier[0].Curve[0].Valid {
		t.Errorf("the whole history begins with %+v", begin)
	}
	cfg.Network.Hidden++
	if _, err := Train(context.Background(), cfg, Run{Dir: dir, From: first}); err == nil || !strings.Contains(err.Error(), "another network") {
		t.Errorf("a model of another network to start from: %v", err)
	}
}

// All networks take the same features.
func TestNetworks(t *testing.T) {
	for name, net := range map[string]flow.Config{"small": Small(), "paper": Paper(), "roman": Roman()} {
		if err := checkNetwork(net); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for want, change := range map[string]func(*flow.Config){
		"1 branches": func(c *flow.Config) { c.Branches = c.Branches[:1] },
		"branch 1":   func(c *flow.Config) { c.Branches[1].Length++ },
		"15 scalars": func(c *flow.Config) { c.Scalars = 15; c.Channels = 3 },
	} {
		c := Roman()
		change(&c)
		if err := checkNetwork(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}
