package lens

import "math"

// A tracker walks along the path in hops.
type tracker struct {
	follower
	tr     Trajectory
	cs, sn float64    // of α
	here   node       // the node at tau, if there is one
	bend   [5]float64 // |h'/J| of the images
	step   float64    // length that the next pair of hops may have
	arcs   arcs
	batch  batch

	tol   []float64 // of every epoch, or nil: opt for all
	bound []float64 // nil or to be filled
}

// A pair of hops is at most this part of the distance to the nearest caustic.
// Twice followable: the images are followed by one hop at a time.
const reach = 2 * followable

// fewest is the number of epochs from which a pair of hops is worth while.
const fewest = 6

// accept is how far, in units of the bound, the polynomial over a pair may be
// off in its middle. Its halves are 64 times better.
const accept = 2

// margin is the part of the target that the expansion in the source radius may
// take at a node, so that three times that and the interpolation stay within the
// tolerance in between.
const margin = 0.5

// walk fills dst by hops wherever at least fewest epochs fall on
// a pair of hops, and epoch by epoch elsewhere: next to caustics, where the
// source cannot be treated by an expansion, and where the times are sparse.
//
// The time derivatives of a point source's magnification are exact: with
// ζ' = w' + conj(h·w') and ζ″ = 0
//
//	w' = (e − conj(h·e))/J,  w″ = (r − conj(h·r))/J,  r = −conj(h'·w'²),
//
// so that a hop of length l between two nodes has an error of at most
// l⁶·max|A⁽⁶⁾|/46080. Hops come in pairs of equal length. The quintic over the
// whole pair, whose error is 64 times that of its halves, must agree with
// the node in the middle in value and slope. No caustic, however small, can
// hide between nodes, because a pair is never longer than 0.4 of the
// distance to the nearest, for which the triangles of fold.go are a rigorous
// bound.
func (f *tracker) walk(dst, times []float64) {
	n := len(times)
	f.step = math.Inf(1)
	f.here.tau = math.NaN()
	for i := 0; i < n; {
		if f.on && f.near > nearest*f.rho {
			k := min(i+fewest, n) - 1
			if f.when(times[k])-f.tau <= math.Min(f.step, reach*f.near) {
				if j := f.pair(dst, times, i); j > i {
					i = j
					continue
				}
			}
		}
		f.one(dst, times, i)
		if f.step < f.near {
			f.step *= 1.3
		}
		i++
	}
}

func (f *tracker) when(t float64) float64 { return (t - f.tr.T0) / f.tr.TE }

func (f *tracker) where(tau float64) (x, y float64) {
	return tau*f.cs - f.tr.U0*f.sn, tau*f.sn + f.tr.U0*f.cs
}

// pair makes two hops from where the images are, fills the epochs from i on
// that lie on them, and returns the first that does not. It returns i, the
// images being where they were, if too few do.
func (f *tracker) pair(dst, times []float64, i int) int {
	a := f.here
	if a.tau != f.tau {
		x, y := f.where(f.tau)
		eta, _ := f.e.g.source(x, y)
		f.near = f.e.clear(eta)
		f.seen = f.near
		var ok bool
		if a, ok = f.node(f.e.g.onAxis(eta, f.rho)); !ok {
			f.step = 0.2 * f.near
			return i
		}
	}
	n := len(times)
	least, most := f.when(times[min(i+fewest, n)-1])-a.tau, f.when(times[n-1])-a.tau
	l := math.Min(math.Min(f.step, reach*f.near), most)
	if f.tol != nil {
		f.require(i, f.until(times, i, a.tau+l))
	}
	if a.err > margin*f.opt.target(a.a) {
		f.here = a
		f.step = 0.2 * f.near
		return i
	}
	from, begin := f.motion, f.end()
	for ; l >= least && l > 0; l *= 0.5 {
		if m, ok := f.advance(0.5*l, from.near-0.5*l); ok {
			middle, bend := f.end(), f.bend
			if b, ok := f.advance(0.5*l, -1); ok && math.Max(m.err, b.err) <= margin*f.opt.target(m.a) {
				finish := f.end()
				var part, size float64
				if f.opt.Interpolate > 0 {
					size = missed(&a, &m, &b)
					most := f.opt.Interpolate * (m.a + m.q)
					if f.tol != nil {
						most = math.Min(most, 0.15*f.opt.AbsTol)
					}
					part = size / (accept * most)
					size = 0.5 * math.Max(size, most)
				} else {
					part, size = f.unsettled(&a, &m, &b, &begin, &middle, &finish, &bend)
				}
				if part <= 1 {
					f.here = b
					f.step = l * math.Max(0.5, math.Min(2, 0.9*math.Pow(part+1e-9, -1./6)))
					f.free = 0
					// What neglected orders add changes little along a hop, whose
					// length is bounded by the distance to the caustics.
					f.err = 3*math.Max(a.err, math.Max(m.err, b.err)) + size
					if f.opt.Interpolate > 0 {
						i = f.fill(dst, times, i, &a, &m)
						return f.fill(dst, times, i, &m, &b)
					}
					i = f.solve(dst, times, i, &a, &m, &begin, &middle)
					return f.solve(dst, times, i, &m, &b, &middle, &finish)
				}
			}
		}
		f.motion = from
	}
	f.here = a
	f.step = l
	return i
}
