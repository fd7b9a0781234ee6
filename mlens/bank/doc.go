// Package bank makes and keeps the training set: noise-free magnification
// curves of events drawn from the prior, from which noisy light curves are
// realised each time they are used.
//
// A curve is 144 days at 0.01 d, with t0 in the middle (§3); the network sees
// random 72-day windows of it, which makes t0 uniform. It is stored as some
// polynomials in time, from which every epoch comes back within 0.02 standard
// deviations of the best measurement (compact.go). Every simulation is kept
// with the residual χ²/dof that the best single lens leaves, so that the
// paper's cut on it is a filter with a threshold. Simulation i depends on the
// seed and on i alone: neither the number of workers nor being killed and
// resumed changes a bit.
package bank
