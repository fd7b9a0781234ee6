package mlens

import (
	"context"
	"flag"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/calib"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

var (
	walkedEvents = flag.Int("walked.events", 1, "events of TestAgainstWalkers")
	walkedSteps  = flag.Int("walked.steps", 600, "steps of each of its 48 walkers")
)

// Posteriors that are green are those that walkers find, which start in equal numbers in each mode
// and need no proposal: their marginals, and where the walkers pass from mode to mode, the modes'
// shares. Where they do not, each mode is compared by itself.
//
// It takes a minute an event: go test ./mlens -run TestAgainstWalkers -v -walked.events 20 -timeout 2h
func TestAgainstWalkers(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	const few = 0.01 // of the evidence
	e, err := Load(shippedDir)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	events, err := e.HeldOut(ctx, 4**walkedEvents+4, 7, bank.Observing{})
	if err != nil {
		t.Fatal(err)
	}
	var ps, zs []float64
	mixed, done := 0, 0
	// From the fourth on: its posterior is one that takes little time.
	for i, ev := range events[3:] {
		if done == *walkedEvents {
			break
		}
		p, err := e.conditionOn(ev)
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Refine(ctx, p.Sample(5000, uint64(i)), RefineOptions{Seed: uint64(i), Cut: e.Training.Cut})
		if err != nil {
			t.Fatal(err)
		}
		if r.Trust().Level != Green {
			continue
		}
		done++
		modes := slices.DeleteFunc(slices.Clone(r.Modes), func(m RefinedMode) bool { return m.Weight < few })
		walk, chains := walkThrough(t, r, modes)
		line := []any{p.Window.Name, len(modes), "modes, R̂", chains.RHat, "τ", chains.Time}
		if len(modes) == 1 || chains.RHat < 1.1 {
			mixed++
			ps = append(ps, compareMarginals(r.Draws, walk, r.ESS)...)
			for m, z := range compareShares(r.Draws, walk, r.ESS, modes) {
				line = append(line, "share", modes[m].Weight, "z", z)
				zs = append(zs, z)
			}
		} else {
			for m := range modes {
				if in := within(r.Draws, modes, m); len(in) > 100 {
					sub := make([][]event.Theta, len(walk))
					for w := range walk {
						if x := within(walk[w], modes, m); len(x) == len(walk[w]) { // it never left
							sub[w] = x
						}
					}
					sub = slices.DeleteFunc(sub, func(w []event.Theta) bool { return w == nil })
					if len(sub) > 2 {
						ps = append(ps, compareMarginals(in, sub, r.ESS*float64(len(in))/float64(len(r.Draws)))...)
					}
				}
			}
		}
		t.Log(append(line, "p", ps[max(0, len(ps)-event.Dim):])...)
	}
	if done < *walkedEvents {
		t.Errorf("only %d events are green", done)
	}
	low := 0
	for _, p := range ps {
		if p < 0.01 {
			low++
		}
	}
	t.Logf("%d events, in %d of which the walkers pass between all modes; %d marginals, smallest p %.2g, %d below 0.01; largest |z| of %d shares %.1f",
		done, mixed, len(ps), slices.Min(ps), low, len(zs), largest(zs))
	// One in a thousand, were they independent.
	if n := float64(len(ps)); slices.Min(ps) < 1e-3/n || float64(low) > 0.01*n+4*math.Sqrt(0.01*n)+1 {
		t.Error("marginals differ")
	}
	if largest(zs) > 4 {
		t.Error("shares differ")
	}
}

// walkThrough returns the places of each walker, and their chain.
func walkThrough(t *testing.T, r *Refined, modes []RefinedMode) ([][]event.Theta, *refine.Chain) {
	const walkers = 48
	d := density{lik: r.lik, prior: r.post.prior, least: math.Inf(-1), selected: r.selected}
	var starts [][]float64
	for m := range modes {
		d.fs = max(d.fs, modes[m].Params[event.Fs])
		in := within(r.Draws, modes, m)
		for k := range min(len(in), walkers/len(modes)) {
			x := in[k*len(in)/min(len(in), walkers/len(modes))]
			starts = append(starts, slices.Clone(x[:event.Fs]))
		}
	}
	chain, err := refine.Ensemble(context.Background(), d.logProb, r.post.curveParameters(), starts,
		refine.EnsembleOptions{Seed: 1, Walkers: walkers, Steps: *walkedSteps})
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]event.Theta, len(chain.X[0]))
	for _, step := range chain.X {
		for w, x := range step {
			out[w] = append(out[w], d.withFs(x))
		}
	}
	return out, chain
}

// within returns the draws that are nearest to mode m.
func within(draws []event.Theta, modes []RefinedMode, m int) (in []event.Theta) {
	for _, d := range draws {
		if closest(d, modes) == m {
			in = append(in, d)
		}
	}
	return in
}

func closest(d event.Theta, modes []RefinedMode) (at int) {
	best := math.Inf(1)
	for m := range modes {
		if x := distance(d, modes[m].Params, sameSolution); x < best {
			best, at = x, m
		}
	}
	return at
}

// compareMarginals returns p of each parameter.
func compareMarginals(draws []event.Theta, walk [][]event.Theta, ess float64) (ps []float64) {
	for k := range event.Dim {
		var a, b []float64
		for _, d := range draws {
			a = append(a, d[k])
		}
		period := 0.0
		chains := make([][]float64, len(walk))
		for w, places := range walk {
			for _, x := range places {
				b = append(b, x[k])
				if k == event.Alpha { // about the first draw
					period = 360
					x[k] = math.Remainder(x[k]-draws[0][k], 360)
				}
				chains[w] = append(chains[w], x[k])
			}
		}
		ps = append(ps, calib.TwoSample(a, b, min(ess, float64(len(a))), float64(len(b))/refine.AutocorrelationTime(chains), period))
	}
	return ps
}

// compareShares returns by how many standard deviations the modes' shares differ.
func compareShares(draws []event.Theta, walk [][]event.Theta, ess float64, modes []RefinedMode) (zs []float64) {
	for m := range modes {
		share := float64(len(within(draws, modes, m))) / float64(len(draws))
		var each []float64 // walker's own
		for _, places := range walk {
			each = append(each, float64(len(within(places, modes, m)))/float64(len(places)))
		}
		mean, variance := stat.MeanVariance(each, nil)
		zs = append(zs, (share-mean)/math.Sqrt(share*(1-share)/ess+variance/float64(len(each))+1e-12))
	}
	return zs
}

func largest(x []float64) (l float64) {
	for _, v := range x {
		l = max(l, math.Abs(v))
	}
	return l
}
