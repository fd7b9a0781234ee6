package flow

import (
	"errors"
	"fmt"

	"github.com/mlens-go/microlens/mlens/flow/maf"
)

// Config describes one network: an embedding network that turns an example's sequence into a
// context vector h, and a conditional masked autoregressive flow that turns h into a density over
// Dim numbers. It is plain data, to be stored beside the weights; the shapes of all weights follow
// from it. Start from [Small], [Roman] or [Paper] and change fields.
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

	// Branches are further sequences that belong to each example, views of it that the main one is
	// too coarse for. Each is embedded by residual blocks of its own and joined to the rest.
	Branches []Branch `json:"branches,omitempty"`

	// Context is the length H of the context vector h.
	Context int `json:"context"`

	// Circular is the number of von Mises components of the density of the first inferred quantity,
	// which then is an angle in radians. They depend on h; the autoregressive blocks infer the
	// others, given h and the sines and cosines of one to three times the angle. Zero: the first
	// quantity is a number like the others.
	Circular int `json:"circular,omitempty"`

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

// Branch describes a further sequence of an example, [Length][Channels], and the residual blocks
// that embed it: see the fields of the same names of [Config]. Their result is flattened and mapped
// to Width numbers, which join the embedding.
type Branch struct {
	Length   int    `json:"length"`
	Channels int    `json:"channels"`
	Patch    int    `json:"patch"`
	Dims     []int  `json:"dims"`
	Pool     []bool `json:"pool,omitempty"`
	Width    int    `json:"width"`
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

// Roman is Small with an angle as the first quantity, from a mixture of sixteen von Mises
// densities, on a base of one Gaussian, and with a flow of twelve blocks of 256 hidden units; it has
// no branches, which depend on the examples.
func Roman(length, channels, scalars int) Config {
	c := Small(length, channels, scalars)
	c.Circular, c.Mixture = 16, 1
	c.Blocks, c.Hidden = 12, 256
	return c
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
	if c.Circular < 0 {
		bad("Circular is %d, must not be negative", c.Circular)
	}
	if c.Circular > 0 && c.Dim < 2 {
		bad("Dim is %d, must be at least 2: one quantity besides the angle", c.Dim)
	}
	if c.Hidden < c.vars() {
		bad("Hidden is %d, must be at least Dim (%d): each variable needs a hidden unit of its degree", c.Hidden, c.Dim)
	}
	if c.Bins < 0 || c.Bins == 1 || c.Bins > 100 {
		bad("Bins is %d, must be 0 or from 2 to 100", c.Bins)
	}
	if !(c.MaxLogScale > 0) {
		bad("MaxLogScale is %g, must be positive", c.MaxLogScale)
	}
	for i, br := range append([]Branch{c.trunk()}, c.Branches...) {
		name := ""
		if i > 0 {
			name = fmt.Sprintf("Branches[%d].", i-1)
		}
		positive(name+"Length", br.Length)
		positive(name+"Channels", br.Channels)
		positive(name+"Patch", br.Patch)
		if i > 0 {
			positive(name+"Width", br.Width)
		}
		if len(br.Dims) == 0 {
			bad("%sDims is empty, the network needs at least one residual block", name)
		}
		for j, d := range br.Dims {
			positive(fmt.Sprintf("%sDims[%d]", name, j), d)
		}
		if len(br.Pool) != 0 && len(br.Pool) != len(br.Dims) {
			bad("%sPool has %d entries and %[1]sDims %[3]d, they must be equally long", name, len(br.Pool), len(br.Dims))
		} else if br.Length > 0 && br.Patch > 0 && br.tokens() < 1 {
			bad("no token is left of %s%d points after patches of %d and the poolings", name, br.Length, br.Patch)
		}
	}
	return errors.Join(errs...)
}

// trunk is the main sequence.
func (c Config) trunk() Branch {
	return Branch{Length: c.Length, Channels: c.Channels, Patch: c.Patch, Dims: c.Dims, Pool: c.Pool, Width: c.Context}
}

// vars is the number of inferred quantities that are not angles: those of the autoregressive
// blocks.
func (c Config) vars() int {
	if c.Circular > 0 {
		return c.Dim - 1
	}
	return c.Dim
}

// angleFeatures is the number of inputs of the autoregressive blocks that depend on the angle.
func (c Config) angleFeatures() int {
	if c.Circular > 0 {
		return maf.AngleFeatures
	}
	return 0
}

// pool says whether the sequence is halved before residual block i.
func (b Branch) pool(i int) bool { return len(b.Pool) > 0 && b.Pool[i] }

// tokens is the length of the sequence after the last residual block.
func (b Branch) tokens() int {
	n := b.Length / b.Patch
	for i := range b.Dims {
		if b.pool(i) {
			n /= 2
		}
	}
	return n
}

// width is the number of features of a token after the last residual block.
func (b Branch) width() int { return b.Dims[len(b.Dims)-1] }

// size is the number of numbers of one example.
func (b Branch) size() int { return b.Length * b.Channels }
