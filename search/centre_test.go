package search

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
)

// told is a surrogate that knows points of a world.
func told(t *testing.T, space Space, try func(Point) Trial, rows ...[]float64) *surrogate {
	t.Helper()
	var done []Trial
	for i, row := range rows {
		trial := try(Point{Number: i, Weights: [][]float64{row}})
		done = append(done, trial)
	}
	s := newSurrogate(space, done, fitMeans)
	if s == nil {
		t.Fatal("nothing to learn from")
	}
	return s
}

// Three parents that are equally good, of which all soups are better: whatever is best,
// it is as likely nearer to one as to another, so that the centre is their middle. A
// point that is surely the best is the centre itself.
func TestTheCentreOfWhatIsLikely(t *testing.T) {
	space, err := Space{Parents: []string{"a", "b", "c"}}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s := told(t, space, sampled([]float64{0.33, 0.33, 0.34}, 2, 200), []float64{1, 0, 0}, []float64{0, 1, 0}, []float64{0, 0, 1}, []float64{0.33, 0.33, 0.34})
	p := &proposer{surrogate: s, taken: s.places}
	pool := func(rows ...[]float64) []*prospect {
		var points []Point
		for _, row := range rows {
			points = append(points, Point{Weights: [][]float64{row}})
		}
		return s.prospects(points)
	}
	around := pool([]float64{0.6, 0.2, 0.2}, []float64{0.2, 0.6, 0.2}, []float64{0.2, 0.2, 0.6})
	shares := p.winning(Rand(1, "centre", 0), around)
	if floats.Min(shares) < 0.2 || math.Abs(floats.Sum(shares)-1) > 1e-9 {
		t.Errorf("points that are equally good are the best in %.2f of the draws", shares)
	}
	if c := p.centre(Rand(1, "centre", 0), around); floats.Distance(c.place, []float64{1. / 3, 1. / 3, 1. / 3}, 2) > 0.12 {
		t.Errorf("their centre is %v", c.place)
	}
	sure := pool([]float64{1, 0, 0}, []float64{0.4, 0.3, 0.3})
	if c := p.centre(Rand(1, "centre", 0), sure); !slices.Equal(c.Weights[0], []float64{0.4, 0.3, 0.3}) {
		t.Errorf("the centre of a parent and a soup that is surely better is %v", c.Weights)
	}
}

// Of a batch the centre is the first; no two points are the same, and none is known.
func TestABatchBeginsWithTheCentre(t *testing.T) {
	space, err := Space{Parents: []string{"a", "b", "c"}, Groups: []string{"x", "y"}}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	world := sampled([]float64{0.5, 0.3, 0.2}, 2, 100)
	var done []Trial
	for i, p := range append(space.singles(), space.equal("", space.all())) {
		p.Number = i
		done = append(done, world(p))
	}
	s := newSurrogate(space, done, fitMeans)
	propose := func(central bool) []Point {
		p := &proposer{surrogate: s, taken: append([][]float64{}, s.places...), central: central}
		points, _ := p.propose(Rand(1, "batch", 1), scored(done), 4)
		return points
	}
	points, without := propose(true), propose(false)
	if len(points) != 4 || Key(points[0]) == Key(without[0]) {
		t.Fatalf("%d points, the first %v is that of the highest gain", len(points), points[0].Weights)
	}
	known := map[string]bool{}
	for _, t := range done {
		known[Key(t.Point)] = true
	}
	for _, p := range points {
		if known[Key(p)] {
			t.Errorf("%v is asked again", p.Weights)
		}
		known[Key(p)] = true
		for _, row := range p.Weights {
			if math.Abs(floats.Sum(row)-1) > 1e-9 {
				t.Errorf("weights %v do not sum to 1", row)
			}
		}
	}
}
