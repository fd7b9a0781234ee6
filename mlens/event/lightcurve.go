package event

// LightCurve is a series of flux measurements in time order.
//
// Flux and Err share one unit, which may be any. Err holds standard
// deviations, all positive. The three slices have one length.
type LightCurve struct {
	Name  string    // what to call it in messages and titles, usually the file's name
	Times []float64 // days, strictly increasing
	Flux  []float64
	Err   []float64
}

// Len returns the number of measurements.
func (lc LightCurve) Len() int { return len(lc.Times) }
