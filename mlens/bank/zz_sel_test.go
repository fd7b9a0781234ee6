package bank
import ("testing";"time";"fmt";"math/rand/v2";"github.com/mlens-go/microlens/mlens/event";"github.com/mlens-go/microlens/mlens/lens")
func TestExpSel(t *testing.T) {
	s := NewSelection(Config{}, CutPaper)
	pr := event.Roman()
	c := new(lens.Curve)
	var t1,t2 time.Duration; n1,n2,pass,wrong,near := 0,0,0,0,0
	for i := range 12000 {
		p := pr.Sample(rand.New(rand.NewPCG(1,uint64(i))))
		p.T0 = s.cfg.Cadence.Length()/2
		b := time.Now()
		a, ok := s.few.residual(p, s.fewer, c, 12)
		t1 += time.Since(b); n1++
		b = time.Now()
		f, _ := s.cfg.residual(p, s.times, c, 0)
		t2 += time.Since(b)
		if f > s.cut { pass++ }
		if ok == OK && a > 1.2*s.cut { n2++; if !(f > s.cut) { wrong++; fmt.Printf("wrong %.3f %.3f %+v\n", a/s.cut, f/s.cut, p)} else if f < a { near++; if f < 0.9*a {fmt.Printf("%.2f ", f/a) } } }
	}
	fmt.Println(n1, t1/time.Duration(n1), t2/time.Duration(n1), "by few", n2, "pass", pass, "wrong", wrong, near)
}
