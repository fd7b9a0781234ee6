package jupyter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/renameio/v2"
)

// Notebook is what we read of an .ipynb file.
type Notebook struct {
	Format int    `json:"nbformat"` // the major version of the file's form
	Cells  []Cell `json:"cells"`
}

// Cell is one cell of a notebook.
type Cell struct {
	Type    string   `json:"cell_type"`
	Source  Text     `json:"source"`
	Count   *int     `json:"execution_count"` // nil: not run
	Outputs []Output `json:"outputs"`
}

// Output is one output of a code cell.
type Output struct {
	Type      string `json:"output_type"`
	Name      string `json:"name"` // of a stream: stdout or stderr
	Text      Text   `json:"text"`
	EName     string `json:"ename"`
	EValue    string `json:"evalue"`
	Traceback Text   `json:"traceback"`
}

// Text is a string that notebook files store whole or as a list of lines.
type Text string

// UnmarshalJSON accepts both forms.
func (t *Text) UnmarshalJSON(b []byte) error {
	var lines []string
	if err := json.Unmarshal(b, &lines); err == nil {
		*t = Text(strings.Join(lines, ""))
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

// ReadNotebook reads the file at path, which must be of the one form with a list of cells,
// nbformat 4.
func ReadNotebook(path string) (*Notebook, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var nb Notebook
	if err := json.Unmarshal(b, &nb); err != nil {
		return nil, fmt.Errorf("%s: not a notebook: %w", path, err)
	}
	switch {
	case nb.Format == 0:
		return nil, fmt.Errorf("%s: not a notebook: it does not say its nbformat", path)
	case nb.Format != 4:
		return nil, fmt.Errorf("%s: not a notebook of nbformat 4, but of %d: convert it with \"jupyter nbconvert --to notebook\"", path, nb.Format)
	case nb.Cells == nil:
		return nil, fmt.Errorf("%s: not a notebook: it has no list of cells", path)
	}
	return &nb, nil
}

// trap finds what GoNB leaves in a cell's standard error when its program failed. Before v0.11.4
// it answered "ok" to Jupyter all the same, and this was the only trace.
var trap = regexp.MustCompile(`(?m)^(exit status \d+|signal: .+)$|unknown or not implemented yet\.$`)

// colours are the escape sequences of terminals.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Failure returns why the outputs of a cell say that it failed, "" when it did not.
func Failure(outputs []Output) string {
	var said, raised strings.Builder
	for _, o := range outputs {
		switch {
		case o.Type == "error":
			s := string(o.Traceback)
			if s == "" || s == "NoTraceback" {
				s = o.EName + " " + o.EValue
			}
			raised.WriteString(s + "\n")
		case o.Name == "stderr":
			said.WriteString(string(o.Text))
		}
	}
	if raised.Len() == 0 && !trap.MatchString(said.String()) {
		return ""
	}
	s, r := strings.TrimSpace(said.String()), strings.TrimSpace(raised.String())
	if !strings.Contains(s, r) {
		s = strings.TrimSpace(s + "\n" + r)
	}
	return colours.ReplaceAllString(s, "")
}

// CheckOutputs returns what is wrong with a notebook as it is stored: every code cell must have
// been run, in order 1…n, and none may have failed.
func (nb *Notebook) CheckOutputs() []string {
	var wrong []string
	n := 0
	for i, c := range nb.Cells {
		if c.Type != "code" || strings.TrimSpace(string(c.Source)) == "" {
			continue
		}
		n++
		switch {
		case c.Count == nil:
			wrong = append(wrong, fmt.Sprintf("cell %d was not run (%s)", i+1, firstLines(c.Source, 1)))
		case *c.Count != n:
			wrong = append(wrong, fmt.Sprintf("cell %d was run as number %d, not %d", i+1, *c.Count, n))
		}
		if f := Failure(c.Outputs); f != "" {
			wrong = append(wrong, fmt.Sprintf("cell %d failed: %s", i+1, f))
		}
	}
	return wrong
}

// firstLines are the first n lines of a cell, for messages.
func firstLines(src Text, n int) string {
	l := strings.Split(strings.TrimSpace(string(src)), "\n")
	s := strings.Join(l[:min(n, len(l))], "\n")
	if len(l) > n {
		s += " …"
	}
	return s
}

// tidy rewrites an executed notebook so that two runs differ only where the results do: no
// times, no version of the toolchain, what a cell printed in one piece. The form is nbformat's own
// (sorted keys, one space).
func tidy(b []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var nb map[string]any
	if err := d.Decode(&nb); err != nil {
		return nil, err
	}
	if meta, ok := nb["metadata"].(map[string]any); ok {
		if lang, ok := meta["language_info"].(map[string]any); ok {
			delete(lang, "version")
		}
		delete(meta, "widgets")
	}
	cells, _ := nb["cells"].([]any)
	for _, c := range cells {
		cell, _ := c.(map[string]any)
		if meta, ok := cell["metadata"].(map[string]any); ok {
			delete(meta, "execution")
			delete(meta, "ExecuteTime")
		}
		if outputs, ok := cell["outputs"].([]any); ok {
			cell["outputs"] = joinStreams(outputs)
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(nb); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// joinStreams joins neighbouring outputs to the same stream, which else are as many as the
// program happened to write at different times.
func joinStreams(outputs []any) (joined []any) {
	joined = []any{} // not null
	var last map[string]any
	for _, o := range outputs {
		output, _ := o.(map[string]any)
		if output["output_type"] != "stream" {
			last = nil
		} else if text, ok := output["text"].([]any); ok && last != nil && last["name"] == output["name"] {
			last["text"] = joinLines(last["text"].([]any), text)
			continue
		} else if last = nil; ok {
			last = output
		}
		joined = append(joined, o)
	}
	return joined
}

// joinLines appends lines, of which the first may go on with the last one.
func joinLines(lines, more []any) []any {
	if n := len(lines); n > 0 && len(more) > 0 {
		end, _ := lines[n-1].(string)
		start, _ := more[0].(string)
		if !strings.HasSuffix(end, "\n") {
			lines[n-1] = end + start
			more = more[1:]
		}
	}
	return append(lines, more...)
}

// writeFile replaces path with b, at once, and keeps its permissions.
func writeFile(path string, b []byte) error {
	return renameio.WriteFile(path, b, 0o644, renameio.WithTempDir(filepath.Dir(path)), renameio.WithExistingPermissions())
}
