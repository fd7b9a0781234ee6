package plots

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
)

// A tick is a mark on an axis; minor ones have no label.
type tick struct {
	at    float64
	label string
	minor bool
}

// ticks returns round marks on [lo, hi] for an axis of the given length whose
// labels are set in the given size: as many as fit, at most most.
// across says that the labels run along the axis (an x axis).
func ticks(lo, hi float64, length, size vg.Length, across bool, most int) []tick {
	return ticksFunc(lo, hi, length, size, across, most, length, number)
}

// ticksFunc is ticks with a label for a value that has the given decimals, and
// without labels that reach more than margin beyond the axis.
func ticksFunc(lo, hi float64, length, size vg.Length, across bool, most int, margin vg.Length, label func(v float64, decimals int) string) []tick {
	if lo > hi {
		lo, hi = hi, lo
	}
	if !(hi > lo) || math.IsInf(hi-lo, 0) {
		return nil
	}
	best, labels := tryTicks(lo, hi, length, size, across, most, margin, label, 1, 2, 5)
	if labels < 2 {
		if other, n := tryTicks(lo, hi, length, size, across, most, margin, label, 3, 4, 6, 8); n > labels {
			return other
		}
	}
	return best
}

// tryTicks returns the finest ticks that fit with steps of the given leading
// digits, and the number of labels.
func tryTicks(lo, hi float64, length, size vg.Length, across bool, most int, margin vg.Length,
	label func(v float64, decimals int) string, digits ...float64) (best []tick, labels int) {
	perUnit := length / vg.Length(hi-lo)
	for _, step := range steps((hi-lo)/float64(max(most, 1)), digits) {
		if math.Abs(lo)/step > 1e12 {
			continue
		}
		dec := decimals(step)
		var out []tick
		var widest vg.Length
		n := 0
		for k := math.Ceil(lo/step - 1e-9); k*step <= hi+1e-9*step; k++ {
			at := k*step + 0 // no negative zero
			t := tick{at: at, label: label(at, dec)}
			half := size / 2
			if across {
				half = textWidth(t.label, size) / 2
			}
			widest = max(widest, 2*half)
			if over := half - min(vg.Length(t.at-lo), vg.Length(hi-t.at))*perUnit; over > margin {
				t.label = ""
			} else {
				n++
			}
			out = append(out, t)
		}
		if best != nil && n < 2 {
			break
		}
		need := widest + size
		if across {
			need = widest + 0.6*size
		}
		fits := len(out) <= most && perUnit*vg.Length(step) >= need
		if !fits {
			// In case no wider step has two labels: some of these.
			n = thin(out, int(math.Ceil(float64(need/(perUnit*vg.Length(step))))))
		}
		best, labels = withMinor(out, lo, hi, step), n
		if fits {
			break
		}
	}
	return best, labels
}

// thin keeps every k-th label and returns how many there are.
func thin(ts []tick, k int) (n int) {
	since := k
	for i := range ts {
		if ts[i].label == "" {
			since++
			continue
		}
		if since < k {
			ts[i].label = ""
		} else {
			n++
			since = 0
		}
		since++
	}
	return n
}

// steps returns steps of the given leading digits from the first one of at
// least min upwards.
func steps(min float64, digits []float64) []float64 {
	e := math.Floor(math.Log10(min))
	var out []float64
	for k := range 4 {
		p := math.Pow(10, e+float64(k))
		for _, m := range digits {
			if s := m * p; s >= min*(1-1e-9) {
				out = append(out, s)
			}
		}
	}
	return out
}

// withMinor adds unlabelled ticks that divide a step in three to five.
func withMinor(major []tick, lo, hi, step float64) []tick {
	n := 5.0
	switch math.Round(step / math.Pow(10, math.Floor(math.Log10(step)+1e-9))) {
	case 2, 4, 8:
		n = 4
	case 3, 6, 9:
		n = 3
	}
	sub := step / n
	for k := math.Ceil(lo/sub - 1e-9); k*sub <= hi+1e-9*sub; k++ {
		if r := math.Mod(k, n); r != 0 {
			major = append(major, tick{at: k * sub, minor: true})
		}
	}
	return major
}

// decadeTicks returns ticks for an axis of log10 values: labels at powers of
// ten, minor marks at 2…9 where the decades are few.
func decadeTicks(lo, hi float64, length, size vg.Length) []tick {
	lo, hi = math.Min(lo, hi), math.Max(lo, hi)
	n := math.Floor(hi+1e-9) - math.Ceil(lo-1e-9) + 1
	if n < 2 {
		return logTicks(lo, hi, length, 4*size)
	}
	every := math.Max(1, math.Ceil(n*float64(2.5*size/length)*1.3))
	var out []tick
	for k := math.Floor(lo); k <= hi+1e-9; k++ {
		if k >= lo-1e-9 {
			t := tick{at: k, minor: math.Mod(k, every) != 0}
			if !t.minor {
				t.label = "10^{" + number(k, 0) + "}"
			}
			out = append(out, t)
		}
		for m := 2.0; m < 10 && n <= 8; m++ {
			if v := k + math.Log10(m); v >= lo && v <= hi {
				out = append(out, tick{at: v, minor: true})
			}
		}
	}
	return out
}

// logTicks returns ticks for an axis of log10 values at round values of one or
// two digits, their labels no closer than gap.
func logTicks(lo, hi float64, length, gap vg.Length) []tick {
	var out []tick
	for _, set := range [][]float64{{1}, {1, 3}, {1, 2, 5}, {1, 2, 3, 5, 7}, {1, 1.5, 2, 3, 4, 5, 7}, {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9}} {
		var try []tick
		closest := math.Inf(1)
		for e := math.Floor(lo); e <= hi; e++ {
			for _, m := range set {
				if at := e + math.Log10(m); at >= lo-1e-9 && at <= hi+1e-9 {
					if len(try) > 0 {
						closest = math.Min(closest, at-try[len(try)-1].at)
					}
					try = append(try, tick{at: at, label: number3(m * math.Pow(10, e))})
				}
			}
		}
		if vg.Length(closest/(hi-lo))*length < gap && out != nil {
			break
		}
		out = try
	}
	return out
}

// decimals returns how many decimals tell multiples of step apart.
func decimals(step float64) int {
	return max(0, int(-math.Floor(math.Log10(step)+1e-9)))
}

// number formats with a true minus sign and without a negative zero.
func number(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if rest, neg := strings.CutPrefix(s, "-"); neg {
		if strings.Trim(rest, "0.") == "" {
			return rest
		}
		return "−" + rest
	}
	return s
}

// number3 formats with three significant digits and no trailing zeros.
func number3(v float64) string {
	return strings.Replace(strconv.FormatFloat(v+0, 'g', 3, 64), "-", "−", 1)
}

// count formats an integer with a comma between thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
