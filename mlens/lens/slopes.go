package lens

import "math"

// Derivatives with respect to a parameter p, which is the position of the
// source, s or q. With F = Σ m_i/(z−z_i) and h = −F' an image moves by
//
//	∂z = (r − conj(h·r))/J,  r = ∂ζ + conj(∂F),
//
// where ∂F is taken at a fixed z. The magnification of a point source changes
// by −Σ sgn(J)·∂J/J² with ∂J = −2 Re(h̄·(h'∂z + ∂h)).
//
// The area of the images of a disc changes as their limbs move, by
// ∮ Im(conj(∂z)·dz) over them. Both factors are what the inverse of the lens
// equation's linearisation makes of r and of the step dζ = iρe^{iθ}dθ along
// the limb, so that only its determinant 1/J is left:
//
//	∂A = (1/πρ) ∮ Σ_images Re(r·e^{−iθ})/|J| dθ,
//
// with no singularity that the magnification itself does not have. For
// the position of the source this is the divergence theorem. The radius has
//
//	∂A/∂ρ = (2/ρ)·[(1/2π) ∮ Σ_images 1/|J| dθ − A].

// forces returns r of the comment above for s and q at w, and ∂h.
func (g *geom) forces(w complex128) (rs, rq, hs, hq complex128) {
	i1 := inv(complex(real(w)+g.s, imag(w)))
	i2 := inv(w)
	k := g.m1 * g.m1 // 1/(1+q)² = dm2/dq = −dm1/dq
	i11, i22 := i1*i1, i2*i2
	// The lighter body, the origin, is at s·m1 from the centre of mass.
	rs = complex(-g.m1, 0) - conj(scale(g.m1, i11))
	rq = complex(g.s*k, 0) + conj(scale(k, i2-i1))
	hs = scale(-2*g.m1, i11*i1)
	hq = scale(k, i22-i11)
	return rs, rq, hs, hq
}

// pointSlopes adds the derivatives of a point source to v and their errors to
// err, and returns how the images move and how large |r| is at most.
func (g *geom) pointSlopes(im *images, v, err *column, moves *[4][5]complex128) (most [4]float64) {
	for i := range im.n {
		w := im.w[i]
		h, h1 := g.shear1(w)
		j := 1 - norm(h)
		invJ := 1 / j
		rs, rq, hs, hq := g.forces(w)
		r := [4]complex128{1, 1i, rs, rq}
		dh := [4]complex128{2: hs, 3: hq}
		v[colA] += math.Abs(invJ)
		// J is known to rounding of the position, amplified by 1/J.
		loss := 1e-8 + 1e-14*(1+abs1(h1))*invJ*invJ
		for k := range r {
			dw := scale(invJ, r[k]-conj(h*r[k]))
			dj := -2 * dot(h, h1*dw+dh[k])
			d := dj * invJ * math.Abs(invJ)
			v[colX+k] -= d
			err[colX+k] += math.Abs(d) * loss
			moves[k][i] = dw
			most[k] = math.Max(most[k], abs(r[k]))
		}
	}
	return most
}

// slopesAt returns the integrands of the columns, as means over the limb, where the
// images are. colRho holds Σ 1/|J|.
func (c *contour) slopesAt(cs, sn float64) (y column) {
	e := complex(cs, sn)
	e2 := e * e
	for i := range c.im.n {
		rs, rq, _, _ := c.g.forces(c.im.w[i])
		inv := 1 / math.Abs(c.im.j[i])
		y[colA] += (1 + real(c.im.h[i]*e2)) * inv
		y[colX] += cs * inv
		y[colY] += sn * inv
		y[colS] += dot(rs, e) * inv
		y[colQ] += dot(rq, e) * inv
		y[colRho] += inv
	}
	return y
}

// A strip is a panel with columns instead of v and err.
type strip struct {
	panel
	v, err, abs column // integrals, their errors, and those of the moduli
}

// limbSlopes integrates the columns over the limb of a uniform disc.
func (e *engine) limbSlopes(eta, beta complex128, rho float64, opt Options) (v, err column) {
	c := &e.c
	c.g = &e.g
	step := 0.0
	var abs column
	for try := range 3 {
		var ok bool
		v, err, abs, ok = e.limbColumns(eta, beta, rho*(1+step), opt, try == 2)
		if ok {
			break
		}
		// A caustic on the very limb: take another.
		step = 1e-6
	}
	k := 2 / rho
	v[colRho] -= v[colA]
	err[colRho] += err[colA]
	for i := colX; i < columns; i++ {
		v[i] *= k
		err[i] = k * (err[i] + 1e-8*abs[i])
		if step > 0 { // of the derivative there is little known
			err[i] += k * 0.1 * abs[i]
		}
	}
	return v, err
}

