package lens

// shift moves the images to the source at eta, which is move away from where
// they are. It returns false, and leaves rubbish, if an image is not where
// the derivative of the lens equation put it.
func (g *geom) shift(eta, move complex128, im *images) bool {
	s, m1, m2 := g.s, g.m1, g.m2
	parity := 0
	for i := range im.n {
		dw := scale(1/im.j[i], move-conj(im.h[i]*move))
		w := im.w[i] + dw
		limit := 0.06*norm(dw) + 1e-26*norm(w)
		for it := 0; ; it++ {
			i1 := inv(complex(real(w)+s, imag(w)))
			i2 := inv(w)
			t1, t2 := scale(m1, i1), scale(m2, i2)
			r := eta - w + conj(t1+t2)
			t1, t2 = t1*i1, t2*i2
			h := t1 + t2
			h1 := scale(-2, t1*i1+t2*i2)
			j := 1 - norm(h)
			d := scale(1/j, r-conj(h*r))
			d2 := norm(d)
			if !(d2 <= limit) || it == 6 {
				return false
			}
			w += d
			if d2*norm(h1) <= 1e-11*j*j {
				hd := h1 * d
				j -= 2 * dot(h, hd)
				h += hd
				im.w[i], im.h[i], im.j[i] = w, h, j
				break
			}
			limit = 0.25 * d2
		}
		if im.j[i] > 0 {
			parity++
		} else {
			parity--
		}
	}
	return parity == -1
}
