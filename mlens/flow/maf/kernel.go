package maf

import "math"

// The inner loops, in plain Go. Each has a twin of vector instructions in kernel_simd.go that
// agrees with it to rounding.

// denseScalar is a dense layer on a tile, for the units lo … hi−1: out[j] = b[j] + Σ_{i<k}
// w[j·ld+i]·in[i], and max(0, ·) of it if relu.
func denseScalar(out, w []float32, ld int, b, in []float32, lo, hi, k int, relu bool) {
	for j := lo; j < hi; j++ {
		row := w[j*ld : j*ld+k]
		for t := 0; t < tileSize; t += 8 {
			v := b[j]
			a0, a1, a2, a3, a4, a5, a6, a7 := v, v, v, v, v, v, v, v
			for i, u := range row {
				x := (*[8]float32)(in[i*tileSize+t:])
				a0 += u * x[0]
				a1 += u * x[1]
				a2 += u * x[2]
				a3 += u * x[3]
				a4 += u * x[4]
				a5 += u * x[5]
				a6 += u * x[6]
				a7 += u * x[7]
			}
			if relu {
				a0, a1, a2, a3 = max(a0, 0), max(a1, 0), max(a2, 0), max(a3, 0)
				a4, a5, a6, a7 = max(a4, 0), max(a5, 0), max(a6, 0), max(a7, 0)
			}
			*(*[8]float32)(out[j*tileSize+t:]) = [8]float32{a0, a1, a2, a3, a4, a5, a6, a7}
		}
	}
}

// clampExpScalar replaces each α of a tile by c·tanh(α/c) and stores exp(sign·α) of the result in
// scale.
func clampExpScalar(α, scale *[tileSize]float32, c, sign float32) {
	inv := 2 / c
	for s, a := range α {
		a = c * (1 - 2/(exp32(a*inv)+1)) // tanh x = 1 − 2/(e^{2x} + 1)
		α[s] = a
		scale[s] = exp32(sign * a)
	}
}

// addExpScalar adds exp(a − b) to sum, for a tile.
func addExpScalar(sum, a, b *[tileSize]float32) {
	for s := range sum {
		sum[s] += exp32(a[s] - b[s])
	}
}

// expOfScalar replaces a by exp(a − b), for a tile.
func expOfScalar(a, b *[tileSize]float32) {
	for s := range a {
		a[s] = exp32(a[s] - b[s])
	}
}

// addSquareScalar adds (z − m)² to sum, for a tile.
func addSquareScalar(sum, z *[tileSize]float32, m float32) {
	for s := range sum {
		d := z[s] - m
		sum[s] += d * d
	}
}

// Constants of exp32: log2(e); ln 2 in two parts, the first exact in few bits; the coefficients of
// Cephes' expf.
const (
	log2e  = 1.44269504088896341
	ln2Hi  = 0.693359375
	ln2Lo  = -2.12194440e-4
	expP0  = 1.9875691500e-4
	expP1  = 1.3981999507e-3
	expP2  = 8.3334519073e-3
	expP3  = 4.1665795894e-2
	expP4  = 1.6666665459e-1
	expP5  = 5.0000001201e-1
	expMin = -87
	expMax = 88
)

// exp32 is eˣ to two units in the last place, x limited to −87 … 88 (Cephes, expf.c): x = n·ln 2 +
// r, eʳ from a polynomial, 2ⁿ by its exponent bits.
func exp32(x float32) float32 {
	x = min(max(x, expMin), expMax)
	n := float32(math.RoundToEven(float64(x * log2e)))
	r := x - n*ln2Hi
	r -= n * ln2Lo
	p := float32(expP0)
	p = p*r + expP1
	p = p*r + expP2
	p = p*r + expP3
	p = p*r + expP4
	p = p*r + expP5
	y := p*r*r + r + 1
	return y * math.Float32frombits(uint32(int32(n)+127)<<23)
}
