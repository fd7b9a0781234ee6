package nb

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/lens"
)

func ExampleExplore() {
	Explore("binary lens", Panel{S: 0.9, Q: 0.1, Alpha: 60}, dot{}) // the figure's summary here
	// Output: a dot
}

func TestPanelValues(t *testing.T) {
	v, err := Panel{Q: 0.01, Alpha: 30}.values()
	if err != nil || v["logS"] != 0 || v["logQ"] != -2 || v["alpha"] != 30 || v["logRho"] != -2 {
		t.Errorf("%v, %v", v, err)
	}
	for _, p := range []Panel{{S: 5}, {Q: 2}, {U0: -1}, {Rho: math.NaN()}, {TE: 1000}} {
		if _, err := p.values(); err == nil {
			t.Errorf("%+v is on no slider", p)
		}
	}
}

func TestPanelPage(t *testing.T) {
	start, err := Panel{}.values()
	if err != nil {
		t.Fatal(err)
	}
	e := engine{Key: "k", Wasm: "AAAA", Glue: "var glue;"}
	page, err := panelFragment("lens", start, e, pngOf(t, 30), `say "so"`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<img width="30"`, `src="data:image/png;base64,iVBOR`, `alt="lens: say &#34;so&#34;"`, `wasm="AAAA"`, `"logQ":-1`, "var glue;"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in the page", want)
		}
	}
	if strings.Count(page, "</script>") != 1 {
		t.Error("something ends the script")
	}
	for _, s := range []string{"http://", "https://", "import("} {
		if strings.Contains(page, s) {
			t.Errorf("the page may ask the network: %s", s)
		}
	}
	if bare, err := panelFragment("lens", start, e, nil, ""); err != nil || strings.Contains(bare, "<img") {
		t.Errorf("without a figure: %v", err)
	}
}

// kernelSettings are what cells are built with, and the engine is not.
func kernelSettings(t *testing.T) {
	t.Setenv("GOFLAGS", "-tags=noxla -ldflags=-s -mod=readonly")
	t.Setenv("GOEXPERIMENT", "simd")
}

func TestBuildEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: nothing is compiled")
	}
	kernelSettings(t)
	t.Setenv("MLENS_CACHE", t.TempDir())
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	e, err := buildEngine(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(e.Wasm); n > 1_300_000 {
		t.Errorf("the engine weighs %.2f MB in a notebook", float64(n)/1e6)
	}
	if b := unpack(t, e.Wasm); !bytes.HasPrefix(b, []byte("\x00asm")) {
		t.Errorf("begins with %q", b[:4])
	}
	if again, err := buildEngine(t.Context(), filepath.Join(root, ".")); err != nil || again != e {
		t.Errorf("another engine from the cache: %v", err)
	}
	if _, err := buildEngine(t.Context(), t.TempDir()); err == nil {
		t.Error("an engine from an empty folder")
	}
}

func unpack(t *testing.T, wasm string) []byte {
	t.Helper()
	z, err := base64.StdEncoding.DecodeString(wasm)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(z))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// callEngine starts the engine as panel.js does and prints what its functions return.
const callEngine = `
const fs = require("fs");
const scope = {crypto, performance, TextEncoder, TextDecoder, Date, Object, Array, Uint8Array};
new Function("globalThis", fs.readFileSync("glue.js", "utf8"))(scope);
(async () => {
	const go = new scope.Go(), {instance} = await WebAssembly.instantiate(fs.readFileSync("explore.wasm"), go.importObject);
	go.run(instance);
	const e = instance.exports, numbers = n => [...new Float64Array(e.mem.buffer, e.values(), n)];
	const out = {
		Curve: numbers(e.lightCurve(0.9, 0.1, 0.1, 60, 20, 0.01, -36, 36, true)),
		Source: numbers(e.source(0.9, 0.1, 0.05, 0.02, 0.01)),
		Curves: e.curves(0.9, 0.1, 64),
		Images: e.images(0.9, 0.1, 0.05, 0.02, 0.1, -2, 2, 0.01, 400, 400),
	};
	out.Alpha = [...new Uint32Array(e.mem.buffer, e.pixels(), out.Images)].reduce((a, v) => a + (v & 255) / 255, 0);
	console.log(JSON.stringify(out));
	process.exit(0);
})();`

// The engine of a page says what package lens says here.
func TestEngineAgrees(t *testing.T) {
	node, err := exec.LookPath("node")
	if testing.Short() || err != nil {
		t.Skip("needs Node.js, and time")
	}
	kernelSettings(t)
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	e, err := buildEngine(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"explore.wasm": unpack(t, e.Wasm), "glue.js": []byte(e.Glue), "call.js": []byte(callEngine)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), node, "call.js")
	c.Dir = dir
	b, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	var got struct {
		Curve, Source  []float64
		Curves, Images int
		Alpha          float64
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatalf("%v in %.200s", err, b)
	}
	l, tr := lens.Binary{S: 0.9, Q: 0.1}, lens.Trajectory{U0: 0.1, Alpha: 60, TE: 20}
	near := func(what string, got, want, tol float64) {
		if !(math.Abs(got/want-1) <= tol) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	for i := 0; i+1 < len(got.Curve); i += 40 {
		x, y := tr.At(got.Curve[i])
		near("light curve", got.Curve[i+1], l.Magnification(x, y, 0.01, lens.Options{}).Magnification, 5e-3)
	}
	near("source", got.Source[0], l.Magnification(0.05, 0.02, 0.01, lens.Options{}).Magnification, 1e-6)
	if len(got.Curve) < 400 || got.Curves < 4*64*4 || len(got.Source) != 3+3*int(got.Source[2]) {
		t.Errorf("%d, %d and %d numbers", len(got.Curve), got.Curves, len(got.Source))
	}
	near("images", got.Alpha*1e-4/(math.Pi*0.01), l.Magnification(0.05, 0.02, 0.1, lens.Options{}).Magnification, 0.03)
}

// The view of the source plane moves to the source as it grows.
func TestEnlarged(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs Node.js")
	}
	f := regexp.MustCompile(`(?s)function enlarged\(.*?\n}`).FindString(panelJS)
	b, err := exec.CommandContext(t.Context(), node, "-e", f+`
		console.log(JSON.stringify([...Array(201).keys()].map(i => enlarged(0.1, 1, 3, -2, i / 100))))`).Output()
	if err != nil {
		t.Fatal(err)
	}
	var views [][3]float64
	if err := json.Unmarshal(b, &views); err != nil || len(views) != 201 {
		t.Fatalf("%d views: %v", len(views), err)
	}
	if v := views[0]; math.Hypot(v[0]-0.1, v[1]) > 1e-12 || v[2] != 1 {
		t.Errorf("without a zoom the view is %v", v)
	}
	before := math.Inf(1)
	for i, v := range views {
		away := math.Hypot(3-v[0], -2-v[1]) / v[2] // of the source from the middle, in the picture
		if away > before || i >= 61 && away > 1e-9 {
			t.Errorf("enlarged %.2f times, the source is %.3f half widths from the middle, before %.3f", 1/v[2], away, before)
		}
		before = away
	}
}
