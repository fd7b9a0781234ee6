package lens

import "math"

// Options are the tolerances of a magnification. The error is to be below
// max(AbsTol, RelTol·A). A tolerance of 0 means its default of 1e-3 unless
// the other is set; then it means 0. Options are a value: they are never
// changed and may be shared.
type Options struct {
	AbsTol      float64 // absolute error of the magnification
	RelTol      float64 // relative error of the magnification
	PointSource bool    // ignore the size of the source

	// LimbDarkening is Γ, 0 … 1, of a source with the intensity
	//
	//	S(r) ∝ 1 − Γ(1 − 3/2·√(1−r²))
	//
	// at r source radii from its centre (An et al. 2002, ApJ 572, 521). 0 is a
	// uniform disc, 1 a limb that is dark; the function of the same name
	// converts the coefficient u of other tables.
	LimbDarkening float64

	// Interpolate is the error relative to A that LightCurve may add by
	// interpolation in time, between some hundred nodes instead of all
	// epochs. 1e-4 is several times as fast as 0, which computes every
	// epoch. It has no effect unless the times increase.
	Interpolate float64
}

func (o Options) withDefaults() Options {
	if !(o.AbsTol > 0) && !(o.RelTol > 0) {
		o.AbsTol, o.RelTol = 1e-3, 1e-3
	}
	return o
}

// target is the error aimed at for a magnification a, with a margin for
// errors that are estimates. It never goes below what floats can hold.
func (o Options) target(a float64) float64 {
	return math.Max(0.5*math.Max(o.AbsTol, o.RelTol*a), 1e-12*a)
}

// Method says how a magnification was computed.
type Method uint8

// The methods, cheapest first.
const (
	PointSource Method = iota // the source as a point
	Quadrupole                // expansion to second order in the radius
	Contour                   // integral over the limb
	Radial                    // integral over circles about a lens
)

// String returns the name of the method in lower case.
func (m Method) String() string {
	switch m {
	case PointSource:
		return "point source"
	case Quadrupole:
		return "quadrupole"
	case Contour:
		return "contour"
	case Radial:
		return "radial"
	}
	return "unknown method"
}

// Result is a magnification and what is known of it.
type Result struct {
	Magnification float64
	Error         float64 // estimate of the absolute error
	Images        int     // of the centre of the source, 3 or 5
	Method        Method
	Late          bool // the error is above the tolerance
}

// Magnification of a disc of radius rho, in θ_E, centred at (x, y), uniform but
// for opt.LimbDarkening. A radius of 0, or opt.PointSource, means a point. It
// panics if the lens or the options do not pass Check, if x or y is not within
// ±[MaxPosition], or if rho is not between 0 and that.
//
// Most of the time goes into the caustics of the lens; see Prepare for
// sources behind the same lens.
func (b Binary) Magnification(x, y, rho float64, opt Options) Result {
	b.must()
	checkSource(x, y, rho)
	opt.must()
	opt = opt.withDefaults()
	var e engine
	e.g = b.geom()
	if rho > 0 && !opt.PointSource {
		var room [160]fold
		e.folds = b.folds(&e.g, room[:0], 16)
	}
	return e.magnification(x, y, rho, opt)
}

// Prepared is a Binary whose caustics are known. It is never changed and may be
// used by many goroutines at once.
type Prepared struct {
	lens  Binary
	g     geom
	folds []fold
}

// Prepare finds the caustics, which Prepared.Magnification then need not do
// again. It panics if the lens does not pass Check.
func (b Binary) Prepare() *Prepared {
	b.must()
	p := &Prepared{lens: b, g: b.geom()}
	p.folds = b.folds(&p.g, make([]fold, 0, 160), 32)
	return p
}

// Binary returns the lens.
func (p *Prepared) Binary() Binary { return p.lens }

// Magnification is that of Binary.Magnification.
func (p *Prepared) Magnification(x, y, rho float64, opt Options) Result {
	checkSource(x, y, rho)
	opt.must()
	e := engine{g: p.g, folds: p.folds}
	return e.magnification(x, y, rho, opt.withDefaults())
}

