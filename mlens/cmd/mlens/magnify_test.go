package main

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/mlens-go/microlens/mlens/lens"
)

func TestMagnify(t *testing.T) {
	in := "# a comment\nname,rho,q,s,y,x\nfirst,0.01,0.1,0.8,0.01,0.01\nsecond, 1e-3 ,5e-3,1.1,1e-4,1e-4\n"
	var out strings.Builder
	if err := magnify(context.Background(), &out, io.Discard, strings.NewReader(in), "in.csv", lens.Options{AbsTol: 1e-4, RelTol: 1e-4}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], " "); got != "name rho q s y x magnification error images" {
		t.Errorf("header %q", got)
	}
	for i, want := range []float64{18.2833820123, 235.128956525} { // exact values
		if got, _ := strconv.ParseFloat(rows[i+1][6], 64); math.Abs(got/want-1) > 1e-4 {
			t.Errorf("row %d: A = %v, want %v", i, got, want)
		}
	}
	if rows[1][0] != "first" || rows[2][0] != "second" {
		t.Error("the other columns or the order were lost")
	}
	// More rows than one chunk stay in order.
	var many strings.Builder
	many.WriteString("s,q,x,y,id\n")
	for i := range 2*chunkRows + 7 {
		many.WriteString("1,1,0.3,0.2," + strconv.Itoa(i) + "\n")
	}
	out.Reset()
	if err := magnify(context.Background(), &out, io.Discard, strings.NewReader(many.String()), "in.csv", lens.Options{PointSource: true}); err != nil {
		t.Fatal(err)
	}
	rows, _ = csv.NewReader(strings.NewReader(out.String())).ReadAll()
	for i, row := range rows[1:] {
		if row[4] != strconv.Itoa(i) {
			t.Fatalf("row %d is %v", i, row)
		}
	}
}

// A missed tolerance is told apart from the table.
func TestMagnifyLate(t *testing.T) {
	const in = "s,q,x,y,rho\n1,1,0.3,0.2,0.1\n1,1,5,5,0\n0.9,0.1,0.01,0.02,0.2\n"
	for tol, want := range map[float64]string{1e-3: "", 1e-10: "in.csv: 2 of 3 rows have an error above the tolerance\n"} {
		var remarks strings.Builder
		if err := magnify(context.Background(), io.Discard, &remarks, strings.NewReader(in), "in.csv", lens.Options{AbsTol: tol, RelTol: tol}); err != nil {
			t.Fatal(err)
		}
		if remarks.String() != want {
			t.Errorf("tol %v: %q", tol, &remarks)
		}
	}
}

func TestMagnifyRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "empty",
		"s,q,x,y\n1,1,0,0\n": `no column "rho"`,
		"s,q,x,y,rho\n1,1,0,0,1e-3\n-1,1,0,0,1e-3\n":    "in.csv:3: s = -1",
		"s,q,x,y,rho\n1,1,1e308,0,1e-3\n":               "x is 1e+308",
		"s,q,x,y,rho\n1e-200,1,0,0,1e-3\n":              "s = 1e-200",
		"s,q,x,y,rho\n1,nan,0,0,1e-3\n":                 "q is",
		"s,q,x,y,rho\n1,1,0,0,-1\n":                     "rho is -1",
		"s,q,x,y,rho\n1,1,0,abc,1\n":                    `"abc"`,
		"s,s,q,x,y,rho\n1,2,1,0,0,1\n":                  `two columns "s"`,
		"s,q,x,y,rho,error\n1,1,0,0,1,0\n":              `a column "error" already`,
		"magnification,s,q,x,y,rho\n1,1,1,0,0,1\n":      `a column "magnification" already`,
		"s,q,x,y,rho, images \n1,1,0,0,1,0\n":           `a column "images" already`,
		"s,q,x,y,rho\n1,1,0\n":                          "in.csv:2: the row has 3 fields, but the header has 5",
		"\x00\x1b[2J" + strings.Repeat("x", 1e4) + "\n": `no column "s"; the header has "\x00\x1b[2Jxxx`,
	} {
		var out strings.Builder
		err := magnify(context.Background(), &out, io.Discard, strings.NewReader(in), "in.csv", lens.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "in.csv") {
			t.Errorf("%q: %v", in, err)
		}
		if err != nil && (len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\x00\x1b")) {
			t.Errorf("%.20q: raw bytes or a long error", in)
		}
		if out.Len() > 0 {
			t.Errorf("%q: something was written before the error", in)
		}
	}
}

// An interrupted table ends after a whole row, and cannot be taken for a complete one.
func TestMagnifyInterrupted(t *testing.T) {
	var in strings.Builder
	in.WriteString("s,q,x,y\n")
	const rows = 2*chunkRows + 7
	for range rows {
		in.WriteString("1,1,0.3,0.2\n")
	}
	ctx, cancel := context.WithCancel(context.Background())
	out := &cancelling{after: 1, cancel: cancel}
	err := magnify(ctx, out, io.Discard, strings.NewReader(in.String()), "in.csv", lens.Options{PointSource: true})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "in.csv: 4096 of 8199 rows were written") {
		t.Errorf("interrupted: %v", err)
	}
	lines := strings.Split(out.String(), "\n")
	if n := len(lines); n != 1+chunkRows+2 || lines[n-2] != "# interrupted: 4096 of 8199 rows" || lines[n-1] != "" {
		t.Errorf("%d lines, the last are %q", n, lines[n-2:])
	}
	if last := lines[chunkRows]; strings.Count(last, ",") != 6 {
		t.Errorf("the last row is %q", last)
	}
	// Before anything was written, nothing is.
	var none strings.Builder
	if err := magnify(ctx, &none, io.Discard, strings.NewReader(in.String()), "in.csv", lens.Options{}); err == nil || none.Len() > 0 {
		t.Errorf("%v, %d bytes", err, none.Len())
	}
}

// cancelling cancels when rows, after the header, were written to it.
type cancelling struct {
	strings.Builder
	after  int
	cancel func()
}

func (c *cancelling) Write(b []byte) (int, error) {
	if c.after--; c.after < 0 {
		c.cancel()
	}
	return c.Builder.Write(b)
}
