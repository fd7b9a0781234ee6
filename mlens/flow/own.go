package flow

import (
	"sync"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// ownNodes holds nodes of the graphs being built whose gradients, and no one else's, follow the
// rules registered below.
var ownNodes sync.Map

// own marks y, a node of type t; a node that the graph library has simplified to something else is
// left alone.
func (b *builder) own(y *graph.Node, t graph.NodeType) *graph.Node {
	if y.Type() == t {
		ownNodes.Store(y, true)
		b.owned = append(b.owned, y)
	}
	return y
}

// release forgets the marks, once the graph is built.
func (b *builder) release() {
	for _, y := range b.owned {
		ownNodes.Delete(y)
	}
	b.owned = nil
}

func init() {
	override(graph.NodeTypeDotGeneral, matmulVJP)
	override(graph.NodeTypeMax, reluVJP)
	override(graph.NodeTypeFusedLayerNorm, standardizeVJP)
}

// override registers a gradient for our nodes of type t and keeps the original rule for all others.
func override(t graph.NodeType, rule func(node, v *graph.Node) []*graph.Node) {
	original := graph.VJPRegistration[t]
	graph.VJPRegistration[t] = func(node *graph.Node, v []*graph.Node, s shapes.Shape) []*graph.Node {
		if _, ours := ownNodes.Load(node); !ours {
			if original == nil {
				panic("flow: " + t.String() + " has no gradient")
			}
			return original(node, v, s)
		}
		return rule(node, v[0])
	}
}
