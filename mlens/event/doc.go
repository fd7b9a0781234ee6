// Package event describes a binary-lens, single-source (2L1S) microlensing
// event and its light curve: parameters, prior, cadence, photometry, files,
// the single-lens fit and the likelihood.
//
// # Frame
//
// There is one frame and it is the paper's (Zhang et al. 2021, §3.1): lengths
// in angular Einstein radii θ_E of the total lens mass, the centre of mass at
// the origin, the primary at x = −s·q/(1+q) and the secondary at
// x = +s/(1+q). With τ = (t−t0)/tE the source is at
//
//	x = τ·cos α − u0·sin α
//	y = τ·sin α + u0·cos α
//
// where α, in degrees, runs counter-clockwise from the direction
// primary→secondary to the source's motion.
//
// Times are days. Fluxes may be in any unit: every estimate in this package
// is equivariant under a common factor of flux and error.
package event
