package search

import (
	"maps"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"soup/search/internal/gauss"
)

// surrogate predicts the scores of points that were not tried. Places are what
// Space.place makes of points.
type surrogate interface {
	// means are the expected scores.
	means(places [][]float64) []float64
	// joint are the expected scores and the covariance of what is not known of
	// them.
	joint(places [][]float64) ([]float64, *mat.SymDense)
}

// place is where a point lies: its weights as parts of their sum. The tensors of
// a soup are linear in them, so what soups answer changes smoothly with them, also
// where a parent is left out, where softmax or log-ratio coordinates are infinite.
// Points that have the same weights in all groups are as far apart as if there
// were one group.
func (s Space) place(p Point) []float64 {
	scale := 1 / (s.Sum * math.Sqrt(float64(len(s.Groups))))
	var x []float64
	for _, row := range s.rows(p) {
		for _, w := range row {
			x = append(x, w*scale)
		}
	}
	return x
}

func (s Space) places(points []Point) [][]float64 {
	var places [][]float64
	for _, p := range points {
		places = append(places, s.place(p))
	}
	return places
}

// categoryPrior is what is believed of a category's mean, in parts of 1. Soups of
// fine-tunes of one base change over distances of about 1, parents being sqrt 2
// apart.
var categoryPrior = gauss.Prior{
	Mean: 0.5, Level: 0.25, Signal: 0.3, SignalFactor: 1, Length: 1, LengthFactor: 0.5,
}

// byCategory is a process for each category. They are smoother than their sum,
// and the noise of each is known.
type byCategory struct {
	parts   []float64 // of each in the score
	process []*gauss.Process
	keeps   []kept
}

// kept is a category with the least mean that it may have.
type kept struct {
	process *gauss.Process
	floor   float64
}

// series are the observations of one category.
type series struct {
	weight float64
	places [][]float64
	values []float64
	noise  []float64 // variances
	items  [][]*Item // of each observation, as far as known
}

// newByCategory is nil where there is nothing to learn from.
func newByCategory(space Space, done []Trial) surrogate {
	observed := space.series(done)
	if len(observed) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(observed))
	fitted := make([]*gauss.Process, len(names))
	each(len(names), func(i int) { fitted[i] = observed[names[i]].fit(categoryPrior) })
	var m byCategory
	total := 0.0
	floors := space.floors(done)
	for i, name := range names {
		if floor, keep := floors[name]; keep && fitted[i] != nil {
			m.keeps = append(m.keeps, kept{fitted[i], floor})
		}
		if weight := observed[name].weight; fitted[i] != nil && weight > 0 {
			m.parts, m.process = append(m.parts, weight), append(m.process, fitted[i])
			total += weight
		}
	}
	if len(m.process) == 0 {
		return nil
	}
	for i := range m.parts {
		m.parts[i] /= total
	}
	return m
}

// each does n things at the same time.
func each(n int, do func(i int)) {
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { do(i) })
	}
	wait.Wait()
}

// series are the means of every category of every trial that has some, pruned
// ones among them; the scores where there are no categories.
func (s Space) series(done []Trial) map[string]*series {
	all := map[string]*series{}
	for _, t := range done {
		if t.State != StateComplete && t.State != StatePruned {
			continue
		}
		categories := t.Categories
		if len(categories) == 0 && t.State == StateComplete {
			categories = map[string]Category{"": {Mean: t.Score}}
		}
		items := byItem(t.Items)
		for name, c := range categories {
			if !finite(c.Mean) {
				continue
			}
			if all[name] == nil {
				all[name] = &series{weight: s.weight(name)}
			}
			o := all[name]
			o.places, o.values, o.noise = append(o.places, s.place(t.Point)), append(o.values, c.Mean), append(o.noise, c.noise())
			o.items = append(o.items, items[name])
		}
	}
	return all
}

// weight is what a category counts in the score.
func (s Space) weight(category string) float64 {
	if s.Aggregate == nil || category == "" {
		return 1
	}
	return s.Aggregate[category]
}

// noise is the variance of a category's mean, NaN if it is unknown. The variance
// of an item is shrunk to that of right and wrong answers with a share that is
// never 0 or 1, as if four more items had it: a few items that are all right have
// an SE of 0.
func (c Category) noise() float64 {
	n := float64(c.N)
	if c.N <= 0 {
		if c.SE > 0 && finite(c.SE) {
			return c.SE * c.SE
		}
		return math.NaN()
	}
	share := min(1, max(0, (c.Mean*n+1)/(n+2)))
	item := share * (1 - share)
	if c.SE > 0 && finite(c.SE) {
		item = (n*n*c.SE*c.SE + 4*item) / (n + 4)
	}
	return max(item/n, 1e-8)
}

