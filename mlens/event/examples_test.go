package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "make the example events of data/events anew")

// The example events: the truths of Tables 1–3 at S/N 200, and a planet of our
// own. Table 3's ρ is not listed in the paper; 10⁻³ is ours.
var examples = []struct {
	Name  string
	About string
	Truth Theta
	SN    float64
	Seed  uint64
}{
	{"close-wide", "Table 1: a source crosses behind the central caustic of a planetary lens", tables[0].truth, 200, 1},
	{"resonant", "Table 2: a resonant caustic of an ice giant", tables[1].truth, 200, 2},
	{"binary-planetary", "Table 3: the blunt peak that a planet and a binary star both make (ρ is ours)", tables[2].truth, 200, 3},
	{"roman-planet", "a Saturn beside an M dwarf as Roman may see it", Theta{0.09, -2.8, 220, 0.15, 33, 1.25, -2.8, 0.6}, 120, 4},
}

// The files in data/events are what the simulator makes of their truths.
//
//	go test ./mlens/event -run Examples -update
func TestExamplesAreWhatTheySay(t *testing.T) {
	type entry struct {
		File, About string
		Truth       map[string]float64
		SN          float64
		Seed        uint64
		Cadence     Cadence
		SHA256      string
		License     string
	}
	dir := filepath.Join("..", "..", "data", "events")
	var manifest []entry
	for _, x := range examples {
		r := rand.New(rand.NewPCG(x.Seed, 0))
		lc, err := x.Truth.Params().Simulate(Season().Times(), x.SN, r)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "# %s; simulated, flux in photons\ntime,flux,error\n", x.About)
		for i, f := range lc.Flux {
			fmt.Fprintf(&b, "%.2f,%.2f,%.3f\n", lc.Times[i], f, lc.Err[i])
		}
		e := entry{File: x.Name + ".csv", About: x.About, SN: x.SN, Seed: x.Seed, Cadence: Season(), Truth: map[string]float64{}, License: "BSD-3-Clause"}
		for k, v := range x.Truth {
			e.Truth[Names[k]] = v
		}
		path := filepath.Join(dir, e.File)
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(file)
		e.SHA256 = hex.EncodeToString(sum[:])
		manifest = append(manifest, e)

		// Compared with a tolerance: the last digit of a magnification may
		// differ between processors.
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.Len() != lc.Len() {
			t.Fatalf("%s: %d rows, want %d", e.File, got.Len(), lc.Len())
		}
		for i := range lc.Times {
			if d := (got.Flux[i] - lc.Flux[i]) / lc.Err[i]; d > 0.1 || d < -0.1 {
				t.Fatalf("%s: row %d differs from the simulator by %.2g σ; run with -update", e.File, i, d)
			}
		}
	}
	path := filepath.Join(dir, "manifest.json")
	want, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s does not describe the files; run with -update", path)
	}
}
