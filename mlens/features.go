package mlens

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/mlens-go/microlens/mlens/event"
)

// What the networks are shown of a light curve on the season's grid.
const (
	channels = 3 // log flux, significance, mask
	scalars  = 1 // log S/N of the baseline
)

// The baseline is the 10th percentile of the means of chunks of 32 bins.
const (
	chunk            = 32
	baselineQuantile = 0.10
)

const snStride = 8

// features turns a binned light curve into the network's input: x has shape
// [bins][channels] and c [scalars]. With b the baseline, per bin
//
//	x0 = 2·ln(max(f, b/50)/b)
//	x1 = asinh((f − b)/σ) / 3
//	x2 = 1 if the bin was measured, else all three are 0
//
// and c0 = (ln(S/N) − 4.6)/0.6 with S/N = √(b·f)/σ, the median over bins, which
// for photon noise is the baseline's signal-to-noise ratio (every snStride-th
// measured bin is enough). All are free of the flux's unit.
func features(x, c []float32, lc event.Binned) error {
	b, err := baseline(lc)
	if err != nil {
		return err
	}
	clear(x)
	sn := make([]float64, 0, len(lc.Flux)/snStride+1)
	seen := 0
	for i, w := range lc.Weight {
		if w == 0 {
			continue
		}
		f, root := lc.Flux[i], math.Sqrt(w)
		z := (f - b) * root
		x[channels*i] = float32(2 * math.Log(max(f/b, 0.02)))
		x[channels*i+1] = float32(asinh(z) / 3)
		x[channels*i+2] = 1
		if seen++; seen%snStride == 1 && f > 0 {
			sn = append(sn, b*f*w)
		}
	}
	if len(sn) == 0 {
		return fmt.Errorf("mlens: hardly any flux is above 0: is this a difference flux, or a magnitude read as a flux?")
	}
	slices.Sort(sn)
	c[0] = float32((math.Log(sn[len(sn)/2])/2 - 4.6) / 0.6)
	return nil
}

// asinh is math.Asinh to 1e-15 absolute and much faster.
func asinh(z float64) float64 {
	return math.Copysign(math.Log(math.Abs(z)+math.Sqrt(z*z+1)), z)
}

// baseline estimates the flux without magnification. It must be measured: the
// network sees fluxes relative to it, and a difference flux, which has none,
// scatters around 0.
func baseline(lc event.Binned) (float64, error) {
	const least = 5 // standard errors above 0
	type mean struct{ flux, err float64 }
	means := make([]mean, 0, len(lc.Flux)/chunk+1)
	for lo := 0; lo < len(lc.Flux); lo += chunk {
		var sum, variance, n float64
		for i := lo; i < min(lo+chunk, len(lc.Flux)); i++ {
			if w := lc.Weight[i]; w > 0 {
				sum += lc.Flux[i]
				variance += 1 / w
				n++
			}
		}
		if n > 0 {
			means = append(means, mean{sum / n, math.Sqrt(variance) / n})
		}
	}
	if len(means) == 0 {
		return 0, fmt.Errorf("mlens: the light curve has no measurement on the season's grid")
	}
	slices.SortFunc(means, func(a, b mean) int { return cmp.Compare(a.flux, b.flux) })
	b := means[int(baselineQuantile*float64(len(means)))]
	if !(b.flux > 0 && b.flux >= least*b.err) {
		return 0, fmt.Errorf("mlens: the baseline flux is %.4g ± %.2g, but must be above 0 by %d standard errors: difference fluxes need the flux of the reference image added", b.flux, b.err, least)
	}
	return b.flux, nil
}
