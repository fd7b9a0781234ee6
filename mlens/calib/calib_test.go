package calib

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// blobs draws n points from Gaussians; weights add to one.
func blobs(n int, seed uint64, parts ...struct {
	weight float64
	mean   []float64
	sigma  []float64
}) (draws [][]float64, from []int) {
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		u, k := r.Float64(), 0
		for u > parts[k].weight && k+1 < len(parts) {
			u -= parts[k].weight
			k++
		}
		v := make([]float64, len(parts[k].mean))
		for i := range v {
			v[i] = parts[k].mean[i] + parts[k].sigma[i]*r.NormFloat64()
		}
		draws, from = append(draws, v), append(from, k)
	}
	return draws, from
}

type part = struct {
	weight float64
	mean   []float64
	sigma  []float64
}

func TestModes(t *testing.T) {
	sig := []float64{0.02, 0.1, 1, 0.002}
	for _, c := range []struct {
		name  string
		parts []part
		want  []float64 // weights, falling
	}{
		{"one", []part{{1, []float64{0, 0, 0, 0}, sig}}, []float64{1}},
		{"close and wide", []part{{0.7, []float64{-0.2, -2, 100, 0.05}, sig}, {0.3, []float64{0.2, -2, 100, 0.05}, sig}}, []float64{0.7, 0.3}},
		{"across 360 degrees", []part{{1, []float64{0, 0, 359.9, 0}, sig}}, []float64{1}},
		{"three, one light", []part{{0.55, []float64{-0.2, -2, 100, 0.05}, sig}, {0.4, []float64{0.2, -2, 260, 0.05}, sig}, {0.05, []float64{0.2, 0, 100, 0.05}, sig}},
			[]float64{0.55, 0.4, 0.05}},
		{"sharp beside broad", []part{{0.5, []float64{-0.3, -2, 100, 0.05}, []float64{0.002, 0.01, 0.1, 0.0002}}, {0.5, []float64{0.3, -3, 200, 0.1}, []float64{0.1, 0.5, 5, 0.01}}},
			[]float64{0.5, 0.5}},
		{"a speck", []part{{0.995, []float64{-0.2, -2, 100, 0.05}, sig}, {0.005, []float64{0.2, -2, 100, 0.05}, sig}}, []float64{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(3) {
				draws, from := blobs(6000, seed, c.parts...)
				for _, v := range draws {
					v[2] = math.Mod(v[2]+720, 360)
				}
				labels, err := Modes(draws, ModesOptions{Period: []float64{0, 0, 360, 0}})
				if err != nil {
					t.Fatal(err)
				}
				count := map[int]float64{}
				for _, l := range labels {
					count[l] += 1 / float64(len(labels))
				}
				if len(count) != len(c.want) {
					t.Fatalf("seed %d: %d modes %v, want %v", seed, len(count), count, c.want)
				}
				for k, w := range c.want {
					if math.Abs(count[k]-w) > 0.03 {
						t.Errorf("seed %d: mode %d has weight %.3f, want %.3f", seed, k, count[k], w)
					}
				}
				if len(c.want) > 1 { // and the right draws are in them
					wrong := 0
					for i := range labels {
						for j := range 50 {
							if k := (i + 37*j) % len(labels); (labels[i] == labels[k]) != (from[i] == from[k]) {
								wrong++
							}
						}
					}
					if f := float64(wrong) / float64(50*len(labels)); f > 0.02 {
						t.Errorf("seed %d: %.1f %% of pairs are split or joined wrongly", seed, 100*f)
					}
				}
			}
		})
	}
}

// A curved ridge, as u0 and tE make, is one mode.
func TestModesRidge(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	var draws [][]float64
	for range 5000 {
		x := r.NormFloat64()
		draws = append(draws, []float64{x, 0.3*x*x + 0.03*r.NormFloat64(), math.Exp(x/2) + 0.03*r.NormFloat64()})
	}
	labels, err := Modes(draws, ModesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range labels {
		if l != 0 {
			t.Fatal("a ridge was cut")
		}
	}
}

func TestModesRefuses(t *testing.T) {
	if _, err := Modes(make([][]float64, 10), ModesOptions{}); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("ten draws: %v", err)
	}
	draws, _ := blobs(100, 1, part{1, []float64{0}, []float64{1}})
	draws[7][0] = math.NaN()
	if _, err := Modes(draws, ModesOptions{}); err == nil || !strings.Contains(err.Error(), "draw 7") {
		t.Errorf("NaN: %v", err)
	}
	for i := range draws { // no spread at all
		draws[i][0] = 3
	}
	if labels, err := Modes(draws, ModesOptions{}); err != nil || labels[99] != 0 {
		t.Errorf("equal draws: %v %v", labels, err)
	}
}

func TestRanks(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 0))
	uniform, narrow := make([]float64, 4000), make([]float64, 4000)
	draws := make([]float64, 400)
	for i := range uniform {
		for j := range draws {
			draws[j] = r.NormFloat64()
		}
		uniform[i] = Rank(draws, r.NormFloat64())
		narrow[i] = Rank(draws, 1.2*r.NormFloat64())
	}
	if _, p := KolmogorovUniform(uniform); p < 1e-3 {
		t.Errorf("uniform ranks have p = %v", p)
	}
	if _, p := KolmogorovUniform(narrow); p > 1e-6 {
		t.Errorf("ranks of too narrow posteriors have p = %v", p)
	}
	// Counting noise alone: mean absolute deviation √(2/π)·√(p(1−p)/n).
	want := math.Sqrt(2/math.Pi) * math.Sqrt(0.05*0.95/4000)
	if d := Deviation(uniform, 20); d < want/2 || d > want*2 {
		t.Errorf("δ = %v of uniform ranks, want about %v", d, want)
	}
	if d := Deviation(narrow, 20); d < 3*want {
		t.Errorf("δ = %v of too narrow posteriors", d)
	}
	if Rank([]float64{1, 2, 2, 3}, 2) != 0.5 {
		t.Error("ties")
	}
	if q := Quantile([]float64{0, 1, 2, 3}, 0.5); q != 1.5 {
		t.Errorf("median %v", q)
	}
}

func BenchmarkModes(b *testing.B) {
	sig := []float64{0.02, 0.1, 1, 0.002, 0.01, 0.01, 0.01}
	draws, _ := blobs(20000, 1, part{0.7, []float64{-0.2, -2, 100, 0.05, 26, 1.3, 0.2}, sig}, part{0.3, []float64{0.2, -2, 100, 0.05, 26, 1.3, 0.2}, sig})
	for b.Loop() {
		if _, err := Modes(draws, ModesOptions{Period: []float64{0, 0, 360, 0, 0, 0, 0}}); err != nil {
			b.Fatal(err)
		}
	}
}
