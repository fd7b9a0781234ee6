package nb

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mlens-go/microlens/mlens/internal/checkout"
)

// dot is a figure of one colour.
type dot struct{ err error }

func (d dot) Summary() string { return "a dot" }
func (d dot) PNG(w io.Writer, dpi int) error {
	if d.err != nil {
		return d.err
	}
	return png.Encode(w, image.NewGray(image.Rect(0, 0, 2*dpi, dpi)))
}

// captured runs f and returns what it wrote to the standard streams, and the status it ended with
// (-1 when it did not end the program).
func captured(t *testing.T, f func()) (out string, status int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = w, w
	status = -1
	exit = func(s int) { status = s; panic("exit") }
	func() {
		defer func() {
			if r := recover(); r != nil && r != "exit" {
				panic(r)
			}
		}()
		f()
	}()
	os.Stdout, os.Stderr, exit = stdout, stderr, os.Exit
	w.Close()
	b, _ := io.ReadAll(r)
	return string(b), status
}

func ExampleMust() {
	n := Must(fmt.Sscan("1200", new(int)))
	fmt.Println(n, "value read")
	// Output: 1 value read
}

func ExampleShow() {
	Show("dot", dot{}) // a picture in a notebook, its summary here
	// Output: a dot
}

func TestMust(t *testing.T) {
	for _, test := range []struct {
		err    error
		want   string
		status int
	}{
		{nil, "", -1},
		{errors.New("event.csv: line 3: no flux\n"), "error: event.csv: line 3: no flux\n", 1},
		{fmt.Errorf("training: %w", context.Canceled), "stopped: interrupted\n", 1},
	} {
		if out, status := captured(t, func() { Must(0, test.err) }); out != test.want || status != test.status {
			t.Errorf("%v: %q with status %d", test.err, out, status)
		}
	}
}

func TestShowFigures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "for it")
	t.Setenv("MLENS_FIGURES", dir)
	captured(t, func() {
		Show("dot", dot{})
		Frames("film", []string{"a", "b"}, dot{}, dot{})
	})
	for name, width := range map[string]int{"dot.png": 4 * 96, "film-00.png": 2 * 96, "film-01.png": 2 * 96} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := png.DecodeConfig(f)
		f.Close()
		if err != nil || c.Width != width {
			t.Errorf("%s: %d pixels wide, want %d (%v)", name, c.Width, width, err)
		}
	}
	out, status := captured(t, func() { Show("dot", dot{errors.New("no data")}) })
	if status != 1 || !strings.Contains(out, "drawing dot: no data") {
		t.Errorf("%q with status %d", out, status)
	}
}

func TestFramesPage(t *testing.T) {
	page, err := framesFragment("film", []string{"t = 1", "</script>"}, [][]byte{pngOf(t, 30), pngOf(t, 30)}, `say "so"`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<img width="30"`, `max="1"`, `src="data:image/png;base64,iVBOR`, `>t = 1</output>`, `alt="film: say &#34;so&#34;"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if strings.Count(page, "</script>") != 1 {
		t.Error("a label ends the script")
	}
	if n := strings.Count(page, "iVBOR"); n != 2 {
		t.Errorf("two frames are stored %d times", n)
	}
	if again, _ := framesFragment("film", []string{"t = 1", "</script>"}, [][]byte{pngOf(t, 30), pngOf(t, 30)}, `say "so"`); again != page {
		t.Error("the same frames give another page")
	}
}

func pngOf(t *testing.T, width int) []byte {
	var b strings.Builder
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 10))); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}

