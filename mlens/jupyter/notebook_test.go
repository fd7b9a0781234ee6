package jupyter

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func stderr(s string) []Output { return []Output{{Type: "stream", Name: "stderr", Text: Text(s)}} }

func TestFailure(t *testing.T) {
	for _, test := range []struct {
		name    string
		outputs []Output
		want    string
	}{
		{"nothing", nil, ""},
		{"a remark", stderr("reading 12 files\n"), ""},
		{"the words in a sentence", stderr("the exit status 0 is fine\n"), ""},
		{"on stdout", []Output{{Type: "stream", Name: "stdout", Text: "exit status 2\n"}}, ""},
		{"os.Exit", stderr("exit status 3\n"), "exit status 3"},
		{"killed", stderr("signal: killed\n"), "signal: killed"},
		{"in pieces", append(stderr("error: no data\nexit st"), stderr("atus 1\n")...), "error: no data\nexit status 1"},
		{"magic", stderr("\"%nonsense\" unknown or not implemented yet."), `"%nonsense" unknown or not implemented yet.`},
		{"error output", append(stderr("panic: \x1b[7msky\x1b[0m\nexit status 2\n"), Output{Type: "error", EName: "ERROR", EValue: "exit status 2", Traceback: "exit status 2"}),
			"panic: sky\nexit status 2"},
		{"error alone", []Output{{Type: "error", EName: "ERROR", EValue: "compile"}}, "ERROR compile"},
	} {
		if got := Failure(test.outputs); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCheckOutputs(t *testing.T) {
	parse := func(s string) *Notebook {
		var nb Notebook
		if err := json.Unmarshal([]byte(s), &nb); err != nil {
			t.Fatal(err)
		}
		return &nb
	}
	good := parse(`{"cells":[{"cell_type":"markdown","source":["# A\n","b"]},
		{"cell_type":"code","source":"x","execution_count":1,"outputs":[]},
		{"cell_type":"code","source":"  ","execution_count":null,"outputs":[]},
		{"cell_type":"code","source":["y\n","z"],"execution_count":2,"outputs":[]}]}`)
	if w := good.CheckOutputs(); w != nil {
		t.Errorf("%q", w)
	}
	if good.Cells[0].Source != "# A\nb" {
		t.Errorf("lines are not joined: %q", good.Cells[0].Source)
	}
	bad := parse(`{"cells":[{"cell_type":"code","source":"x","execution_count":2,"outputs":[]},
		{"cell_type":"code","source":"y\nz","execution_count":null,"outputs":[{"name":"stderr","output_type":"stream","text":["exit status 1\n"]}]}]}`)
	want := "cell 1 was run as number 2, not 1|cell 2 was not run (y …)|cell 2 failed: exit status 1"
	if got := strings.Join(bad.CheckOutputs(), "|"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestReadNotebook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.ipynb")
	for text, want := range map[string]string{
		"":                                 "not a notebook",
		"# a text":                         "not a notebook",
		"{}":                               "does not say its nbformat",
		`{"cells":[]}`:                     "does not say its nbformat",
		`{"nbformat":3,"worksheets":[{}]}`: "of nbformat 4, but of 3",
		`{"nbformat":4}`:                   "no list of cells",
		`{"nbformat":4,"cells":null}`:      "no list of cells",
		`{"nbformat":4,"cells":"none"}`:    "not a notebook",
		`{"nbformat":4,"cells":[]}`:        "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadNotebook(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestComplaint(t *testing.T) {
	const traceback = "[NbConvertApp] Converting\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    raise ValueError(x)\n"
	for _, test := range []struct{ stderr, want string }{
		{"", ""},
		{"a\nb\n", "a\nb"},
		{"1\n2\n3\n4\n5\n6\n7\n", "2\n3\n4\n5\n6\n7"},
		{traceback + "ValueError: no\n", "ValueError: no"},
		{traceback + "KeyError: 1\n\nDuring handling of it:\n\n" + traceback + "nbformat.reader.NotJSONError: {}\n\nOn instance:\n{'cells': []}\n", "nbformat.reader.NotJSONError: {}"},
		{traceback + "nbclient.exceptions.CellExecutionError: in\nthe cell\n", "  File \"a.py\", line 1, in f\n    raise ValueError(x)\nnbclient.exceptions.CellExecutionError: in\nthe cell"},
	} {
		if got := complaint(test.stderr); !strings.HasSuffix(got, test.want) || strings.Count(got, "\n") > 5 || test.want == "" && got != "" {
			t.Errorf("%q: %q", test.stderr, got)
		}
	}
}

func TestTidy(t *testing.T) {
	in := `{"metadata":{"language_info":{"name":"go","version":"go1.26.8"}},"cells":[{"cell_type":"code","metadata":{"execution":{"iopub":1}},"source":["a<b&&\"é\""],"execution_count":1.0}],"nbformat":4}`
	got, err := tidy([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"1.26.8", "iopub"} {
		if bytes.Contains(got, []byte(gone)) {
			t.Errorf("%s is still there", gone)
		}
	}
	for _, kept := range []string{`"a<b&&\"é\""`, `"execution_count": 1.0`, "\n  {\n   \"cell_type\": \"code\""} {
		if !bytes.Contains(got, []byte(kept)) {
			t.Errorf("%s is not in\n%s", kept, got)
		}
	}
	if again, err := tidy(got); err != nil || !bytes.Equal(again, got) {
		t.Error("tidying twice changes it")
	}
}

// What a cell printed is one output, however often the program wrote; figures and the other
// stream come between as they did.
func TestTidyJoinsStreams(t *testing.T) {
	stream := func(name, lines string) string {
		return `{"output_type":"stream","name":"` + name + `","text":[` + lines + `]}`
	}
	in := `{"cells":[{"cell_type":"code","outputs":[` + strings.Join([]string{
		stream("stdout", `"a\n","b"`), stream("stdout", `"c\n","d\n"`), stream("stdout", ``), stream("stdout", `"e"`), stream("stderr", `"f"`),
		`{"output_type":"display_data","data":{}}`, stream("stderr", `"g"`), stream("stderr", `"h\n"`),
	}, ",") + `]}, {"cell_type":"code","outputs":[]}, {"cell_type":"markdown"}]}`
	got, err := tidy([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	var nb Notebook
	if err := json.Unmarshal(got, &nb); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, o := range nb.Cells[0].Outputs {
		all = append(all, o.Type+" "+o.Name+" "+string(o.Text))
	}
	want := []string{"stream stdout a\nbc\nd\ne", "stream stderr f", "display_data  ", "stream stderr gh\n"}
	if !slices.Equal(all, want) {
		t.Errorf("outputs are %q, not %q", all, want)
	}
	if !bytes.Contains(got, []byte(`"outputs": []`)) || bytes.Contains(got, []byte("null")) {
		t.Errorf("a cell without outputs has become another:\n%s", got)
	}
}

func TestWriteFileKeepsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ipynb")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	i, _ := os.Stat(path)
	if b, _ := os.ReadFile(path); string(b) != "new" || i.Mode().Perm() != 0o600 {
		t.Errorf("%q with mode %v", b, i.Mode())
	}
	if all, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*ipynb*")); len(all) > 0 {
		t.Errorf("left behind: %v", all)
	}
}

type pipe struct {
	bytes.Buffer
	closed bool
}

func (p *pipe) Close() error { p.closed = true; return nil }

func TestWatch(t *testing.T) {
	nb := &Notebook{Cells: []Cell{{Type: "markdown"}, {Type: "code", Source: "one"}, {Type: "code", Source: "two\nlines"}, {Type: "code", Source: "three"}}}
	lines := `some chatter of a library
mlens-cell {"event":"start","index":1}
mlens-cell {"event":"end","index":1,"outputs":[{"output_type":"stream","name":"stdout","text":"1\n"}]}
mlens-cell {"event":"start","index":2}
mlens-cell {"event":"end","index":2,"outputs":[{"output_type":"stream","name":"stderr","text":"error: no\nexit status 1\n"}]}
mlens-cell {"event":"start","index":3}
`
	var in pipe
	var seen []int
	e := watch(io.MultiReader(strings.NewReader(lines)), nb, "a.ipynb", func(n, of int) { seen = append(seen, n, of) }, &in)
	if e == nil || e.Error() != "a.ipynb: cell 3 failed:\n    two\n    lines\n→ error: no\nexit status 1" {
		t.Errorf("got %v", e)
	}
	if in.String() != "\n" || !in.closed {
		t.Errorf("let go on %q, closed %v: want once, then stop", in.String(), in.closed)
	}
	if len(seen) != 4 || seen[2] != 2 || seen[3] != 3 {
		t.Errorf("progress %v", seen)
	}
}
