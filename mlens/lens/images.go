package lens

import "math"

// Image is one image of a point source. Magnification carries the parity of
// the image as its sign.
type Image struct {
	X, Y          float64 // position, θ_E, in the frame of the source
	Magnification float64 // 1/J, negative for a saddle
}

// images is the outcome of one solution of the lens equation.
type images struct {
	n int           // 3 or 5
	w [5]complex128 // positions relative to the lighter body; the first n are images
	h [5]complex128 // shear at the images
	j [5]float64    // Jacobian determinants at the images
	a float64       // Σ 1/|J|
	// sure is false where the count of images was decided by less than its
	// usual margin, or where the parities do not add up to −1.
	sure bool
}

// jacobians fills h, j and a from w and returns the sum of the parities,
// which is −1 for any complete set of images.
func (g *geom) jacobians(im *images) (parity int) {
	im.a = 0
	for i := range im.n {
		h := g.shear(im.w[i])
		j := 1 - norm(h)
		im.h[i], im.j[i] = h, j
		if j > 0 {
			parity++
		} else {
			parity--
		}
		im.a += 1 / math.Abs(j)
	}
	return parity
}

// newton makes one step of Newton's method on the lens equation from w and
// returns its length.
func (g *geom) newton(eta, w complex128) (next complex128, step float64) {
	i1 := inv(complex(real(w)+g.s, imag(w)))
	i2 := inv(w)
	h := scale(g.m1, i1*i1) + scale(g.m2, i2*i2)
	r := eta - w + conj(scale(g.m1, i1)+scale(g.m2, i2))
	j := 1 - norm(h)
	if j == 0 {
		return w, 0
	}
	d := scale(1/j, r-conj(h)*conj(r))
	return w + d, abs1(d)
}

// solve finds the images of the point source at (eta, beta) from the bodies.
// roots holds the five roots of the quintic and serves as a warm start if
// warm. want is 3 or 5 where the caller knows the number of images, else 0.
// It returns false if the quintic could not be solved.
//
// A root is an image if it satisfies the lens equation itself. The errors of
// true images are predicted from the rounding error of the polynomial; those
// of ghosts are of the order of the root of their distance to the caustic.
func (g *geom) solve(eta, beta complex128, roots *[5]complex128, warm bool, want int, im *images) bool {
	if !g.roots(eta, beta, roots, warm) {
		return false
	}
	var res, tol [5]float64
	var ord [5]int
	p := g.quintic(eta, beta)
	for i, w := range roots {
		r := abs1(g.lensMap(w) - eta)
		if r != r {
			r = math.Inf(1)
		}
		res[i] = r
		k := i
		for ; k > 0 && res[ord[k-1]] > r; k-- {
			ord[k] = ord[k-1]
		}
		ord[k] = i
	}
	im.n, im.sure = 3, true
	switch {
	case want != 0:
		im.n = want
	case res[ord[4]] < 1e-3:
		// Candidates for five: are the residuals of the last two explained by rounding?
		ok := 0
		for _, i := range ord[3:] {
			w := roots[i]
			_, d, size := horner(p[:], w)
			size += g.rounding(eta, beta, w)
			tol[i] = 4 * eps * (size/(abs1(d)+1e-300) + abs1(w)) * (1 + abs(g.shear(w)))
			if res[i] <= 60*tol[i] {
				ok++
			}
			if res[i] > tol[i] && res[i] <= 1e5*tol[i] {
				im.sure = false
			}
		}
		if ok == 2 {
			im.n = 5
		} else if ok == 1 {
			im.sure = false
		}
	}
	for k, i := range ord {
		im.w[k] = roots[i]
	}
	// Polish on the lens equation, never by more than a part of the distance
	// to the next root: the two roots of a fold are not to fall together.
	for k := range im.n {
		w := im.w[k]
		limit := 0.05 * separation(w, roots)
		for range 3 {
			next, step := g.newton(eta, w)
			if !(step < limit) {
				break
			}
			w = next
			limit = 0.25 * step
			if step <= 1e-9*abs1(w) {
				break
			}
		}
		im.w[k] = w
	}
	if g.jacobians(im) != -1 {
		im.sure = false
	}
	return true
}

// separation is the distance from root w to the nearest of the others.
func separation(w complex128, roots *[5]complex128) float64 {
	least := math.Inf(1)
	for _, r := range roots {
		if r != w {
			least = math.Min(least, norm(r-w))
		}
	}
	return math.Sqrt(least)
}

