package event

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// series writes an event in the given form: rows of time, value, error.
func series(t *testing.T, row func(time, flux, sigma float64) string) string {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 0))
	s := SingleLens{T0: 30, U0: 0.1, TE: 10}
	var b strings.Builder
	for i := range 500 {
		x := float64(i) * 0.12
		f := 1000 * (1 + 0.5*(s.Magnification(x)-1))
		b.WriteString(row(x, f+10*r.NormFloat64(), 10))
		b.WriteByte('\n')
	}
	return b.String()
}

func magnitude(f float64) float64 { return 22 - 2.5*math.Log10(f/1000) }

func TestReadForms(t *testing.T) {
	flux := func(sep string) func(x, f, s float64) string {
		return func(x, f, s float64) string { return fmt.Sprint(2460000+x, sep, f, sep, s) }
	}
	mag := func(sep string) func(x, f, s float64) string {
		return func(x, f, s float64) string {
			return fmt.Sprint(x, sep, magnitude(f), sep, s/f*2.5/math.Ln10)
		}
	}
	swapped := func(x, f, s float64) string { return fmt.Sprintf("%v,%v,x,%v", s, f, x) }
	for _, c := range []struct {
		name, text string
		opt        ReadOptions
		mag        bool
	}{
		{"spaces", series(t, flux(" ")), ReadOptions{}, false},
		{"commas", series(t, flux(",")), ReadOptions{}, false},
		{"tabs", series(t, flux("\t")), ReadOptions{}, false},
		{"semicolons, header", "HJD;Flux;Flux_err\n" + series(t, flux(";")), ReadOptions{}, false},
		{"comment header", "# time flux err\n# a comment of five words\n" + series(t, flux("  ")), ReadOptions{}, false},
		{"magnitudes, no header", series(t, mag(" ")), ReadOptions{}, true},
		{"magnitudes, header", "HJD-2450000,I_Mag,Err\n" + series(t, mag(",")), ReadOptions{}, true},
		{"byte order mark and CRLF", "\ufeffbjd,mag,mag_err\r\n" + strings.ReplaceAll(series(t, mag(",")), "\n", "\r\n"), ReadOptions{}, true},
		{"columns by header", "err,flux,note,time\n" + series(t, swapped), ReadOptions{}, false},
		{"columns by option", "e1,v,note,x\n" + series(t, swapped), ReadOptions{Time: "x", Value: "V", Error: "e1"}, false},
		{"an error of the time", "time,time_err,flux,flux_err\n" + series(t, func(x, f, s float64) string { return fmt.Sprintf("%v,0.5,%v,%v", x, f, s) }), ReadOptions{}, false},
		{"columns by position", "e1,v,note,x\n" + series(t, swapped), ReadOptions{Time: "4", Value: "2", Error: "1"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			lc, err := c.opt.Decode(strings.NewReader(c.text), "a.dat")
			if err != nil {
				t.Fatal(err)
			}
			if lc.Len() != 500 {
				t.Fatalf("%d rows", lc.Len())
			}
			base, peak := quantile(lc.Flux, 0.1), quantile(lc.Flux, 1)
			if ratio := peak / base; ratio < 4 || ratio > 7 {
				t.Errorf("peak over baseline %v: the unit was mistaken", ratio)
			}
			if sn := lc.Flux[0] / lc.Err[0]; sn < 90 || sn > 120 {
				t.Errorf("S/N %v, want about 100", sn)
			}
		})
	}
}

