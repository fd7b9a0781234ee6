// Package jupyter gets Jupyter and the Go kernel ready and runs notebooks on them: it is what
// `mlens lab`, `mlens run` and the notebooks' own test share.
//
// Nothing is written to the user's home configuration. Jupyter is the one on PATH if it is fit,
// else a private virtual environment made from notebooks/jupyter/requirements.lock; the kernel
// is the one that go.mod pins, found by Jupyter through JUPYTER_PATH. What is private lives in
// one cache folder (package cache), which can be deleted at any time.
//
// The package knows nothing of microlensing; what a cell calls is in package nb.
package jupyter
