package nb

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"
)

// picture draws with f, which gives the colour at x, y in [0, 1).
func picture(t *testing.T, f func(x, y float64) color.RGBA) (*image.RGBA, []byte) {
	t.Helper()
	const n = 300
	m := image.NewRGBA(image.Rect(0, 0, n, n))
	for i := range n * n {
		m.SetRGBA(i%n, i/n, f(float64(i%n)/n, float64(i/n)/n))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return m, b.Bytes()
}

func TestSmaller(t *testing.T) {
	soft := func(d float64) float64 { return 1 / (1 + math.Exp(-200*d)) } // an edge as wide as a pixel
	mix := func(a, b color.RGBA, f float64) color.RGBA {
		g := func(a, b uint8) uint8 { return uint8(float64(a)*f + float64(b)*(1-f) + 0.5) }
		return color.RGBA{g(a.R, b.R), g(a.G, b.G), g(a.B, b.B), 255}
	}
	white, blue, orange := color.RGBA{255, 255, 255, 255}, color.RGBA{20, 90, 160, 255}, color.RGBA{230, 126, 34, 255}
	r := rand.New(rand.NewPCG(1, 1))
	for _, test := range []struct {
		name  string
		f     func(x, y float64) color.RGBA
		worst int
		least float64 // reduction of the size
	}{
		{"two discs", func(x, y float64) color.RGBA {
			c := mix(blue, white, soft(0.3-math.Hypot(x-0.4, y-0.5)))
			return mix(orange, c, 0.7*soft(0.3-math.Hypot(x-0.6, y-0.5)))
		}, maxOff, 2},
		{"noise", func(x, y float64) color.RGBA {
			return color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255}
		}, 0, 1},
	} {
		m, b := picture(t, test.f)
		s := smaller(b)
		if got := float64(len(b)) / float64(len(s)); got < test.least {
			t.Errorf("%s: %.2f times smaller, want %g", test.name, got, test.least)
		}
		back, err := png.Decode(bytes.NewReader(s))
		if err != nil {
			t.Fatal(err)
		}
		worst := 0
		for i := range 300 * 300 {
			x, y := i%300, i/300
			a, c := m.RGBAAt(x, y), color.RGBAModel.Convert(back.At(x, y)).(color.RGBA)
			worst = max(worst, off(a.R, c.R), off(a.G, c.G), off(a.B, c.B))
		}
		if worst > test.worst {
			t.Errorf("%s: off by %d, want at most %d", test.name, worst, test.worst)
		}
		if c := color.RGBAModel.Convert(back.At(0, 0)); test.worst > 0 && c != white {
			t.Errorf("%s: the background is %v", test.name, c)
		}
		if again := smaller(b); !bytes.Equal(again, s) {
			t.Errorf("%s: not the same twice", test.name)
		}
	}
	if b := []byte("no picture"); !bytes.Equal(smaller(b), b) {
		t.Error("what is no PNG must stay as it is")
	}
}
