package bank

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Parts made side by side in one folder, one of them interrupted, and parts
// copied together from several folders end in the bank that is made at once.
func TestParts(t *testing.T) {
	cfg := coarse(1500) // 8 shards
	whole := folder(t)
	b, err := Simulate(context.Background(), cfg, whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	want := contents(t, whole)
	merge := func(dir string) {
		t.Helper()
		b, err := Simulate(context.Background(), cfg, dir, func(p Progress) {
			if p.Done != cfg.N {
				t.Errorf("merging, %d of %d were there", p.Done, p.Total)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
		same(t, want, contents(t, dir))
	}

	together := folder(t)
	ctx, cancel := context.WithCancel(context.Background())
	err = SimulatePart(ctx, cfg, together, Part{1, 3}, func(p Progress) {
		if p.Done > 0 {
			cancel()
		}
		if p.Total != 600 { // shards 0, 3 and 6
			t.Errorf("part 1 of 3 has %d simulations", p.Total)
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := Open(together); err == nil || !strings.Contains(err.Error(), "no training set") {
		t.Errorf("a part is opened as a bank: %v", err)
	}
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			if err := SimulatePart(context.Background(), cfg, together, Part{i + 1, 3}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	merge(together)

	copied := folder(t)
	for i := range 2 {
		dir := folder(t)
		if err := SimulatePart(context.Background(), cfg, dir, Part{i + 1, 2}, nil); err != nil {
			t.Fatal(err)
		}
		for name, data := range contents(t, dir) {
			if err := os.WriteFile(filepath.Join(copied, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	merge(copied)

	// A bank with a gap is opened up to it, and the gap is filled.
	gap := folder(t)
	if err := SimulatePart(context.Background(), cfg, gap, Part{1, 2}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	if _, err := Simulate(ctx, cfg, gap, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	b, err = Open(gap)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Records) != shardSize {
		t.Errorf("%d simulations before the gap", len(b.Records))
	}
	b.Close()
	if b, err = Simulate(context.Background(), cfg, gap, nil); err != nil {
		t.Fatal(err)
	}
	b.Close()
	same(t, want, contents(t, gap))
}

// A bank takes over what smaller and larger ones beside it have, but for damaged shards, and ends in
// the same bits.
func TestGrow(t *testing.T) {
	dir := t.TempDir()
	simulate := func(n int, name string) (first Progress, files map[string][]byte) {
		t.Helper()
		told := false
		b, err := Simulate(context.Background(), coarse(n), filepath.Join(dir, name), func(p Progress) {
			if !told {
				first, told = p, true
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
		return first, contents(t, filepath.Join(dir, name))
	}
	simulate(500, "small") // shards of 200, the last one of 100
	damaged := filepath.Join(dir, "small", shardFile(0))
	data, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1]++
	if err := os.WriteFile(damaged, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ n, taken int }{{900, 200}, {700, 600}} {
		first, got := simulate(c.n, strconv.Itoa(c.n))
		if first.Done != c.taken {
			t.Errorf("%d simulations: %d were taken over, not %d", c.n, first.Done, c.taken)
		}
		alone := folder(t)
		b, err := Simulate(context.Background(), coarse(c.n), alone, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
		same(t, contents(t, alone), got)
	}
}

func TestPartsRefuse(t *testing.T) {
	cfg := coarse(300)
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
	part := func(cfg Config, dir string, i, of int) error {
		return SimulatePart(context.Background(), cfg, dir, Part{i, of}, nil)
	}
	expect("part 0", part(cfg, folder(t), 0, 2), "0 of 2")
	expect("part 3 of 2", part(cfg, folder(t), 3, 2), "3 of 2")

	dir := folder(t)
	if err := part(cfg, dir, 1, 2); err != nil {
		t.Fatal(err)
	}
	expect("another configuration", part(coarse(301), dir, 2, 2), "manifest-1-of-2.json", "another configuration")

	name := filepath.Join(dir, "manifest-1-of-2.json")
	m, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, sum, _ := strings.Cut(string(m), `"SHA256": "`)
	other := strings.Replace(string(m), sum[:8], "00000000", 1)
	if err := os.WriteFile(filepath.Join(dir, "manifest-1-of-3.json"), []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Simulate(context.Background(), cfg, dir, nil)
	expect("two versions of a shard", err, "do not agree", "shard-000000.bin")
	os.Remove(filepath.Join(dir, "manifest-1-of-3.json"))

	os.Remove(filepath.Join(dir, "shard-000000.bin"))
	_, err = Simulate(context.Background(), cfg, dir, nil)
	expect("a shard that was not copied", err, "manifest-1-of-2.json", "copy it there")
}
