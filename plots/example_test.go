package plots_test

import (
	"fmt"

	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/lens"
	"github.com/mlens-go/microlens/plots"
)

func exampleCorner() *plots.Figure {
	return plots.Corner(table1Posterior(20_000), plots.CornerOptions{
		Title: "A close and a wide solution",
		Truth: &table1Truth,
		Marks: []plots.Mark{{Label: "close", Theta: table1Close}, {Label: "wide", Theta: table1Wide}},
	})
}

// A posterior with two solutions (testdata/corner.png).
func ExampleCorner() {
	fmt.Println(exampleCorner().Summary())
	// Output:
	// A close and a wide solution: 20,000 draws; regions hold 39.3 % 86.5 % 98.9 %
	//                    median         16 %         84 %        truth
}

func exampleCornerSubset() *plots.Figure {
	draws, weights := singleLensPosterior(20_000)
	return plots.Corner(draws, plots.CornerOptions{
		Params:  []int{event.U0, event.LogTE, event.Fs},
		Weights: weights,
		Sigmas:  4,
	})
}

// Three of the parameters, weighted draws and regions to 4σ
// (testdata/corner-subset.png).
func ExampleCorner_subset() {
	fmt.Println(exampleCornerSubset().Summary())
	// Output:
}

func exampleLightCurve() *plots.Figure {
	lc, models := bumpEvent()
	return must(plots.LightCurve(lc, models, plots.LightCurveOptions{CloseUp: [2]float64{28.5, 31}}))
}

// A light curve of 7,200 measurements with two models and an inset
// (testdata/lightcurve.png).
func ExampleLightCurve() {
	fmt.Println(exampleLightCurve().Summary())
	// Output:
}

func exampleCaustics() *plots.Figure {
	return must(plots.Caustics(table3Solutions(), plots.CausticsOptions{}))
}

// The five solutions of Table 3 of the paper (testdata/caustics.png).
func ExampleCaustics() {
	fmt.Println(exampleCaustics().Summary())
	// Output:
}

func exampleSolutions() *plots.Figure {
	return must(plots.Solutions(simulated(table1Truth, 0.01), table1Solutions(), plots.SolutionsOptions{}))
}

// The two solutions of Table 1 of the paper, against an event simulated from
// its truth (testdata/solutions.png).
func ExampleSolutions() {
	fmt.Println(exampleSolutions().Summary())
	// Output:
}

func exampleLoss() *plots.Figure {
	return plots.Loss(trainingRun(), plots.LossOptions{Baselines: []plots.Level{{Label: "prior", Value: 3.03}, {Label: "Gaussian", Value: -4.2}}})
}

// A training history against two baselines (testdata/loss.png).
func ExampleLoss() {
	fmt.Println(exampleLoss().Summary())
	// Output:
}

func exampleRanks() *plots.Figure {
	return must(plots.Ranks(miscalibrated(), plots.RanksOptions{}))
}

// Posteriors too wide for q and α, and biased for tE (testdata/ranks.png).
func ExampleRanks() {
	fmt.Println(exampleRanks().Summary())
	// Output:
}

func exampleMagnificationMap() *plots.Figure {
	return must(plots.MagnificationMap(lens.Binary{S: 0.9, Q: 0.3}, plots.MapOptions{
		Pixels: 200, Paths: []lens.Trajectory{{U0: 0.1, Alpha: 60, TE: 1}}, Width: 5,
	}))
}

// A resonant caustic (testdata/map.png).
func ExampleMagnificationMap() {
	fmt.Println(exampleMagnificationMap().Summary())
	// Output:
}

func exampleImages() *plots.Figure {
	return must(plots.Images(lens.Binary{S: 0.9, Q: 0.3}, 0.15, 0.1, 0.08, plots.ImagesOptions{}))
}

// A source on a fold: two of its five images have merged
// (testdata/images.png).
func ExampleImages() {
	fmt.Println(exampleImages().Summary())
	// Output:
}
