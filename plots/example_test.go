package plots_test

import (
	"fmt"
	"math"
	"strings"

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
	// log10_s           −0.1874      −0.1943       0.2318      −0.2000
	// log10_q            −2.007       −2.033       −1.970       −2.000
	// alpha              299.73       299.44       300.02       300.00
	// u0                0.05022      0.03997      0.05061      0.05000
	// t0                 26.011       26.000       26.109       26.000
	// log10_tE           1.3002       1.2989       1.3024       1.3010
	// log10_rho           −2.31        −2.42        −2.20        −2.30
	// f_s               0.12122      0.12088      0.12159      0.12000
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
	// Posterior: 20,000 draws, effective 17,613; regions hold 39.3 % 86.5 % 98.9 % 99.97 %
	//                    median         16 %         84 %
	// u0                   0.77         0.59         1.10
	// log10_tE            1.525        1.404        1.613
	// f_s                  0.23         0.13         0.50
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
	// Light curve bump.csv: 7,200 measurements (drawn as 394 points) from 0.00 to 71.99 d; baseline flux 4.083e+04, peak 2.662 times that at 26.02 d
	// two lenses       χ² = 7170.9 for 7,200 measurements
	// one lens         χ² = 40108.3 for 7,200 measurements, +32937.4 from the first
}

func exampleCaustics() *plots.Figure {
	return must(plots.Caustics(table3Solutions(), plots.CausticsOptions{}))
}

// The five solutions of Table 3 of the paper (testdata/caustics.png).
func ExampleCaustics() {
	fmt.Println(exampleCaustics().Summary())
	// Output:
	// Caustics and paths, ±0.152 θ_E, origin: central caustic
	// planetary A      s = 0.4446, q = 0.02066 (close): source of 0.00316 θ_E passes at 0.103 θ_E, caustic of 0.0181 θ_E, 0 crossings
	// planetary B      s = 2.1096, q = 0.02257 (wide): source of 0.00316 θ_E passes at 0.104 θ_E, caustic of 0.0272 θ_E, 0 crossings
	// binary A         s = 0.2305, q = 0.4237 (close): source of 0.00316 θ_E passes at 0.108 θ_E, caustic of 0.0249 θ_E, 0 crossings
	// binary B         s = 0.2265, q = 0.8293 (close): source of 0.00316 θ_E passes at 0.116 θ_E, caustic of 0.0263 θ_E, 0 crossings
	// binary C         s = 0.2362, q = 0.8692 (close): source of 0.00316 θ_E passes at 0.12 θ_E, caustic of 0.0288 θ_E, 0 crossings
}

func exampleSolutions() *plots.Figure {
	return must(plots.Solutions(simulated(table1Truth, 0.01), table1Fits(), plots.SolutionsOptions{}))
}

// The close and the wide lens that fit an event simulated from the truth of Table 1 of the
// paper (testdata/solutions.png).
func ExampleSolutions() {
	for line := range strings.Lines(exampleSolutions().Summary()) {
		if !strings.Contains(line, "χ²") {
			fmt.Print(line)
		}
	}
	// Output:
	// 2 solutions for 7,200 measurements
	// Caustics and paths, ±0.0726 θ_E, origin: central caustic
	// close            s = 0.6310, q = 0.01 (close): source of 0.005 θ_E passes at 0.05 θ_E, caustic of 0.0334 θ_E, 0 crossings
	// wide             s = 1.6982, q = 0.01041 (wide): source of 0.00509 θ_E passes at 0.051 θ_E, caustic of 0.0304 θ_E, 0 crossings
}

func exampleLoss() *plots.Figure {
	return plots.Loss(trainingRun(), plots.LossOptions{Baselines: []plots.Level{{Label: "prior", Value: 3.03}, {Label: "Gaussian", Value: -4.2}}})
}

// A training history against two baselines (testdata/loss.png).
func ExampleLoss() {
	fmt.Println(exampleLoss().Summary())
	// Output:
	// Negative log-likelihood [nats] against light curves seen
	// training:   −11.442 at 2M
	// validation: −11.092 at 2M, best −11.092 at 2M
	// prior: 3.030
	// Gaussian: −4.200
}

func examplePredicted() *plots.Figure {
	constrained, correct := [event.Dim]float64{1, 0.95, 0.9, 1, 1, 1, 0.1, 1}, [event.Dim]float64{0.7, 0.9, 0.8, 1, 1, 1, 0.95, 1}
	return plots.Predicted(predictions(1500), plots.PredictedOptions{Constrained: &constrained, Correct: &correct})
}

// Predictions that know all but ρ, and take s for 1/s now and then (testdata/predicted.png).
func ExamplePredicted() {
	summary, _, _ := strings.Cut(examplePredicted().Summary(), "\nlog10_q")
	fmt.Println(summary)
	// Output:
	// Predicted parameters of 1,500 events against the truth
	// log10_s      301 with the truth nearer to a minor mode; constrained 100.0 %, correct 70.0 %
}

func exampleRanks() *plots.Figure {
	return must(plots.Ranks(miscalibrated(), plots.RanksOptions{}))
}

