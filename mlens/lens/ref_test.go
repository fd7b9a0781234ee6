package lens

import (
	"bufio"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type refRow struct {
	id, stratum        int
	b                  Binary
	x, y, rho          float64
	point, disc, relEr float64
	images             int
}

func readReference(t testing.TB) []refRow {
	name := "testdata/magnification_reference.csv"
	if v := os.Getenv("LENS_REFERENCE"); v != "" {
		name = v
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []refRow
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		line := sc.Text()
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "id") {
			continue
		}
		v := make([]float64, 11)
		for i, s := range strings.Split(line, ",") {
			if v[i], err = strconv.ParseFloat(s, 64); err != nil {
				t.Fatal(err)
			}
		}
		rows = append(rows, refRow{int(v[0]), int(v[1]), Binary{v[2], v[3]}, v[4], v[5], v[6], v[7], v[8], v[9], int(v[10])})
	}
	return rows
}

func TestReferencePoint(t *testing.T) {
	var errs []float64
	wrong := 0
	for _, r := range readReference(t) {
		a, n := r.b.PointSource(r.x, r.y)
		e := math.Abs(a/r.point - 1)
		errs = append(errs, e)
		if n != r.images {
			wrong++
		}
		if e > 1e-9 || n != r.images {
			t.Logf("id %d stratum %d %+v: %.15g want %.15g rel %.1e images %d want %d", r.id, r.stratum, r.b, a, r.point, e, n, r.images)
		}
	}
	slices.Sort(errs)
	n := len(errs)
	t.Logf("median %.1e 99%% %.1e 99.9%% %.1e max %.1e, wrong counts %d", errs[n/2], errs[n*99/100], errs[n*999/1000], errs[n-1], wrong)
}

func TestReferenceDisc(t *testing.T) {
	for _, tol := range []float64{1e-3, 1e-4, 1e-6, 1e-8} {
		miss, worst := 0, 0.0
		over := 0
		var m [4]int
		for _, r := range readReference(t) {
			res := r.b.Magnification(r.x, r.y, r.rho, Options{AbsTol: tol, RelTol: tol})
			d := math.Abs(res.Magnification - r.disc)
			m[res.Method]++
			e := d / math.Max(tol, tol*r.disc)
			worst = math.Max(worst, e)
			if d > res.Error+2*r.relEr*r.disc {
				over++
			}
			if e > 1 {
				miss++
				if miss < 10 {
					t.Logf("tol %g id %d stratum %d %+v (%g,%g) rho %g: %.12g want %.12g rel %.1e err %.1e method %v", tol, r.id, r.stratum, r.b, r.x, r.y, r.rho, res.Magnification, r.disc, d/r.disc, res.Error, res.Method)
				}
			}
		}
		t.Logf("tol %g: missed %d, worst error/target %.3g, beyond own error %d, methods %v", tol, miss, worst, over, m)
	}
}
