package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens"
	"github.com/mlens-go/microlens/mlens/calib"
	"github.com/mlens-go/microlens/mlens/event"
)

// truthTable simulates n events of the prior, as another program might have written them: the times
// of the second begin at a date, those of the others at 0.
func truthTable(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "curves"), 0o755); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("# made by a test\nfile,label,log10_s,log10_q,alpha,u0,t0,log10_tE,log10_rho,f_s\n")
	prior := event.Roman()
	for i := range n {
		r := rand.New(rand.NewPCG(4, uint64(i)))
		theta := prior.Sample(r).Theta()
		lc, err := theta.Params().Simulate(event.Season().Times(), 150, r)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		b.WriteString("time,flux,flux_err\n")
		shift := 0.0
		if i == 1 {
			shift = 2461000.25
		}
		for k, at := range lc.Times {
			fmt.Fprintf(&b, "%.4f,%.2f,%.3f\n", shift+at, lc.Flux[k], lc.Err[k])
		}
		name := fmt.Sprintf("curves/%d.csv", i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&table, "%s,e%d", name, i)
		for k, v := range theta {
			if k == event.Alpha && i == 0 {
				v -= 360
			}
			fmt.Fprintf(&table, ",%.9g", v)
		}
		table.WriteString("\n")
	}
	path := filepath.Join(dir, "truth.csv")
	if err := os.WriteFile(path, []byte(table.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEvaluate(t *testing.T) {
	table := truthTable(t, 4)
	out := mustRun(t, "evaluate", "-model", modelFolder, "-truth", table, "-n", "3", "-draws", "400", "-json")
	var got struct {
		N           int
		NLLRaw      float64 `json:"nll_raw"`
		NLLRawSE    float64 `json:"nll_raw_se"`
		NLLZ        float64 `json:"nll_z"`
		Delta       map[string]float64
		Constrained map[string]float64
		Mode        map[string]float64
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// The same from the package's own pieces.
	est, err := mlens.Load(modelFolder)
	if err != nil {
		t.Fatal(err)
	}
	events, err := mlens.ReadEvents(table)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 4 {
		t.Fatalf("%d events were read", len(events))
	}
	var sum, sum2 float64
	var ranks [event.Dim][]float64
	for i, e := range events[:3] {
		win, err := e.Window()
		if err != nil {
			t.Fatal(err)
		}
		if win.Times[0] != 0 || win.Len() != event.Season().N {
			t.Errorf("%s: %d measurements from %v on", e.File, win.Len(), win.Times[0])
		}
		p, err := est.Condition(win)
		if err != nil {
			t.Fatal(err)
		}
		nll := -p.LogProb([]event.Theta{e.Truth})[0]
		sum += nll
		sum2 += nll * nll
		sample := p.Sample(400, uint64(i))
		for k := range ranks {
			col := make([]float64, len(sample))
			for j, draw := range sample {
				col[j] = draw[k]
			}
			ranks[k] = append(ranks[k], calib.Rank(col, e.Truth[k]))
		}
	}
	mean := sum / 3
	se := math.Sqrt((sum2/3 - mean*mean) / 2)
	if got.N != 3 || math.Abs(got.NLLRaw-mean) > 1e-9 || math.Abs(got.NLLRawSE-se) > 1e-9 || math.Abs(got.NLLRaw-got.NLLZ-est.Scaler.LogVolume()) > 1e-9 {
		t.Errorf("got %+v instead of a mean of %v ± %v", got, mean, se)
	}
	score, err := est.Score(t.Context(), events[:3], 400, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, name := range event.Names {
		if d, ok := got.Delta[name]; !ok || math.Abs(d-calib.Deviation(ranks[k], 20)) > 1e-9 {
			t.Errorf("δ of %s is %v of %v, of the ranks %.3f it is %v", name, d, got.Delta, ranks[k], calib.Deviation(ranks[k], 20))
		}
		if c, ok := got.Constrained[name]; !ok || c != score.Constrained[k] {
			t.Errorf("%s is constrained in %v of %v, not in %v", name, c, got.Constrained, score.Constrained[k])
		}
	}
	if got.Constrained["t0"] < 0.5 {
		t.Errorf("t0 is constrained in %v of the events", got.Constrained["t0"])
	}
	if want := map[string]float64{"global": score.Global, "minor": score.Minor, "none": score.None}; !maps.Equal(got.Mode, want) {
		t.Errorf("the modes' fractions are %v, not %v", got.Mode, want)
	}
	if s := score.Global + score.Minor + score.None; math.Abs(s-1) > 1e-9 {
		t.Errorf("the modes' fractions are %v in all", s)
	}

	text := mustRun(t, "evaluate", "-model", modelFolder, "-truth", table, "-n", "2", "-draws", "100")
	for _, w := range []string{"2 of 4 events", "NLL per event", "log10_rho", "in none"} {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

// Descents from the draws are counted, if they are asked for.
func TestEvaluatePolish(t *testing.T) {
	// One light curve twice: the draws lead to its truth, and to nothing like a truth that is not its own.
	table := filepath.Join(t.TempDir(), "truth.csv")
	curve, err := filepath.Abs("../../../data/events/roman-planet.csv")
	if err != nil {
		t.Fatal(err)
	}
	text := "file,log10_s,log10_q,alpha,u0,t0,log10_tE,log10_rho,f_s\n" +
		curve + ",0.09,-2.8,220,0.15,33,1.25,-2.8,0.6\n" +
		curve + ",0.3,-1,100,0.6,50,1.6,-2.8,0.9\n"
	if err := os.WriteFile(table, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "kept")
	args := []string{"evaluate", "-model", modelFolder, "-truth", table, "-n", "2", "-draws", "150", "-polish", "3", "-log", dir}
	var got struct {
		Polished *struct {
			ModeRecall *float64 `json:"mode_recall"`
		}
	}
	out := mustRun(t, append(args, "-json")...)
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Polished == nil || got.Polished.ModeRecall == nil {
		t.Fatalf("%v: %s", err, out)
	}
	if r := *got.Polished.ModeRecall; r != 0.5 {
		t.Errorf("found in %v of two events, not in one", r)
	}
	if text := mustRun(t, args...); !strings.Contains(text, "descents from the draws end in the truth's mode in 50.0 % of the events") {
		t.Errorf("%s", text)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "polished.jsonl"))
	if err != nil || strings.Count(string(kept), "\n") != 3 {
		t.Errorf("kept %q, %v", kept, err)
	}
	args[len(args)-3] = "4"
	refused(t, "polished.jsonl|other settings", args...)
}

// A refinement is scored, kept, and not made again; another light curve is another event.
func TestEvaluateRefine(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	dir := filepath.Join(t.TempDir(), "kept")
	// The event of Table 1, whose refinement is quick.
	table := filepath.Join(t.TempDir(), "truth.csv")
	curve, err := filepath.Abs("../../../data/events/close-wide.csv")
	if err != nil {
		t.Fatal(err)
	}
	text := "file,log10_s,log10_q,alpha,u0,t0,log10_tE,log10_rho,f_s\n" + curve + ",-0.2,-2,300,0.05,26,1.301,-2.301,0.12\n"
	if err := os.WriteFile(table, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"evaluate", "-model", modelFolder, "-truth", table, "-draws", "1000", "-refine", "-log", dir}
	type refined struct {
		NLLRaw     *float64 `json:"nll_raw"`
		NLLRawSE   *float64 `json:"nll_raw_se"`
		ModeRecall *float64 `json:"mode_recall"`
		Seconds    *float64
	}
	var got, again struct{ Refined *refined }
	out := mustRun(t, append(args, "-json")...)
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Refined == nil {
		t.Fatalf("%v: %s", err, out)
	}
	r := got.Refined
	if r.NLLRaw == nil || r.NLLRawSE == nil || r.ModeRecall == nil || r.Seconds == nil {
		t.Fatalf("something is missing: %s", out)
	}
	if *r.ModeRecall != 1 || !(*r.NLLRaw < -20) {
		t.Errorf("found in %v, NLL %v", *r.ModeRecall, *r.NLLRaw)
	}
	out = mustRun(t, append(args, "-json")...)
	if err := json.Unmarshal([]byte(out), &again); err != nil || *again.Refined.Seconds != *r.Seconds || *again.Refined.NLLRaw != *r.NLLRaw {
		t.Errorf("%v: then %s", err, out)
	}
	if text := mustRun(t, args...); !strings.Contains(text, "trust: 1 green") || !strings.Contains(text, "100.0 %") {
		t.Errorf("%s", text)
	}
}

// Truths from elsewhere are worse, and the score says so.
func TestEvaluateShuffled(t *testing.T) {
	table := truthTable(t, 4)
	est, err := mlens.Load(modelFolder)
	if err != nil {
		t.Fatal(err)
	}
	events, err := mlens.ReadEvents(table)
	if err != nil {
		t.Fatal(err)
	}
	right, err := est.Score(t.Context(), events, 200, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := events[0].Truth
	for i := range events[1:] {
		events[i].Truth = events[i+1].Truth
	}
	events[len(events)-1].Truth = first
	wrong, err := est.Score(t.Context(), events, 200, nil)
	if err != nil {
		t.Fatal(err)
	}
	if wrong.NLL < right.NLL+10 || wrong.None < 0.5 || right.None > 0.3 {
		t.Errorf("NLL %v and %v, in none %v and %v", right.NLL, wrong.NLL, right.None, wrong.None)
	}
}

func TestEvaluateRefuses(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const header = "file,log10_s,log10_q,alpha,u0,t0,log10_tE,log10_rho,f_s\n"
	table := func(text string) { put("truth.csv", text) }
	path := filepath.Join(dir, "truth.csv")
	refuse := func(words string, args ...string) {
		t.Helper()
		refused(t, words, append([]string{"evaluate", "-model", modelFolder, "-truth", path}, args...)...)
	}
	refused(t, "-truth is missing", "evaluate")
	refused(t, "both given", "evaluate", "-heldout", "-truth", path)
	refused(t, "-irregular is 2", "evaluate", "-heldout", "-irregular", "2")
	refuse("no such file|truth.csv")
	table("")
	refuse("is empty|log10_rho")
	table("file,log10_s\na.csv,0\n")
	refuse("no column log10_q, alpha")
	table(header)
	refuse("no event")
	table(header + "a.csv,0,-3,10,0.1,30,1,-3\n")
	refuse("truth.csv:2|8 fields|header has 9")
	table(header + "a.csv,0,-3,east,0.1,30,1,-3,0.5\n")
	refuse(`truth.csv:2|alpha is "east"`)
	table(header + ",0,-3,10,0.1,30,1,-3,0.5\n")
	refuse("truth.csv:2|no name of a file")
	table(header + "a.csv,0,-3,10,0.1,30,1,-3,0.5\n")
	refuse("a.csv|no such file")
	refuse("-n is 0", "-n", "0")
	refuse("-draws is 5", "-draws", "5")
	refuse("-draws is 20000000", "-draws", "20000000")
	refuse("-cut is given", "-cut", "paper")
	refuse("only -heldout", "-seed", "3")
	refuse("only -refine and -polish", "-log", dir)
	refuse("truth.csv, but that is a file", "-polish", "1", "-log", path)
	refused(t, "-cut and -heldout", "evaluate", "-heldout", "-refine", "-cut", "paper")
	refused(t, "-cut is \"Inf\"", "evaluate", "-heldout", "-refine", "-cut", "Inf")
	refuse("-polish is -1", "-polish", "-1")
	table(header + "a.csv,0,-3,10,0.1,80,1,-3,0.5\n")
	refuse("truth.csv:2: the truth of|a.csv: t0 = 80")
	put("a.csv", "time,flux\n1,2\n")
	table(header + "a.csv,0,-3,10,0.1,30,1,-3,0.5\n")
	refuse("a.csv")
}

// Events that cannot be judged are named and counted, and do not stop the others.
func TestEvaluateLeavesOut(t *testing.T) {
	table := truthTable(t, 3)
	b, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(b)), "\n")
	rows[3] = strings.Replace(rows[3], "curves/1.csv", "curves/none.csv", 1)
	f := strings.Split(rows[4], ",")
	f[2+event.LogTE] = "2.5"
	rows[4] = strings.Join(f, ",")
	if err := os.WriteFile(table, []byte(strings.Join(rows, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	c := newRootCommand()
	c.SetArgs(doubleDash([]string{"evaluate", "-model", modelFolder, "-truth", table, "-draws", "400", "-floor", "-json"}))
	c.SetOut(&out)
	c.SetErr(&said)
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	var got struct {
		N, Skipped int
		NLLRaw     float64 `json:"nll_raw"`
		Floor      struct {
			NLLRaw float64 `json:"nll_raw"`
			Above  float64 `json:"network_above"`
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if got.N != 1 || got.Skipped != 2 {
		t.Errorf("%d events judged and %d left out, not 1 and 2", got.N, got.Skipped)
	}
	if math.Abs(got.Floor.NLLRaw+got.Floor.Above-got.NLLRaw) > 1e-9 {
		t.Errorf("floor %+v, NLL %v", got.Floor, got.NLLRaw)
	}
	for _, want := range []string{"left out: ", "none.csv", "truth.csv:5", "log10_tE"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not in: %s", want, &said)
		}
	}
	rows = append(rows[:2], rows[3:]...)
	if err := os.WriteFile(table, []byte(strings.Join(rows, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "evaluate", "-model", modelFolder, "-truth", table); err == nil || !strings.Contains(err.Error(), "none of the 2 events") {
		t.Errorf("%v: %s", err, out)
	}
}
