package flow

import (
	"errors"
	"fmt"
)

// Config describes one network: an embedding network that turns an example's sequence into a
// context vector h, and a conditional masked autoregressive flow that turns h into a density over
// Dim numbers. It is plain data, to be stored beside the weights; the shapes of all weights follow
// from it. Start from [Small] or [Paper] and change fields.
type Config struct {
	// Length and Channels give the shape of one example, [Length][Channels]; Scalars is the number
	// of further numbers known of each example. All of them should be of order one: the package
	// standardises nothing.
	Length   int `json:"length"`
	Channels int `json:"channels"`
	Scalars  int `json:"scalars"`

	// Patch is the number of consecutive points that the first layer reads together, so the
	// sequence enters the residual blocks with Length/Patch tokens (what is left over at the end is
	// not seen). Dims holds the width of each residual block, Pool whether the sequence is halved
	// by a maximum before it (len(Pool) = len(Dims), or nil for none).
	Patch int    `json:"patch"`
	Dims  []int  `json:"dims"`
	Pool  []bool `json:"pool"`

	// GRU is the number of gated recurrent layers, of width Context, whose last state becomes the
	// embedding. Zero: the final feature map is flattened and mapped by a dense layer (time then
	// has an absolute meaning).
	GRU int `json:"gru"`

	// Context is the length H of the context vector h.
	Context int `json:"context"`

	// Dim is the number of inferred quantities, Blocks the number of autoregressive blocks, Hidden
	// and HiddenLayers the width and number of the ReLU layers in each.
	Dim          int `json:"dim"`
	Blocks       int `json:"blocks"`
	Hidden       int `json:"hidden"`
	HiddenLayers int `json:"hidden_layers"`

	// Mixture is the number of unit-variance Gaussians of the base density, with learnt means and
	// with weights that the block nearest the base computes from h. One: a standard Gaussian,
	// nothing to learn.
	Mixture int `json:"mixture"`

	// MaxLogScale is c in the soft clamp α → c·tanh(α/c) of each block's log-scale.
	MaxLogScale float64 `json:"max_log_scale"`

	// Bins is the number of bins of a rational-quadratic spline that each block applies to each
	// variable after the affine map, on the way to the base. Zero: none, as in the paper.
	Bins int `json:"bins,omitempty"`

	// OrderSeed fixes the random order of the variables in each block; it is a part of the
	// architecture.
	OrderSeed uint64 `json:"order_seed"`
}

// Small is a network that two processor cores train at a few hundred examples of 7,200 points a
// second: patches of 32 points, five residual blocks of width 64, two poolings, a flattened head,
// and eight blocks of 128 hidden units over eight dimensions with splines of eight bins.
func Small(length, channels, scalars int) Config {
	return Config{
		Length: length, Channels: channels, Scalars: scalars,
		Patch: 32, Dims: []int{64, 64, 64, 64, 64}, Pool: []bool{false, false, true, false, true},
		Context: 256,
		Dim:     8, Blocks: 8, Hidden: 128, HiddenLayers: 2, Mixture: 8, MaxLogScale: 4, Bins: 8,
	}
}

// Paper is the network of Zhang et al. 2021, §2: nine residual blocks of width 32 to 256 with seven
// poolings (7,200 points to 56 tokens), two recurrent layers of 256, and twenty autoregressive
// blocks on a base of eight Gaussians.
func Paper(length, channels, scalars int) Config {
	return Config{
		Length: length, Channels: channels, Scalars: scalars,
		Patch: 1, Dims: []int{32, 32, 64, 64, 128, 128, 256, 256, 256},
		Pool: []bool{false, true, true, true, true, true, true, true, false},
		GRU:  2, Context: 256,
		Dim: 8, Blocks: 20, Hidden: 256, HiddenLayers: 2, Mixture: 8, MaxLogScale: 4,
	}
}

// Check reports every field that cannot describe a network.
func (c Config) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("flow: "+format, args...)) }
	positive := func(name string, v int) {
		if v < 1 {
			bad("%s is %d, must be at least 1", name, v)
		}
	}
	positive("Length", c.Length)
	positive("Channels", c.Channels)
	positive("Patch", c.Patch)
	positive("Context", c.Context)
	positive("Dim", c.Dim)
	positive("Blocks", c.Blocks)
	positive("HiddenLayers", c.HiddenLayers)
	positive("Mixture", c.Mixture)
	if c.Scalars < 0 {
		bad("Scalars is %d, must not be negative", c.Scalars)
	}
	if c.GRU < 0 {
		bad("GRU is %d, must not be negative", c.GRU)
	}
	if c.Hidden < c.Dim {
		bad("Hidden is %d, must be at least Dim (%d): each variable needs a hidden unit of its degree", c.Hidden, c.Dim)
	}
	if c.Bins < 0 || c.Bins == 1 || c.Bins > 100 {
		bad("Bins is %d, must be 0 or from 2 to 100", c.Bins)
	}
	if !(c.MaxLogScale > 0) {
		bad("MaxLogScale is %g, must be positive", c.MaxLogScale)
	}
	if len(c.Dims) == 0 {
		bad("Dims is empty, the network needs at least one residual block")
	}
	for i, d := range c.Dims {
		if d < 1 {
			bad("Dims[%d] is %d, must be at least 1", i, d)
		}
	}
	if len(c.Pool) != 0 && len(c.Pool) != len(c.Dims) {
		bad("Pool has %d entries and Dims %d, they must be equally long", len(c.Pool), len(c.Dims))
	} else if c.Length > 0 && c.Patch > 0 {
		if c.tokens() < 1 {
			bad("no token is left of %d points after patches of %d and the poolings", c.Length, c.Patch)
		}
	}
	return errors.Join(errs...)
}

// pool says whether the sequence is halved before residual block i.
func (c Config) pool(i int) bool { return len(c.Pool) > 0 && c.Pool[i] }

// tokens is the length of the sequence after the last residual block.
func (c Config) tokens() int {
	n := c.Length / c.Patch
	for i := range c.Dims {
		if c.pool(i) {
			n /= 2
		}
	}
	return n
}

// width is the number of features of a token after the last residual block.
func (c Config) width() int { return c.Dims[len(c.Dims)-1] }
