package main

import (
	"math"

	"github.com/mlens-go/microlens/mlens/lens"
)

// A frame is a picture of the lens plane: w by h square pixels of the given size in θ_E, with the
// upper left corner of the first at (left, top).
type frame struct {
	left, top, pixel float64
	w, h             int
}

// A raster draws the images of a disc. It keeps the memory that this takes from one picture to
// the next.
type raster struct {
	frame
	x1, x2, m1, m2 float64 // the lenses
	x, y, rho      float64 // the source
	seen           []bool  // pixels that were looked at, all false between pictures
	empty, todo    []int
	found          []uint32
}

// images appends the pixels that the images of a uniform disc cover, each as its index, row by
// row from the top, times 256 plus its opacity.
//
// A pixel belongs to an image if the lens equation takes it into the source. The images of the
// limb and the centre say where to begin; from there the picture is filled as far as it goes.
func (r *raster) images(dst []uint32, b lens.Binary, x, y, rho float64, f frame) []uint32 {
	r.frame, r.x, r.y, r.rho = f, x, y, rho
	r.x1, r.x2 = b.Positions()
	r.m2 = b.Q / (1 + b.Q)
	r.m1 = 1 - r.m2
	if len(r.seen) < f.w*f.h {
		r.seen = make([]bool, f.w*f.h)
	}
	r.empty, r.todo, r.found = r.empty[:0], r.todo[:0], dst
	var im []lens.Image
	const limb = 48
	for k := range limb + 1 {
		px, py := x, y
		if k > 0 {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / limb)
			px, py = x+rho*cos, y+rho*sin
		}
		im = b.Images(im, px, py)
		for _, m := range im {
			r.around(int(math.Floor((m.X-f.left)/f.pixel)), int(math.Floor((f.top-m.Y)/f.pixel)))
		}
	}
	for len(r.todo) > 0 {
		i := r.todo[len(r.todo)-1]
		r.todo = r.todo[:len(r.todo)-1]
		r.around(i%f.w, i/f.w)
	}
	for _, i := range r.empty {
		r.seen[i] = false
	}
	for _, v := range r.found[len(dst):] {
		r.seen[v>>8] = false
	}
	return r.found
}

// around looks at a pixel and its neighbours.
func (r *raster) around(col, row int) {
	for y := max(row-1, 0); y <= min(row+1, r.h-1); y++ {
		for x := max(col-1, 0); x <= min(col+1, r.w-1); x++ {
			i := y*r.w + x
			if r.seen[i] {
				continue
			}
			r.seen[i] = true
			if o := r.opacity(x, y); o > 0 {
				r.found = append(r.found, uint32(i)<<8|o)
				r.todo = append(r.todo, i)
			} else {
				r.empty = append(r.empty, i)
			}
		}
	}
}

// opacity is how much of a pixel an image covers, of 255. With h = Σ m_i/(z−z_i)² the source
// moves by dζ = dz + h̄·dz̄, so that the edge of the image is (ρ − |d|)/|e + h̄ē| away, where d is
// the distance of the pixel's source from the centre of the disc and e = d/|d|.
//
// Images thinner than a pixel are drawn as if they were a little wider, or they would vanish.
func (r *raster) opacity(col, row int) uint32 {
	const thin = 0.7 // half the width of a line, in pixels
	zx := r.left + (float64(col)+0.5)*r.pixel
	zy := r.top - (float64(row)+0.5)*r.pixel
	// 1/(z−z_i) = (ax − i·zy)·k
	ax, bx := zx-r.x1, zx-r.x2
	ka, kb := 1/(ax*ax+zy*zy), 1/(bx*bx+zy*zy)
	dx := zx - r.m1*ax*ka - r.m2*bx*kb - r.x
	dy := zy - (r.m1*ka+r.m2*kb)*zy - r.y
	ka2, kb2 := r.m1*ka*ka, r.m2*kb*kb
	hx := ka2*(ax*ax-zy*zy) + kb2*(bx*bx-zy*zy)
	hy := -2 * zy * (ka2*ax + kb2*bx)
	steepest := 1 + math.Sqrt(hx*hx+hy*hy)
	d, slope := math.Sqrt(dx*dx+dy*dy), steepest
	if d > 0 {
		ex, ey := dx/d, dy/d
		gx, gy := ex+hx*ex-hy*ey, ey-hx*ey-hy*ex
		slope = max(math.Sqrt(gx*gx+gy*gy), 1e-9)
	}
	inside := (r.rho-d)/(slope*r.pixel) + max(0, thin-r.rho/(steepest*r.pixel))
	return uint32(255 * min(max(inside+0.5, 0), 1))
}
