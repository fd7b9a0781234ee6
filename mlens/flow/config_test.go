package flow

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestConfigCheck(t *testing.T) {
	for _, c := range []Config{Small(7200, 3, 1), Paper(7200, 2, 0), Roman(7200, 4, 15), tiny(), branched()} {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
		js, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back Config
		if err := json.Unmarshal(js, &back); err != nil {
			t.Fatal(err)
		}
		again, _ := json.Marshal(back)
		if string(js) != string(again) {
			t.Errorf("JSON turns %s into %s", js, again)
		}
	}
	if n := Paper(7200, 1, 0).trunk().tokens(); n != 56 {
		t.Errorf("the paper's network has %d tokens instead of 56", n)
	}
	for want, change := range map[string]func(c *Config){
		"Length is 0":       func(c *Config) { c.Length = 0 },
		"Scalars is -1":     func(c *Config) { c.Scalars = -1 },
		"Hidden is 2":       func(c *Config) { c.Hidden = 2 },
		"Dims is empty":     func(c *Config) { c.Dims, c.Pool = nil, nil },
		"Dims[1] is 0":      func(c *Config) { c.Dims = []int{8, 0} },
		"Pool has 1":        func(c *Config) { c.Pool = c.Pool[:1] },
		"no token is left":  func(c *Config) { c.Patch = 20 },
		"MaxLogScale is 0":  func(c *Config) { c.MaxLogScale = 0 },
		"Mixture is 0":      func(c *Config) { c.Mixture = 0 },
		"HiddenLayers is 0": func(c *Config) { c.HiddenLayers = 0 },
		"Circular is -1":    func(c *Config) { c.Circular = -1 },
		"besides the angle": func(c *Config) { c.Circular, c.Dim = 4, 1 },
		"Branches[0].Width": func(c *Config) { c.Branches = []Branch{{Length: 8, Channels: 1, Patch: 2, Dims: []int{4}}} },
		"of Branches[0].8 points": func(c *Config) {
			c.Branches = []Branch{{Length: 8, Channels: 1, Patch: 9, Dims: []int{4}, Width: 3}}
		},
	} {
		c := tiny()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// The first weights and the orders are a part of the format: they must never change.
func TestOrdersAndFirstWeights(t *testing.T) {
	c := Small(7200, 3, 1)
	if got, want := c.order(0), []int{0, 1, 7, 4, 6, 5, 3, 2}; !slices.Equal(got, want) {
		t.Errorf("the order of block 0 is %v, was %v", got, want)
	}
	for k := range c.Blocks {
		p := c.order(k)
		slices.Sort(p)
		for i, v := range p {
			if v != i {
				t.Fatalf("the order of block %d is no permutation", k)
			}
		}
	}
	n := 0
	for _, w := range c.initial(0) {
		n += len(w)
	}
	// The splines have 8 blocks × (8·23) rows × (128 hidden units, 256 contexts and a bias).
	if n != 1589896+8*184*385 {
		t.Errorf("Small(7200, 3, 1) has %d weights", n)
	}
}
