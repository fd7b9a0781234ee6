package event

import (
	"fmt"
	"sync"

	"github.com/mlens-go/microlens/mlens/lens"
)

// Fine is the error of the model's flux, in σ of each measurement, at which ln L of a
// season of 7,200 measurements at S/N 230 is right to 0.05 (a test).
const Fine = 0.02

// finest is the smallest error of a magnification aimed at: no photometry is
// better, whatever its error column says.
const finest = 1e-7

// Exact computes magnifications for one light curve, each epoch as precisely as
// its measurement needs. It holds work space: one goroutine at a time.
type Exact struct {
	// Noise is the error of the model's flux aimed at, in σ of each measurement;
	// [NewExact] makes it [Fine].
	Noise float64

	lc       LightCurve
	baseline float64
	tol      []float64
	curve    lens.Curve
}

// NewExact returns an Exact for lc. For the baseline flux, which turns a
// magnification's error into a flux's, it takes the median flux, which is
// seldom below.
func NewExact(lc LightCurve) (*Exact, error) {
	if err := lc.Check(); err != nil {
		return nil, err
	}
	if lc.Len() == 0 {
		return nil, fmt.Errorf("event: %s: no measurements", lc.Name)
	}
	base := quantile(lc.Flux, 0.5)
	if !(base > 0) {
		return nil, fmt.Errorf("event: %s: the median flux is %.4g, but must be above 0: difference fluxes need the flux of the reference image added", lc.Name, base)
	}
	return &Exact{Noise: Fine, lc: lc, baseline: base, tol: make([]float64, lc.Len())}, nil
}

// Magnification returns A of p at the light curve's times, as precisely as Noise says
// for a source with p's f_s. The result is valid until the next call.
func (e *Exact) Magnification(p Params) ([]float64, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	source := p.Fs * e.baseline
	for i, s := range e.lc.Err {
		e.tol[i] = max(e.Noise*s/source, finest)
	}
	// Interpolation is held to the tolerances; as an option it only has to be
	// allowed.
	opt := lens.Options{Interpolate: 1}
	if err := p.Binary().BoundedLightCurve(&e.curve, e.lc.Times, e.tol, p.Trajectory(), p.Rho, opt); err != nil {
		return nil, err
	}
	return e.curve.A, nil
}

// Late returns how many epochs of the last Magnification may be wrong by more
// than they should.
func (e *Exact) Late() int { return e.curve.Late }

// A pool lends an [Exact] to each goroutine that asks.
type pool struct{ sync.Pool }

func newPool(lc LightCurve) *pool {
	p := &pool{}
	p.New = func() any {
		e, err := NewExact(lc)
		if err != nil {
			panic("event: " + err.Error()) // it was made before
		}
		return e
	}
	return p
}

func (p *pool) get() *Exact  { return p.Pool.Get().(*Exact) }
func (p *pool) put(e *Exact) { p.Pool.Put(e) }
