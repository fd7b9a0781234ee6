package nb

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
)

//go:embed panel.html
var panelHTML string

var panelPage = template.Must(template.New("panel").Parse(panelHTML))

// Panel is where the sliders of [Explore] stand at first.
type Panel struct {
	S     float64 // separation, θ_E
	Q     float64 // mass ratio, secondary over primary
	Alpha float64 // direction of the source's motion, degrees
	U0    float64 // closest approach to the centre of mass, θ_E
	Rho   float64 // radius of the source, θ_E
	TE    float64 // Einstein time, days

	View   float64 // half the width of the map, θ_E; 0 means 1.6
	Shared bool    // use the engine that an earlier panel of the notebook brought
}

// Explore displays a panel with sliders for a binary lens: light curve, caustics, path of the
// source and its images follow the hand. The lens package runs in the page itself, compiled to
// WebAssembly, so that the panel needs no kernel and lives on in the saved notebook and in
// exported HTML. The engine weighs about 0.8 MB in the notebook: set Shared in all panels of a
// notebook but the first. Where scripts do not run, and in a console, there is the figure.
func Explore(name string, p Panel, fig Figure) { Check(explore(name, p, fig)) }

func explore(name string, p Panel, fig Figure) error {
	if !gonbui.IsNotebook {
		return show(name, "", fig)
	}
	root, err := Root()
	if err != nil {
		return err
	}
	var engine, glue string
	if !p.Shared {
		if engine, glue, err = buildEngine(root); err != nil {
			return err
		}
	}
	var still bytes.Buffer
	if err := fig.PNG(&still, pageDPI); err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}
	page, err := panelFragment(name, p, engine, glue, still.Bytes(), fig.Summary())
	if err == nil {
		sendHTML(page, fig.Summary())
	}
	return err
}

// buildEngine compiles mlens/nb/explore for the browser. It returns the program, gzipped and in
// base64, and the script of the same Go release that starts it.
func buildEngine(root string) (program, glue string, err error) {
	tmp, err := os.MkdirTemp("", "mlens-explore-")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, "explore.wasm")
	c := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./mlens/nb/explore")
	c.Dir = root
	c.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=-mod=readonly -buildvcs=false", "GOEXPERIMENT=", "GOWORK=off")
	if msg, err := c.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("compiling the lens for the browser: %w\n%s", err, msg)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return "", "", err
	}
	var z bytes.Buffer
	w, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
	w.Write(b)
	w.Close()
	goroot := exec.Command("go", "env", "GOROOT")
	goroot.Dir = root
	dir, err := goroot.Output()
	if err != nil {
		return "", "", err
	}
	js, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "lib", "wasm", "wasm_exec.js"))
	return base64.StdEncoding.EncodeToString(z.Bytes()), string(js), err
}

// panelFragment writes the panel as HTML.
func panelFragment(name string, p Panel, engine, glue string, still []byte, summary string) (string, error) {
	size, err := png.DecodeConfig(bytes.NewReader(still))
	if err != nil {
		return "", err
	}
	if p.View == 0 {
		p.View = 1.6
	}
	var out strings.Builder
	err = panelPage.Execute(&out, map[string]any{
		"ID":      fmt.Sprintf("panel-%.6x", sha256.Sum256(fmt.Append(nil, name, p))),
		"Name":    name,
		"Panel":   p,
		"Engine":  template.JS(`"` + engine + `"`), // base64: nothing to escape
		"Glue":    template.JS(glue),
		"Summary": summary,
		"Width":   size.Width,
		"Still":   template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(still)),
	})
	return out.String(), err
}
