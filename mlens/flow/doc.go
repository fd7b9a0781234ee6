// Package flow estimates posterior densities with neural networks: an embedding network turns an
// example, a sequence of measurements, into a context vector h, and a conditional masked
// autoregressive flow turns h into a density over the quantities to be inferred. (One of them may
// be an angle, whose density is a mixture of von Mises; the flow is then given the angle too. An
// example may have further sequences, which are embedded beside the main one.) All are trained
// together by maximum likelihood on simulated pairs. It follows §2 of Zhang, Bloom, Gaudi, Lanusse,
// Lam & Lu 2021 (AJ 161, 262); equation numbers in the comments are theirs.
//
// The package knows nothing of astronomy, and standardises nothing: the caller brings inputs and
// targets to order one, and keeps what is needed to undo it.
//
//	m, err := flow.Train(ctx, flow.Small(7200, 3, 1), flow.TrainOptions{Source: src, Steps: 20000, Dir: "run"})
//	h, err := m.Context(x, s)          // x [1][7200][3], s [1][1]
//	d := m.Density(h)
//	d.Sample(y, 1)                     // y [n][8]
//
// Training builds its graphs with GoMLX. On the pure-Go backend, the default, every processor takes
// small shards of the batch through the network, and the optimiser adds their gradients in a fixed
// order, so a run gives the same bits on any number of processors and after any interruption. A
// program that imports another backend chooses it by [TrainOptions.Backend] or the environment
// variable GOMLX_BACKEND. Build with GOEXPERIMENT=simd: products are then many times faster.
//
// Training can begin with the weights of a model instead of random ones ([TrainOptions.Start]).
//
// Inference uses the pure-Go backend for the embedding and package maf, which does without graphs,
// for the flow. A model is its configuration, plain data, and a safetensors file of weights.
package flow
