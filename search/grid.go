package search

import "fmt"

// newGrid asks for every point whose weights are multiples of step, in each group
// on its own. It refuses what the budget cannot hold.
func newGrid(space Space, _ uint64, o options) (Strategy, error) {
	l, err := space.newLattice(o["step"], space.Min/o["step"])
	if err != nil {
		return nil, err
	}
	l = l.over(len(space.Parents))
	size := 1.0
	for range space.Groups {
		size *= l.size()
	}
	switch {
	case size == 0:
		return nil, fmt.Errorf("option step: no multiples of %v lie within the bounds and sum to %v", o["step"], space.Sum)
	case size > o["budget"]:
		return nil, fmt.Errorf("%.6g points for %d parents, %d groups and step %v, above the budget of %v; take a larger step or the strategy random",
			size, len(space.Parents), len(space.Groups), o["step"], o["budget"])
	}
	s := once("grid", space.product(l))
	s.note("all %.0f points of step %v", size, o["step"])
	return s, nil
}

// product is every combination of the lattice's rows over the groups.
func (s Space) product(l lattice) []Point {
	points := []Point{{}}
	for range s.Groups {
		var longer []Point
		for _, p := range points {
			for row := range l.all() {
				longer = append(longer, Point{Weights: append(p.clone().Weights, s.weigh(l, row))})
			}
		}
		points = longer
	}
	for i, p := range points {
		points[i].Label = "grid " + s.describe(p)
	}
	return points
}

// describe spells out the weights, of each group if there are several.
func (s Space) describe(p Point) string {
	if len(s.Groups) == 1 {
		return s.mixture(p.Weights[0])
	}
	text := ""
	for g, row := range p.Weights {
		if g > 0 {
			text += "; "
		}
		text += s.Groups[g] + ": " + s.mixture(row)
	}
	return text
}
