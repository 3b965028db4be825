package bench

import (
	"fmt"
	"math"
	"math/rand/v2"

	"soup/search"
)

// skills are the categories of the landscapes.
const skills = 4

// landscape is a made-up problem: what share of a skill's items a soup answers,
// as a function of its weights, the same for all seeds.
type landscape struct {
	name    string
	parents int
	height  func(w []float64) float64 // log-odds of a right answer, but for the skill's own
	best    []float64                 // where it is highest
}

// tilt is what a skill adds to the log-odds.
var tilt = [skills]float64{-0.6, -0.2, 0.2, 0.6}

func landscapes() []problem {
	inside := []float64{0.43, 0.28, 0.17, 0.12}
	edge := []float64{0.63, 0.37, 0, 0}
	many := make([]float64, 20)
	many[3], many[7], many[12] = 0.48, 0.31, 0.21
	list := []landscape{
		{"inside", 4, hill(inside, 6), inside},
		{"edge", 4, hill(edge, 6), edge},
		{"corner", 4, hill([]float64{1, 0, 0, 0}, 6), []float64{1, 0, 0, 0}},
		{"two-peaks", 4, twoPeaks, []float64{0.72, 0.28, 0, 0}},
		{"plateau", 4, plateau, []float64{0.25, 0.25, 0.25, 0.25}},
		{"poison", 6, poison, []float64{0.37, 0.31, 0.19, 0.13, 0, 0}},
		{"twenty", 20, hill(many, 6), many},
	}
	var problems []problem
	for _, l := range list {
		problems = append(problems, problem{l.name, l.parents, l.world})
	}
	return problems
}

// hill falls with the square of the distance from its top.
func hill(top []float64, steep float64) func([]float64) float64 {
	return func(w []float64) float64 { return 1.2 - steep*squares(w, top) }
}

// twoPeaks has a lower peak that is wide and a higher one that is narrow.
func twoPeaks(w []float64) float64 {
	high := 1.2 - 14*squares(w, []float64{0.72, 0.28, 0, 0})
	low := 0.9 - 4*squares(w, []float64{0, 0.1, 0.4, 0.5})
	return math.Log(math.Exp(4*high)+math.Exp(4*low)) / 4
}

// plateau is flat where no parent has more than six tenths.
func plateau(w []float64) float64 {
	over := 0.0
	for _, x := range w {
		over = max(over, x-0.6)
	}
	return 1.2 - 5*over
}

// poison has two parents that do damage with little weight.
func poison(w []float64) float64 {
	bad := w[4] + w[5]
	return 1.2 - 6*squares(w[:4], []float64{0.37, 0.31, 0.19, 0.13}) - 3*(1-math.Exp(-bad*bad/0.02)) - bad
}

func squares(w, top []float64) float64 {
	sum := 0.0
	for i, t := range top {
		sum += (w[i] - t) * (w[i] - t)
	}
	return sum
}

// world has items that are right where the log-odds of the soup and the item's
// own, drawn once from a logistic distribution, are above 0 together: so a share of
// items is right that has these log-odds, and all soups are asked the same items.
// The smooth score is that sum, with an error of its own for each item.
func (l landscape) world(seed uint64, items int) world {
	var names []string
	for i := range l.parents {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	r := search.Rand(seed, "bench "+l.name, 0)
	ease := make([]float64, skills*items)
	offset := make([]float64, len(ease))
	for i := range ease {
		ease[i], offset[i] = logistic(r), 0.5*r.NormFloat64()
	}
	truth := func(p search.Point) float64 { return l.truth(p.Weights[0]) }
	try := func(p search.Point) search.Trial { return l.trial(p.Weights[0], ease, offset) }
	return world{search.Space{Parents: names}, try, truth, l.truth(l.best)}
}

func logistic(r *rand.Rand) float64 {
	u := r.Float64()
	return math.Log(u / (1 - u))
}

func (l landscape) truth(w []float64) float64 {
	mean, height := 0.0, l.height(w)
	for _, t := range tilt {
		mean += 1 / (1 + math.Exp(-height-t)) / skills
	}
	return mean
}

func (l landscape) trial(w, ease, offset []float64) search.Trial {
	height := l.height(w)
	var items []search.Item
	for i := range ease {
		skill := i % skills
		odds := height + tilt[skill] + ease[i]
		it := search.Item{ID: fmt.Sprint(i), Category: fmt.Sprintf("skill%d", skill), Soft: odds + offset[i]}
		if odds > 0 {
			it.Score = 1
		}
		items = append(items, it)
	}
	return summed(items)
}

// summed is the trial of items: means of categories, and their mean.
func summed(items []search.Item) search.Trial {
	t := search.Trial{State: search.StateComplete, Categories: map[string]search.Category{}, Items: items}
	sums, squares := map[string]float64{}, map[string]float64{}
	var order []string
	for _, it := range items {
		c := t.Categories[it.Category]
		if c.N == 0 {
			order = append(order, it.Category)
		}
		c.N++
		t.Categories[it.Category] = c
		sums[it.Category] += it.Score
		squares[it.Category] += it.Score * it.Score
	}
	for _, name := range order {
		c := t.Categories[name]
		n := float64(c.N)
		c.Mean = sums[name] / n
		c.SE = math.Sqrt(max(0, squares[name]/n-c.Mean*c.Mean) / max(1, n-1))
		t.Categories[name] = c
		t.Score += c.Mean / float64(len(order))
	}
	return t
}
