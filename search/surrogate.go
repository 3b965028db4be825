package search

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/floats"

	"soup/search/internal/gauss"
)

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

func (s Space) places(trials []Trial) (places [][]float64) {
	for _, t := range trials {
		places = append(places, s.place(t.Point))
	}
	return places
}

// categoryPrior is what is believed of a category's mean, in parts of 1. Soups of
// fine-tunes of one base change over distances of about 1, parents being sqrt 2
// apart.
var categoryPrior = gauss.Prior{
	Mean: 0.5, Level: 0.25, Signal: 0.3, SignalFactor: 1, Length: 1, LengthFactor: 0.5,
}

// surrogate predicts the scores of points that were not tried, by a process for
// each category: categories are smoother than their sum, and the noise of each is
// known.
type surrogate struct {
	space   Space
	places  [][]float64 // of trials
	process []*gauss.Process
	parts   []float64 // of each category in the score
	keeps   []kept
	top     []*prospect // known points with the highest means, as they were asked
}

// kept is a category with the least mean that it may have.
type kept struct {
	process *gauss.Process
	floor   float64
}

// fitter makes a process of what was observed of a category; nil if its covariance is
// not positive definite.
type fitter func(o gauss.Observations, done []Trial, category string) *gauss.Process

// newSurrogate is nil where there is nothing to learn from. All categories share the
// distances of the trials' places and the layout of their items.
func newSurrogate(space Space, done []Trial, fit fitter) *surrogate {
	m := &surrogate{space: space, places: space.places(done)}
	observed := series(done)
	if len(observed) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(observed))
	items, apart := layOut(done), gauss.Distances(m.places)
	fitted := make([]*gauss.Process, len(names))
	each(len(names), func(i int) {
		o := observed[names[i]]
		o.Apart, o.Shared = apart, items.correlation(names[i])
		fitted[i] = fit(*o, done, names[i])
	})
	floors := space.floors(done)
	for i, p := range fitted {
		if p == nil {
			continue
		}
		if floor, keep := floors[names[i]]; keep {
			m.keeps = append(m.keeps, kept{p, floor})
		}
		if weight := space.weight(names[i]); weight > 0 {
			m.parts, m.process = append(m.parts, weight), append(m.process, p)
		}
	}
	if len(m.process) == 0 {
		return nil
	}
	floats.Scale(1/floats.Sum(m.parts), m.parts)
	m.top = m.prospects(m.screen(space.contenders(done)))
	slices.SortFunc(m.top, func(a, b *prospect) int { return cmp.Compare(a.Number, b.Number) })
	return m
}

// surely is by how many standard errors of the difference a score is lower for sure.
const surely = 3.0

// contenders are the points that were asked and may be the best: not those whose own
// scores are surely lower than the highest. Where many soups give the same answers, as
// on a plateau, the model may take the step up to them for luck that they share.
func (s Space) contenders(done []Trial) []Point {
	top := best(done)
	if top == nil || len(s.Keep) > 0 { // the highest score may be one that loses what must be kept
		return scored(done)
	}
	variances := map[string]float64{}
	for name, c := range top.Categories {
		variances[name] = c.noise()
	}
	// The difference of scores that correlate by a half is as uncertain as one of them.
	doubt := s.standardError(variances)
	var points []Point
	for _, t := range done {
		if t.State == StateComplete && (doubt == 0 || !(top.Score-t.Score > surely*doubt)) {
			points = append(points, t.Point)
		}
	}
	return points
}

// each does n things at the same time.
func each(n int, do func(i int)) {
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { do(i) })
	}
	wait.Wait()
}

// series are the means of every category, of every trial that has some, with their
// noise.
func series(done []Trial) map[string]*gauss.Observations {
	all := map[string]*gauss.Observations{}
	for i, t := range done {
		for name, c := range t.measured() {
			if !finite(c.Mean) {
				continue
			}
			if all[name] == nil {
				values := make([]float64, len(done))
				floats.AddConst(math.NaN(), values)
				all[name] = &gauss.Observations{Values: values, Noise: make([]float64, len(done))}
			}
			all[name].Values[i], all[name].Noise[i] = c.Mean, c.noise()
		}
	}
	return all
}

// measured are the categories of a complete or pruned trial; its score where there
// are no categories.
func (t Trial) measured() map[string]Category {
	switch {
	case t.State == StateComplete && len(t.Categories) == 0:
		return map[string]Category{"": {Mean: t.Score}}
	case t.State == StateComplete || t.State == StatePruned:
		return t.Categories
	default:
		return nil
	}
}

// weight is what a category counts in the score.
func (s Space) weight(category string) float64 {
	if s.Aggregate == nil || category == "" {
		return 1
	}
	return s.Aggregate[category]
}

// unknownNoise are the variances that are tried where none is known.
var unknownNoise = []float64{1e-6, 1e-5, 1e-4, 1e-3}

// fitMeans is the fitter of a category's means alone. Of the guesses of unknown noise
// it takes the one with the most evidence.
func fitMeans(o gauss.Observations, _ []Trial, _ string) (top *gauss.Process) {
	guesses, variances := unknownNoise, o.Noise
	if !slices.ContainsFunc(variances, math.IsNaN) {
		guesses = guesses[:1]
	}
	for _, guess := range guesses {
		o.Noise = slices.Clone(variances)
		for i, v := range variances {
			if math.IsNaN(v) {
				o.Noise[i] = guess
			}
		}
		p, err := gauss.Fit(categoryPrior, o)
		if err == nil && (top == nil || p.Evidence > top.Evidence) {
			top = p
		}
	}
	return top
}

// screen keeps the points with the highest means, in descending order.
func (m *surrogate) screen(pool []Point) []Point {
	means := make([]float64, len(pool))
	each(len(pool), func(i int) { means[i] = m.mean(m.view(m.space.place(pool[i]))) })
	order := descending(means)
	var kept []Point
	for _, i := range order[:min(screened, len(order))] {
		kept = append(kept, pool[i])
	}
	return kept
}

func (m *surrogate) view(place []float64) *gauss.View { return gauss.NewView(place, m.places) }

// mean is the expected score. What the expected shortfalls of the categories to keep
// cost is taken off.
func (m *surrogate) mean(v *gauss.View) (mean float64) {
	for c, p := range m.process {
		mean += m.parts[c] * p.At(v)
	}
	for _, k := range m.keeps {
		mean -= KeepCost * max(0, k.floor-k.process.At(v))
	}
	return mean
}

// prospects work out what is believed of points.
func (m *surrogate) prospects(points []Point) []*prospect {
	all := make([]*prospect, len(points))
	each(len(points), func(i int) {
		x := m.space.place(points[i])
		v := m.view(x)
		known := make([][]float64, len(m.process))
		for c, p := range m.process {
			known[c] = p.Known(v)
			floats.Scale(m.parts[c], known[c])
		}
		a := &prospect{Point: points[i], place: x, mean: m.mean(v), known: slices.Concat(known...)}
		a.variance = m.covariance(a, a)
		all[i] = a
	})
	return all
}

// prior is the covariance of two scores before any observation.
func (m *surrogate) prior(x, y []float64) (covariance float64) {
	for c, p := range m.process {
		covariance += m.parts[c] * m.parts[c] * p.Kernel.Between(x, y)
	}
	return covariance
}
