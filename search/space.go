package search

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// slack is how far weights may lie outside their bounds: room for the rounding
// of sums, far below what changes a soup.
const slack = 1e-9

// widest is far beyond what a soup can be, and keeps sums of weights exact enough
// for slack.
const widest = 1000.0

// Space is the set of weights to search in.
//
// Each parent itself, with weight 1 in every group, belongs to every space,
// whatever the bounds: parents are what soups are compared with.
type Space struct {
	Parents []string // names, at least one, all different
	Groups  []string // names of the groups of tensors; default one, "global"
	Min     float64  // least weight of a parent; default 0
	Max     float64  // greatest weight of a parent; 0 stands for Sum
	Sum     float64  // sum of the weights in each group; 0 stands for 1

	// Aggregate holds the weights by which the categories' means make up a
	// trial's score, for strategies that model categories apart; nil: equal.
	Aggregate map[string]float64

	// Keep are categories that a soup must not lose, for strategies that model
	// categories apart; the others find a lower score.
	Keep []Keep
}

// Point is one soup to try.
type Point struct {
	Number  int         // position in the order the strategy asks, from 0
	Label   string      // short name for people: "arith", "random 17"
	Weights [][]float64 // a row a group, a column a parent, as in Space
}

// WithDefaults returns the space with its defaults filled in, or what is wrong
// with it.
func (s Space) WithDefaults() (Space, error) {
	if s.Sum == 0 {
		s.Sum = 1
	}
	if s.Max == 0 {
		s.Max = s.Sum
	}
	if len(s.Groups) == 0 {
		s.Groups = []string{"global"}
	}
	if err := distinct("parent", s.Parents); err != nil {
		return s, err
	}
	if err := distinct("group", s.Groups); err != nil {
		return s, err
	}
	if err := s.checkKeep(); err != nil {
		return s, err
	}
	return s, s.checkBounds()
}

func (s Space) checkBounds() error {
	for _, b := range []struct {
		name             string
		value, low, high float64
	}{{"sum", s.Sum, 1 / widest, widest}, {"min", s.Min, -widest, widest}, {"max", s.Max, -widest, widest}} {
		if !(b.value >= b.low && b.value <= b.high) {
			return fmt.Errorf("weights: %s is %v; it must be from %v to %v", b.name, b.value, b.low, b.high)
		}
	}
	if equal := s.Sum / float64(len(s.Parents)); s.Min > equal+slack || s.Max < equal-slack {
		return fmt.Errorf("weights: min %v and max %v leave no room for equal weights of %.4g; widen them", s.Min, s.Max, equal)
	}
	return nil
}

func distinct(what string, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("no %s given", what)
	}
	seen := map[string]bool{}
	for i, name := range names {
		if name == "" {
			return fmt.Errorf("%s %d has no name", what, i+1)
		}
		if seen[name] {
			return fmt.Errorf("two %ss are named %s", what, name)
		}
		seen[name] = true
	}
	return nil
}

// Effective returns the weights that a soup of p really has: each row scaled to
// the sum of the space. A parent itself stays as it is. The error names the
// group and the parent that do not fit.
func (s Space) Effective(p Point) (Point, error) {
	s, err := s.WithDefaults()
	if err != nil {
		return Point{}, err
	}
	if len(p.Weights) != len(s.Groups) {
		return Point{}, fmt.Errorf("%d rows of weights for %d groups", len(p.Weights), len(s.Groups))
	}
	p = p.clone()
	for g, row := range p.Weights {
		if err := s.scale(row); err != nil {
			return Point{}, fmt.Errorf("group %s: %w", s.Groups[g], err)
		}
	}
	if parent := p.parent(); parent >= 0 {
		for _, row := range p.Weights {
			row[parent] = 1
		}
		return p, nil
	}
	return p, s.checkWithin(p)
}

// scale makes a row sum to s.Sum, in place.
func (s Space) scale(row []float64) error {
	if len(row) != len(s.Parents) {
		return fmt.Errorf("%d weights for %d parents", len(row), len(s.Parents))
	}
	total := 0.0
	for i, w := range row {
		if !finite(w) {
			return fmt.Errorf("weight of %s is %v, not a number", s.Parents[i], w)
		}
		total += w
	}
	if total < slack || !finite(total) {
		return fmt.Errorf("weights sum to %.4g; the sum must be above 0", total)
	}
	for i := range row {
		row[i] *= s.Sum / total
	}
	return nil
}

func (s Space) checkWithin(p Point) error {
	for g, row := range p.Weights {
		for i, w := range row {
			if !(w >= s.Min-slack && w <= s.Max+slack) {
				return fmt.Errorf("group %s: weight %.4g of %s is outside %v to %v", s.Groups[g], w, s.Parents[i], s.Min, s.Max)
			}
		}
	}
	return nil
}

// Key is a text that two points share exactly if all their weights are equal
// when rounded to 12 decimals. Take it of effective weights to recognise the same
// soup under another label.
func Key(p Point) string {
	var b strings.Builder
	for g, row := range p.Weights {
		if g > 0 {
			b.WriteByte(';')
		}
		for i, w := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			rounded := math.Round(w*1e12)/1e12 + 0 // + 0 makes -0 the same as 0
			b.WriteString(strconv.FormatFloat(rounded, 'g', -1, 64))
		}
	}
	return b.String()
}

func (p Point) clone() Point {
	p.Weights = slices.Clone(p.Weights)
	for g, row := range p.Weights {
		p.Weights[g] = slices.Clone(row)
	}
	return p
}

// parent returns which parent alone has weight in every group, or -1.
func (p Point) parent() int {
	only := -1
	for _, row := range p.Weights {
		for i, w := range row {
			if w == 0 || i == only {
				continue
			}
			if only >= 0 {
				return -1
			}
			only = i
		}
	}
	return only
}

// everywhere is the point with the same row of weights in every group.
func (s Space) everywhere(label string, row []float64) Point {
	p := Point{Label: label}
	for range s.Groups {
		p.Weights = append(p.Weights, slices.Clone(row))
	}
	return p
}

// singles are the parents themselves, in order.
func (s Space) singles() []Point {
	var points []Point
	for i, name := range s.Parents {
		row := make([]float64, len(s.Parents))
		row[i] = 1
		points = append(points, s.everywhere(name, row))
	}
	return points
}

// equal is the soup of equal shares of the members.
func (s Space) equal(label string, members []int) Point {
	if len(members) == 1 {
		return s.singles()[members[0]]
	}
	row := make([]float64, len(s.Parents))
	for _, m := range members {
		row[m] = s.Sum / float64(len(members))
	}
	return s.everywhere(label, row)
}

// within says whether a point with the right sums keeps to the bounds.
func (s Space) within(p Point) bool {
	return p.parent() >= 0 || s.checkWithin(p) == nil
}

// names joins the members' names.
func (s Space) names(members []int, separator string) string {
	var names []string
	for _, m := range members {
		names = append(names, s.Parents[m])
	}
	return strings.Join(names, separator)
}

// mixture spells out a row of weights: "0.5 arith + 0.2 call".
func (s Space) mixture(row []float64) string {
	var terms []string
	for i, w := range row {
		if w != 0 {
			terms = append(terms, fmt.Sprintf("%.4g %s", w, s.Parents[i]))
		}
	}
	return strings.Join(terms, " + ")
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
