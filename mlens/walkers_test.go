package mlens

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/calib"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/refine"
)

var (
	walkedEvents = flag.Int("walked.events", 0, "events that TestAgainstWalkers compares")
	walkedSteps  = flag.Int("walked.steps", 600, "steps of each of its 48 walkers; they walk on, by half as many at a time, where that is not enough")
	walkedMost   = flag.Int("walked.most", 6000, "steps beyond which they do not")
	walkedLog    = flag.String("walked.log", "", "file to which each event's comparison is added; those that are there are not made again")
)

// Posteriors that are green are those that walkers find, which start in equal numbers in each mode,
// need no proposal and jump from mode to mode: their marginals, and where the jumps succeed, the modes'
// shares. Where they do not, each mode is compared by itself, with walkers of its own. Events whose
// walkers have not forgotten where they started, at the draws that they are to judge, do not count,
// nor do those of more modes than can be walked in.
//
// It takes some minutes an event, and is made when asked for: go test ./mlens -run 'TestAgainstWalkers$' -v -walked.events 20 -walked.log FILE -timeout 3h
//
// What came of the shipped model is in its folder, walked.jsonl. There, events that refined.jsonl has
// as not green or as of more modes, and numbers 10, 52 and 58, whose light curves take long, are
// marked as not compared without having been tried.
func TestAgainstWalkers(t *testing.T) {
	if *walkedEvents == 0 {
		t.Skip("-walked.events is 0")
	}
	e, err := Load(shippedDir)
	if err != nil {
		t.Fatal(err)
	}
	events, err := e.HeldOut(context.Background(), 5**walkedEvents+4, 7, bank.Observing{})
	if err != nil {
		t.Fatal(err)
	}
	done := readComparisons(t, e.WeightsSHA256)
	var all againstWalkers
	var tried, green, compared, several, mixed, singly int
	// From the fourth on: its posterior is one that takes little time.
	for i, ev := range events[3:] {
		if compared == *walkedEvents {
			break
		}
		c, ok := done[ev.File]
		if !ok {
			c = compareWithWalkers(t, e, ev, uint64(i))
			c.keep(t)
		}
		if tried++; !c.Green {
			continue
		}
		if green++; len(c.Parts) == 0 {
			continue
		}
		if compared++; c.Modes > 1 {
			several++
			if c.Mixed {
				mixed++
			} else {
				singly += len(c.Parts)
			}
		}
		for _, m := range c.Parts {
			all.add(m)
		}
		all.shares = append(all.shares, c.Shares...)
	}
	t.Logf("%d events tried, %d of them green, %d of those compared: %d of one mode, %d of several, in %d of which the walkers pass between all of them; in the others %d modes by themselves",
		tried, green, compared, compared-several, several, mixed, singly)
	if compared < *walkedEvents {
		t.Errorf("only %d events are green and were compared", compared)
	}
	if compared > 0 {
		t.Log(all.String())
	}
	for _, w := range all.wrong() {
		t.Error(w)
	}
}

// A comparison is that of one event's posterior with what walkers find.
type comparison struct {
	Model string // checksum of its weights
	File  string
	Green bool
	Modes int         // that are not improbable
	Mixed bool        // whether walkers pass between all of them
	Parts []marginals // of the whole, or of single modes; none if it was not compared
	Walks []string    // how long each took, and whether it converged; or why there is none
	// Shares are z of those of all modes but the first, if Mixed.
	Shares []float64
}

// marginals are those of each parameter: p, and by how many standard deviations draws are wider.
type marginals struct{ P, Widths []float64 }

func compareWithWalkers(t *testing.T, e *Estimator, ev Event, seed uint64) (c comparison) {
	const (
		few      = 0.01 // of the evidence
		most     = 4    // modes
		fewDraws = 100
	)
	c.Model, c.File = e.WeightsSHA256, ev.File
	p, err := e.conditionOn(ev)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Refine(context.Background(), p.Sample(5000, seed), RefineOptions{Seed: seed, Cut: e.Training.Cut})
	if err != nil {
		t.Fatal(err)
	}
	for c.Modes < len(r.Modes) && r.Modes[c.Modes].Weight >= few { // r's are sorted
		c.Modes++
	}
	c.Green = r.Trust().Level == Green
	if !c.Green || c.Modes > most {
		c.Walks = append(c.Walks, "none: "+r.Trust().String())
		t.Logf("%s: %s", ev.File, c.Walks[0])
		return c
	}
	walked := func(w *walk, several bool) [][]event.Theta {
		places, outcome := w.converge(several)
		c.Walks = append(c.Walks, outcome)
		t.Log(outcome)
		return places
	}
	add := func(draws []event.Theta, walk [][]event.Theta) {
		m := compareMarginals(draws, walk, r.ESS*float64(len(draws))/float64(len(r.Draws)))
		c.Parts = append(c.Parts, m)
		t.Logf("p %.2g, widths' z %.1f", m.P, m.Widths)
	}
	if places := walked(newWalk(t, r, c.Modes, everyMode), c.Modes > 1); places != nil {
		add(r.Draws, places)
		if c.Mixed = c.Modes > 1; c.Mixed {
			// The first mode's share is what the others leave.
			c.Shares = compareShares(r.Draws, places, r.ESS, r.Modes[:c.Modes])[1:]
			t.Logf("shares' z %.1f", c.Shares)
		}
		return c
	}
	for m := 0; c.Modes > 1 && m < c.Modes; m++ {
		if in := within(r.Draws, r.Modes, m); len(in) < fewDraws {
			t.Logf("%s, mode %d: not compared, %d draws", ev.File, m, len(in))
		} else if places := walked(newWalk(t, r, c.Modes, m), false); places != nil {
			add(in, places)
		}
	}
	return c
}

