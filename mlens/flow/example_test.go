package flow_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/mlens-go/microlens/mlens/flow"
)

// coin is a source of examples of eight points around a level between −1 and 1, the one quantity to
// infer.
type coin struct{}

func (coin) Batch(step int, b *flow.Batch) error {
	r := rand.New(rand.NewPCG(1, uint64(step)))
	for i := range b.N {
		level := 2*r.Float64() - 1
		for j := range 8 {
			b.X[8*i+j] = float32(level + 0.1*r.NormFloat64())
		}
		b.Y[i] = float32(level)
	}
	return nil
}

func Example() {
	c := flow.Small(8, 1, 0) // 8 points, one channel, no scalars
	c.Patch, c.Dims, c.Pool, c.Context = 2, []int{8}, nil, 16
	c.Dim, c.Blocks, c.Hidden = 1, 2, 16
	m, err := flow.Train(context.Background(), c, flow.TrainOptions{Source: coin{}, Steps: 300, Batch: 64, LearningRate: 5e-3})
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := m.Context([]float32{0.5, 0.4, 0.6, 0.5, 0.55, 0.45, 0.5, 0.5}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	y := make([]float32, 10000)
	m.Density(h).Sample(y, 1)
	var mean float64
	for _, v := range y {
		mean += float64(v) / float64(len(y))
	}
	fmt.Printf("level %.1f\n", mean)
	// Output: level 0.5
}

func ExampleConfig_Check() {
	c := flow.Small(7200, 3, 1)
	c.Hidden = 4
	fmt.Println(c.Check())
	// Output: flow: Hidden is 4, must be at least Dim (8): each variable needs a hidden unit of its degree
}
