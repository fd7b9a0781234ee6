package flow

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// TrainOptions says how to train. Steps and Source are needed; the zero value of each other field
// means its default.
type TrainOptions struct {
	Source Source // the training data
	Steps  int    // number of steps of the whole run
	Batch  int    // examples in a step; 128
	Seed   uint64 // of the first weights
	// Start is the model, of the same configuration, whose weights training begins with; nil: random
	// ones.
	Start *Model

	LearningRate float64 // Adam's, at its peak; 1e-3. It falls to zero along a cosine.
	Warmup       int     // steps of linear rise; a tenth of Steps and 5 more, at most 200
	Clip         float64 // largest norm of the gradient; 5, negative: none
	// LossLimit is what an example's −log p counts at most in the loss; it has no gradient beyond.
	// 60, negative: none.
	LossLimit float64
	// Average is the decay per step of the moving average of the weights that becomes the model;
	// 0.999, negative: none.
	Average float64

	// Validation are fixed examples; the mean −log p over all of them is recorded, without a limit.
	Validation []Batch
	// ValidEvery are the steps between validations; a twentieth of Steps, at least 1. The last step
	// always validates.
	ValidEvery int

	// Dir keeps checkpoint.safetensors and history.csv, and a run that finds its own checkpoint
	// there continues it. Empty: nothing is kept. What changes the result must be the same as
	// before, the kind of the backend too, except for Source and Validation, which cannot be
	// compared, and for what else rounds otherwise: versions, plugins and processors.
	Dir             string
	CheckpointEvery time.Duration // 1 minute

	// Progress is called after every ProgressEvery steps, after a validation and at the end, from
	// Train's goroutine; nil: never.
	Progress      func(Progress)
	ProgressEvery int // 20
	// Resumed is called once, before the first step, with the saved history of a run that is
	// continued; nil: never.
	Resumed func([]Progress)
	Workers int    // goroutines that fetch batches; one a processor. No effect on the result.
	Backend string // as GOMLX_BACKEND, which an empty string means; if that is empty too, pure Go
}

// Progress is one line of a run's history.
type Progress struct {
	Step, Steps int
	Seen        int     // examples so far: Step times the batch
	Loss        float64 // mean over the steps since the last line
	// Valid is the mean −log p of the validation examples, from the averaged weights; NaN where no
	// validation was made.
	Valid        float64
	LearningRate float64       // of the last step
	Rate         float64       // examples a second since the last line
	ETA          time.Duration // left at the mean rate of this process so far
	Skipped      int           // steps so far without effect, their gradient not being finite
}

// withDefaults fills in the defaults, or says what is missing.
func (o TrainOptions) withDefaults() (TrainOptions, error) {
	var errs []error
	if o.Source == nil {
		errs = append(errs, errors.New("flow: TrainOptions.Source is nil: there is nothing to train on"))
	}
	if o.Steps < 1 {
		errs = append(errs, fmt.Errorf("flow: TrainOptions.Steps is %d, must be at least 1", o.Steps))
	}
	for _, f := range []struct {
		name string
		v    int
	}{{"Batch", o.Batch}, {"Warmup", o.Warmup}, {"ValidEvery", o.ValidEvery}, {"ProgressEvery", o.ProgressEvery}, {"Workers", o.Workers}} {
		if f.v < 0 {
			errs = append(errs, fmt.Errorf("flow: TrainOptions.%s is %d, must not be negative", f.name, f.v))
		}
	}
	if o.LearningRate < 0 {
		errs = append(errs, fmt.Errorf("flow: TrainOptions.LearningRate is %g, must not be negative", o.LearningRate))
	}
	if o.Average >= 1 {
		errs = append(errs, fmt.Errorf("flow: TrainOptions.Average is %g, must be below 1", o.Average))
	}
	set(&o.Batch, 128)
	set(&o.LearningRate, 1e-3)
	set(&o.Warmup, min(200, o.Steps/10+5))
	set(&o.Clip, 5)
	set(&o.LossLimit, 60)
	set(&o.Average, 0.999)
	set(&o.ValidEvery, max(1, o.Steps/20))
	set(&o.CheckpointEvery, time.Minute)
	set(&o.ProgressEvery, 20)
	set(&o.Workers, runtime.GOMAXPROCS(0))
	return o, errors.Join(errs...)
}

// set gives *p the default v if it is zero.
func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}