// readComparisons returns those of the log by their events' names.
func readComparisons(t *testing.T, model string) map[string]comparison {
	done := map[string]comparison{}
	if *walkedLog == "" {
		return done
	}
	text, err := os.ReadFile(*walkedLog)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var c comparison
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%s: %v", *walkedLog, err)
		}
		if c.Model != model {
			t.Fatalf("%s: %s is of another model", *walkedLog, c.File)
		}
		done[c.File] = c
	}
	return done
}

// keep adds c to the log.
func (c comparison) keep(t *testing.T) {
	if *walkedLog == "" {
		return
	}
	f, err := os.OpenFile(*walkedLog, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err == nil {
		err = errors.Join(json.NewEncoder(f).Encode(c), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// againstWalkers are the results of comparisons.
type againstWalkers struct {
	ps, widths []float64 // of all marginals: p, and by how many standard deviations draws are wider
	// Of each comparison those of one parameter, each in its turn: others of the same draws are
	// not independent of it.
	p1, widths1 []float64
	shares      []float64 // z of modes' shares
}

func (a *againstWalkers) add(m marginals) {
	k := len(a.p1) % event.Dim
	a.p1, a.widths1 = append(a.p1, m.P[k]), append(a.widths1, m.Widths[k])
	a.ps, a.widths = append(a.ps, m.P...), append(a.widths, m.Widths...)
}

// uniform returns p of the p's being uniform, and pooled z of the widths, of one parameter a
// comparison.
func (a *againstWalkers) uniform() (p, z float64) {
	_, p = calib.KolmogorovUniform(a.p1)
	return p, floats.Sum(a.widths1) / math.Sqrt(float64(len(a.widths1)))
}

// low returns the number of p's below 0.01.
func (a *againstWalkers) low() (n int) {
	for _, p := range a.ps {
		if p < 0.01 {
			n++
		}
	}
	return n
}

func (a *againstWalkers) String() string {
	p, z := a.uniform()
	s := fmt.Sprintf("%d marginals: smallest p %.2g, %d below 0.01, largest |z| of widths %.1f; one of each of %d comparisons: p's are uniform with p %.2g, pooled z of widths %.1f; ",
		len(a.ps), slices.Min(a.ps), a.low(), largest(a.widths), len(a.p1), p, z)
	if len(a.shares) == 0 {
		return s + "no shares"
	}
	return s + fmt.Sprintf("largest |z| of %d shares %.1f", len(a.shares), largest(a.shares))
}

// wrong says what differs. Each has a chance of about one in a thousand where nothing does.
func (a *againstWalkers) wrong() (what []string) {
	if len(a.ps) == 0 {
		return nil
	}
	const chance = 1e-3
	twoSided := func(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }
	n := float64(len(a.ps))
	if slices.Min(a.ps) < chance/n || float64(a.low()) > 0.01*n+4*math.Sqrt(0.01*n)+1 {
		what = append(what, "marginals differ")
	}
	if twoSided(largest(a.widths)) < chance/n {
		what = append(what, "a marginal's width differs")
	}
	p, z := a.uniform()
	if p < chance {
		what = append(what, "the marginals' p are not uniform")
	}
	if twoSided(z) < chance {
		what = append(what, "widths differ")
	}
	if largest(a.shares) > 4 {
		what = append(what, "shares differ")
	}
	return what
}

// Draws that are a tenth too wide or too narrow, or a fifth of σ beside, do not pass as those that
// walkers find; right ones do.
func TestAgainstWalkersSees(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	const (
		comparisons, walkers, steps, draws = 8, 48, 600, 1000
		memory                             = 0.92 // of a step: τ is 24
	)
	for _, c := range []struct {
		width, beside float64
		differ        bool
	}{{1, 0, false}, {1.1, 0, true}, {0.9, 0, true}, {1, 0.2, true}} {
		g := rand.New(rand.NewPCG(1, 1))
		normal := func() (x event.Theta) {
			for k := range x {
				x[k] = g.NormFloat64()
			}
			return x
		}
		var all againstWalkers
		for range comparisons {
			d, walk := make([]event.Theta, draws), make([][]event.Theta, walkers)
			for i := range d {
				d[i] = normal()
				for k := range d[i] {
					d[i][k] = c.width*d[i][k] + c.beside
				}
			}
			for w := range walk {
				walk[w] = []event.Theta{normal()}
				for s := 1; s < steps; s++ {
					x := normal()
					for k := range x {
						x[k] = memory*walk[w][s-1][k] + math.Sqrt(1-memory*memory)*x[k]
					}
					walk[w] = append(walk[w], x)
				}
			}
			if rhat, tau := forgotten(walk); rhat > goodRHat || tau < 20 || tau > 32 {
				t.Errorf("R̂ %.3f, τ %.1f", rhat, tau)
			}
			all.add(compareMarginals(d, walk, draws))
		}
		t.Logf("%+v: %s", c, &all)
		if wrong := all.wrong(); len(wrong) > 0 != c.differ {
			t.Errorf("%+v: %v", c, wrong)
		}
	}
}

// A walk is that of an ensemble from the draws of a posterior.
type walk struct {
	r     *Refined
	mode  int // that it is to stay in, or everyMode
	d     density
	bins  *density        // that comes before; nil: none does
	modes [][][]float64   // that it jumps between
	at    [][]float64     // where it goes on from
	kept  [][]event.Theta // of each walker, all but the steps that Ensemble throws away
	steps int             // so far
}

// newWalk returns one that starts from draws of a mode, or as many of each of the first n.
func newWalk(t *testing.T, r *Refined, n, mode int) *walk {
	w := &walk{r: r, mode: mode, d: density{lik: r.lik, prior: r.post.prior, least: math.Inf(-1), selected: r.selected}}
	modes := []int{mode}
	if mode == everyMode {
		modes = modes[:0]
		for m := range n {
			modes = append(modes, m)
		}
	}
	for _, m := range modes {
		w.d.fs = max(w.d.fs, r.Modes[m].Params[event.Fs])
		in := within(r.Draws, r.Modes, m)
		if mode == everyMode && len(in) >= 2*event.Fs {
			w.modes = append(w.modes, curves(in))
		}
		each := min(len(in), walkers/len(modes))
		for k := range each {
			x := in[k*len(in)/each]
			w.at = append(w.at, slices.Clone(x[:event.Fs]))
		}
	}
	// What the light curve in bins does not accept need not be asked of all measurements.
	var solutions []Solution
	for _, m := range r.Modes {
		solutions = append(solutions, m.Solution)
	}
	if bins := r.post.inBins(context.Background(), solutions); 3*bins.Len() <= r.post.Window.Len() {
		lik, err := event.NewLikelihood(bins, r.post.prior)
		if err != nil {
			t.Fatal(err)
		}
		w.bins = &density{lik: lik, prior: r.post.prior, least: math.Inf(-1), selected: r.selected, coarse: true, fs: w.d.fs}
	}
	return w
}

// converge walks until the walkers, those that have never left the mode, have forgotten where they
// started, and returns where they have been since, and what came of it in words; nil if they have not, for which it does not wait
// if several modes are far apart, or where it would take twice as many steps as it may.
func (w *walk) converge(several bool) (where [][]event.Theta, outcome string) {
	const (
		fewWalkers = 8
		long       = 20 // autocorrelation times
		apart      = 2  // R̂
	)
	name := w.r.post.Window.Name
	if w.mode != everyMode {
		name += fmt.Sprintf(", mode %d", w.mode)
	}
	why := ""
	for w.steps < *walkedMost {
		if err := w.on(); err != nil {
			return nil, err.Error()
		}
		places := w.places()
		if len(places) < fewWalkers {
			why = fmt.Sprintf("%d walkers stay in the mode", len(places))
			continue
		}
		rhat, tau := forgotten(places)
		why = fmt.Sprintf("%d walkers, R̂ %.2f, τ %.0f", len(places), rhat, tau)
		fmt.Fprintf(os.Stderr, "%s: %d steps, %s\n", name, w.steps, why)
		if rhat < goodRHat && float64(len(places[0])) >= long*tau {
			return places, fmt.Sprintf("%s: %d steps, %s", name, w.steps, why)
		}
		if w.steps >= *walkedMost/4 && (several && rhat > apart || long*tau > 2*float64(*walkedMost)) {
			break
		}
	}
	return nil, fmt.Sprintf("%s: not converged after %d steps, %s", name, w.steps, why)
}

// on walks on.
func (w *walk) on() error {
	opt := refine.EnsembleOptions{Seed: 1 + uint64(w.steps), Walkers: walkers, Steps: *walkedSteps, Modes: w.modes}
	if w.bins != nil {
		opt.Before = w.bins.logProb
	}
	if w.steps > 0 {
		opt.Steps, opt.Onward = *walkedSteps/2, true
	}
	chain, err := refine.Ensemble(context.Background(), w.d.logProb, w.r.post.curveParameters(), w.at, opt)
	if err != nil {
		return err
	}
	w.steps += opt.Steps
	w.at = chain.X[len(chain.X)-1]
	if w.kept == nil {
		w.kept = make([][]event.Theta, len(w.at))
	}
	for _, step := range chain.X {
		for i, x := range step {
			w.kept[i] = append(w.kept[i], w.d.withFs(x))
		}
	}
	return nil
}

// curves returns draws without f_s.
func curves(draws []event.Theta) (out [][]float64) {
	for _, d := range draws {
		out = append(out, slices.Clone(d[:event.Fs]))
	}
	return out
}

// places returns where each walker was in the last two thirds of the steps, as far as they were
// kept. Those that leave their mode are left out: that makes little difference to the others, of
// which in the time in which they forget where they were few leave.
func (w *walk) places() (places [][]event.Theta) {
	for _, k := range w.kept {
		k = k[max(0, len(k)-w.steps+w.steps/3):]
		if w.mode == everyMode || len(within(k, w.r.Modes, w.mode)) == len(k) {
			places = append(places, k)
		}
	}
	return places
}

// forgotten returns R̂ and the autocorrelation time of walkers, each of the worst parameter.
func forgotten(walk [][]event.Theta) (rhat, tau float64) {
	for k := range event.Dim {
		chains := series(walk, k, walk[0][0])
		rhat, tau = max(rhat, refine.SplitRHat(chains)), max(tau, commonTime(chains))
	}
	return rhat, tau
}

// series returns the chains of a parameter, α about that of a Theta.
func series(walk [][]event.Theta, k int, about event.Theta) [][]float64 {
	chains := make([][]float64, len(walk))
	for w, places := range walk {
		for _, x := range places {
			chains[w] = append(chains[w], unwound(x, k, about))
		}
	}
	return chains
}

func unwound(x event.Theta, k int, about event.Theta) float64 {
	if k == event.Alpha {
		return math.Remainder(x[k]-about[k], 360)
	}
	return x[k]
}

// commonTime is refine.AutocorrelationTime of chains that have converged, about their common mean:
// about their own, those of twenty times τ make it a third too small.
func commonTime(chains [][]float64) float64 {
	mean, variance := stat.PopMeanVariance(slices.Concat(chains...), nil)
	if variance == 0 {
		return math.Inf(1)
	}
	const window = 5
	tau := 1.0
	n := len(chains[0])
	for lag := 1; lag < n && float64(lag) < window*tau; lag++ {
		var s float64
		for _, c := range chains {
			for t := lag; t < n; t++ {
				s += (c[t] - mean) * (c[t-lag] - mean)
			}
		}
		tau += 2 * s / (variance * float64(len(chains)*(n-lag)))
	}
	return max(tau, 1)
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

// compareMarginals compares draws with what walkers went through.
func compareMarginals(draws []event.Theta, walk [][]event.Theta, ess float64) (m marginals) {
	for k := range event.Dim {
		var a []float64
		for _, d := range draws {
			a = append(a, unwound(d, k, draws[0]))
		}
		chains := series(walk, k, draws[0])
		b := slices.Concat(chains...)
		period := 0.0
		if k == event.Alpha {
			period = 360
		}
		na := min(ess, float64(len(a)))
		m.P = append(m.P, calib.TwoSample(a, b, na, float64(len(b))/commonTime(chains), period))
		m.Widths = append(m.Widths, wider(a, chains, na))
	}
	return m
}

// wider compares by Mood's test: by the squared distance of ranks from the middle.
func wider(a []float64, chains [][]float64, na float64) float64 {
	sorted := slices.Concat(append(slices.Clone(chains), a)...)
	slices.Sort(sorted)
	squared := func(x []float64) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			first, _ := slices.BinarySearch(sorted, v)
			after, _ := slices.BinarySearch(sorted, math.Nextafter(v, math.Inf(1)))
			d := float64(first+after)/2/float64(len(sorted)) - 0.5
			out[i] = d * d
		}
		return out
	}
	of := make([][]float64, len(chains))
	for w, c := range chains {
		of[w] = squared(c)
	}
	b := slices.Concat(of...)
	nb := float64(len(b)) / commonTime(of)
	const variance = 1. / 180 // of (u − ½)²
	return (stat.Mean(squared(a), nil) - stat.Mean(b, nil)) / math.Sqrt(variance*(1/na+1/nb))
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