// Posteriors too wide for q and α, and biased for tE (testdata/ranks.png).
func ExampleRanks() {
	fmt.Println(exampleRanks().Summary())
	// Output:
	// Quantiles of the truth in 20 bins; δ is the mean deviation of a bin's share, 95 % of bins should lie in the band
	// log10_s      δ = 0.39 % (0.39 % expected),  2 of 20 bins outside, 2,000 events
	// log10_q      δ = 2.75 % (0.39 % expected), 19 of 20 bins outside, 2,000 events
	// alpha        δ = 2.86 % (0.39 % expected), 19 of 20 bins outside, 2,000 events
	// u0           δ = 0.39 % (0.39 % expected),  1 of 20 bins outside, 2,000 events
	// t0           δ = 0.33 % (0.39 % expected),  0 of 20 bins outside, 2,000 events
	// log10_tE     δ = 0.82 % (0.39 % expected),  8 of 20 bins outside, 2,000 events
	// log10_rho    δ = 0.38 % (0.39 % expected),  0 of 20 bins outside, 2,000 events
	// f_s          δ = 0.36 % (0.39 % expected),  0 of 20 bins outside, 2,000 events
}

func examplePass() *plots.Figure {
	events, anomalous, strong := cutEvents()
	return must(plots.Pass(event.Roman(), events, []plots.PassSeries{{Label: "anomalous", Passed: anomalous}, {Label: "strongly so", Passed: strong}}, plots.PassOptions{}))
}

// Which events of a prior pass two cuts (testdata/pass.png).
func ExamplePass() {
	fmt.Println(examplePass().Summary())
	// Output:
	// Fraction of 20,000 events that passes a cut
	// anomalous: 24.1 %
	//   log10_s     2.4 % at -0.67 to 42.5 % at -0.0291
	//   log10_q     0.1 % at -5.88 to 72.3 % at -0.125
	//   alpha      19.7 % at 232 to 28.3 % at 128
	//   u0          9.3 % at 1.88 to 43.9 % at 0.0417
	//   t0         20.5 % at 16.5 to 28.3 % at 34.5
	//   log10_tE   17.6 % at 0.125 to 28.0 % at 0.375
	//   log10_rho  21.3 % at -3.71 to 26.9 % at -2.79
	//   f_s        20.2 % at 0.794 to 27.7 % at 0.419
	// strongly so: 9.2 %
	//   log10_s     0.0 % at -0.67 to 19.4 % at -0.0291
	//   log10_q     0.0 % at -5.88 to 41.8 % at -0.125
	//   alpha       7.5 % at 202 to 11.1 % at 308
	//   u0          0.7 % at 1.88 to 22.3 % at 0.0417
	//   t0          7.0 % at 7.5 to 11.1 % at 25.5
	//   log10_tE    6.7 % at 0.125 to 12.6 % at 0.375
	//   log10_rho   7.7 % at -2.21 to 11.2 % at -2.54
	//   f_s         7.5 % at 0.869 to 11.6 % at 0.981
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
	// Magnification of a point source by s = 0.9, q = 0.3 (resonant), 200×200 pixels, ±0.763 θ_E about (0, 0)
	// lowest 1.24, median 1.82, 99 % below 12.2; 1 caustics
}

func exampleImages() *plots.Figure {
	return must(plots.Images(lens.Binary{S: 0.9, Q: 0.3}, 0.15, 0.1, 0.08, plots.ImagesOptions{}))
}

// A source on a fold: two of its five images have merged
// (testdata/images.png).
func ExampleImages() {
	fmt.Println(exampleImages().Summary())
	// Output:
	// Lens s = 0.9, q = 0.3 (resonant), source of 0.08 θ_E at (0.15, 0.1): magnification 6.229, 5 images of its centre
	// image at (0.438, −0.023), magnification −0.036
	// image at (0.547, 0.864), magnification 1.568
	// image at (0.731, −0.641), magnification 2.006
	// image at (1.108, −0.263), magnification −1.442
	// image at (−0.932, −0.258), magnification −1.097
}

// exampleCells are errors that fall with the distance as two expansions do.
func exampleCells() *plots.Figure {
	panels := []plots.CellPanel{{Title: "First order"}, {Title: "Third order"}}
	for i := range 40 * 400 {
		x, y := math.Pow(10, 3*float64(i%40)/39-1), math.Pow(10, -6*float64(i/40)/399)
		for k := range panels {
			p := &panels[k]
			p.X, p.Y = append(p.X, x), append(p.Y, y)
			p.V = append(p.V, math.Sqrt(y)*math.Pow(x, float64(-1-2*k)))
		}
	}
	return must(plots.Cells(panels, plots.CellsOptions{
		X:     plots.CellAxis{Label: "Distance [$ρ$]", Log: true, N: 20},
		Y:     plots.CellAxis{Label: "Mass ratio $q$", Log: true, N: 20},
		Label: "Relative error", Lo: 1e-8, Hi: 1,
	}))
}

// Errors of two expansions (testdata/cells.png).
func ExampleCells() {
	fmt.Println(exampleCells().Summary())
	// Output:
	// Relative error: cells of Distance [ρ] (20) by Mass ratio q (20)
	// First order      16,000 points in 400 cells: lowest 1.3e−05, median 0.01, highest 7.82
	// Third order      16,000 points in 400 cells: lowest 1.7e−09, median 0.00109, highest 720
}
