package nb

import (
	"bytes"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Figure is what can be shown: the figures of package plots, and anything else that can draw
// itself at a resolution and say in a line or a few what is to be seen.
type Figure interface {
	PNG(w io.Writer, dpi int) error
	Summary() string
}

// Pictures are drawn with two pixels for each one that they take on the page, which is sharp on
// today's screens and when printed.
const (
	pageDPI  = 96
	density  = 2
	drawnDPI = density * pageDPI
)

// Show displays a figure under the cell: a picture in a notebook, the figure's summary in a
// console or an ordinary program. The name is that of the file when MLENS_FIGURES names a folder.
func Show(name string, fig Figure) { Check(show(name, "", fig)) }

// Live returns a function that displays a figure and, called again, replaces it in place: a loss
// curve while a network trains. The last one stays in the saved notebook. Drawing takes some
// tens of milliseconds, so call it about once a second.
func Live(name string) func(Figure) {
	id := "live-" + gonbui.UniqueId()
	return func(fig Figure) { Check(show(name, id, fig)) }
}

// show displays fig; with an id it replaces what was displayed under that id before.
func show(name, id string, fig Figure) error {
	folder := os.Getenv("MLENS_FIGURES")
	if !gonbui.IsNotebook {
		if id == "" {
			fmt.Println(fig.Summary())
		}
		if folder == "" {
			return nil
		}
	}
	var b bytes.Buffer
	if err := fig.PNG(&b, drawnDPI); err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}
	picture := smaller(b.Bytes())
	if folder != "" {
		if err := writeFile(filepath.Join(folder, name+".png"), picture); err != nil {
			return err
		}
	}
	return display(id, picture, fig.Summary())
}

// display sends a picture with its summary: a notebook shows the one, a console the other.
func display(id string, picture []byte, summary string) error {
	if !gonbui.IsNotebook {
		return nil
	}
	size, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return err
	}
	gonbui.SendData(&protocol.DisplayData{
		Data: map[protocol.MIMEType]any{
			protocol.MIMEImagePNG:  picture,
			protocol.MIMETextPlain: summary,
		},
		Metadata: map[string]any{
			string(protocol.MIMEImagePNG): map[string]int{"width": size.Width / density, "height": size.Height / density},
		},
		DisplayID: id,
	})
	gonbui.Sync()
	return nil
}

// sendHTML displays a page fragment, with text for a console.
func sendHTML(fragment, summary string) {
	if !gonbui.IsNotebook {
		return
	}
	gonbui.SendData(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
		protocol.MIMETextHTML:  fragment,
		protocol.MIMETextPlain: summary,
	}})
	gonbui.Sync()
}

// writeFile writes b under a temporary name and renames it, and makes the folder if need be.
func writeFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(path, b, 0o644, renameio.WithTempDir(filepath.Dir(path)))
}
