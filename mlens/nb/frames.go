package nb

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
)

//go:embed frames.html
var framesHTML string

var framesPage = template.Must(template.New("frames").Parse(framesHTML))

// Frames displays figures behind a slider, one label each. The frames are drawn now and kept in
// the notebook, so that it works with no kernel, in a saved notebook and in exported HTML; where
// scripts do not run the first frame stands still. In a console the summaries are printed.
//
// Frames have one pixel for each on the page, half the density of [Show]: a dozen at the full
// density would weigh megabytes.
func Frames(name string, labels []string, figs ...Figure) {
	if len(labels) != len(figs) {
		panic(fmt.Sprintf("nb: Frames has %d labels for %d figures", len(labels), len(figs)))
	}
	if len(figs) > 0 {
		Check(frames(name, labels, figs))
	}
}

func frames(name string, labels []string, figs []Figure) error {
	folder := os.Getenv("MLENS_FIGURES")
	if !gonbui.IsNotebook {
		for i, f := range figs {
			fmt.Printf("%s: %s\n", labels[i], f.Summary())
		}
		if folder == "" {
			return nil
		}
	}
	pictures := make([][]byte, len(figs))
	for i, f := range figs {
		var b bytes.Buffer
		if err := f.PNG(&b, pageDPI); err != nil {
			return fmt.Errorf("drawing frame %q of %s: %w", labels[i], name, err)
		}
		pictures[i] = smaller(b.Bytes())
		if folder != "" {
			if err := writeFile(filepath.Join(folder, fmt.Sprintf("%s-%02d.png", name, i)), pictures[i]); err != nil {
				return err
			}
		}
	}
	page, err := framesFragment(name, labels, pictures, figs[0].Summary())
	if err == nil {
		sendHTML(page, figs[0].Summary())
	}
	return err
}

// framesFragment writes the slider and its frames as HTML. It is named by its content, so that
// running the notebook again changes nothing in the file.
func framesFragment(name string, labels []string, pictures [][]byte, summary string) (string, error) {
	size, err := png.DecodeConfig(bytes.NewReader(pictures[0]))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, name, labels)
	later := make([]string, len(pictures))
	for i, p := range pictures {
		h.Write(p)
		if i > 0 { // the first stands in the page itself
			later[i] = base64.StdEncoding.EncodeToString(p)
		}
	}
	var out strings.Builder
	err = framesPage.Execute(&out, map[string]any{
		"ID":      fmt.Sprintf("frames-%.6x", h.Sum(nil)),
		"Name":    name,
		"Summary": summary,
		"Width":   size.Width,
		"Last":    len(pictures) - 1,
		"Label":   labels[0],
		"First":   template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(pictures[0])),
		"Frames":  toJS(later),
		"Labels":  toJS(labels),
	})
	return out.String(), err
}

// toJS writes strings as a JavaScript array; encoding/json escapes what could end a script.
func toJS(s []string) template.JS {
	b, _ := json.Marshal(s)
	return template.JS(b)
}