// rounding is the uncertainty of the quintic at w, in units of eps, that
// comes from the rounding of its coefficients: with the names of quintic,
// that of N and M, whose linear terms η̄s+1 and (η̄+s)s+1 may cancel.
func (g *geom) rounding(eta, beta, w complex128) float64 {
	d := w * (w + complex(g.s, 0))
	k := g.m2 * g.s
	a, b, ad, aw := abs1(eta), abs1(beta), abs1(d), abs1(w)
	n := a*ad + (1+a*g.s)*aw + k
	m := b*ad + (1+b*g.s)*aw + k
	nv := conj(eta)*d + w + complex(k, 0)
	mv := nv + scale(g.s, d)
	return (aw+a)*(n*abs1(mv)+m*abs1(nv)) + ad*(n+k*ad)
}

// refine polishes the images to the last digit, with residuals in twice the
// precision where the magnification amplifies rounding. (x, y) is the source
// in the rotated centre-of-mass frame.
func (g *geom) refine(x, y float64, im *images) {
	for k := range im.n {
		if math.Abs(im.j[k]) > 0.3 {
			continue
		}
		w := im.w[k]
		limit := 1e-3 * norm(w)
		for l := range im.n {
			if l != k {
				limit = math.Min(limit, norm(w-im.w[l]))
			}
		}
		limit = 0.05 * math.Sqrt(limit)
		for range 6 {
			h := g.shear(w)
			j := 1 - norm(h)
			if j == 0 {
				break
			}
			r := g.residual(w, x, y)
			d := scale(1/j, r-conj(h)*conj(r))
			step := abs1(d)
			if !(step < limit) {
				break
			}
			w += d
			limit = 0.25 * step
			if step <= 4*eps*abs1(w) {
				break
			}
		}
		im.w[k] = w
	}
	g.jacobians(im)
}

// point solves one point source from nothing, as precisely as floats allow.
func (g *geom) point(x, y float64, im *images) {
	var roots [5]complex128
	eta, beta := g.source(x, y)
	x, y = g.sign*x, g.sign*y
	if !g.solve(eta, beta, &roots, false, 0, im) {
		// Move by a rounding error: an exactly degenerate polynomial is an
		// accident of one position.
		d := complex(3e-15, 2e-15) * complex(1+abs(eta), 0)
		g.solve(eta+d, beta+d, &roots, false, 0, im)
	}
	g.refine(x, y, im)
	if !im.sure {
		g.recount(eta, beta, x, y, &roots, im)
	}
}

// recount decides a borderline count by polishing both hypotheses and
// keeping the one whose parities add up to −1 and whose residual is small.
func (g *geom) recount(eta, beta complex128, x, y float64, roots *[5]complex128, im *images) {
	best, bestScore := *im, math.Inf(1)
	for _, want := range [2]int{3, 5} {
		var t images
		if !g.solve(eta, beta, roots, true, want, &t) {
			continue
		}
		g.refine(x, y, &t)
		score := 0.0
		parity := 0
		for k := range t.n {
			parity += 1
			if t.j[k] < 0 {
				parity -= 2
			}
			// Distance to the exact image, in units of what rounding explains.
			d := abs1(g.residual(t.w[k], x, y)) / math.Max(math.Abs(t.j[k]), 1e-9)
			score = math.Max(score, d/abs1(t.w[k]))
			for l := range k {
				if abs1(t.w[k]-t.w[l]) <= 8*eps*abs1(t.w[k]) {
					parity = 99
				}
			}
		}
		if parity != -1 {
			score += 1
		}
		if want == 5 && score < 1e-6 {
			best, bestScore = t, 0
		} else if score < bestScore {
			best, bestScore = t, score
		}
	}
	*im = best
}

// Images appends the 3 or 5 images of a point source at (x, y) to dst[:0]
// and returns it; nil allocates. It panics if the lens does not pass Check.
func (b Binary) Images(dst []Image, x, y float64) []Image {
	b.must()
	g := b.geom()
	var im images
	g.point(x, y, &im)
	dst = dst[:0]
	for k := range im.n {
		X, Y := g.public(im.w[k])
		dst = append(dst, Image{X: X, Y: Y, Magnification: 1 / im.j[k]})
	}
	return dst
}

// PointSource returns the magnification Σ 1/|J| of a point source at (x, y)
// and the number of its images, 3 or 5. On a caustic, where it has no finite
// value, the result is large. It panics if the lens does not pass Check.
func (b Binary) PointSource(x, y float64) (a float64, images int) {
	b.must()
	im := b.geom().pointImages(x, y)
	return im.a, im.n
}

func (g geom) pointImages(x, y float64) (im images) {
	g.point(x, y, &im)
	im.a = math.Max(im.a, 1)
	return im
}
