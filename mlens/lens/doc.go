// Package lens computes binary gravitational lenses: images, caustics and
// the magnification of point sources and of discs, uniform or limb-darkened.
//
// # Frame
//
// Lengths are angular Einstein radii θ_E of the total mass. The centre of
// mass is at the origin, the primary at x = −s·q/(1+q), the secondary at
// x = +s/(1+q), both at y = 0. Of a Trajectory with τ = (t−t0)/tE
//
//	x = τ·cos α − u0·sin α
//	y = τ·sin α + u0·cos α
//
// where α, in degrees, runs counter-clockwise from the direction
// primary→secondary to the source's motion.
//
// # Method
//
// A point source is a quintic equation whose coefficients are free of
// cancellation (quintic.go), its roots polished on the lens equation.
//
// For a uniform disc of radius ρ the magnification is the area of the images
// over πρ². On the images z̄ − Σ m_i/(z−z_i) = ζ̄, and the sum is holomorphic
// there, so that Green's theorem leaves (contour.go)
//
//	A = (1/2π) ∮ Σ_images [1 + Re(h e^{2iθ})]/|J| dθ,  h = Σ m_i/(z−z_i)²,
//
// over the limb ζ₀ + ρe^{iθ}. Nothing needs to be matched from one limb point
// to the next, nothing cancels, and the only singularities are where the
// limb crosses a caustic. These points are found by subdivision: between two
// cusps a caustic is convex and its tangent is known exactly, so an arc lies
// in the triangle of its chord and its end tangents (fold.go, limb.go). The
// integral is the trapezoidal rule where no caustic is near the limb
// (periodic.go) and adaptive Gauss–Kronrod quadrature between the crossings
// elsewhere (panels.go). The same triangles bound the distance from the source
// to the caustics, which decides where the expansion of Pejcha & Heyrovský
// 2009 to the order ρ² suffices (quadrupole.go), and how far along a
// trajectory images can be followed without solving anew (lightcurve.go). A
// last resort integrates over circles about a lens instead (radial.go). A
// limb-darkened disc is an integral over uniform ones, cut at the radii at
// which they touch a caustic (annuli.go).
//
// # Light curves
//
// A light curve at increasing times walks in hops of at most 0.2 of the
// distance to the caustics (adaptive.go). The images at both ends of a hop,
// with their exact derivatives in time, give quintics for all images in
// between, from which one step of Newton's method reaches the image of every
// epoch; the epochs of a hop are solved side by side, in vectors of 4 or 8
// under GOEXPERIMENT=simd on amd64, with the same bits as without (arcs.go).
// With Options.Interpolate the epochs are not solved at all, but read off
// the quintic of the magnification itself, whose error is checked in the
// middle of every pair of hops. Epochs next to caustics are computed one by
// one. BoundedLightCurve takes a tolerance for each epoch and returns a bound
// for each value. Tracks follows single images, Map computes many light curves
// side by side. Gradients returns the derivatives with respect to all seven
// parameters, in closed form for points and as integrals over the limb for
// discs (slopes.go).
//
// # Accuracy
//
// On the 3,040 reference rows in testdata the point source is within 7e-11
// and the disc within 0.1 of the target at tolerances of 1e-3, 1e-4 and 1e-6.
// The radial integral, which shares no algorithm with the contour, is the truth
// of the tests everywhere else: sources next to caustics, and lenses and sources
// beyond all corners of the prior. Rounding leaves about 1e-8 of A next to
// caustics. Result.Error says how good a value is, and Result.Late whether that
// is above the tolerance; MagnificationBy gives each method alone.
//
// On 3,000 sources next to caustics a limb-darkened disc is within 0.11 of a
// tolerance of 1e-3 and 0.31 of one of 1e-4, at 20 and 27 times the cost of a
// uniform disc; a light curve of the prior costs 1.3 times as much. Derivatives
// cost 4 (points) to 6 light curves, and 1.4 magnifications more of a disc next
// to a caustic; of 5,590 compared with differences, 3 were beyond the errors of
// both.
//
// # Scope
//
// Static binary lenses; sources uniform or with linear limb darkening. No
// parallax, orbital motion or third body. All functions are safe for concurrent use.
package lens
