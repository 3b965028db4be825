package search

import (
	"cmp"
	"slices"
)

// Front returns the points that no other dominates, in order: a point dominates
// another if it is nowhere lower and somewhere higher. Points have one value an
// objective, higher being better.
func Front(points [][]float64) []int {
	var front []int
	for i, p := range points {
		if !slices.ContainsFunc(points, func(q []float64) bool { return dominates(q, p) }) {
			front = append(front, i)
		}
	}
	return front
}

func dominates(q, p []float64) bool {
	higher := false
	for k := range p {
		if q[k] < p[k] {
			return false
		}
		higher = higher || q[k] > p[k]
	}
	return higher
}

// Hypervolume is the volume between a reference point and the points: the part
// of the space above the reference that is dominated by some point (Zitzler and
// Thiele 1998). Values below the reference do not count. It goes through the
// points in slices along the last objective (While et al. 2006, HSO), which is
// meant for fronts of some dozens of points and up to six objectives.
func Hypervolume(points [][]float64, reference []float64) float64 {
	var above [][]float64
	for _, p := range points {
		over := make([]float64, len(p))
		positive := true
		for k := range p {
			over[k] = p[k] - reference[k]
			positive = positive && over[k] > 0
		}
		if positive {
			above = append(above, over)
		}
	}
	return volume(above)
}

// volume is the hypervolume of points above 0.
func volume(points [][]float64) float64 {
	if len(points) == 0 {
		return 0
	}
	last := len(points[0]) - 1
	if last == 0 {
		return slices.MaxFunc(points, func(a, b []float64) int { return cmp.Compare(a[0], b[0]) })[0]
	}
	var front [][]float64
	for i, p := range points {
		earlier := slices.ContainsFunc(points[:i], func(q []float64) bool { return slices.Equal(q, p) })
		if !earlier && !slices.ContainsFunc(points, func(q []float64) bool { return dominates(q, p) }) {
			front = append(front, p)
		}
	}
	slices.SortFunc(front, func(a, b []float64) int { return cmp.Compare(b[last], a[last]) })
	total := 0.0
	for i := range front {
		below := 0.0
		if i+1 < len(front) {
			below = front[i+1][last]
		}
		if depth := front[i][last] - below; depth > 0 {
			var slice [][]float64
			for _, p := range front[:i+1] {
				slice = append(slice, p[:last])
			}
			total += depth * volume(slice)
		}
	}
	return total
}
