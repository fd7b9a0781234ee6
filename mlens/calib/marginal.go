package calib

import (
	"math"
	"slices"
)

// A Marginal is the histogram of one parameter's draws, from which its modes
// are read as in Zhang et al. 2021, §4.4: 100 bins between the smallest and the
// largest draw, a mode being a bin that holds more draws than the 20 adjacent
// ones, which allows at most five. One condition is added, because a few draws
// in a tail make such bins too: a mode's draws, up to the valleys on either
// side, are at least 2 % of all.
type Marginal struct {
	Modes   []float64 // centres of the modes' bins, the highest first
	Density float64   // about the first, per unit of the parameter

	low, width float64 // of the bins
	count      [marginalBins]int
	period     float64
}

const (
	marginalBins = 100
	adjacent     = 10 // bins on either side
	leastShare   = 0.02
)

// NewMarginal makes the marginal of draws, at least one; period is that of an
// angle, 0 for a parameter that is none. An angle's histogram is cut where it is
// farthest from the mean direction.
func NewMarginal(draws []float64, period float64) *Marginal {
	if period > 0 {
		draws = Unwrap(draws, nil, period)
	}
	m := &Marginal{low: slices.Min(draws), period: period}
	m.width = (slices.Max(draws) - m.low) / marginalBins
	if m.width == 0 {
		m.Modes, m.Density = []float64{m.low}, math.Inf(1)
		m.count[0] = len(draws)
		return m
	}
	for _, v := range draws {
		m.count[min(marginalBins-1, int((v-m.low)/m.width))]++
	}
	var peaks []int
	for i, c := range m.count {
		peak := true
		for j := max(0, i-adjacent); j <= min(marginalBins-1, i+adjacent); j++ {
			// Of equal bins the first counts.
			if m.count[j] > c || m.count[j] == c && j < i {
				peak = false
				break
			}
		}
		if peak {
			peaks = append(peaks, i)
		}
	}
	// Valleys lie at the lowest bins between neighbouring peaks.
	var modes []int
	from := 0
	for k, i := range peaks {
		to := marginalBins
		if k+1 < len(peaks) {
			to = i
			for j := i; j < peaks[k+1]; j++ {
				if m.count[j] < m.count[to] {
					to = j
				}
			}
		}
		sum := 0
		for _, c := range m.count[from:to] {
			sum += c
		}
		if from = to; float64(sum) >= leastShare*float64(len(draws)) {
			modes = append(modes, i)
		}
	}
	slices.SortStableFunc(modes, func(a, b int) int { return m.count[b] - m.count[a] })
	for _, i := range modes {
		m.Modes = append(m.Modes, m.low+(float64(i)+0.5)*m.width)
	}
	m.Density = m.density(modes[0], len(draws))
	return m
}

// density returns the mean density of the n draws in the narrowest range of bins about one that
// holds a twentieth of them: the highest of a hundred bins alone is high by chance, the more
// the fewer the draws.
func (m *Marginal) density(bin, n int) float64 {
	for reach := 0; ; reach++ {
		from, to := max(0, bin-reach), min(marginalBins, bin+reach+1)
		sum := 0
		for _, c := range m.count[from:to] {
			sum += c
		}
		if 20*sum >= n {
			return float64(sum) / (float64(n) * m.width * float64(to-from))
		}
	}
}

// Nearest returns the mode of m that is nearest to the truth, 0 being the
// highest, or −1 if there is no draw in the truth's bin and the 20 adjacent
// ones: then it lies in none.
func (m *Marginal) Nearest(truth float64) int {
	best, at := math.Inf(1), 0
	for k, mode := range m.Modes {
		d := math.Abs(truth - mode)
		if m.period > 0 {
			d = math.Abs(math.Remainder(truth-mode, m.period))
		}
		if d < best {
			best, at = d, k
		}
	}
	if m.width == 0 {
		if best > 0 {
			return -1
		}
		return at
	}
	if m.period > 0 { // the copy of the truth that is nearest to the histogram's centre
		centre := m.low + marginalBins/2*m.width
		truth = centre + math.Remainder(truth-centre, m.period)
	}
	bin := math.Floor((truth - m.low) / m.width)
	for j, c := range m.count {
		if c > 0 && math.Abs(float64(j)-bin) <= adjacent {
			return at
		}
	}
	return -1
}
