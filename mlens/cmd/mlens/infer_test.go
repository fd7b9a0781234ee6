package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens"
	"github.com/mlens-go/microlens/mlens/event"
)

func eventFile(name string) string { return filepath.Join("..", "..", "..", "data", "events", name) }

var modelFolder = filepath.Join("..", "..", "..", "data", "models", "roman")

// quick are settings of a second.
func quick(args ...string) []string {
	return append([]string{"infer", "-n", "150", "-tries", "4"}, args...)
}

func TestInferJSON(t *testing.T) {
	file := eventFile("roman-planet.csv")
	out := mustRun(t, quick("-json", "-window", "0", file)...)
	type theta map[string]float64
	var got struct {
		File       string            `json:"file"`
		Window     *float64          `json:"window"`
		N          int               `json:"n"`
		Parameters []string          `json:"parameters"`
		Units      map[string]string `json:"units"`
		Modes      []struct {
			Weight  float64  `json:"weight"`
			Median  theta    `json:"median"`
			Sigma   theta    `json:"sigma"`
			Best    theta    `json:"best"`
			Chi2DOF *float64 `json:"chi2_dof"`
		} `json:"modes"`
		Single float64 `json:"single_chi2_dof"`
	}
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.File != file || got.Window == nil || *got.Window != 0 || got.N != 150 || !slices.Equal(got.Parameters, event.Names[:]) {
		t.Errorf("file %q, window %v, n %d, parameters %q", got.File, got.Window, got.N, got.Parameters)
	}
	for name, want := range map[string]string{"alpha": "degrees", "t0": "days", "log10_tE": "log10 of days", "log10_s": "log10", "window": "days"} {
		if !strings.Contains(got.Units[name], want) {
			t.Errorf("the unit of %s is %q", name, got.Units[name])
		}
	}
	var sum float64
	for i, m := range got.Modes {
		sum += m.Weight
		if m.Chi2DOF == nil || !(*m.Chi2DOF > 0.5) {
			t.Errorf("mode %d: χ²/dof %v", i, m.Chi2DOF)
		}
		for k, name := range event.Names {
			if got.Units[name] == "" {
				t.Errorf("%s has no unit", name)
			}
			for what, v := range map[string]theta{"median": m.Median, "sigma": m.Sigma, "best": m.Best} {
				if x, ok := v[name]; !ok || len(v) != event.Dim || what == "sigma" && !(x >= 0) {
					t.Errorf("mode %d: %s of %s is %v, with %d parameters", i, what, name, x, len(v))
				}
			}
			if k == event.Alpha && !(m.Median[name] >= 0 && m.Median[name] < 360) {
				t.Errorf("mode %d: α = %v", i, m.Median[name])
			}
		}
	}
	if !(got.Single > 1.5) {
		t.Errorf("the best single lens has χ²/dof %v", got.Single)
	}
	if len(got.Modes) == 0 || math.Abs(sum-1) > 1e-9 {
		t.Errorf("%d modes, whose weights sum to %v", len(got.Modes), sum)
	}
	if again := mustRun(t, quick("-json", "-window", "0", file)...); again != out {
		t.Error("the same command printed something else")
	}
	if other := mustRun(t, quick("-json", "-window", "0", "-seed", "2", file)...); other == out {
		t.Error("another seed printed the same")
	}
}

