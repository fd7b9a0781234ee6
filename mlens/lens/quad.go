package lens

import "math"

// Nodes and weights of the Gauss–Kronrod pair (7, 15), QUADPACK's qk15
// (Piessens et al. 1983).
var (
	kronrodX = [8]float64{
		0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
		0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
		0.586087235467691130294144691693013, 0.405845151377397166906606412076961,
		0.207784955007898467600689403773245, 0,
	}
	kronrodW = [8]float64{
		0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
		0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
		0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
		0.204432940075298892414161999234649, 0.209482141084727828012999174891714,
	}
	gaussW = [4]float64{
		0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
		0.381830050505118944950369775488975, 0.417959183673469387755102040816327,
	}
)

// kronrod combines 15 values of an integrand in order of abscissa on an
// interval of half-width half, and returns the integral and QUADPACK's
// estimate of its error.
func kronrod(f *[15]float64, half float64) (v, err float64) {
	var k, g float64
	for i := range 7 {
		s := f[i] + f[14-i]
		k += kronrodW[i] * s
		if i&1 == 1 {
			g += gaussW[i/2] * s
		}
	}
	k += kronrodW[7] * f[7]
	g += gaussW[3] * f[7]
	mean := k / 2
	var asc float64
	for i := range 7 {
		asc += kronrodW[i] * (math.Abs(f[i]-mean) + math.Abs(f[14-i]-mean))
	}
	asc += kronrodW[7] * math.Abs(f[7]-mean)
	err = math.Abs(k-g) * half
	asc *= half
	if asc > 0 && err > 0 {
		err = asc * math.Min(1, math.Pow(200*err/asc, 1.5))
	}
	return k * half, err
}

// abscissa returns the i-th of the 15 nodes on [lo, hi], in increasing order.
func abscissa(i int, lo, hi float64) float64 {
	c, h := 0.5*(lo+hi), 0.5*(hi-lo)
	if i <= 7 {
		return c - h*kronrodX[i]
	}
	return c + h*kronrodX[14-i]
}

// quad integrates f over [lo, hi] adaptively to the larger of the two
// tolerances and returns the integral and an estimate of its error.
func quad(f func(float64) float64, lo, hi, absTol, relTol float64) (v, err float64) {
	type panel struct{ lo, hi, v, err float64 }
	eval := func(lo, hi float64) panel {
		var y [15]float64
		for i := range y {
			y[i] = f(abscissa(i, lo, hi))
		}
		v, e := kronrod(&y, 0.5*(hi-lo))
		return panel{lo, hi, v, e}
	}
	var ps [200]panel
	ps[0] = eval(lo, hi)
	for n := 1; ; n++ {
		v, err = 0, 0
		worst := 0
		for i := range n {
			v += ps[i].v
			err += ps[i].err
			if ps[i].err > ps[worst].err {
				worst = i
			}
		}
		if err <= math.Max(absTol, relTol*math.Abs(v)) || n == len(ps) {
			return v, err
		}
		p := ps[worst]
		m := 0.5 * (p.lo + p.hi)
		ps[worst] = eval(p.lo, m)
		ps[n] = eval(m, p.hi)
	}
}
