package plots_test

import (
	"testing"

	"github.com/mlens-go/microlens/plots"
)

func TestLookLoss(t *testing.T) {
	b := []plots.Level{{"prior", 3.03}, {"Gaussian", -4.2}}
	f := plots.Loss(trainingRun(), plots.LossOptions{Baselines: b})
	t.Log(f.Summary())
	f.Save("/tmp/look/loss.png")
	f = plots.Loss(trainingRun(), plots.LossOptions{Baselines: b, Log: true, Title: "Log"})
	f.Save("/tmp/look/losslog.png")
	plots.Loss(nil, plots.LossOptions{}).Save("/tmp/look/lossnil.png")
	f, err := plots.Ranks(miscalibrated(), plots.RanksOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(f.Summary())
	f.Save("/tmp/look/ranks.png")
}
