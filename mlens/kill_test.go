package mlens

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/mlens-go/microlens/mlens/bank"
)

// A training killed while it starts, simulates, trains and saves, at random times, keeps what it had
// saved and ends in the weights of one that ran through, bit for bit.
func TestTrainKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	whole := trained(t)
	dir := t.TempDir()
	cfg := tiny().withDefaults()
	banks := filepath.Join(dir, "banks", cfg.Bank.Hash())
	run := filepath.Join(dir, "runs", cfg.Hash())
	model := filepath.Join(run, "model")

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	simulations, step := 0, 0
	for _, stage := range []struct {
		name, file string        // killed after the file was written,
		within     time.Duration // at most so much later
	}{
		{"at the start", "", 500 * time.Millisecond},
		{"simulating", filepath.Join(banks, "manifest.json"), 300 * time.Millisecond},
		{"training", filepath.Join(run, "state", "checkpoint.safetensors"), time.Second},
		{"saving", filepath.Join(model, weightsName), 2 * time.Millisecond},
		{"not at all", "", 0},
	} {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "MLENS_TEST_TRAIN="+dir)
		c.Stderr = os.Stderr
		started := time.Now()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		if stage.within > 0 {
			for stage.file != "" && time.Since(started) < time.Minute {
				if i, err := os.Stat(stage.file); err == nil && i.ModTime().After(started) {
					break
				}
				time.Sleep(100 * time.Microsecond)
			}
			time.Sleep(time.Duration(r.Int64N(int64(stage.within))))
			c.Process.Kill()
		}
		err := <-ended
		if stage.within == 0 && err != nil {
			t.Fatalf("left alone: %v", err)
		}

		// What was saved is whole, and no less than before.
		b, err := bank.Open(banks)
		switch {
		case err == nil:
			if err := b.Verify(); err != nil {
				t.Fatalf("killed %s: %v", stage.name, err)
			}
			if len(b.Records) < simulations {
				t.Fatalf("killed %s: %d of %d saved simulations are left", stage.name, len(b.Records), simulations)
			}
			simulations = len(b.Records)
			b.Close()
		case !errors.Is(err, fs.ErrNotExist) || simulations > 0:
			t.Fatalf("killed %s: %v", stage.name, err)
		}
		history, err := readHistory(filepath.Join(run, "state", historyName), 1)
		switch {
		case err == nil && len(history) > 0:
			if last := history[len(history)-1].Step; last < step {
				t.Fatalf("killed %s: step %d was saved, the last one left is %d", stage.name, step, last)
			} else {
				step = last
			}
		case err != nil && !errors.Is(err, fs.ErrNotExist) || step > 0:
			t.Fatalf("killed %s: the history of %d steps: %v", stage.name, step, err)
		}
		t.Logf("killed %s: %d simulations, %d steps saved", stage.name, simulations, step)
	}
	got, err := Load(model)
	if err != nil {
		t.Fatal(err)
	}
	if got.WeightsSHA256 != whole.WeightsSHA256 {
		t.Error("the killed training ended in other weights")
	}
	for _, d := range []string{banks, filepath.Join(run, "state"), model} {
		entries, err := os.ReadDir(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name()[0] == '.' {
				t.Errorf("%s is left over in %s", e.Name(), d)
			}
		}
	}
}
