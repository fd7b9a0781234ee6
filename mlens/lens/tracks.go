package lens

import (
	"errors"
	"math"
)

// A Track is the path of one image while the source moves. Its parity, the sign
// of the magnification, never changes: where the source crosses a caustic, two
// tracks of opposite parity begin or end at one point of the critical curve.
type Track struct {
	First  int     // index in times of the first point
	Images []Image // at times[First], times[First+1], …
}

// Tracks follows the 3 or 5 images of a point source along tr through times, in
// days, which must increase. Tracks come in the order of their first points.
//
// An image moves by dw/dτ = (e − h̄·ē)/J, e the source's direction and h the
// shear. Steps in which an image is not where this puts it are divided, down to
// 1e-9 of their length. An error names a parameter that no path can have.
func (b Binary) Tracks(times []float64, tr Trajectory) ([]Track, error) {
	f := tracker{tr: tr}
	increasing, err := f.ready(b, len(times), times, 0, Options{PointSource: true})
	if err != nil {
		return nil, err
	}
	if !increasing && len(times) > 1 {
		return nil, errors.New("lens: tracks need increasing times and tE above 0")
	}
	var tracks []Track
	var now images
	var of [5]int // the track of each image of now
	for i, t := range times {
		tau := f.when(t)
		if i == 0 {
			now = f.imagesAt(tau)
			of = [5]int{-1, -1, -1, -1, -1}
		} else {
			now, of = f.trace(now, of, f.tau, tau, 30)
		}
		f.tau = tau
		for k := range now.n {
			if of[k] < 0 {
				of[k] = len(tracks)
				tracks = append(tracks, Track{First: i})
			}
			x, y := f.e.g.public(now.w[k])
			tr := &tracks[of[k]]
			tr.Images = append(tr.Images, Image{X: x, Y: y, Magnification: 1 / now.j[k]})
		}
	}
	return tracks, nil
}

func (f *tracker) imagesAt(tau float64) (im images) {
	x, y := f.where(tau)
	f.e.g.point(x, y, &im)
	return im
}

// trace moves the images from a to b and hands their tracks on; −1 is the track
// of an image that is new.
func (f *tracker) trace(im images, of [5]int, a, b float64, depth int) (images, [5]int) {
	next := f.imagesAt(b)
	to, sure := f.match(&im, &next, b-a)
	if !sure && depth > 0 {
		m := 0.5 * (a + b)
		im, of = f.trace(im, of, a, m, depth-1)
		return f.trace(im, of, m, b, depth-1)
	}
	out := [5]int{-1, -1, -1, -1, -1}
	for k := range im.n {
		if to[k] >= 0 {
			out[to[k]] = of[k]
		}
	}
	return next, out
}

// match returns, for each image of a, the one of b that it moves to in ds, or −1.
// sure is true if none ends and every one is nearly where it was expected.
func (f *tracker) match(a, b *images, ds float64) (to [5]int, sure bool) {
	to = [5]int{-1, -1, -1, -1, -1}
	sure = a.n <= b.n
	var taken [5]bool
	for range a.n {
		from, at, least := -1, -1, math.Inf(1)
		for i := range a.n {
			if to[i] >= 0 {
				continue
			}
			w := a.w[i] + scale(ds, f.velocity(a.h[i], 1/a.j[i]))
			for k := range b.n {
				if d := norm(b.w[k] - w); !taken[k] && a.j[i]*b.j[k] > 0 && d < least {
					from, at, least = i, k, d
				}
			}
		}
		if from < 0 {
			return to, false
		}
		to[from], taken[at] = at, true
		if move := norm(b.w[at] - a.w[from]); least > 0.04*move+1e-24*norm(b.w[at]) {
			sure = false
		}
	}
	return to, sure
}
