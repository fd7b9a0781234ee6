package lens

import (
	"errors"
	"math"
	"slices"
	"strconv"
)

// LightCurve returns the magnification of a disc of radius rho, in θ_E, uniform
// but for opt.LimbDarkening, at each of times, in days, along tr. The result is written to dst,
// which must be nil (allocates) or as long as times; nothing is allocated
// per epoch. Times may be in any order; neighbours in time are fast, because
// the images are followed from one epoch to the next wherever the distance
// to the caustics proves that none can appear or vanish. Increasing times,
// with tE above 0, are fastest.
//
// Every epoch is computed, unless opt.Interpolate is set.
//
// An error names a parameter that no light curve can have.
func (b Binary) LightCurve(dst, times []float64, tr Trajectory, rho float64, opt Options) ([]float64, error) {
	if dst == nil {
		dst = make([]float64, len(times))
	}
	f := tracker{tr: tr}
	if err := f.run(b, dst, times, rho, opt); err != nil {
		return nil, err
	}
	return dst, nil
}

// run fills dst.
func (f *tracker) run(b Binary, dst, times []float64, rho float64, opt Options) error {
	increasing, err := f.ready(b, len(dst), times, rho, opt)
	if err != nil {
		return err
	}
	if increasing {
		f.walk(dst, times)
		return nil
	}
	for i := range times {
		f.one(dst, times, i)
	}
	return nil
}

// ready checks the arguments of a light curve of n epochs and prepares for it.
// increasing is true if the times are in order.
func (f *tracker) ready(b Binary, n int, times []float64, rho float64, opt Options) (increasing bool, err error) {
	tr := f.tr
	if err := b.Check(); err != nil {
		return false, err
	}
	if err := opt.Check(); err != nil {
		return false, err
	}
	if s := tr.U0 + tr.Alpha + tr.T0 + tr.TE; s-s != 0 {
		return false, errors.New("lens: the trajectory is not finite: u0 = " + show(tr.U0) + ", alpha = " + show(tr.Alpha) + ", t0 = " + show(tr.T0) + ", tE = " + show(tr.TE))
	}
	if tr.TE == 0 {
		return false, errors.New("lens: tE = 0, but an Einstein time must not be 0")
	}
	if !(rho >= 0 && rho <= MaxPosition) {
		return false, errors.New("lens: rho = " + show(rho) + ", but a source radius must be between 0 and 1e6")
	}
	if n != len(times) {
		return false, errors.New("lens: dst holds " + strconv.Itoa(n) + " values, but there are " + strconv.Itoa(len(times)) + " times")
	}
	increasing = tr.TE > 0
	before := math.Inf(-1)
	for i, t := range times {
		if t-t != 0 {
			return false, errors.New("lens: times[" + strconv.Itoa(i) + "] = " + show(t) + " is not finite")
		}
		if t < before {
			increasing = false
		}
		before = t
	}
	if len(times) == 0 {
		return true, nil
	}
	first, last := times[0], times[len(times)-1]
	if !increasing {
		first, last = slices.Min(times), slices.Max(times)
	}
	if d := f.when(last) - f.when(first); d-d != 0 {
		return false, errors.New("lens: tE = " + show(tr.TE) + " is too small for times from " + show(first) + " to " + show(last))
	}
	if far := max(math.Abs(f.when(first)), math.Abs(f.when(last))) + math.Abs(tr.U0); far > MaxPosition {
		return false, errors.New("lens: between times " + show(first) + " and " + show(last) + " the source comes as far as " + show(far) + " from the lens, but at most 1e6 is meant")
	}
	f.rho, f.opt = rho, opt.withDefaults()
	if opt.PointSource {
		f.rho = 0
	}
	f.e.g = b.geom()
	f.e.folds = b.folds(&f.e.g, make([]fold, 0, 160), 32)
	f.sn, f.cs = sincosDeg(tr.Alpha)
	f.dir = scale(f.e.g.sign, complex(f.cs, f.sn))
	return increasing, nil
}

// one computes epoch i alone.
func (f *tracker) one(dst, times []float64, i int) {
	f.require(i, i+1)
	tau := f.when(times[i])
	x, y := f.where(tau)
	dst[i] = f.epoch(x, y, tau)
	if f.bound != nil {
		f.bound[i] = f.err + pointError(dst[i])
	}
}

// pointError is a bound of the error of a point source whose images were
// followed: what Newton's method leaves, and the rounding of the position.
func pointError(a float64) float64 { return a * (1e-7 + 1e-13*a*a) }

// A follower computes the epochs of one light curve.
type follower struct {
	e   engine
	rho float64
	opt Options
	dir complex128 // direction of motion in the frame of geom
	err float64    // of the last epoch, beyond pointError
	motion
}

