package mlens

import (
	"context"
	"math"
	"testing"

	"github.com/mlens-go/microlens/mlens/event"
)

// The same prior, counted from the caustic, gives lenses whose caustic is nearly at the centre of mass
// the same evidence, though it is sampled in other coordinates; and a wide pair that passes half a year
// before the season is sampled like others.
func TestRefineInOwnFrame(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	ctx := context.Background()
	at := blind(t, "binary-planetary.csv").thinned(16)
	for i := range at.Window.Err { // fainter, so that the wide pair is alive
		at.Window.Err[i] *= 4
	}
	close := event.Theta{-0.623, -0.431, 209.33, 0.1087, 25.8835, 1.6793, -3, 0.2141}
	opt := RefineOptions{Seed: 1, Budget: 2500, ESS: 250}
	var lnZ, errs []float64
	for _, f := range []event.Frame{event.CentreOfMass, event.CausticCentre} {
		prior := event.Roman()
		prior.Frame = f
		p := at.Under(prior)
		s, err := p.Polish(ctx, close)
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.RefineFrom(ctx, []Solution{s}, opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("about the %v: ln Z %.3f ± %.3f, %v", f, r.LogEvidence, r.LogEvidenceErr, r.Trust())
		lnZ, errs = append(lnZ, r.LogEvidence), append(errs, r.LogEvidenceErr)
		for _, d := range r.Draws {
			if !prior.Contains(d) {
				t.Fatalf("%.4f is not within the prior", d)
			}
		}
	}
	if z := (lnZ[1] - lnZ[0]) / math.Hypot(errs[0], errs[1]); math.Abs(z) > 4 || errs[1] > 0.2 {
		t.Errorf("ln Z %.3f about the caustic, %.3f about the centre of mass, ± %.3f", lnZ[1], lnZ[0], errs)
	}
	prior := event.Roman()
	prior.Frame, prior.S.Max = event.CausticCentre, 20
	p := at.Under(prior)
	var wide event.Theta
	for _, partner := range close.Params().Partners() {
		if partner.Degeneracy == event.BinaryCloseWide {
			wide = partner.Params.Theta()
		}
	}
	s, err := p.Polish(ctx, wide)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.RefineFrom(ctx, []Solution{s}, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("wide: ln Z %.3f ± %.3f, %v, %.3f", r.LogEvidence, r.LogEvidenceErr, r.Trust(), r.Modes[0].Params)
	if r.ESS < 150 || len(r.Modes) > 3 || r.KHat > 0.7 || r.Modes[0].Params[event.T0] > 0 {
		t.Errorf("the wide pair: %v, %.3f", r.Trust(), r.Modes[0].Params)
	}
}
