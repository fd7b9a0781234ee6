package bank

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
)

// Cuts on the residual χ²/dof of the best single lens. The paper's text says
// χ²/dof > 1 and its training set holds 29.1 % of the simulations; noise-free
// residuals pass at those rates with different thresholds, here from half a
// million simulations.
const (
	CutLiteral = 1.0   // what §3 says: passes 14.4 %
	CutPaper   = 0.016 // passes the paper's 29.1 %
)

// Config says which simulations a bank holds. Its hash names the bank.
type Config struct {
	N     int    // simulations, before any cut
	Seed  uint64 // simulation i draws from rand.NewPCG(Seed, i)
	Prior event.Prior
	// Cadence is the grid of the curves. Zero means 14,400 epochs, 0.01 d
	// apart: twice a season, so that windows can be cut.
	Cadence event.Cadence
	// Keep is the residual χ²/dof above which a curve is stored; of the others
	// the parameters and the χ² are. Zero means 0.008, about half of CutPaper.
	Keep float64
	// SN is the baseline signal-to-noise ratio at which the residual χ² is
	// counted, with f_s = 1. Zero means the paper's 200.
	SN float64
	// FluxError is the error of a stored curve's flux at an epoch, in standard
	// deviations of a measurement at f_s = 1 and a baseline S/N of 230, the best
	// that observations have: √A/230 in units of the baseline. Three quarters
	// are the simulator's tolerance, one quarter is lost in storing. Zero means
	// 0.02.
	FluxError float64
}

const defaultKeep = 0.008

// bestSN is the baseline S/N that FluxError speaks of.
const bestSN = 230

// withDefaults fills in the defaults, so that equal banks have equal hashes.
func (c Config) withDefaults() Config {
	if c.Prior == (event.Prior{}) {
		c.Prior = event.Roman()
	}
	if c.Cadence == (event.Cadence{}) {
		season := event.Season()
		c.Cadence = event.Cadence{Step: season.Step, N: 2 * season.N}
	}
	if c.Keep == 0 {
		c.Keep = defaultKeep
	}
	if c.SN == 0 {
		c.SN = 200
	}
	if c.FluxError == 0 {
		c.FluxError = 0.02
	}
	return c
}

// Kept returns Keep, or its default.
func (c Config) Kept() float64 { return c.withDefaults().Keep }

// Check reports what is wrong with the configuration, or nil.
func (c Config) Check() error {
	c = c.withDefaults()
	switch {
	case c.N < 1:
		return fmt.Errorf("bank: N = %d simulations, but at least 1 is needed", c.N)
	case c.Cadence.N < 100 || !(c.Cadence.Step > 0):
		return fmt.Errorf("bank: a cadence of %d epochs, %v d apart, is no light curve", c.Cadence.N, c.Cadence.Step)
	case c.Cadence.N > math.MaxUint16:
		return fmt.Errorf("bank: a cadence of %d epochs, but at most %d can be stored", c.Cadence.N, math.MaxUint16)
	case !(c.Keep > 0), !(c.SN > 0), !(c.FluxError > 0):
		return fmt.Errorf("bank: Keep, SN and FluxError are %v, %v and %v, but must be above 0", c.Keep, c.SN, c.FluxError)
	}
	return nil
}

// Hash returns 16 hexadecimal digits that stand for everything that decides
// the bits of the bank.
func (c Config) Hash() string {
	b, err := json.Marshal(struct {
		Version int
		Config
	}{version, c.withDefaults()})
	if err != nil {
		panic("bank: " + err.Error()) // numbers and structs only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// lensOptions are the simulator's. Its error may be the same at all
// magnifications: next to a caustic it is far below the noise then.
func (c Config) lensOptions() lens.Options {
	tol := 0.75 * c.FluxError / bestSN
	return lens.Options{AbsTol: tol, Interpolate: tol / 30}
}

// storeTol is the error of storing, over the root of the magnification.
func (c Config) storeTol() float64 { return 0.25 * c.FluxError / bestSN }
