package results

import (
	"fmt"
	"math"
	"strings"

	"soup/results/table"
)

// Landscape is the plane of weights through three checkpoints, at the points of it
// that were scored (Garipov et al. 2018, https://arxiv.org/abs/1802.10026, appendix
// A.7; Izmailov et al. 2018, https://arxiv.org/abs/1803.05407, figure 3).
type Landscape struct {
	Corners []string `json:"corners"` // names of the three parents
	// Distances are between the weights of the first and the second corner, the first
	// and the third, the second and the third; without them the corners are drawn as
	// far from one another as each other, at distance 1.
	Distances []float64 `json:"distances"`
	Ordered   bool      `json:"ordered"` // checkpoints of one run
	// Categories are those with a likelihood of the reference answer: the loss is over
	// these.
	Categories []string     `json:"categories"`
	Points     []PlanePoint `json:"points"` // the corners first
}

// FewestOnPlane are scored points that make a picture: a lattice of thirds has as many.
const FewestOnPlane = 10

// PlanePoint is a soup of the three corners.
type PlanePoint struct {
	Trial   int       `json:"trial"`
	Weights []float64 `json:"weights"` // of the corners; their sum is 1
	// X and Y are the place by Gram-Schmidt: the first corner is the origin, the second
	// lies on the x axis.
	X float64 `json:"x"`
	Y float64 `json:"y"`
	// Loss is the negative mean log-likelihood of the reference answers to search
	// items, in nats; nil where the server gave none.
	Loss   *float64 `json:"loss"`
	Search float64  `json:"search"` // error on search: 1 less the score
	Test   *float64 `json:"test"`   // error on test; nil where it was not scored there
}

// Place is that of a point with these weights.
func (l *Landscape) Place(weights []float64) (x, y float64) {
	ab, ac, bc := 1.0, 1.0, 1.0
	if l.Distances != nil {
		ab, ac, bc = l.Distances[0], l.Distances[1], l.Distances[2]
	}
	along := (ab*ab + ac*ac - bc*bc) / (2 * ab)
	return weights[1]*ab + weights[2]*along, weights[2] * math.Sqrt(max(0, ac*ac-along*along))
}

// Flat says that the corners lie on a line, or almost: no plane leads through them.
func (l *Landscape) Flat() bool {
	_, height := l.Place([]float64{0, 0, 1})
	base, _ := l.Place([]float64{0, 1, 0})
	return !(height > base/1000)
}

// Mix names a point by its weights of the corners.
func (l *Landscape) Mix(p PlanePoint) string {
	var parts []string
	for i, w := range p.Weights {
		if w != 0 {
			parts = append(parts, fmt.Sprintf("%.3g %s", w, l.Corners[i]))
		}
	}
	return strings.Join(parts, " + ")
}

// Least is the point with the least value, nil where none has one.
func (l *Landscape) Least(value func(PlanePoint) *float64) *PlanePoint {
	var least *PlanePoint
	for i, p := range l.Points {
		if v := value(p); v != nil && (least == nil || *v < *value(*least)) {
			least = &l.Points[i]
		}
	}
	return least
}

// writeLandscape says where the plane is lowest.
func writeLandscape(p *table.Page, r Report) {
	l := r.Landscape
	if l == nil {
		return
	}
	g := table.Grid{Header: []string{"plane, " + plural(len(l.Points), "point"), "least", "at its corners"}}
	for _, of := range []struct {
		name  string
		value func(PlanePoint) *float64
		text  func(float64) string
	}{
		{"loss on search, nats", func(p PlanePoint) *float64 { return p.Loss }, func(x float64) string { return fmt.Sprintf("%.3f", x) }},
		{"error on search, points", func(p PlanePoint) *float64 { return &p.Search }, points},
		{"error on test, points", func(p PlanePoint) *float64 { return p.Test }, points},
	} {
		least := l.Least(of.value)
		if least == nil {
			continue
		}
		var corners []string
		for _, c := range l.Points[:len(l.Corners)] {
			if v := of.value(c); v != nil {
				corners = append(corners, of.text(*v))
			}
		}
		g.Add(of.name, of.text(*of.value(*least))+" at "+l.Mix(*least), strings.Join(corners, ", "))
	}
	p.Blank()
	p.Table(g)
	p.Item("the corners are " + strings.Join(l.Corners, ", "))
}
