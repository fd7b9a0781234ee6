package event

import (
	"fmt"
	"math"
)

// LightCurve is a series of flux measurements in time order.
//
// Flux and Err share one unit, which may be any. Err holds standard
// deviations, all positive. The three slices have one length.
type LightCurve struct {
	Name  string    // what to call it in messages and titles, usually the file's name
	Times []float64 // days, strictly increasing
	Flux  []float64
	Err   []float64
	// Unit tells what a file held before Flux was made of it; empty for a light
	// curve that was not read from a file.
	Unit Unit
}

// Len returns the number of measurements.
func (lc LightCurve) Len() int { return len(lc.Times) }

// Check reports what keeps a light curve from being used, or nil: slices of
// different lengths, times that do not increase, values that are not finite,
// errors that are not positive, numbers whose squares are not. It names the light curve and the measurement,
// counted from 0.
func (lc LightCurve) Check() error {
	if len(lc.Flux) != lc.Len() || len(lc.Err) != lc.Len() {
		return fmt.Errorf("event: %s: %d times, %d fluxes and %d errors; there must be as many of each", lc.Name, lc.Len(), len(lc.Flux), len(lc.Err))
	}
	bad := func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
	for i, t := range lc.Times {
		switch f, e := lc.Flux[i], lc.Err[i]; {
		case bad(t) || bad(f) || bad(e):
			return fmt.Errorf("event: %s: measurement %d (time %v, flux %v, error %v) is not finite; remove it", lc.Name, i, t, f, e)
		case e <= 0:
			return fmt.Errorf("event: %s: measurement %d has the error %v, but it must be above 0", lc.Name, i, e)
		case 1/(e*e) == 0 || bad(1/(e*e)) || bad(f*f) || bad(f/e*(f/e)): // what sums of weights and χ² are made of
			return fmt.Errorf("event: %s: measurement %d (flux %v, error %v) overflows when it is squared; multiply all fluxes and errors by one factor that brings them near 1", lc.Name, i, f, e)
		case i > 0 && t <= lc.Times[i-1]:
			return fmt.Errorf("event: %s: measurement %d, at %s, is not after the one before it, at %s; sort by time and merge equal times", lc.Name, i, days(t), days(lc.Times[i-1]))
		}
	}
	return nil
}
