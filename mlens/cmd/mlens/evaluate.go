package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mlens-go/microlens/mlens"
	"github.com/mlens-go/microlens/mlens/bank"
	"github.com/mlens-go/microlens/mlens/event"
	"github.com/mlens-go/microlens/mlens/internal/spell"
	"github.com/mlens-go/microlens/mlens/nb"
)

func newEvaluateCommand() *cobra.Command {
	var model, truth, log string
	var seed uint64 = 1
	var opt mlens.RefineOptions
	var obs bank.Observing
	n, draws, polish, asJSON, refine, floor, heldOut := 2000, 5000, 0, false, false, false, false
	c := &cobra.Command{
		Use:   "evaluate [-truth truth.csv | -heldout] [flags]",
		Short: "Judge a model on events whose truth is known, of any simulator",
		Long: `Reads a CSV table with the columns file, log10_s, log10_q, alpha, u0, t0, log10_tE,
log10_rho and f_s: angles in degrees, times in days, t0 counted from the start of
the window. file is a light curve that infer reads, relative to the table. Its
window starts at time 0 if all its times lie in the 72 days after it, else where
infer would let it start; in a light curve of at most 72 days that is the first
measurement.

With -heldout it simulates events of its own instead, from the prior and the cut
that the model was trained with, and with other seeds.

It prints the mean negative log-likelihood of the truths, raw and standardised,
the deviation δ of each parameter's rank histogram (20 bins), in how many events a
parameter is constrained (its marginal at the highest mode has more than twice the
prior's density), and in how many of those the truth is nearest to that mode. An
event lies in the global mode if that is so for all its constrained parameters, in
none if some parameter has no draw near the truth, in a minor mode else. Events that
cannot be read or lie outside the model's prior are named and left out.

With -floor it also prints how far the model is above what no estimator can be better
than, if exact posteriors are Gaussian: a floor that is too low where they have many
modes.

With -refine, which takes many seconds an event, it also refines each posterior as
infer -refine does, and prints the NLL of the exact posteriors, the fraction of
events of which the truth's mode was found, and how probable the truths' ranks are.
With -polish 20 it goes downhill from the 20 draws that fit the light curve best and
differ, and prints how often one of the descents ends in the truth's mode. That runs
the exact simulator on all draws. -log keeps what either has found of each event.

-cut says that the events were selected as a training set is: the prior is cut
likewise.`,
		Example: "  go tool mlens evaluate -model my-model -truth events/truth.csv -json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case truth == "" && !heldOut:
				return fmt.Errorf("-truth is missing: name a table of events, as --help describes it, or give -heldout")
			case truth != "" && heldOut:
				return fmt.Errorf("-truth and -heldout are both given, but the events come from one of them")
			case !(obs.Irregular >= 0 && obs.Irregular <= 1):
				return fmt.Errorf("-irregular is %v, but must be between 0 and 1", obs.Irregular)
			case n < 1:
				return fmt.Errorf("-n is %d, but must be at least 1", n)
			case draws < fewestDraws:
				return fmt.Errorf("-draws is %d, but at least %d draws are needed", draws, fewestDraws)
			case draws > mostDraws:
				return fmt.Errorf("-draws is %d, but must be at most %d draws", draws, mostDraws)
			case heldOut && cmd.Flags().Changed("cut"):
				return fmt.Errorf("-cut and -heldout are both given, but the events held out have passed the cut that the model was trained with")
			case !refine && cmd.Flags().Changed("cut"):
				return fmt.Errorf("-cut is given, but only -refine knows a cut")
			case !heldOut && (cmd.Flags().Changed("seed") || cmd.Flags().Changed("irregular")):
				return fmt.Errorf("-seed or -irregular is given, but only -heldout simulates events")
			case log != "" && !refine && polish == 0:
				return fmt.Errorf("-log is given, but only -refine and -polish keep results")
			case polish < 0:
				return fmt.Errorf("-polish is %d, but must be the number of draws to go downhill from, or 0", polish)
			}
			if err := checkFolder("log", log); err != nil {
				return err
			}
			var err error
			if model, err = whichModel(model); err != nil {
				return err
			}
			if (heldOut || exists(truth)) && exists(model) {
				if err := ensureSIMD(cmd.Context()); err != nil {
					return err
				}
			}
			var events []mlens.Event
			if !heldOut {
				if events, err = mlens.ReadEvents(truth); err != nil {
					return err
				}
			}
			est, err := mlens.Load(model)
			if err != nil {
				return err
			}
			if heldOut {
				if events, err = est.HeldOut(cmd.Context(), n, seed, obs); err != nil {
					return err
				}
				opt.Cut = est.Training.Cut
			}
			all := len(events)
			events, refused := mlens.Usable(events[:min(n, all)], est.Prior)
			if len(events) == 0 {
				return fmt.Errorf("none of the %d events can be judged: %w", len(refused), refused[0])
			}
			sayRefused(cmd.ErrOrStderr(), refused)
			// What takes long and is kept comes first.
			var exact *mlens.RefinedScore
			if refine {
				if exact, err = est.ScoreRefined(cmd.Context(), events, draws, opt, log, nb.Progress("refined")); err != nil {
					return err
				}
			}
			var recall *mlens.Recall
			if polish > 0 {
				if recall, err = est.Recall(cmd.Context(), events, draws, polish, opt.Seed, log, nb.Progress("polished")); err != nil {
					return err
				}
			}
			s, err := est.Score(cmd.Context(), events, draws, nb.Progress("events"))
			if err != nil {
				return err
			}
			r := report{Score: s, exact: exact, recall: recall, all: all, skipped: len(refused)}
			if floor {
				if r.floor, err = est.Floor(cmd.Context(), events, nb.Progress("floor")); err != nil {
					return err
				}
			}
			if asJSON {
				return r.json(cmd.OutOrStdout())
			}
			return r.table(cmd.OutOrStdout())
		},
	}
	f := c.Flags()
	f.StringVarP(&model, "model", "m", "", "folder of the model (default data/models/roman of this checkout)")
	f.StringVarP(&truth, "truth", "t", "", "table of events")
	f.BoolVar(&heldOut, "heldout", false, "simulate the events")
	f.Uint64Var(&seed, "seed", seed, "with -heldout: seed of the events")
	f.Float64Var(&obs.Irregular, "irregular", 0, "with -heldout: fraction of light curves with gaps and a cadence of 10 to 15 minutes")
	f.IntVarP(&n, "n", "n", n, "events, at most, from the top of the table; or how many to simulate")
	f.IntVar(&draws, "draws", draws, "draws from each posterior")
	f.BoolVar(&floor, "floor", false, "also compute how far the model is above the floor of Gaussian posteriors")
	f.BoolVar(&refine, "refine", false, "also refine each posterior and judge the results")
	f.IntVar(&polish, "polish", 0, "also go downhill from that many of the draws; 0: from none")
	f.StringVar(&log, "log", "", "folder for refined.jsonl and polished.jsonl, to which -refine and -polish append a line for each event; what was stopped goes on from there")
	f.Var(cutFlag{&opt.Cut}, "cut", "with -refine: the cut that the events of the table have passed: paper, literal, or a residual χ²/dof (default none)")
	f.BoolVar(&asJSON, "json", false, "print one JSON object instead of the table")
	return c
}