// MaxPosition bounds a source's coordinates and its radius, in θ_E.
const MaxPosition = 1e6

func checkSource(x, y, rho float64) {
	if !(math.Abs(x) <= MaxPosition && math.Abs(y) <= MaxPosition) {
		panic("lens: the source is at (" + show(x) + ", " + show(y) + "), but both must be within ±1e6")
	}
	if !(rho >= 0 && rho <= MaxPosition) {
		panic("lens: rho = " + show(rho) + ", but it must be between 0 and 1e6")
	}
}

// An engine computes magnifications of one lens. It holds all the memory
// that is needed, and belongs to one goroutine.
type engine struct {
	g      geom
	folds  []fold
	near   int // the arc that was nearest when last asked for
	im     images
	c      contour
	ann    annuli
	strips []strip
}

// clear is the distance from eta to the caustics.
func (e *engine) clear(eta complex128) float64 { return distanceFrom(e.folds, eta, 1e3, &e.near) }

// magnification is escalate with a status.
func (e *engine) magnification(x, y, rho float64, opt Options) Result {
	r := e.escalate(x, y, rho, opt)
	r.Late = !(r.Error <= math.Max(opt.AbsTol, opt.RelTol*r.Magnification))
	return r
}

// escalate goes from the point source to what the tolerance needs.
func (e *engine) escalate(x, y, rho float64, opt Options) Result {
	e.g.point(x, y, &e.im)
	r := Result{Magnification: math.Max(e.im.a, 1), Images: e.im.n, Method: PointSource}
	r.Error = 1e-12 * r.Magnification * r.Magnification
	if rho == 0 || opt.PointSource {
		return r
	}
	eta, beta := e.g.source(x, y)
	d := distance(e.folds, eta, 1e3*(rho+1))
	if d > nearest*rho {
		q, err, _ := e.g.quadrupole(&e.im, rho, d, e.g.onAxis(eta, rho))
		a := math.Max(e.im.a+opt.spread()*q, 1)
		if err <= opt.target(a) {
			r.Magnification, r.Error, r.Method = a, math.Max(err, r.Error), Quadrupole
			return r
		}
	}
	return e.extended(eta, beta, rho, opt, r)
}

// disc integrates over the limb and, if that fails, over circles.
func (e *engine) disc(eta, beta complex128, rho float64, opt Options, r Result) Result {
	e.c.g = &e.g
	a, err, ok := e.c.integrate(e.folds, eta, beta, rho, opt)
	r.Method = Contour
	bad := func() bool {
		// An error that only rounding keeps above the target is no failure.
		return !finite(a) || !(a >= 1-2*opt.target(1)) || e.c.vague || !ok && !(err <= math.Max(2*opt.target(a), 1e-6*a))
	}
	if bad() {
		if e.c.vague || !finite(a) || !(a >= 0.5) {
			a, err = 1, math.Inf(1)
		}
		// A caustic on the very limb may be the trouble. By Green's theorem
		// d(ρ²A)/dρ is 2ρ times the mean on the limb, which at a caustic is a
		// few A at most: a limb a little further out will do.
		step := math.Max(0.02*opt.target(a)/a, 1e-6)
		v, verr, vok := e.c.integrate(e.folds, eta, beta, rho*(1+step), opt)
		if verr += 10 * step * v; !e.c.vague && (vok || verr < err) {
			a, err, ok = v, verr, vok
		}
	}
	if bad() {
		v, verr := e.g.radial(eta, beta, rho, opt.target(a)/a, 256)
		// The circles may miss caps of images, and do not know it: a limb that is
		// only a little late and finds more is right.
		missed := !e.c.vague && err <= 1e-4*a && a-v > err+verr
		if verr < err && !missed || !(a >= 1-2*opt.target(1)) {
			a, err = v, verr
			r.Method = Radial
		}
	}
	// Crossings are known to about the root of rounding.
	r.Magnification, r.Error = math.Max(a, 1), math.Max(err, 2e-8*a)
	return r
}
