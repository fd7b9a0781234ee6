package plots

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// DPI is the resolution of a PNG that asks for none, in dots per inch: sharp
// in a notebook without a large file.
const DPI = 144

// Figure is a finished figure of a known size. Its methods may be called in
// any order, any number of times and from several goroutines.
type Figure struct {
	w, h    vg.Length
	draw    func(vg.Canvas)
	summary string
}

// Size returns the width and height of the figure.
func (f *Figure) Size() (w, h vg.Length) { return f.w, f.h }

// Summary returns a few lines of text for a console: what is shown and the
// numbers a reader would take from the figure.
func (f *Figure) Summary() string { return f.summary }

// Draw draws the figure at its own size from the lower left corner of c, so
// that it can be composed with other gonum/plot drawings.
func (f *Figure) Draw(c draw.Canvas) {
	c.Push()
	defer c.Pop()
	c.Translate(c.Min)
	f.draw(c.Canvas)
}

// PNG writes the figure as a PNG image at dpi dots per inch, 0 for [DPI].
func (f *Figure) PNG(w io.Writer, dpi int) error {
	switch {
	case dpi == 0:
		dpi = DPI
	case dpi < 0:
		panic("plots: negative resolution")
	}
	c := vgimg.NewWith(vgimg.UseWH(f.w, f.h), vgimg.UseDPI(dpi))
	f.draw(c)
	return pngEncoder.Encode(w, c.Image())
}

// A figure is mostly flat colour: the fastest setting costs a few kilobytes
// and saves two thirds of the time.
var pngEncoder = png.Encoder{CompressionLevel: png.BestSpeed}

// SVG writes the figure as an SVG document. It needs no fonts: text is drawn
// as outlines.
func (f *Figure) SVG(w io.Writer) error {
	c := vgsvg.NewWith(vgsvg.UseWH(f.w, f.h), vgsvg.EmbedFonts(false))
	f.draw(c)
	var buf bytes.Buffer
	if _, err := c.WriteTo(&buf); err != nil {
		return err
	}
	// vgsvg encodes pictures as PNG but calls them JPEG, which strict readers
	// then cannot open.
	_, err := w.Write(bytes.ReplaceAll(buf.Bytes(), []byte("data:image/jpg;base64,iVBOR"), []byte("data:image/png;base64,iVBOR")))
	return err
}

func (f *Figure) pdf(w io.Writer) error {
	c := vgpdf.New(f.w, f.h)
	f.draw(uprightPDF{c})
	_, err := c.WriteTo(w)
	return err
}

// uprightPDF turns pictures over: vgpdf draws them upside down.
type uprightPDF struct{ *vgpdf.Canvas }

func (c uprightPDF) DrawImage(r vg.Rectangle, img image.Image) {
	b := img.Bounds()
	out := image.NewNRGBA(b)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out.Set(x, b.Max.Y-1-(y-b.Min.Y), img.At(x, y))
		}
	}
	c.Canvas.DrawImage(r, out)
}

// Save writes the figure to a file in the format of its extension: .png
// (at [DPI]), .svg or .pdf. The file appears complete or not at all.
func (f *Figure) Save(path string) error {
	var buf bytes.Buffer
	var err error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".png":
		err = f.PNG(&buf, 0)
	case ".svg":
		err = f.SVG(&buf)
	case ".pdf":
		err = f.pdf(&buf)
	default:
		return fmt.Errorf("plots: %s: unknown extension %q, have .png, .svg and .pdf", path, ext)
	}
	if err != nil {
		return fmt.Errorf("plots: %s: %w", path, err)
	}
	if err := renameio.WriteFile(path, buf.Bytes(), 0o644, renameio.WithTempDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	return nil
}

// inches returns a length of v inches, or of def inches where v is 0.
func inches(v, def float64) vg.Length {
	if v < 0 {
		panic("plots: negative figure size")
	}
	if v == 0 {
		v = def
	}
	return vg.Length(v) * vg.Inch
}