// sayRefused names the first events that are left out.
func sayRefused(w io.Writer, refused []error) {
	const most = 5
	for _, err := range refused[:min(most, len(refused))] {
		fmt.Fprintf(w, "mlens: left out: %s\n", spell.Bare(err))
	}
	if more := len(refused) - most; more > 0 {
		fmt.Fprintf(w, "mlens: left out: %d more\n", more)
	}
}

// A report is what evaluate prints; what was not asked for is nil.
type report struct {
	*mlens.Score
	floor        *mlens.Floor
	exact        *mlens.RefinedScore
	recall       *mlens.Recall
	all, skipped int
}

func (s report) table(w io.Writer) error {
	exact, recall := s.exact, s.recall
	fmt.Fprintf(w, "%d of %d events, %d draws each", s.Events, s.all, s.Draws)
	if s.skipped > 0 {
		fmt.Fprintf(w, "; %d left out", s.skipped)
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "NLL per event: standardised %.3f, raw %.3f, each ± %.3f\n", s.NLL, s.RawNLL, s.NLLErr)
	if f := s.floor; f != nil {
		fmt.Fprintf(w, "%.3f ± %.3f above the floor of Gaussian posteriors, standardised %.3f, raw %.3f, each ± %.3f\n", f.Above, f.AboveErr, f.NLL, f.RawNLL, f.NLLErr)
	}
	fmt.Fprintf(w, "density inside the prior: %.1f %%\n", 100*s.Inside)
	fmt.Fprintf(w, "the truth lies in the global mode: %.1f %%, in a minor one: %.1f %%, in none: %.1f %%\n\n", 100*s.Global, 100*s.Minor, 100*s.None)
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\tδ (counting alone %.2f %%)\tconstrained\tof these correct\t\n", 100*s.Noise)
	for k, name := range event.Names {
		fmt.Fprintf(t, "%s\t%.2f %%\t%.1f %%\t%.1f %%\t\n", name, 100*s.Delta[k], 100*s.Constrained[k], 100*s.Correct[k])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if recall != nil {
		found, strong := recall.Fraction()
		fmt.Fprintf(w, "\ndescents from the draws end in the truth's mode in %.1f %% of the events", 100*found)
		if !math.IsNaN(strong) {
			fmt.Fprintf(w, ", in %.1f %% of the strong ones", 100*strong)
		}
		fmt.Fprintln(w)
	}
	if exact == nil {
		return nil
	}
	fmt.Fprintf(w, "\nrefined: NLL per event, raw %.3f ± %.3f; the truth's mode found in %.1f %%; %.1f s an event (median)\n",
		exact.RawNLL, exact.NLLErr, 100*exact.ModeRecall, exact.Seconds)
	fmt.Fprintf(w, "the network is %.2f ± %.2f nats above that\n", exact.Above, exact.AboveErr)
	level := map[mlens.Level]int{}
	for _, ev := range exact.Events {
		level[ev.Level]++
	}
	fmt.Fprintf(w, "trust: %d green, %d yellow, %d red\n", level[mlens.Green], level[mlens.Yellow], level[mlens.Red])
	_, err := fmt.Fprintf(w, "effective draws per exact likelihood: median %.0f %%, in 95 %% of events above %.1f %%; per likelihood, those of bins too: median %.1f %%; least probable ranks: p = %.3g; credible regions: p = %.3g; truths beyond all draws in %d events, by chance in %.1f\n",
		100*exact.Efficiency, 100*exact.WorstEfficiency, 100*exact.EfficiencyOfAll, slices.Min(exact.RankP[:]), exact.HPDP, exact.Outside, exact.OutsideByChance)
	return err
}

func (s report) json(w io.Writer) error {
	exact, recall := s.exact, s.recall
	type floor struct {
		RawNLL    float64 `json:"nll_raw"`
		NLL       float64 `json:"nll_z"`
		RawNLLErr float64 `json:"nll_raw_se"`
		Above     float64 `json:"network_above"`
		AboveErr  float64 `json:"network_above_se"`
	}
	var f *floor
	if s.floor != nil {
		f = &floor{s.floor.RawNLL, s.floor.NLL, s.floor.NLLErr, s.floor.Above, s.floor.AboveErr}
	}
	type refined struct {
		RawNLL     float64 `json:"nll_raw"`
		RawNLLErr  float64 `json:"nll_raw_se"`
		Above      float64 `json:"network_above"`
		AboveErr   float64 `json:"network_above_se"`
		ModeRecall float64 `json:"mode_recall"`
		Seconds    float64 `json:"seconds"`
		Efficiency float64 `json:"efficiency"`
		RankP      named   `json:"rank_p"`
		HPDP       float64 `json:"hpd_p"`
		Outside    int     `json:"outside"`
		ByChance   float64 `json:"outside_by_chance"`
	}
	var r *refined
	if exact != nil {
		r = &refined{exact.RawNLL, exact.NLLErr, exact.Above, exact.AboveErr, exact.ModeRecall, exact.Seconds, exact.Efficiency, named(exact.RankP), exact.HPDP, exact.Outside, exact.OutsideByChance}
	}
	type polished struct {
		ModeRecall float64  `json:"mode_recall"`
		Strong     *float64 `json:"mode_recall_strong,omitempty"` // absent without strong events
	}
	var p *polished
	if recall != nil {
		found, strong := recall.Fraction()
		if p = (&polished{ModeRecall: found}); !math.IsNaN(strong) {
			p.Strong = &strong
		}
	}
	type mode struct {
		Global float64 `json:"global"`
		Minor  float64 `json:"minor"`
		None   float64 `json:"none"`
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		N           int       `json:"n"`
		Skipped     int       `json:"skipped"`
		Draws       int       `json:"draws"`
		RawNLL      float64   `json:"nll_raw"`
		RawNLLErr   float64   `json:"nll_raw_se"`
		NLL         float64   `json:"nll_z"`
		Inside      float64   `json:"inside"`
		Delta       named     `json:"delta"`
		DeltaNoise  float64   `json:"delta_noise"`
		Constrained named     `json:"constrained"`
		Correct     named     `json:"correct"`
		Mode        mode      `json:"mode"`
		Floor       *floor    `json:"floor,omitempty"`
		Polished    *polished `json:"polished,omitempty"`
		Refined     *refined  `json:"refined,omitempty"`
	}{s.Events, s.skipped, s.Draws, s.RawNLL, s.NLLErr, s.NLL, s.Inside, named(s.Delta), s.Noise, named(s.Constrained), named(s.Correct), mode{s.Global, s.Minor, s.None}, f, p, r})
}
