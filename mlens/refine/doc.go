// Package refine goes from guesses of a model's parameters to its exact best
// fits. It knows nothing of what the model is: a problem is a function that
// gives residuals in units of their errors.
package refine
