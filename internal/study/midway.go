package study

import (
	"soup/eval"
	"soup/results"
)

// midway holds the outcomes on search of parents and of the midpoints between them.
type midway struct {
	parents []string
	weights map[string]float64 // of categories
	single  map[int][]eval.Outcome
	middle  map[[2]int][]eval.Outcome // by the places of the parents, the smaller first
	trial   map[[2]int]int
}

// readMidway looks for what the strategy of midpoints asked; outcomes reads those
// of a trial.
func readMidway(parents []string, weights map[string]float64, trials []results.Trial, outcomes func(trial int, split string) ([]eval.Outcome, error)) (*midway, error) {
	m := &midway{parents: parents, weights: weights, single: map[int][]eval.Outcome{}, middle: map[[2]int][]eval.Outcome{}, trial: map[[2]int]int{}}
	for _, t := range trials {
		if t.Strategy != midpointProbe || t.State != results.Complete && t.State != results.Cached || trials[t.Of].State != results.Complete {
			continue
		}
		o, err := outcomes(t.Of, results.Search)
		if err != nil {
			return nil, err
		}
		if i := onlyParent(t.Weights); i >= 0 {
			m.single[i] = o
			continue
		}
		ends := endsOf(t.Weights[0])
		m.middle[ends], m.trial[ends] = o, t.Of
	}
	return m, nil
}

// endsOf are the places of the two parents of a midpoint.
func endsOf(row []float64) (ends [2]int) {
	n := 0
	for i, w := range row {
		if w != 0 && n < len(ends) {
			ends[n] = i
			n++
		}
	}
	return ends
}

// measure returns nil where no midpoint has a score.
func (m *midway) measure() *results.Midpoints {
	out := &results.Midpoints{Barriers: []results.Barrier{}, Needless: []results.Needless{}}
	for i := range m.parents {
		for j := i + 1; j < len(m.parents); j++ {
			middle, ok := m.between(i, j)
			if !ok {
				continue
			}
			c := eval.CompareWeighted(halves(m.single[i], m.single[j]), middle, m.weights)
			out.Barriers = append(out.Barriers, results.Barrier{First: m.parents[i], Second: m.parents[j], Trial: m.trial[[2]int{i, j}], Difference: difference(c)})
		}
	}
	if len(out.Barriers) == 0 {
		return nil
	}
	for i, name := range m.parents {
		if n, ok := m.needless(i); ok {
			n.Parent = name
			out.Needless = append(out.Needless, n)
		}
	}
	return out
}

// between are the outcomes of a midpoint; not ok unless all three are known.
func (m *midway) between(i, j int) (middle []eval.Outcome, ok bool) {
	middle, ok = m.middle[[2]int{min(i, j), max(i, j)}]
	return middle, ok && m.single[i] != nil && m.single[j] != nil
}

// halves is the mean of two candidates item by item, of those that both have a
// score of.
func halves(a, b []eval.Outcome) (mean []eval.Outcome) {
	other := map[string]eval.Outcome{}
	for _, o := range b {
		other[o.ID] = o
	}
	for _, o := range a {
		if x, both := other[o.ID]; both && o.Scored() && x.Scored() {
			o.Score = (o.Score + x.Score) / 2
			mean = append(mean, o)
		}
	}
	return mean
}

// needless looks for the parent that speaks most against one.
func (m *midway) needless(i int) (worst results.Needless, ok bool) {
	for j, name := range m.parents {
		middle, known := m.between(i, j)
		if j == i || !known || !m.lower(middle, m.single[j]) || !m.covers(j, i) {
			continue
		}
		cost := eval.CompareWeighted(m.single[j], middle, m.weights)
		if cost.Verdict == eval.Better && (!ok || cost.Delta > worst.Delta) {
			worst, ok = results.Needless{Over: name, Difference: difference(cost)}, true
		}
	}
	return worst, ok
}

// lower says whether a score is: cheaper than a comparison, which most pairs need not.
func (m *midway) lower(a, b []eval.Outcome) bool {
	x, err := eval.Summarize(a).Aggregate(m.weights)
	y, also := eval.Summarize(b).Aggregate(m.weights)
	return err != nil || also != nil || x < y
}

// covers says whether a parent is in no category worse than another one by more
// than a standard error of the difference.
func (m *midway) covers(j, i int) bool {
	c := eval.CompareWeighted(m.single[j], m.single[i], m.weights)
	for _, d := range c.Categories {
		if d.Delta < -(d.High-d.Low)/(2*z95) {
			return false
		}
	}
	return len(c.LeftOut) == 0
}

// addMidpoints says which parents can be averaged with which.
func (b *reporter) addMidpoints(r *results.Report) error {
	m, err := readMidway(b.parents, b.weights, b.trials, b.outcomes)
	if err != nil {
		return err
	}
	r.Midpoints = m.measure()
	return nil
}