func TestReadBad(t *testing.T) {
	good := "1 100 1\n2 101 1\n3 99 1\n"
	magnitudes := series(t, func(x, f, s float64) string { return fmt.Sprint(x, " ", magnitude(f), " ", s/f*2.5/math.Ln10) })
	for _, c := range []struct {
		name, text string
		opt        ReadOptions
		want       []string // parts of the error
	}{
		{"empty", "", ReadOptions{}, []string{"a.dat", "no rows"}},
		{"unsorted", good + "2.5 100 1\n", ReadOptions{}, []string{"a.dat:4", "before", "sort"}},
		{"duplicate", good + "3 100 1\n", ReadOptions{}, []string{"a.dat:4", "twice"}},
		{"NaN", good + "4 nan 1\n", ReadOptions{}, []string{"a.dat:4", "NaN", "remove"}},
		{"infinite time", good + "inf 1 1\n", ReadOptions{}, []string{"a.dat:4", "Inf"}},
		{"zero error", good + "4 100 0\n", ReadOptions{}, []string{"a.dat:4", "above 0"}},
		{"negative error", good + "4 100 -1\n", ReadOptions{}, []string{"a.dat:4", "above 0"}},
		{"missing column", good + "4 100\n", ReadOptions{}, []string{"a.dat:4", "column 3"}},
		{"two columns", "1 2\n2 3\n", ReadOptions{}, []string{"a.dat:1", "three are needed"}},
		{"words", good + "4 about 1\n", ReadOptions{}, []string{"a.dat:4", "about", "not a number"}},
		{"two headers", "time,flux,err\nd,counts,counts\n1,2,3\n", ReadOptions{}, []string{"a.dat:2", "neither"}},
		{"unknown column", "time,flux,err\n1,2,3\n", ReadOptions{Value: "mag"}, []string{`"mag"`, "time, flux, err"}},
		{"column too far", good, ReadOptions{Error: "7"}, []string{"no column 7", "3 columns"}},
		{"unit", good, ReadOptions{Unit: "jansky"}, []string{"jansky"}},
		{"header too short", "err,flux,time\n1,2,3,\n", ReadOptions{}, []string{"a.dat:2", "4 columns", "header names 3"}},
		{"magnitudes said to be flux", magnitudes, ReadOptions{Unit: InFlux}, []string{"options", "look like a magnitude", "downwards", "with the unit magnitude"}},
		{"magnitudes under a header of flux", "t flux err\n" + magnitudes, ReadOptions{}, []string{"header", "look like a magnitude"}},
		{"fluxes under a header of magnitudes", "time mag err\n# counts\n1 1000 10\n2 1010 10\n", ReadOptions{}, []string{"a.dat:3", "1000 ± 10", "zero point 27.615", "-unit flux"}},
		{"decimal commas", "# a comment\n1,5 2,0 0,1\n", ReadOptions{}, []string{"a.dat:2", "decimal commas", "1,5 2,0"}},
		{"decimal commas, header", "time flux err\n2460000 1002,0 1e-1\n", ReadOptions{}, []string{"a.dat:2", "decimal commas"}},
		{"decimal commas, semicolons", "time;flux;err\n1,5;2,0; 0,1\n", ReadOptions{}, []string{"a.dat:2", "decimal commas"}},
		{"decimal commas, tabs", "1,5\t-2,0E3\t0,1\n", ReadOptions{}, []string{"a.dat:1", "decimal commas"}},
		{"bytes in a header", "a\x1b[2J,b\n1,2,3\n", ReadOptions{}, []string{"a.dat:2", `a\x1b[2J, b`}},
		{"binary", strings.Repeat("\x00\x01", 1<<20), ReadOptions{}, []string{"not a light-curve"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.opt.Decode(strings.NewReader(c.text), "a.dat")
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
	if _, err := Read("no/such/file"); err == nil || !strings.Contains(err.Error(), "no/such/file") {
		t.Errorf("missing file: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("1 2 3\n4 5 6\n")
	f.Add("time,mag,err\n1,20,0.1\n")
	f.Add("# t f e\n1;2;3")
	f.Fuzz(func(t *testing.T, text string) {
		lc, err := ReadOptions{}.Decode(strings.NewReader(text), "fuzz")
		if err != nil {
			return
		}
		for i := range lc.Times {
			if !(lc.Err[i] > 0) || math.IsNaN(lc.Flux[i]) || i > 0 && lc.Times[i] <= lc.Times[i-1] {
				t.Fatalf("row %d: %v %v %v", i, lc.Times[i], lc.Flux[i], lc.Err[i])
			}
		}
	})
}

// The error of the time is not the error of the flux, and a third column that a
// header does not call an error is not taken for one.
func TestReadErrorColumn(t *testing.T) {
	dir := t.TempDir()
	write := func(header string, row func(i int) string) string {
		var b strings.Builder
		b.WriteString(header + "\n")
		for i := range 60 {
			b.WriteString(row(i) + "\n")
		}
		path := filepath.Join(dir, "lc.csv")
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("HJD,HJD_err,F,F_err", func(i int) string { return fmt.Sprintf("%d,0.0001,%d,7", i, 1000+i) })
	lc, err := Read(path)
	if err != nil || lc.Err[0] != 7 || lc.Flux[1] != 1001 {
		t.Errorf("HJD_err beside F_err: %+v, %v", lc, err)
	}
	path = write("time,mag,airmass", func(i int) string { return fmt.Sprintf("%d,%g,1.2", i, 18+0.01*float64(i)) })
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "which column is the error") || !strings.Contains(err.Error(), "airmass") {
		t.Errorf("an airmass is taken for an error: %v", err)
	}
}

// Where no window can be used, the error says why.
func TestBestWindowRefuses(t *testing.T) {
	curve := func(n int, step, flux, sigma float64) LightCurve {
		lc := LightCurve{Name: "a.dat"}
		for i := range n {
			lc.Times, lc.Flux, lc.Err = append(lc.Times, step*float64(i)), append(lc.Flux, flux), append(lc.Err, sigma)
		}
		return lc
	}
	for _, c := range []struct {
		lc   LightCurve
		want string
	}{
		{curve(0, 1, 10, 1), "the fullest holds 0"},
		{curve(29, 1, 10, 1), "30 measurements, the fullest holds 29; shorter or sparser"},
		{curve(100, 8, 10, 1), "the fullest holds 9"},
		{curve(100, 0.5, 1e303, 1e301), "measurement 0 (flux 1e+303, error 1e+301) overflows"},
		{curve(100, 0.5, 1, 1e-160), "overflows"},
		{curve(100, 0.5, 1, 1e200), "overflows"},
	} {
		if _, err := c.lc.BestWindow(72); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "a.dat") {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestBestWindowOfConstantFlux(t *testing.T) {
	lc := LightCurve{Name: "constant"}
	for i := range 100 {
		lc.Times, lc.Flux, lc.Err = append(lc.Times, 0.5*float64(i)), append(lc.Flux, 10), append(lc.Err, 1)
	}
	if start, err := lc.BestWindow(72); err != nil || start != 0 {
		t.Errorf("%v, %v", start, err)
	}
}
