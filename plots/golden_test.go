package plots_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/plot/cmpimg"

	"github.com/mlens-go/microlens/plots"
)

var update = flag.Bool("update", false, "write the golden images anew")

// golden are the figures of the examples, kept small as pictures.
var golden = []struct {
	name string
	dpi  int
	draw func() *plots.Figure
}{
	{"corner", 54, exampleCorner},
	{"corner-subset", 72, exampleCornerSubset},
	{"lightcurve", 72, exampleLightCurve},
	{"caustics", 64, exampleCaustics},
	{"solutions", 72, exampleSolutions},
	{"loss", 72, exampleLoss},
	{"ranks", 72, exampleRanks},
	{"predicted", 72, examplePredicted},
	{"pass", 72, examplePass},
	{"map", 64, exampleMagnificationMap},
	{"images", 72, exampleImages},
	{"cells", 72, exampleCells},
}

// Pixels may differ a little between machines whose floating-point
// contractions differ; nothing may move.
const pixelTolerance = 0.2

func TestGolden(t *testing.T) {
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			var got bytes.Buffer
			if err := g.draw().PNG(&got, g.dpi); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", g.name+".png")
			if *update {
				if err := os.WriteFile(path, squeeze(t, got.Bytes()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			same, err := cmpimg.EqualApprox("png", got.Bytes(), want, pixelTolerance)
			if err != nil {
				t.Fatal(err)
			}
			if !same {
				out := filepath.Join(os.TempDir(), "plots-"+g.name+".png")
				os.WriteFile(out, got.Bytes(), 0o644)
				t.Errorf("%s differs from %s; if that is meant, look at both and run: go test ./plots -run Golden -update", out, path)
			}
		})
	}
}

// squeeze compresses a PNG as far as it goes, with 16 levels a channel: the
// rounding is well below pixelTolerance.
func squeeze(t *testing.T, data []byte) []byte {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	coarse := image.NewNRGBA(img.Bounds())
	draw.Draw(coarse, coarse.Bounds(), img, img.Bounds().Min, draw.Src)
	for i, v := range coarse.Pix {
		coarse.Pix[i] = uint8((int(v)+8)/17) * 17
	}
	var buf bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&buf, coarse); err != nil {
		t.Fatal(err)
	}
	if buf.Len() > 60_000 {
		t.Errorf("%d bytes, more than a golden image should have", buf.Len())
	}
	return buf.Bytes()
}

// Every figure is the same twice, and drawn in every format.
func TestFormats(t *testing.T) {
	dir := t.TempDir()
	fig := exampleLoss()
	for _, ext := range []string{".png", ".svg", ".pdf", ".PNG"} {
		path := filepath.Join(dir, "loss"+ext)
		for range 2 {
			if err := fig.Save(path); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(path)
		if err != nil || len(data) < 5000 {
			t.Errorf("%s: %d bytes, %v", ext, len(data), err)
		}
		if ext == ".svg" {
			d := xml.NewDecoder(bytes.NewReader(data))
			for err == nil {
				_, err = d.Token()
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("svg: %v", err)
			}
		}
	}
	if err := fig.Save(filepath.Join(dir, "loss.gif")); err == nil {
		t.Error("an unknown extension was accepted")
	}
	if err := fig.Save(filepath.Join(dir, "missing", "loss.png")); err == nil {
		t.Error("a missing folder was accepted")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("temporary files remain: %v", left)
	}
	var a, b bytes.Buffer
	if err := errors.Join(exampleCorner().PNG(&a, 50), exampleCorner().PNG(&b, 50)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same figure has different bytes")
	}
}

func BenchmarkCorner(b *testing.B) {
	draws := table1Posterior(20_000)
	for b.Loop() {
		benchmarkPNG(b, plots.Corner(draws, plots.CornerOptions{Truth: &table1Truth}))
	}
}

func BenchmarkLightCurve(b *testing.B) {
	lc, models := bumpEvent()
	for b.Loop() {
		benchmarkPNG(b, must(plots.LightCurve(lc, models, plots.LightCurveOptions{CloseUp: [2]float64{28.5, 31}})))
	}
}

func BenchmarkSolutions(b *testing.B) {
	lc := simulated(table1Truth, 0.01)
	for b.Loop() {
		benchmarkPNG(b, must(plots.Solutions(lc, table1Fits(), plots.SolutionsOptions{})))
	}
}

func benchmarkPNG(b *testing.B, f *plots.Figure) {
	var buf bytes.Buffer
	if err := f.PNG(&buf, 0); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(buf.Len()), "bytes")
}
