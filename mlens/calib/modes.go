// Package calib says what a sample of a posterior shows and whether it can be
// trusted: modes, ranks of the truth, coverage. It knows no astronomy.
package calib

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"sync"

	"gonum.org/v1/gonum/stat"
)

// ModesOptions steer [Modes]. The zero value is meant for posteriors of
// thousands of draws.
type ModesOptions struct {
	// Period gives the period of each dimension that is an angle, 0 for the
	// others; nil means that none is.
	Period []float64
	// MinWeight is the smallest share of the draws that makes a mode. Zero
	// means 2 %.
	MinWeight float64
	// Depth is how much farther apart neighbours must be in the valley between
	// two modes than at the lower one's summit. Zero means 1.8.
	Depth float64
}

// Modes splits draws, [n][d], into modes and returns the mode of each draw,
// 0 being the heaviest.
//
// Draws are points; the density about a point falls with the distance to its
// 20th neighbour. Points are joined in the order of their mutual reachability
// (Campello et al. 2013); where two groups meet, the one with the lower summit
// stays a mode of its own if it is heavy enough and the valley is deep enough,
// as in clustering by persistence (Chazal et al. 2013). The groups are found
// on 1,500 of the draws; the others join their nearest neighbour's.
func Modes(draws [][]float64, opt ModesOptions) ([]int, error) {
	const (
		maxPoints  = 1500
		neighbours = 20
	)
	if opt.MinWeight == 0 {
		opt.MinWeight = 0.02
	}
	if opt.Depth == 0 {
		opt.Depth = 1.8
	}
	if len(draws) < 4*neighbours {
		return nil, fmt.Errorf("calib: %d draws are too few to tell modes; draw at least %d", len(draws), 4*neighbours)
	}
	for i, v := range draws {
		for _, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("calib: draw %d is not finite: %v", i, v)
			}
		}
	}
	all := embed(draws, opt.Period)
	points := all
	if len(all) > maxPoints {
		points = make([][]float64, maxPoints)
		for i, j := range rand.New(rand.NewPCG(1, 0)).Perm(len(all))[:maxPoints] {
			points[i] = all[j]
		}
	}
	core := coreDistances(points, neighbours)
	groups := join(points, core, max(neighbours, int(opt.MinWeight*float64(len(points)))), opt.Depth)
	return byWeight(nearest(all, points, groups)), nil
}

// nearest returns for each of all the group of the point nearest to it.
func nearest(all, points [][]float64, groups []int) []int {
	// Points in the order of their first coordinate: the search goes outwards
	// from a draw's own and ends where that coordinate alone is too far away.
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(points[a][0], points[b][0]) })
	labels := make([]int, len(all))
	find := func(i int) {
		p, best := all[i], math.Inf(1)
		up := sort.Search(len(order), func(k int) bool { return points[order[k]][0] >= p[0] })
		down := up - 1
		try := func(k int) bool {
			q := points[order[k]]
			if d := q[0] - p[0]; d*d > best {
				return false
			}
			if d := distance2(p, q, best); d < best {
				best, labels[i] = d, groups[order[k]]
			}
			return true
		}
		for up < len(order) || down >= 0 {
			if up < len(order) {
				if !try(up) {
					up = len(order)
				}
				up++
			}
			if down >= 0 {
				if !try(down) {
					down = -1
				}
				down--
			}
		}
	}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(all); i += workers {
				find(i)
			}
		})
	}
	wg.Wait()
	return labels
}

// embed scales every dimension to its spread and opens angles into circles.
func embed(draws [][]float64, period []float64) [][]float64 {
	out := make([][]float64, len(draws))
	col := make([]float64, len(draws))
	for k := range draws[0] {
		if period != nil && period[k] > 0 {
			for i, v := range draws {
				s, c := math.Sincos(2 * math.Pi * v[k] / period[k])
				out[i] = append(out[i], s, c) // a circle's own spread is of order 1
			}
			continue
		}
		for i, v := range draws {
			col[i] = v[k]
		}
		scale := stat.StdDev(col, nil)
		if scale == 0 {
			scale = 1
		}
		for i := range out {
			out[i] = append(out[i], col[i]/scale)
		}
	}
	return out
}

// distance2 returns the squared distance, or something above limit once it is
// known to be more.
func distance2(p, q []float64, limit float64) float64 {
	var d float64
	for k, x := range p {
		d += (x - q[k]) * (x - q[k])
		if d > limit {
			break
		}
	}
	return d
}

// coreDistances returns each point's distance to its k-th neighbour.
func coreDistances(points [][]float64, k int) []float64 {
	core := make([]float64, len(points))
	near := make([]float64, 0, k+1)
	for i, p := range points {
		near = near[:0]
		for j, q := range points {
			if i == j {
				continue
			}
			limit := math.Inf(1)
			if len(near) == k {
				limit = near[k-1]
			}
			if d := distance2(p, q, limit); d < limit {
				at, _ := slices.BinarySearch(near, d)
				near = slices.Insert(near, at, d)[:min(k, len(near)+1)]
			}
		}
		core[i] = math.Sqrt(near[len(near)-1])
	}
	return core
}

// join returns the group of each point.
func join(points [][]float64, core []float64, minSize int, depth float64) []int {
	type edge struct {
		a, b int
		d    float64 // mutual reachability
	}
	// Prim's minimum spanning tree.
	n := len(points)
	edges := make([]edge, 0, n-1)
	best := make([]float64, n)
	from := make([]int, n)
	in := make([]bool, n)
	for i := range best {
		best[i] = math.Inf(1)
	}
	for at := 0; len(edges) < n-1; {
		in[at] = true
		next := -1
		for j := range points {
			if in[j] {
				continue
			}
			lim := best[j] * best[j]
			if core[j] < best[j] && core[at] < best[j] {
				if d := distance2(points[at], points[j], lim); d < lim {
					best[j], from[j] = max(math.Sqrt(d), core[at], core[j]), at
				}
			}
			if next < 0 || best[j] < best[next] {
				next = j
			}
		}
		edges = append(edges, edge{from[next], next, best[next]})
		at = next
	}
	sort.SliceStable(edges, func(i, j int) bool { return edges[i].d < edges[j].d })

	parent := make([]int, n)
	size := make([]int, n)
	summit := slices.Clone(core) // smallest core distance of a group
	for i := range parent {
		parent[i], size[i] = i, 1
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for _, e := range edges {
		a, b := root(e.a), root(e.b)
		if a == b {
			continue
		}
		if summit[a] > summit[b] {
			a, b = b, a
		}
		// a is the higher.
		if size[a] >= minSize && size[b] >= minSize && e.d > depth*summit[b] {
			continue
		}
		parent[b] = a
		size[a] += size[b]
	}
	out := make([]int, n)
	for i := range out {
		out[i] = root(i)
	}
	return out
}

// byWeight renumbers labels so that 0 is the most frequent.
func byWeight(labels []int) []int {
	count := map[int]int{}
	for _, l := range labels {
		count[l]++
	}
	names := make([]int, 0, len(count))
	for l := range count {
		names = append(names, l)
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := names[i], names[j]
		return count[a] > count[b] || count[a] == count[b] && a < b
	})
	for i, l := range labels {
		labels[i] = slices.Index(names, l)
	}
	return labels
}
