package plots

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/plot/plotter"

	"soup/results"
)

// bowl is the plane of made's parents in steps of a quarter, whose loss is the
// distance from a soup.
func bowl() *results.Landscape {
	l := &results.Landscape{Corners: []string{"parent-a", "parent-b", "parent-c"}, Distances: []float64{4, 3, 3}, Ordered: true}
	add := func(w ...float64) {
		p := results.PlanePoint{Trial: len(l.Points), Weights: w}
		p.X, p.Y = l.Place(w)
		loss := math.Hypot(p.X-2, p.Y-1)
		p.Loss, p.Test, p.Search = &loss, &loss, loss/10
		l.Points = append(l.Points, p)
	}
	add(1, 0, 0)
	add(0, 1, 0)
	add(0, 0, 1)
	for i := range 5 {
		for k := range 5 - i {
			if w := []float64{float64(i) / 4, float64(k) / 4, 1 - float64(i+k)/4}; !slices.Contains(w, 1) {
				add(w...)
			}
		}
	}
	return l
}

func TestLandscapeFigure(t *testing.T) {
	r := made(3, 12)
	if _, missing := Draw(r); !slices.ContainsFunc(missing, func(m Missing) bool { return m.Name == "landscape" }) {
		t.Error("a landscape of nothing")
	}
	r.Landscape = bowl()
	all := texts(t, draw1(t, r, "landscape"))
	for _, want := range []string{"loss on search (nats)", "error on test (points)", "parent-c", "the run", "mean of the three"} {
		if !slices.Contains(all, want) {
			t.Errorf("no %q in %q", want, all)
		}
	}
	// Without a likelihood, and scored on test in part: one panel, of errors.
	for i := range r.Landscape.Points {
		r.Landscape.Points[i].Loss = nil
		if i > 8 {
			r.Landscape.Points[i].Test = nil
		}
	}
	r.Landscape.Distances = nil
	all = texts(t, draw1(t, r, "landscape"))
	if !slices.Contains(all, "error on search (points)") || slices.Contains(all, "error on test (points)") || slices.Contains(all, "loss on search (nats)") {
		t.Errorf("%q", all)
	}
}

// Faces cover the hull, none overlaps another, and no point lies within a circle.
func TestTriangles(t *testing.T) {
	for name, points := range map[string]plotter.XYs{
		"a triangle's lattice": flat(bowl().Points),
		"a square's lattice":   {{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 2, Y: 0}, {X: 0, Y: 1}, {X: 1, Y: 1}, {X: 2, Y: 1}, {X: 0, Y: 2}, {X: 1, Y: 2}, {X: 2, Y: 2}, {X: 1, Y: 1}},
		"scattered":            {{X: 0, Y: 0}, {X: 2, Y: 0.1}, {X: 1.9, Y: 2}, {X: 0.1, Y: 2}, {X: 1.3, Y: 0.4}, {X: 0.7, Y: 1.6}, {X: 0.2, Y: 0.9}},
	} {
		faces := triangles(points)
		covered := 0.0
		for _, f := range faces {
			a, b, c := points[f[0]], points[f[1]], points[f[2]]
			covered += math.Abs(area(a, b, c)) / 2
			for _, p := range points {
				if around(a, b, c, p) {
					t.Errorf("%s: %v is within the circle of %v", name, p, f)
				}
			}
		}
		want := map[string]float64{"a triangle's lattice": 2 * math.Sqrt(5), "a square's lattice": 4, "scattered": 3.705}[name]
		if math.Abs(covered-want) > 1e-9 {
			t.Errorf("%s: %d faces cover %v, want %v", name, len(faces), covered, want)
		}
		if !slices.Equal(faces, triangles(points)) {
			t.Errorf("%s: not the same twice", name)
		}
	}
	if line := triangles(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}, {X: 2, Y: 2}}); len(line) > 0 {
		t.Errorf("%v on a line", line)
	}
}

func flat(points []results.PlanePoint) (list plotter.XYs) {
	for _, p := range points {
		list = append(list, plotter.XY{X: p.X, Y: p.Y})
	}
	return list
}

// The bands of a face are the face.
func TestBetween(t *testing.T) {
	face := []vertex{{plotter.XY{X: 0, Y: 0}, 1}, {plotter.XY{X: 4, Y: 0}, 3}, {plotter.XY{X: 1, Y: 3}, 7}}
	sum := 0.0
	for _, cut := range [][2]float64{{1, 2}, {2, 3}, {3, 6.5}, {6.5, 7}, {7, 9}, {-1, 0.5}} {
		part := between(face, cut[0], cut[1])
		for i := 1; i+1 < len(part); i++ {
			sum += area(part[0].XY, part[i].XY, part[i+1].XY)
		}
		for _, v := range part {
			if v.z < cut[0]-1e-9 || v.z > cut[1]+1e-9 {
				t.Errorf("%v in %v", v, cut)
			}
		}
	}
	if math.Abs(sum-12) > 1e-9 {
		t.Errorf("the parts cover %v", fmt.Sprint(sum))
	}
}
