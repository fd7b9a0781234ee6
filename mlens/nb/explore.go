package nb

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
)

//go:embed explore/panel.html
var panelHTML string

//go:embed explore/panel.js
var panelJS string

var panelPage = template.Must(template.New("panel").Parse(panelHTML))

// Panel says where the sliders of [Explore] stand at first.
type Panel struct {
	S     float64 // separation of the lenses, θ_E, 0.25 to 4; 0 means 1
	Q     float64 // their mass ratio, 1e-5 to 1; 0 means 0.1
	Alpha float64 // direction of the source's motion, degrees from the primary → secondary axis
	U0    float64 // closest approach to the centre of mass, θ_E, 0 to 2
	Rho   float64 // radius of the source, θ_E, 1e-4 to 0.2; 0 means 0.01
	TE    float64 // Einstein time, days, 1 to 100; 0 means 20
	Time  float64 // of the source, days since its closest approach, −36 to 36

	// Shared panels use the engine that another panel of the notebook brings, which saves its
	// weight.
	Shared bool
}

// Explore displays a binary lens to play with: sliders for its parameters, its light curve, the
// plane of the source with the caustics, and the plane of the lens with the images, all of which
// follow the hand.
//
// The page computes by itself, with package lens compiled to WebAssembly: the panel needs no
// kernel, and it lives in the saved notebook (a trusted one, as Jupyter calls it) and in exported
// HTML. Where scripts do not run there is the figure; in a console its summary is printed. The
// figure may be nil.
//
// The engine weighs about a megabyte in the notebook. It is compiled when the cell is run for the
// first time and kept in the user's cache folder, named by the sources that it is made from.
func Explore(name string, p Panel, fig Figure) { Check(explore(name, p, fig)) }

func explore(name string, p Panel, fig Figure) error {
	folder := os.Getenv("MLENS_FIGURES")
	if !gonbui.IsNotebook {
		if fig == nil {
			fmt.Println(name + ": a panel with sliders, for a notebook")
		} else {
			fmt.Println(fig.Summary())
		}
		if folder == "" {
			return nil
		}
	}
	start, err := p.values()
	if err != nil {
		return err
	}
	var still []byte
	summary := name
	if fig != nil {
		var b bytes.Buffer
		if err := fig.PNG(&b, pageDPI); err != nil {
			return fmt.Errorf("drawing %s: %w", name, err)
		}
		still, summary = b.Bytes(), fig.Summary()
		if folder != "" {
			if err := writeFile(filepath.Join(folder, name+".png"), still); err != nil {
				return err
			}
		}
	}
	if !gonbui.IsNotebook {
		return nil
	}
	root, err := Root()
	if err != nil {
		return err
	}
	e, err := buildEngine(Context(), root)
	if err != nil {
		return err
	}
	if p.Shared {
		e.Wasm = ""
	}
	page, err := panelFragment(name, start, e, still, summary)
	if err == nil {
		sendHTML(page, summary)
	}
	return err
}

// values are the values of the sliders, by their names in panel.js.
func (p Panel) values() (map[string]float64, error) {
	for _, v := range []struct {
		name          string
		x             *float64
		def, min, max float64
	}{
		{"S", &p.S, 1, 0.25, 4},
		{"Q", &p.Q, 0.1, 1e-5, 1},
		{"Alpha", &p.Alpha, 0, 0, 360},
		{"U0", &p.U0, 0, 0, 2},
		{"Rho", &p.Rho, 0.01, 1e-4, 0.2},
		{"TE", &p.TE, 20, 1, 100},
		{"Time", &p.Time, 0, -36, 36},
	} {
		if *v.x == 0 {
			*v.x = v.def
		}
		if !(v.min <= *v.x && *v.x <= v.max) {
			return nil, fmt.Errorf("panel: %s = %v, but its slider goes from %v to %v", v.name, *v.x, v.min, v.max)
		}
	}
	log := func(x float64) float64 { return math.Round(1e6*math.Log10(x)) / 1e6 }
	return map[string]float64{
		"logS": log(p.S), "logQ": log(p.Q), "alpha": p.Alpha, "u0": p.U0,
		"logRho": log(p.Rho), "logTE": log(p.TE), "time": p.Time,
	}, nil
}

// panelFragment writes the panel as HTML. The same panel is the same bytes, so that running the
// notebook again changes nothing in the file.
func panelFragment(name string, start map[string]float64, e engine, still []byte, summary string) (string, error) {
	data := map[string]any{
		"Name":    name,
		"Summary": summary,
		"Start":   start,
		"Key":     e.Key,
		"Wasm":    template.JS(`"` + e.Wasm + `"`), // base64: nothing to escape
		"Glue":    template.JS(e.Glue),
		"Panel":   template.JS(panelJS),
	}
	if still != nil {
		size, err := png.DecodeConfig(bytes.NewReader(still))
		if err != nil {
			return "", err
		}
		data["Width"] = size.Width
		data["Still"] = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(still))
	}
	var out strings.Builder
	err := panelPage.Execute(&out, data)
	return out.String(), err
}
