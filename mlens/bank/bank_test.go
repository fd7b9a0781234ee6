package bank

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
)

// coarse is a bank whose curves have a tenth of the usual epochs.
func coarse(n int) Config {
	return Config{N: n, Seed: 7, Cadence: event.Cadence{Step: 0.1, N: 1440}}
}

// contents returns the files of a folder.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = b
	}
	return out
}

func same(t *testing.T, a, b map[string][]byte) {
	t.Helper()
	if len(a) != len(b) {
		t.Errorf("%d files and %d", len(a), len(b))
	}
	for name, x := range a {
		if !bytes.Equal(x, b[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

// folder is an empty one with no other bank beside it.
func folder(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "bank")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBitsDoNotDependOnWorkers(t *testing.T) {
	var dirs []string
	for _, procs := range []int{1, 4} {
		old := runtime.GOMAXPROCS(procs)
		dir := folder(t)
		b, err := Simulate(context.Background(), coarse(700), dir, nil)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
		dirs = append(dirs, dir)
	}
	same(t, contents(t, dirs[0]), contents(t, dirs[1]))
}

// TestMain runs a simulation instead of the tests when the kill test asks.
func TestMain(m *testing.M) {
	shardSize = 200
	if dir := os.Getenv("BANK_TEST_DIR"); dir != "" {
		if _, err := Simulate(context.Background(), coarse(2200), dir, nil); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A simulation killed again and again, at random times, ends in the same files
// and never loses a shard that it had saved.
func TestKilledAndResumed(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	whole := folder(t)
	started := time.Now()
	b, err := Simulate(context.Background(), coarse(2200), whole, nil)
	took := time.Since(started)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()

	dir := folder(t)
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	saved, kills := 0, 0
	for tries := 0; ; tries++ {
		if tries > 100 {
			t.Fatal("no end after 100 runs")
		}
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "BANK_TEST_DIR="+dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// Long enough, sooner or later, for a shard on a machine of any speed.
		limit := took / 2 * time.Duration(4+tries) / 4
		timer := time.AfterFunc(time.Duration(r.Int64N(int64(limit))), func() { c.Process.Kill() })
		err := c.Wait()
		timer.Stop()
		done := 0
		if m, err := readManifest(dir, manifestName); err == nil {
			for _, s := range m.Shards {
				done += s.N
			}
			if len(m.Shards) > 0 {
				b, err := Open(dir)
				if err != nil {
					t.Fatalf("after a kill: %v", err)
				}
				if err := b.Verify(); err != nil {
					t.Fatal(err)
				}
				b.Close()
			}
		} else if !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if done < saved {
			t.Fatalf("%d simulations were saved, %d are left", saved, done)
		}
		saved = done
		if err == nil {
			break
		}
		kills++
	}
	t.Logf("%d kills", kills)
	same(t, contents(t, whole), contents(t, dir)) // nothing under a temporary name is left either
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	dir := folder(t)
	_, err := Simulate(ctx, coarse(5000), dir, func(p Progress) {
		if p.Done >= 500 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if m, err := readManifest(dir, manifestName); err != nil || len(m.Shards) == 0 {
		t.Errorf("nothing saved: %v", err)
	}
}

func TestDamage(t *testing.T) {
	dir := folder(t)
	b, err := Simulate(context.Background(), coarse(600), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	path := filepath.Join(dir, "shard-000001.bin")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(what string, err error, words ...string) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: no error", what)
			return
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", what, err, w)
			}
		}
	}
	os.WriteFile(path, good[:len(good)-4], 0o644)
	_, err = Open(dir)
	expect("cut short", err, "shard-000001.bin", "bytes instead of", "simulate again")

	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1
	os.WriteFile(path, bad, 0o644)
	if b, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	expect("one bit", b.Verify(), "shard-000001.bin", "damaged", "checksum")
	b.Close()
	os.WriteFile(path, good, 0o644)

	_, err = Simulate(context.Background(), coarse(601), dir, nil)
	expect("other configuration", err, "another configuration")
	os.WriteFile(filepath.Join(dir, manifestName), []byte("{"), 0o644)
	_, err = Open(dir)
	expect("manifest", err, manifestName, "damaged")
	_, err = Open(folder(t))
	expect("empty folder", err, "no training set")
	_, err = Simulate(context.Background(), Config{}, folder(t), nil)
	expect("no simulations", err, "N = 0")
}

func TestSelect(t *testing.T) {
	b, err := Simulate(context.Background(), coarse(1000), folder(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	n := 0
	seen := map[int]bool{}
	for _, s := range []Split{Train, Validate, Test} {
		chosen, err := b.Select(s, CutPaper)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range chosen {
			if seen[i] {
				t.Fatalf("simulation %d is in two splits", i)
			}
			seen[i] = true
		}
		n += len(chosen)
	}
	if got := b.Fraction(CutPaper); math.Abs(got-float64(n)/1000) > 1e-12 || got < 0.2 || got > 0.4 {
		t.Errorf("fraction %v, %d chosen", got, n)
	}
	if _, err := b.Select(Train, 1e-6); err == nil || !strings.Contains(err.Error(), "Keep") {
		t.Errorf("a cut below Keep: %v", err)
	}
}

// Realised light curves are the exact simulator's, with the noise that they
// claim, whichever way they were drawn.
func TestRealise(t *testing.T) {
	cfg := Config{N: 60, Seed: 3}
	b, err := Simulate(context.Background(), cfg, folder(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	season := event.Season()
	var real, again Realisation
	for i, rec := range b.Records {
		if rec.Chi2 <= CutPaper {
			continue
		}
		for try := range uint64(4) {
			o := Observing{Irregular: float64(try % 2)}
			if err := b.Realise(&real, i, o, rand.New(rand.NewPCG(try, uint64(i)))); err != nil {
				t.Fatal(err)
			}
			if err := b.Realise(&again, i, o, rand.New(rand.NewPCG(try, uint64(i)))); err != nil {
				t.Fatal(err)
			}
			if real.Theta != again.Theta || real.Flux[100] != again.Flux[100] {
				t.Fatal("the same randomness gave another light curve")
			}
			if err := b.Config.Prior.Check(real.Theta); err != nil {
				t.Fatalf("simulation %d: %v", i, err)
			}
			a, err := real.Theta.Params().Magnification(nil, season.Times(), lens.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var chi2, n float64
			for k, w := range real.Weight {
				if w == 0 {
					continue
				}
				// A bin holds points up to half a step away: compare where the
				// curve is smooth.
				if k > 0 && k+1 < len(a) && math.Abs(a[k+1]-a[k-1]) > 0.02*a[k] {
					continue
				}
				g := real.SN * real.SN * (1 + real.Theta[event.Fs]*(a[k]-1))
				d := real.Flux[k] - g
				points := math.Round(w * g)
				chi2 += d * d / g * points
				n++
			}
			if n > 300 && math.Abs(chi2/n-1) > 0.25 {
				t.Errorf("simulation %d, try %d: χ²/n = %.3f over %v bins", i, try, chi2/n, n)
			}
		}
	}
}
