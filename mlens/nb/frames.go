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
func Frames(name string, labels []string, figs ...Figure) { Check(frames(name, labels, figs)) }

func frames(name string, labels []string, figs []Figure) error {
	if len(labels) != len(figs) {
		panic(fmt.Sprintf("nb: Frames has %d labels for %d figures", len(labels), len(figs)))
	}
	if len(figs) == 0 {
		return nil
	}
	folder := os.Getenv("MLENS_FIGURES")
	if !gonbui.IsNotebook {
		for i, f := range figs {
			fmt.Printf("%s: %s\n", labels[i], f.Summary())
		}
		if folder == "" {
			return nil
		}
	}
	page := struct {
		ID, Name, Label, Summary string
		Width, Last              int
		First                    template.URL
		Frames, Labels           template.JS
	}{Name: name, Label: labels[0], Summary: figs[0].Summary(), Last: len(figs) - 1}
	var pictures []string
	for i, f := range figs {
		var b bytes.Buffer
		// One pixel a pixel: a dozen frames at double density would weigh megabytes.
		if err := f.PNG(&b, pageDPI); err != nil {
			return fmt.Errorf("drawing frame %q of %s: %w", labels[i], name, err)
		}
		if folder != "" {
			if err := writeFile(filepath.Join(folder, fmt.Sprintf("%s-%02d.png", name, i)), b.Bytes()); err != nil {
				return err
			}
		}
		if i == 0 {
			size, err := png.DecodeConfig(bytes.NewReader(b.Bytes()))
			if err != nil {
				return err
			}
			page.Width = size.Width
		}
		pictures = append(pictures, base64.StdEncoding.EncodeToString(b.Bytes()))
	}
	// Named by its content, so that running the notebook again changes nothing in the file.
	page.ID = fmt.Sprintf("frames-%.6x", sha256.Sum256([]byte(name+strings.Join(labels, "\n")+strings.Join(pictures, ""))))
	page.First = template.URL("data:image/png;base64," + pictures[0])
	pictures[0] = "" // it is in the page already
	page.Frames, page.Labels = toJS(pictures), toJS(labels)
	var out strings.Builder
	if err := framesPage.Execute(&out, page); err != nil {
		return err
	}
	sendHTML(out.String(), page.Summary)
	return nil
}

// toJS writes strings as a JavaScript array; encoding/json escapes what could end a script.
func toJS(s []string) template.JS {
	b, _ := json.Marshal(s)
	return template.JS(b)
}