// unknownNoise are the variances that are tried where none is known.
var unknownNoise = []float64{1e-6, 1e-5, 1e-4, 1e-3}

func (o *series) fit(prior gauss.Prior) *gauss.Process {
	var top *gauss.Process
	for _, guess := range unknownNoise {
		noise, known := slices.Clone(o.noise), true
		for i, v := range noise {
			if math.IsNaN(v) {
				noise[i], known = guess, false
			}
		}
		p, err := gauss.Fit(prior, gauss.Observations{Places: o.places, Values: o.values, Noise: o.shared(noise)})
		if err == nil && (top == nil || p.Evidence > top.Evidence) {
			top = p
		}
		if known {
			break
		}
	}
	return top
}

// byItem are the items of every category.
func byItem(items []Item) map[string][]*Item {
	counts := map[string]int{}
	for i := range items {
		counts[items[i].Category]++
	}
	all := map[string][]*Item{}
	for category, count := range counts {
		all[category] = make([]*Item, 0, count)
	}
	for i := range items {
		category := items[i].Category
		all[category] = append(all[category], &items[i])
	}
	return all
}

// alike is the part of the correlation of errors that is believed.
const alike = 0.95

// shared is the covariance of errors with these variances. Soups are asked the same
// items, and what is hard about these is hard for all: the errors of two means
// correlate as the scores of their items do.
func (o *series) shared(variances []float64) mat.Symmetric {
	noise := mat.NewSymDense(len(variances), nil)
	if columns, count := o.columns(); count > 0 {
		table := mat.NewDense(len(variances), count, nil)
		for i, items := range o.items {
			standardise(table.RawRowView(i), items, columns[i])
		}
		noise.SymOuterK(alike, table)
	}
	for i, v := range variances {
		for j := range i {
			noise.SetSym(i, j, noise.At(i, j)*math.Sqrt(v*variances[j]))
		}
		noise.SetSym(i, i, v)
	}
	return noise
}

// columns gives every item a number: for each observation those of its items, and
// how many there are. Observations mostly have the same items in the same order.
func (o *series) columns() (columns [][]int, count int) {
	number := map[string]int{}
	var before []*Item
	for i, items := range o.items {
		row := make([]int, len(items))
		for k, it := range items {
			if k < len(before) && before[k].ID == it.ID {
				row[k] = columns[i-1][k]
				continue
			}
			n, ok := number[it.ID]
			if !ok {
				n = len(number)
				number[it.ID] = n
			}
			row[k] = n
		}
		columns, before = append(columns, row), items
	}
	return columns, len(number)
}

// standardise writes scores less their mean, scaled to length 1, into the columns
// of a row: inner products of rows are then correlations, where both have the same
// items.
func standardise(row []float64, items []*Item, columns []int) {
	mean, squares := 0.0, 0.0
	for _, it := range items {
		mean += it.Score / float64(len(items))
	}
	for k, it := range items {
		row[columns[k]] = it.Score - mean
		squares += (it.Score - mean) * (it.Score - mean)
	}
	for _, k := range columns {
		row[k] /= math.Sqrt(max(squares, 1e-12))
	}
}

func (m byCategory) means(places [][]float64) []float64 {
	means := make([]float64, len(places))
	each(len(places), func(i int) {
		for c, p := range m.process {
			means[i] += m.parts[c] * p.At(places[i])
		}
		means[i] -= m.deduction(places[i])
	})
	return means
}

// deduction is what the expected shortfalls of the categories to keep cost.
func (m byCategory) deduction(place []float64) (cost float64) {
	for _, k := range m.keeps {
		cost += KeepCost * max(0, k.floor-k.process.At(place))
	}
	return cost
}

func (m byCategory) joint(places [][]float64) ([]float64, *mat.SymDense) {
	apart, joint := make([][]float64, len(m.process)), make([]*mat.SymDense, len(m.process))
	each(len(m.process), func(c int) { apart[c], joint[c] = m.process[c].Joint(places) })
	means, covariance := make([]float64, len(places)), mat.NewSymDense(len(places), nil)
	for c, part := range m.parts {
		for i, mean := range apart[c] {
			means[i] += part * mean
		}
		joint[c].ScaleSym(part*part, joint[c])
		covariance.AddSym(covariance, joint[c])
	}
	for i := range means {
		means[i] -= m.deduction(places[i])
	}
	return means, covariance
}