func TestInferOut(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	dir := filepath.Join(t.TempDir(), "new", "event")
	out := mustRun(t, quick("-out", dir, eventFile("close-wide.csv"))...)
	for _, want := range []string{"read as flux: window from 0 to 72, 7200 measurements, 150 draws", "mode A", "log10_tE", "χ²/dof"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table does not say %q:\n%s", want, out)
		}
	}
	if got, want := names(t, dir), []string{"corner.png", "samples.csv", "solutions.png"}; !slices.Equal(got, want) {
		t.Fatalf("files are %q", got)
	}
	for _, name := range []string{"corner.png", "solutions.png"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if img, err := png.Decode(bytes.NewReader(b)); err != nil || img.Bounds().Dx() < 300 {
			t.Errorf("%s: %v", name, err)
		}
	}
	samples, err := os.ReadFile(filepath.Join(dir, "samples.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(samples)).ReadAll()
	if err != nil || len(rows) != 151 || !slices.Equal(rows[0], event.Names[:]) {
		t.Fatalf("%d rows of samples, the first %q: %v", len(rows), rows[0], err)
	}
	for _, row := range rows[1:] {
		var th event.Theta
		for k := range th {
			if th[k], err = strconv.ParseFloat(row[k], 64); err != nil {
				t.Fatal(err)
			}
		}
		if err := event.Roman().Check(th); err != nil {
			t.Errorf("the draw %v: %v", row, err)
		}
	}
	// The same seed, into the same folder: the same draws.
	mustRun(t, quick("-out", dir, eventFile("close-wide.csv"))...)
	if again, err := os.ReadFile(filepath.Join(dir, "samples.csv")); err != nil || !bytes.Equal(again, samples) {
		t.Errorf("the same seed gave other draws: %v", err)
	}
}

func TestWarning(t *testing.T) {
	for _, test := range []struct {
		chi2 []float64
		want string
	}{
		{[]float64{1.02}, ""},
		{[]float64{16, 1.3}, ""},
		{[]float64{math.NaN(), 1.3}, ""},
		{[]float64{16, 28}, "best draw is 16"},
		{[]float64{math.NaN(), 28}, "best draw is 28"},
		{[]float64{math.NaN()}, "failed"},
	} {
		var modes []mlens.Mode
		for _, x := range test.chi2 {
			modes = append(modes, mlens.Mode{Chi2DOF: x})
		}
		if got := warning(modes); got != "" != (test.want != "") || !strings.Contains(got, test.want) {
			t.Errorf("χ²/dof of %v: %q", test.chi2, got)
		}
	}
}

func TestBesideSingle(t *testing.T) {
	single := event.SingleLens{Fluxes: event.Fluxes{Chi2: 5000}, DOF: 4000}
	for gain, warned := range map[float64]bool{-3: true, 159: true, 161: false} {
		var r mlens.Refined
		for _, worse := range []float64{70, 0, 2000} {
			var m mlens.RefinedMode
			m.Fluxes.Chi2 = single.Chi2 - gain + worse
			r.Modes = append(r.Modes, m)
		}
		got := besideSingle(single, &r)
		if !strings.Contains(got, fmt.Sprintf("χ²/dof of 1.25, and a χ² of %g above", gain)) || strings.Contains(got, "WARNING") != warned {
			t.Errorf("%g: %q", gain, got)
		}
	}
}

func TestOddities(t *testing.T) {
	lc := event.LightCurve{Times: []float64{0, 1, 2, 3}, Flux: []float64{10, 10, 10, 10}, Err: []float64{1, 2, 2, 3}}
	if got := oddities(lc, 100); got != "its flux is constant" {
		t.Errorf("%q", got)
	}
	lc.Flux[2] = 1e6
	if got := oddities(lc, 100); !strings.Contains(got, "0.2 of the median flux") || !strings.Contains(got, "at 102, is 1e+05 times the median, the smallest 1 times") {
		t.Errorf("%q", got)
	}
}

// rows returns a light curve of 200 rows, 0.3 days apart, with an event of magnitude 2 and without
// noise; row changes single ones. Row i is on line i+2.
func rows(row func(i int, t, flux, err string) string) string {
	var b strings.Builder
	b.WriteString("time,flux,error\n")
	for i := range 200 {
		time := 0.3 * float64(i)
		a := event.SingleLens{T0: 30, U0: 0.2, TE: 8}.Magnification(time)
		b.WriteString(row(i, fmt.Sprintf("%.2f", time), fmt.Sprintf("%.2f", 1000*a), "10") + "\n")
	}
	return b.String()
}

func TestInferRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	change := func(at int, to func(t, flux, err string) string) string {
		return rows(func(i int, t, flux, err string) string {
			if i == at {
				return to(t, flux, err)
			}
			return t + "," + flux + "," + err
		})
	}
	good := write("good.csv", change(-1, nil))
	out := filepath.Join(dir, "out")
	check := func(words string, args ...string) {
		t.Helper()
		refused(t, words, quick(append(args, "-out", out)...)...)
		if left := names(t, out); left != nil {
			t.Errorf("%q left %q", args, left)
		}
	}

	check("missing.csv", filepath.Join(dir, "missing.csv"))
	check("unsorted.csv:12|time 0 is before 2.7", write("unsorted.csv", change(10, func(_, f, e string) string { return "0," + f + "," + e })))
	check("twice.csv:12|stands twice", write("twice.csv", change(10, func(_, f, e string) string { return "2.70," + f + "," + e })))
	check("nan.csv:12|column 2|NaN", write("nan.csv", change(10, func(t, _, e string) string { return t + ",nan," + e })))
	check("text.csv:12|column 2|\"bright\"", write("text.csv", change(10, func(t, _, e string) string { return t + ",bright," + e })))
	check("zero.csv:12|error is 0", write("zero.csv", change(10, func(t, f, _ string) string { return t + "," + f + ",0" })))
	check("short.csv:12|2 columns", write("short.csv", change(10, func(t, f, _ string) string { return t + "," + f })))
	check("empty.csv|no rows", write("empty.csv", ""))
	magnitudes := write("magnitudes.csv", rows(func(i int, t, flux, _ string) string {
		f, err := strconv.ParseFloat(flux, 64)
		if err != nil {
			panic(err)
		}
		return fmt.Sprintf("%s,%.4f,0.01", t, 26-2.5*math.Log10(f))
	}))
	check("magnitudes.csv|look like a magnitude", magnitudes)
	check("difference.csv|baseline flux|reference image", write("difference.csv", rows(func(i int, t, flux, e string) string {
		f, _ := strconv.ParseFloat(flux, 64)
		return fmt.Sprintf("%s,%.2f,%s", t, f-1030, e)
	})))

	check("outlier.csv|unlike any|error bars|outliers", write("outlier.csv", rows(func(i int, t, f, e string) string {
		if i == 50 {
			f += "e6"
		}
		return t + "," + f + "," + e
	})))
	check("huge.csv|measurement 0|overflows|one factor", write("huge.csv", rows(func(_ int, t, f, _ string) string { return t + "," + f + "e300,1e301" })))
	check("few.csv|the fullest holds 20", write("few.csv", strings.Join(strings.Split(rows(func(_ int, t, f, e string) string { return t + "," + f + "," + e }), "\n")[:21], "\n")))
	check("commas.csv:2|decimal commas", write("commas.csv", "time flux err\n1,5 2,0 0,1\n"))

	// Flags.
	check("good.csv|0 measurements between 5000 and 5072|choose another start", "-window", "5000", good)
	check("good.csv|W149|no column", "-value", "W149", good)
	check(`-window is "yesterday"`, "-window", "yesterday", good)
	check("-window", "-window", "nan", good)
	check(`-unit is "Jansky"|flux or magnitude`, "-unit", "Jansky", good)
	check("-n is 99|100", "-n", "99", good)
	check("-n is 1000000000", "-n", "1000000000", good)
	check("-tries is -1", "-tries", "-1", good)
	check("one light-curve file")
	check("one light-curve file", good, good)
	refused(t, "-out is "+good+"|a file", quick("-out", good, good)...)
	if _, err := run(t, quick(filepath.Join(dir, "difference.csv"))...); err == nil || strings.Count(err.Error(), "mlens: ")+strings.Count(err.Error(), "event: ") > 1 {
		t.Errorf("more than one package begins %q", err)
	}

	// Models.
	check("no model in "+dir+"|model.json", "-model", dir, good)
	check("nowhere|no model", "-model", filepath.Join(dir, "nowhere"), good)
	model := filepath.Join(dir, "model")
	if err := os.CopyFS(model, os.DirFS(modelFolder)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(model, "weights.safetensors"), 1<<20); err != nil {
		t.Fatal(err)
	}
	check("weights.safetensors|cut short|1048576 bytes|train it anew", "-model", model, good)
	if err := os.Truncate(filepath.Join(model, "model.json"), 100); err != nil {
		t.Fatal(err)
	}
	check("model.json|damaged", "-model", model, good)

	// What is refused is the fault, not the rest of the file.
	mustRun(t, quick(good)...)
	mustRun(t, quick("-unit", "magnitude", magnitudes)...)
}

// Flags are checked, and files looked for, before the program with SIMD is built.
func TestInferBuildsNothingForBadFlags(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("MLENS_CACHE", dir)
	t.Setenv(rebuilt, "")
	for _, args := range [][]string{{"-n", "5", eventFile("resonant.csv")}, {"missing.csv"}, {"-model", dir + "/none", eventFile("resonant.csv")}} {
		refused(t, "", append([]string{"infer"}, args...)...)
	}
	if left := names(t, dir); left != nil {
		t.Errorf("left are %q", left)
	}
}
