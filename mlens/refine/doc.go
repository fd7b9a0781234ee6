// Package refine goes from guesses of a model's parameters to its exact best fits
// ([Minimise]) and its exact posterior ([Sample], [Ensemble]), and says how far
// that can be trusted ([KHat], [SplitRHat]). It knows nothing of what the model
// is: a problem is a function that gives residuals in units of their errors, or
// the logarithm of a density.
package refine