// motion is where the images are and where they go.
type motion struct {
	on     bool    // im holds the images at tau
	tau    float64 // of the last epoch
	near   float64 // lower bound of the distance to the caustics at tau
	seen   float64 // the distance when it was last computed
	free   float64 // how far the source may go on being a point,
	small  float64 // and what is neglected thereby
	im     images
	v      [5]complex128 // dw/dτ at tau
	dv     [5]complex128 // half the change of v over the last step, per unit of τ
	w2, w3 [5]complex128 // further derivatives, over 2 and 6, at a node
}

// A step is followed if it is shorter than this part of the distance to the
// nearest caustic.
const followable = 0.2

func (f *follower) epoch(x, y, tau float64) float64 {
	g := &f.e.g
	eta, beta := g.source(x, y)
	ds := tau - f.tau
	step := math.Abs(ds)
	before := f.near
	f.near -= step
	f.tau = tau
	if f.on && step > followable*before && step <= followable*f.seen {
		// The bound is stale rather than the step long.
		f.near = f.e.clear(eta)
		f.seen = f.near
		before = f.near - step
	}
	if !f.on || step > followable*before || !f.follow(eta, ds) {
		f.near = f.e.clear(eta)
		f.seen = f.near
		f.free = 0
		if f.near <= nearest*f.rho {
			f.on = false
			return f.disc(eta, beta)
		}
		f.start(x, y)
	}
	a := f.im.a
	f.err = 0
	if f.rho == 0 {
		return math.Max(a, 1)
	}
	target := f.opt.target(a)
	if f.free -= step; f.free > 0 && f.small <= 0.2*target {
		f.err = 3 * f.small
		return math.Max(a, 1)
	}
	if f.near < 0.9*f.seen {
		f.near = f.e.clear(eta)
		f.seen = f.near
	}
	if f.near > nearest*f.rho {
		q, err, worst := g.quadrupole(&f.im, f.rho, f.near, g.onAxis(eta, f.rho))
		q *= f.opt.spread()
		if small := math.Abs(q) + err; small <= 0.2*target {
			f.free = math.Min(0.2*f.near, 0.1*f.rho/math.Sqrt(worst))
			f.small = small
		}
		if err <= 0.6*target {
			f.err = 3 * err
			return math.Max(a+q, 1)
		}
	}
	return f.disc(eta, beta)
}

func (f *follower) disc(eta, beta complex128) float64 {
	f.e.c.mid = nil
	if f.on && f.near > nearest*f.rho {
		f.e.c.mid = &f.im
	}
	r := f.e.extended(eta, beta, f.rho, f.opt, Result{})
	f.err = r.Error
	return r.Magnification
}

// start finds the images from nothing.
func (f *follower) start(x, y float64) {
	f.e.g.point(x, y, &f.im)
	f.on = f.im.sure
	for i := range f.im.n {
		f.v[i] = f.velocity(f.im.h[i], 1/f.im.j[i])
		f.dv[i] = 0
	}
}

// velocity is dw/dτ = (e − h̄·ē)/J for a source that moves along e.
func (f *follower) velocity(h complex128, invJ float64) complex128 {
	return scale(invJ, f.dir-conj(h*f.dir))
}

// follow moves the images by ds in τ: a predictor of second order and
// Newton's method on the lens equation. It returns false if an image is not
// where the predictor expected it.
func (f *follower) follow(eta complex128, ds float64) bool {
	s, m1, m2 := f.e.g.s, f.e.g.m1, f.e.g.m2
	a := 0.0
	inv2ds := 0.0
	if ds != 0 {
		inv2ds = 0.5 / ds
	}
	for i := range f.im.n {
		move := scale(ds, f.v[i]+scale(ds, f.dv[i]))
		w := f.im.w[i] + move
		limit := 0.09*norm(move) + 1e-24*norm(w)
		var h complex128
		var j float64
		for it := 0; ; it++ {
			i1 := inv(complex(real(w)+s, imag(w)))
			i2 := inv(w)
			t1, t2 := scale(m1, i1), scale(m2, i2)
			r := eta - w + conj(t1+t2)
			t1, t2 = t1*i1, t2*i2
			h = t1 + t2
			h1 := scale(-2, t1*i1+t2*i2)
			j = 1 - norm(h)
			d := scale(1/j, r-conj(h*r))
			d2 := norm(d)
			if !(d2 <= limit) || it == 5 {
				return false
			}
			w += d
			if d2*norm(h1) <= settled*j*j {
				// J and h move with w to first order.
				hd := h1 * d
				j -= 2 * dot(h, hd)
				h += hd
				break
			}
			limit = 0.25 * d2
		}
		inv := 1 / j
		f.im.w[i], f.im.h[i], f.im.j[i] = w, h, j
		v := f.velocity(h, inv)
		f.dv[i] = scale(inv2ds, v-f.v[i])
		f.v[i] = v
		a += math.Abs(inv)
	}
	f.im.a = a
	return true
}
