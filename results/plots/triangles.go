package plots

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// triangles joins points so that no point lies within the circle through the corners
// of a triangle (Delaunay), by adding one after the other (Bowyer 1981, Watson 1981,
// The Computer Journal 24:162 and 24:167): each triangle is three places in the list.
// Points that are equal to others are left out; those on a line give none.
func triangles(points plotter.XYs) (list [][3]int) {
	low, high := bounds(points)
	// A triangle around everything, whose corners come after the points.
	size, middle := 1e3*(high.X-low.X+high.Y-low.Y+1e-9), plotter.XY{X: (low.X + high.X) / 2, Y: (low.Y + high.Y) / 2}
	all := append(slices.Clone(points), plotter.XY{X: middle.X - size, Y: middle.Y - size}, plotter.XY{X: middle.X + size, Y: middle.Y - size}, plotter.XY{X: middle.X, Y: middle.Y + size})
	n := len(points)
	list = [][3]int{{n, n + 1, n + 2}}
	for i, p := range points {
		if slices.Contains(points[:i], p) {
			continue
		}
		var kept [][3]int
		edges := map[[2]int]int{}
		for _, t := range list {
			if !around(all[t[0]], all[t[1]], all[t[2]], p) {
				kept = append(kept, t)
				continue
			}
			for k := range 3 {
				a, b := t[k], t[(k+1)%3]
				edges[[2]int{min(a, b), max(a, b)}]++
			}
		}
		list = kept
		for e, times := range edges {
			if times == 1 && area(all[e[0]], all[e[1]], p) != 0 { // an edge of the hole
				list = append(list, [3]int{e[0], e[1], i})
			}
		}
	}
	list = slices.DeleteFunc(list, func(t [3]int) bool { return max(t[0], t[1], t[2]) >= n })
	for i := range list {
		slices.Sort(list[i][:])
	}
	slices.SortFunc(list, func(a, b [3]int) int { return slices.Compare(a[:], b[:]) })
	return list
}

func bounds(points plotter.XYs) (low, high plotter.XY) {
	low, high = plotter.XY{X: inf, Y: inf}, plotter.XY{X: -inf, Y: -inf}
	for _, p := range points {
		low, high = plotter.XY{X: min(low.X, p.X), Y: min(low.Y, p.Y)}, plotter.XY{X: max(high.X, p.X), Y: max(high.Y, p.Y)}
	}
	return low, high
}

// area is twice that of a triangle, below 0 where its corners go clockwise.
func area(a, b, c plotter.XY) float64 { return (b.X-a.X)*(c.Y-a.Y) - (b.Y-a.Y)*(c.X-a.X) }

// around says whether p lies within the circle through three points, by more than
// rounding.
func around(a, b, c, p plotter.XY) bool {
	lift := func(q plotter.XY) (x, y, z float64) {
		x, y = q.X-p.X, q.Y-p.Y
		return x, y, x*x + y*y
	}
	ax, ay, az := lift(a)
	bx, by, bz := lift(b)
	cx, cy, cz := lift(c)
	det := az*(bx*cy-by*cx) - bz*(ax*cy-ay*cx) + cz*(ax*by-ay*bx)
	return det*math.Copysign(1, area(a, b, c)) > 1e-12*max(az, bz, cz)*math.Abs(area(a, b, c))
}

// vertex is a place with its value.
type vertex struct {
	plotter.XY
	z float64
}

// between is the part of a polygon, on which values are linear, with values from low
// to high (Sutherland and Hodgman 1974, https://doi.org/10.1145/360767.360802).
func between(polygon []vertex, low, high float64) []vertex {
	above := func(v vertex) float64 { return v.z - low }
	below := func(v vertex) float64 { return high - v.z }
	return clipped(clipped(polygon, above), below)
}

// clipped is what has an inside of 0 or more.
func clipped(polygon []vertex, inside func(vertex) float64) (out []vertex) {
	for i, v := range polygon {
		w := polygon[(i+1)%len(polygon)]
		a, b := inside(v), inside(w)
		if a >= 0 {
			out = append(out, v)
		}
		if cmp.Compare(a, 0)*cmp.Compare(b, 0) < 0 {
			t := a / (a - b)
			out = append(out, vertex{plotter.XY{X: v.X + t*(w.X-v.X), Y: v.Y + t*(w.Y-v.Y)}, v.z + t*(w.z-v.z)})
		}
	}
	return out
}