func TestData(t *testing.T) {
	root := t.TempDir()
	for name, body := range map[string]string{
		"go.mod":                   "module " + checkout.Module + "\n",
		"data/events/a.csv":        "1",
		"data/events/b.csv":        "1",
		"notebooks/deep/go.mod":    "module example.com/other\n",
		"elsewhere/work/go.work":   "go 1.26\n\nuse (\n\t.\n\t" + root + " // ours\n)\n",
		"elsewhere/single/go.work": "go 1.26\nuse " + root + "\n",
	} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(body), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	outside := t.TempDir()
	want := filepath.Join(root, "data", "events", "a.csv")
	for _, test := range []struct{ name, cwd, root, gonb, tmp string }{
		{"from the notebook's folder", filepath.Join(root, "notebooks", "deep"), "", "", ""},
		{"told by the kernel", outside, root, "", ""},
		{"a wrong MLENS_ROOT is passed over", root, outside, "", ""},
		{"by GONB_DIR", outside, "", filepath.Join(root, "notebooks"), ""},
		{"by a go.work block", outside, "", "", filepath.Join(root, "elsewhere", "work")},
		{"by a go.work line", outside, "", outside, filepath.Join(root, "elsewhere", "single")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(test.cwd)
			t.Setenv("MLENS_ROOT", test.root)
			t.Setenv("GONB_DIR", test.gonb)
			t.Setenv("GONB_TMP_DIR", test.tmp)
			got, err := data("events/a.csv")
			if err != nil || got != want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	t.Setenv("MLENS_ROOT", root)
	_, err := data("events/none/c.csv")
	if err == nil || err.Error() != "no data/events/none/c.csv: data/events holds a.csv, b.csv" {
		t.Errorf("missing: %v", err)
	}
	t.Setenv("MLENS_ROOT", "")
	t.Chdir(outside)
	if _, err := data("x"); err == nil || !strings.Contains(err.Error(), "set MLENS_ROOT") {
		t.Errorf("outside: %v", err)
	}
}

func TestProgressLines(t *testing.T) {
	now := time.Unix(0, 0)
	var got []string
	p := &progress{name: "light curves", now: func() time.Time { return now }, start: now}
	p.show = func(s string, last bool) { got = append(got, fmt.Sprint(s, last)) }
	for _, step := range []struct {
		after       time.Duration
		done, total int
	}{
		{0, 0, 20000},
		{100 * time.Millisecond, 40, 20000}, // too soon after the last
		{1900 * time.Millisecond, 600, 20000},
		{0, 400, 20000}, // late
		{58 * time.Second, 20000, 20000},
		{time.Second, 20000, 20000}, // already ended
	} {
		now = now.Add(step.after)
		p.set(step.done, step.total)
	}
	want := []string{
		"light curves  0/20,000  0%false",
		"light curves  600/20,000  3%  300/s  1 min 5 s leftfalse",
		"light curves  20,000/20,000  100%  333/s  done in 1 min 0 strue",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestProgressResumed(t *testing.T) {
	now := time.Unix(0, 0)
	var got string
	p := &progress{name: "steps", now: func() time.Time { return now }, start: now.Add(-time.Hour)}
	p.show = func(s string, _ bool) { got = s }
	p.set(900, 1000)
	now = now.Add(10 * time.Second)
	p.set(905, 1000)
	if want := "steps  905/1,000  90%  2.0 s each  3 min 10 s left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.set(950, 0)
	if !strings.HasPrefix(got, "steps  905") {
		t.Errorf("not throttled: %q", got)
	}
}

func TestProgressOfWhatIsThere(t *testing.T) {
	p := &progress{name: "simulations", now: time.Now, start: time.Now(), show: func(s string, _ bool) { t.Errorf("shows %q", s) }}
	p.set(5000, 5000)
	p.set(5000, 5000)
}

func TestProgressConcurrent(t *testing.T) {
	ends := 0
	p := &progress{name: "x", now: time.Now, start: time.Now(), show: func(_ string, last bool) {
		if last {
			ends++
		}
	}}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 100 {
				p.set(8*i+w+1, 800)
			}
		})
	}
	wg.Wait()
	if ends != 1 {
		t.Errorf("ended %d times", ends)
	}
}

func TestWords(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestQuick(t *testing.T) {
	for v, want := range map[string]bool{"": false, "0": false, "1": true} {
		if t.Setenv("MLENS_QUICK", v); Quick() != want {
			t.Errorf("MLENS_QUICK=%q: %v", v, !want)
		}
	}
}
