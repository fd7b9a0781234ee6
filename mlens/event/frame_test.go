package event

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The same light curve in every frame, and the way back.
func TestFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	prior := Roman()
	for range 200 {
		p := prior.Sample(r)
		for _, f := range []Frame{CentreOfMass, Primary, CausticCentre} {
			moved := p.From(f)
			if moved.U0 < 0 {
				t.Fatalf("%v: u0 = %v in the frame of the %v", p, moved.U0, f)
			}
			back := moved.ToCentreOfMass(f).Theta()
			for k, v := range p.Theta() {
				d := back[k] - v
				if k == Alpha {
					d = math.Remainder(d, 360)
				}
				if math.Abs(d) > 1e-9*(1+math.Abs(v)) {
					t.Fatalf("%s of %v is %v after the way to the %v and back", Names[k], p, back[k], f)
				}
			}
		}
		// The source is as far from the primary in both frames, the mirror left aside.
		tr := p.Trajectory()
		x, y := tr.At(p.T0 + 3)
		x2, y2 := p.From(Primary).Trajectory().At(p.T0 + 3)
		if d := math.Hypot(x+p.S*p.Q/(1+p.Q), y) - math.Hypot(x2, y2); math.Abs(d) > 1e-12*math.Hypot(x2, y2) {
			t.Fatalf("%v: distances from the primary differ by %v", p, d)
		}
	}
}

// A prior in another frame: what it samples it contains, its density is that of
// the ranges, and it integrates to 1 over its box.
func TestPriorInFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	prior := Roman()
	prior.Frame = CausticCentre
	outside := 0
	box := prior.Bounds()
	for range 2000 {
		p := prior.Sample(r)
		v := p.Theta()
		if err := prior.Check(v); err != nil {
			t.Fatal(err)
		}
		for k, b := range box {
			if v[k] < b.Min-1e-9 || v[k] > b.Max+1e-9 {
				t.Fatalf("%s = %v of a sample is outside Bounds", Names[k], v[k])
			}
		}
		own := v.From(CausticCentre)
		if d := prior.LogDensity(v) - Roman().LogDensity(own); math.Abs(d) > 1e-9 {
			t.Fatalf("density of %v is off by %v", v, d)
		}
		if !Roman().Contains(v) {
			outside++
		}
	}
	if outside == 0 {
		t.Error("no sample lies outside the prior about the centre of mass")
	}
	// Monte Carlo of the indicator in (u0, t0) for a wide pair.
	wide := Params{S: 4, Q: 0.9, Alpha: 30, U0: 0.1, T0: 20, TE: 20, Rho: 1e-3, Fs: 0.5}.Theta()
	const n = 200_000
	in := 0
	for range n {
		v := wide
		v[Alpha] = 360 * r.Float64()
		v[U0] = box[U0].uniform(r.Float64())
		v[T0] = box[T0].uniform(r.Float64())
		if prior.Contains(v) {
			in++
		}
	}
	want := 2.0 * 72 / (box[U0].Max - box[U0].Min) / (box[T0].Max - box[T0].Min)
	got := float64(in) / n
	if sigma := math.Sqrt(want / n); math.Abs(got-want) > 5*sigma {
		t.Errorf("the support fills %.4f ± %.4f of its box, want %.4f", got, sigma, want)
	}
}
