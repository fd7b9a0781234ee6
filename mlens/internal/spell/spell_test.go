package spell

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "0.4 s", 12 * time.Second: "12 s", 185 * time.Second: "3 min 5 s", 130 * time.Minute: "2 h 10 min",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestBare(t *testing.T) {
	err := fmt.Errorf("lens: s of %w", fs.ErrNotExist)
	if got := Bare(err); got.Error() != "s of file does not exist" || !errors.Is(got, fs.ErrNotExist) {
		t.Errorf("%v", got)
	}
	if got := Bare(fs.ErrNotExist); got != fs.ErrNotExist {
		t.Errorf("%v", got)
	}
	if Bare(nil) != nil {
		t.Error("nil is an error")
	}
}

func TestRow(t *testing.T) {
	for text, want := range map[string]string{
		"a,b\n\n1,2,3\n":    "x.csv:3: the row has 3 fields, but the header has 2",
		"a,b\n\"1\n\"\"2\n": "x.csv: record on line 2",
	} {
		r := csv.NewReader(strings.NewReader(text))
		r.Read()
		row, err := r.Read()
		if got := Row("x.csv", err, row, 2); !strings.HasPrefix(got.Error(), want) {
			t.Errorf("%q: %v", text, got)
		}
	}
}
