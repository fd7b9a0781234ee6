// Package nb is what a notebook cell needs around the science: [Must] to stop at an error, [Show]
// for a figure, [Explore] for a binary lens with sliders, [Data] for a file of the repository,
// [Progress] for a long loop and [Context] for the interrupt button.
//
// Everything works in JupyterLab, in a console (text instead of pictures), without any browser
// (nothing waits for one), and in an ordinary program or test.
//
// Two environment variables are for the user: MLENS_QUICK asks for small settings ([Quick]), and
// MLENS_FIGURES names a folder that every figure is also written to; `mlens run` gives each
// notebook a subfolder of it.
package nb
