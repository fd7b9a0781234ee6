package event

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// columns are the positions, from 0, of time, value and error.
type columns struct {
	at     [3]int
	header []string // nil without one
}

// Names by which the columns of light-curve files go. A name matches when the
// header's name, in lower case, equals one of these or starts with one that
// ends in *.
var knownNames = [3][]string{
	{"time", "t", "hjd*", "bjd*", "jd*", "mjd*", "date*", "day*", "time*"},
	{"flux", "f", "mag", "magnitude", "magnification", "a", "counts*", "photons*", "flux*", "mag*", "*_mag", "*mag", "*flux"},
	{"err", "error", "sigma", "e", "std", "mag_err*", "magerr*", "flux_err*", "fluxerr*", "unc*", "err*", "sigma*", "*_err", "*_error", "*err", "e_*", "d_*"},
}

func nameMatches(name, pattern string) bool {
	switch {
	case strings.HasPrefix(pattern, "*"):
		return strings.HasSuffix(name, pattern[1:])
	case strings.HasSuffix(pattern, "*"):
		return strings.HasPrefix(name, pattern[:len(pattern)-1])
	}
	return name == pattern
}

// columns decides which columns of n to take.
func (o ReadOptions) columns(header []string, n int) (*columns, error) {
	c := &columns{at: [3]int{-1, -1, -1}, header: header}
	what := [3]string{"time", "flux or magnitude", "error"}
	for k, want := range [3]string{o.Time, o.Value, o.Error} {
		if want == "" {
			continue
		}
		if i, err := strconv.Atoi(want); err == nil {
			if i < 1 || i > n {
				return nil, fmt.Errorf("there is no column %d for the %s: the rows have %d columns", i, what[k], n)
			}
			c.at[k] = i - 1
			continue
		}
		c.at[k] = slices.IndexFunc(header, func(s string) bool { return strings.EqualFold(s, want) })
		if c.at[k] < 0 {
			return nil, fmt.Errorf("there is no column %q for the %s; %s", want, what[k], c.have())
		}
	}
	// Errors first, so that mag_err is not taken for a magnitude.
	if header != nil {
		for _, k := range [3]int{2, 0, 1} {
			for _, p := range knownNames[k] {
				if c.at[k] >= 0 {
					break
				}
				c.at[k] = slices.IndexFunc(header, func(s string) bool {
					s = strings.ToLower(s)
					return nameMatches(s, p) && !(k == 2 && errorOfTime(s))
				})
				if c.at[k] >= 0 && c.taken(k) {
					c.at[k] = -1
				}
			}
		}
	}
	// By position; but where a header tells others, a third column that it does
	// not call an error may be anything.
	told := header != nil && slices.Max(c.at[:]) >= 0
	for k := range c.at {
		if c.at[k] >= 0 {
			continue
		}
		if k >= n {
			return nil, fmt.Errorf("the rows have %d columns, but three are needed: time, flux or magnitude, error", n)
		}
		if k == 2 && told {
			return nil, fmt.Errorf("cannot tell which column is the %s; %s; name it", what[k], c.have())
		}
		c.at[k] = k
		if c.taken(k) {
			return nil, fmt.Errorf("cannot tell which column is the %s; %s; name it", what[k], c.have())
		}
	}
	return c, nil
}

// errorOfTime reports whether a column is the error of a time, such as hjd_err.
func errorOfTime(name string) bool {
	return strings.HasPrefix(name, "t_") || slices.ContainsFunc(knownNames[0], func(p string) bool { return nameMatches(name, p) })
}

// taken reports whether another column already has the place of column k.
func (c *columns) taken(k int) bool {
	for j, i := range c.at {
		if j != k && i == c.at[k] {
			return true
		}
	}
	return false
}

func (c *columns) have() string {
	if c.header == nil {
		return "the file has no header"
	}
	return fmt.Sprintf("the header has %.200q", strings.Join(c.header, ", "))
}

// unit decides whether values are fluxes or magnitudes, and refuses numbers
// that contradict what was said of them.
func (o ReadOptions) unit(c *columns, values, errs []float64) (Unit, error) {
	said, by := o.Unit, "the options say"
	if said == Auto && c.header != nil {
		by = "the header says"
		name := strings.ToLower(c.header[c.at[1]])
		switch {
		case strings.Contains(name, "mag") && !strings.HasPrefix(name, "magnif"):
			said = InMagnitudes
		case strings.Contains(name, "flux"), strings.HasPrefix(name, "count"), strings.HasPrefix(name, "photon"),
			name == "f", strings.HasPrefix(name, "magnif"):
			said = InFlux
		}
	}
	looks, sure := guessUnit(values, errs)
	switch {
	case said == Auto:
		return looks, nil
	case sure && looks != said:
		return said, fmt.Errorf("%s that column %d holds a %s, but the numbers look like a %s (they run from %.6g to %.6g, and the strongest excursions are %s): read it with the unit %s",
			by, c.at[1]+1, said, looks, slices.Min(values), slices.Max(values), map[Unit]string{InFlux: "upwards", InMagnitudes: "downwards"}[looks], looks)
	}
	return said, nil
}

// guessUnit tells magnitudes from fluxes by what lensing does: it only ever
// brightens. Magnitudes lie between 5 and 30 and their strongest excursions
// are downwards. It is sure when an event decides.
func guessUnit(values, errs []float64) (unit Unit, sure bool) {
	lo, hi := slices.Min(values), slices.Max(values)
	median := quantile(values, 0.5)
	sigma := quantile(errs, 0.5)
	if lo < 5 || hi > 30 || hi-lo > 15 || sigma > 1 {
		return InFlux, false
	}
	// Sums of squared excursions beyond 4 σ on either side of the median.
	var up, down float64
	for i, v := range values {
		z := (v - median) / max(errs[i], sigma)
		switch {
		case z > 4:
			up += z * z
		case z < -4:
			down += z * z
		}
	}
	const event = 500 // a χ² that only a real event reaches
	switch {
	case down > event && down > 3*up:
		return InMagnitudes, true
	case up > event && up > 3*down:
		return InFlux, true
	case sigma < 0.3: // no event in sight, but the values and errors of magnitudes
		return InMagnitudes, false
	}
	return InFlux, false
}