// limbColumns returns the means of the columns, their errors, and the means of
// their moduli. blind ignores the caustics.
func (e *engine) limbColumns(eta, beta complex128, rho float64, opt Options, blind bool) (v, err, abs column, ok bool) {
	c := &e.c
	c.centre, c.beta, c.rho = eta, beta, rho
	c.live, c.bad, c.lost, c.evals = false, 0, 0, 0
	c.find(e.folds)
	if c.vague && !blind {
		return v, err, abs, false
	}
	if !blind && !c.over && c.nCross == 0 && c.n == 0 {
		if v, err, abs, ok = c.periodicSlopes(opt); ok {
			return v, err, abs, true
		}
	}
	var ps [maxPanels]panel
	n := 16
	if blind || c.over {
		for i := range n {
			ps[i] = panel{lo: math.Pi / 8 * float64(i), hi: math.Pi / 8 * float64(i+1)}
		}
	} else {
		n = c.divide(&ps)
	}
	e.strips = e.strips[:0]
	for i := range n {
		s := strip{panel: ps[i]}
		c.strip(&s)
		e.strips = append(e.strips, s)
	}
	for {
		v, err, abs = column{}, column{}, column{}
		for i := range e.strips {
			for k := range columns {
				v[k] += e.strips[i].v[k]
				err[k] += e.strips[i].err[k]
				abs[k] += e.strips[i].abs[k]
			}
		}
		a := v[colA] / (2 * math.Pi)
		rel := opt.target(a) / math.Max(a, 1)
		done := true
		var want column
		for k := range columns {
			want[k] = rel * abs[k]
			done = done && err[k] <= want[k]
		}
		worst, most := -1, 0.0
		for i := range e.strips {
			s := &e.strips[i]
			if s.done || !c.divisible(&s.panel) {
				continue
			}
			for k := range columns {
				if x := s.err[k] / want[k]; x > most {
					worst, most = i, x
				}
			}
		}
		if done || worst < 0 || len(e.strips) >= maxPanels {
			break
		}
		p := e.strips[worst]
		m := 0.5 * (p.lo + p.hi)
		lo, hi := strip{panel: p.panel}, strip{panel: p.panel}
		lo.hi, hi.lo = m, m
		c.strip(&lo)
		c.strip(&hi)
		fell := false
		for k := range columns {
			fell = fell || p.err[k] > 1e-5*abs[k] || lo.err[k]+hi.err[k] < 0.5*p.err[k] && p.err[k] > want[k]/maxPanels
			change := 0.1 * math.Abs(lo.v[k]+hi.v[k]-p.v[k])
			lo.err[k], hi.err[k] = math.Max(lo.err[k], change), math.Max(hi.err[k], change)
		}
		lo.done, hi.done = !fell, !fell // what is left is rounding
		e.strips[worst] = lo
		e.strips = append(e.strips, hi)
	}
	for k := range columns {
		v[k] /= 2 * math.Pi
		err[k] /= 2 * math.Pi
		abs[k] /= 2 * math.Pi
	}
	if blind {
		return v, err, abs, true
	}
	return v, err, abs, c.lost == 0 && c.bad <= 2+c.evals/100
}

// strip is panel for all columns.
func (c *contour) strip(s *strip) {
	var y [columns][15]float64
	half := 0.5 * (s.hi - s.lo)
	for i := range 15 {
		th, weight := abscissa(i, s.lo, s.hi), 1.0
		if s.half > 0 {
			sn, cs := math.Sincos(th)
			th, weight = s.mid-s.half*cs, s.half*sn
		}
		c.live = c.live && s.want != 0 && i%7 != 0 // keep an eye on the number of images
		c.next(th, s.want)
		if !c.live {
			continue
		}
		sn, cs := math.Sincos(th)
		for k, v := range c.slopesAt(cs, sn) {
			y[k][i] = weight * v
		}
	}
	for k := range columns {
		s.v[k], s.err[k] = kronrod(&y[k], half)
		for i := range y[k] {
			y[k][i] = math.Abs(y[k][i])
		}
		s.abs[k], _ = kronrod(&y[k], half)
	}
}

// periodicSlopes uses the trapezoidal rule on a limb with no caustic near. ok is
// false if it does not converge.
func (c *contour) periodicSlopes(opt Options) (v, err, abs column, ok bool) {
	start := 0.1
	if c.nRidge > 0 {
		start = c.ridge[0]
	}
	var sum, moduli column
	c.value(start, 0)
	want := c.im.n
	if !c.live {
		return v, err, abs, false
	}
	n, shift, count := 8, 0.0, 0
	var last column
	for ; n <= 256; n *= 2 {
		points := n
		if count > 0 {
			points, shift = n/2, 0.5
		}
		for i := range points {
			th := start + 2*math.Pi*(float64(i)+shift)/float64(points)
			c.next(th, want)
			if !c.live {
				return v, err, abs, false
			}
			sn, cs := math.Sincos(th)
			for k, x := range c.slopesAt(cs, sn) {
				sum[k] += x
				moduli[k] += math.Abs(x)
			}
		}
		count += points
		done := count > 8
		for k := range columns {
			v[k], abs[k] = sum[k]/float64(count), moduli[k]/float64(count)
			d := math.Abs(v[k] - last[k])
			err[k] = d
			done = done && d <= opt.target(math.Max(v[colA], 1))/math.Max(v[colA], 1)*abs[k]
		}
		if c.bad > 0 || c.lost > 0 {
			return v, err, abs, false
		}
		if done {
			return v, err, abs, true
		}
		last = v
	}
	return v, err, abs, false
}
