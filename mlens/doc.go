// Package mlens infers the parameters of binary microlensing events from their
// light curves by neural posterior estimation (Zhang et al. 2021, AJ 161, 262).
//
// It is what the notebooks drive. A light curve goes through it one way:
//
//	event.Prior → bank.Simulate → Train → Estimator → Condition → Posterior → Sample, LogProb, Modes → Refine
//
// The packages below it do the work: lens the physics, event the light curves,
// bank the training set, flow the networks, calib the diagnosis of posteriors,
// refine the way to the exact ones.
//
// # What the networks see and infer, and what that is worth
//
// Validation NLL, standardised, of networks that saw equally many light curves;
// each row adds to the one it names. The first seven come from an earlier study
// with another simulator and other validation events (150,000 curves of 14,600
// simulations), the others from this package (64,000 curves of 262,000
// simulations, batches of 128, a peak rate of 1e-3): only rows of one group
// compare. Seeds differ by about 0.15.
//
//	V0  flux over baseline                                              3.22
//	V1  log flux, significance, log S/N                                 3.32
//	V2  V1, residual to the best single lens and its parameters         2.49
//	V3  V2, targets relative to that fit                                1.40
//	V4  V3, closer looks at the event and at the largest residual       1.01
//	V5  V3, α from a mixture of von Mises                               0.78
//	V5b V5, splines after each affine map                              −0.59
//
//	R0  V5b and V4 together: a flow of 8 blocks of 128                  0.40
//	R1  R0 with 12 blocks of 256: [Roman]                              −0.02
//
// And R1 with one thing changed, on 65,000 simulations, each seen about once. None of it
// pays:
//
//	R1  as it is                                                        0.02
//	R1  without the moving average of the weights                      −0.01
//	R1  a recurrent layer instead of the flattened head, half as fast   0.13
//	R1  patches of 8 points and two more poolings, half as fast         0.20
//	R1  a base of eight Gaussians for the seven other than α            0.30
//	R1  batches of 256, at 1.4 times the rate                           0.51
//
// Twice the learning rate changed nothing in the first 30,000 curves of R0. Batches that grow
// late in a training were not tried.
package mlens
