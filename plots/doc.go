// Package plots draws every figure of microlens: posteriors, light curves,
// caustics, training histories and calibration, as functions from data to a
// [Figure] that can be shown in a notebook, written to a file or drawn on a
// gonum/plot canvas.
//
// A figure function computes everything when it is called; drawing the result
// is cheap and can be repeated at any resolution. Figures are deterministic:
// the same data give the same bytes.
//
// # Conventions
//
// Data bad enough to draw nothing are reported as an error where data can be
// bad, while a caller's mistake panics with "plots: …". Non-finite values are
// left out and counted in [Figure.Summary].
//
// Labels given by the caller may hold a little markup: _{…} lowers, ^{…}
// raises and $…$ sets a variable in italics, as in "$u$_{0} [θ_{E}]".
//
// The frame is that of package event: the centre of mass at the origin, the
// primary on the left, lengths in θ_E.
package plots
