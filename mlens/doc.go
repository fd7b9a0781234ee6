// Package mlens infers the parameters of binary microlensing events from their
// light curves by neural posterior estimation (Zhang et al. 2021, AJ 161, 262).
//
// It is what the notebooks drive. A light curve goes through it one way:
//
//	event.Prior → bank.Simulate → Train → Estimator → Condition → Posterior → Sample, LogProb, Modes
//
// The packages below it do the work: lens the physics, event the light curves,
// bank the training set, flow the networks, calib the diagnosis of posteriors.
package mlens
