package lens

import "math"

// end is the state of the images where they are.
func (f *tracker) end() (e end) {
	x, y := f.where(f.tau)
	e.eta, _ = f.e.g.source(x, y)
	e.n, e.w, e.j = f.im.n, f.im.w, f.im.j
	e.v, e.w2 = f.v, f.w2
	return e
}

// unsettled says whether the epochs between two ends can be solved by one
// step of Newton's method from the quintics through the images: at most 1 if
// the images in the middle are where the quintics over both hops put them,
// within 64 times (the gain of a half) a third of what settled allows, and if
// the cubic through the corrections for the size of the source is, with a
// gain of 16, good to a hundredth of the tolerance. size is its error.
func (f *tracker) unsettled(a, m, b *node, begin, middle, finish *end, bend *[5]float64) (part, size float64) {
	f.arcs.set(begin, finish, b.tau-a.tau)
	part = f.arcs.off(0.5, middle, bend) / (64. / 3 * math.Sqrt(settled))
	if a.q != 0 || b.q != 0 || m.q != 0 {
		q := *m
		q.a, q.a1 = 0, 0
		c, d := node{tau: a.tau, q: a.q, q1: a.q1}, node{tau: b.tau, q: b.q, q1: b.q1}
		size = missed(&c, &q, &d)
		part = math.Max(part, size/(0.16*f.opt.target(m.a)))
	}
	return part, size
}

// solve computes the epochs between the nodes a and b: every one the sum over
// images that satisfy the lens equation, plus the correction of order ρ²,
// which is interpolated.
func (f *tracker) solve(dst, times []float64, i int, a, b *node, from, to *end) int {
	p := &f.arcs
	p.set(from, to, b.tau-a.tau)
	p.s, p.m1, p.m2 = f.e.g.s, f.e.g.m1, f.e.g.m2
	size := newHop(&node{tau: a.tau, q: a.q, q1: a.q1}, &node{tau: b.tau, q: b.q, q1: b.q1})
	t := &f.batch
	for i < len(times) {
		k := 0
		for ; k < batchSize && i+k < len(times); k++ {
			tau := f.when(times[i+k])
			if tau > b.tau {
				break
			}
			t.u[k] = (tau - a.tau) * size.inv
		}
		if k == 0 {
			break
		}
		for r := k; r&7 != 0; r++ {
			t.u[r] = t.u[k-1]
		}
		p.solve(t, k)
		for r := range k {
			u, v := t.u[r], t.a[r]
			if t.found[r>>3]&(1<<(r&7)) == 0 {
				x, y := f.where(f.when(times[i+r]))
				var im images
				f.e.g.point(x, y, &im)
				v = im.a
			}
			v += size.c[0] + u*(size.c[1]+u*(size.c[2]+u*size.c[3]))
			if v < 1 {
				v = 1
			}
			dst[i+r] = v
			if f.bound != nil {
				f.bound[i+r] = f.err + pointError(v)
			}
		}
		i += k
		if k < batchSize {
			break
		}
	}
	return i
}
