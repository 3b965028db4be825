package study

import (
	"math"
	"slices"

	"soup/eval"
	"soup/results"
)

// mostOnPlane bounds the work of a report: outcomes of so many are read.
const mostOnPlane = 300

// addLandscape looks for a plane through three parents of which enough points were
// scored: the last one that the strategy asked for, or that of all three parents, or
// the one with the most points.
func (b *reporter) addLandscape(r *results.Report) error {
	l, trials, err := b.plane()
	if err != nil || l == nil || l.Flat() {
		return err
	}
	var c Config
	l.Ordered = parseInto(&c, b.study.Config) == nil && c.Run != ""
	var losses []map[string]float64
	for _, t := range trials {
		p, loss, err := b.planePoint(l, t)
		if err != nil {
			return err
		}
		l.Points, losses = append(l.Points, p), append(losses, loss)
	}
	b.addLoss(l, losses)
	r.Landscape = l
	return nil
}

// plane is the plane to show, with its trials, the corners first; nil if there is
// none.
func (b *reporter) plane() (*results.Landscape, []results.Trial, error) {
	known, err := readPlanes(b.ledger)
	if err != nil {
		return nil, nil, err
	}
	if len(known) > 0 {
		last := known[len(known)-1]
		l := &results.Landscape{Corners: last.Parents, Distances: last.Distances}
		return b.filled(l)
	}
	var best *results.Landscape
	var most []results.Trial
	for _, corners := range b.triples() {
		l, trials, err := b.filled(&results.Landscape{Corners: corners})
		if err != nil {
			return nil, nil, err
		}
		if len(trials) > len(most) {
			best, most = l, trials
		}
	}
	return best, most, nil
}

// triples are the names of three parents that some soup is made of, in the order in
// which such soups were tried.
func (b *reporter) triples() (list [][]string) {
	for _, t := range b.trials {
		var names []string
		for i, w := range t.Weights[0] {
			if w != 0 && len(names) < 4 {
				names = append(names, b.parents[i])
			}
		}
		if len(names) == 3 && !slices.ContainsFunc(list, func(x []string) bool { return slices.Equal(x, names) }) {
			list = append(list, names)
		}
	}
	return list
}

// filled are the scored points of a plane; no plane unless they are enough, its
// corners are among them, and one lies inside.
func (b *reporter) filled(l *results.Landscape) (*results.Landscape, []results.Trial, error) {
	var corners [3]*results.Trial
	var others []results.Trial
	seen, inside := map[int]bool{}, false
	for i, t := range b.trials {
		w, on := b.onCorners(l, t)
		if !on || seen[t.Of] || b.byNumber[t.Of].Scores.Search == nil || b.byNumber[t.Of].Scores.Search.Mean == nil {
			continue
		}
		seen[t.Of] = true
		if at := slices.Index(w, 1); at >= 0 {
			corners[at] = &b.trials[i]
			continue
		}
		others = append(others, t)
		inside = inside || !slices.Contains(w, 0)
	}
	if slices.Contains(corners[:], nil) || !inside || len(others)+3 < results.FewestOnPlane {
		return nil, nil, nil
	}
	all := append([]results.Trial{*corners[0], *corners[1], *corners[2]}, others...)
	return l, all[:min(len(all), mostOnPlane)], nil
}

// onCorners are a trial's weights of the three corners, as shares; false where it
// has others, or weights by group.
func (b *reporter) onCorners(l *results.Landscape, t results.Trial) (w []float64, on bool) {
	if t.Strategy == baseStrategy || !alike(t.Weights) {
		return nil, false
	}
	sum, rest := 0.0, 0.0
	for _, x := range t.Weights[0] {
		sum, rest = sum+x, rest+math.Abs(x)
	}
	for _, name := range l.Corners {
		x := t.Weights[0][slices.Index(b.parents, name)]
		w, rest = append(w, x/sum), rest-math.Abs(x)
	}
	return w, sum != 0 && math.Abs(rest) < 1e-9
}

// planePoint reads one point; the losses are by category, NaN where the smooth
// scores of one are no likelihoods.
func (b *reporter) planePoint(l *results.Landscape, t results.Trial) (p results.PlanePoint, losses map[string]float64, err error) {
	w, _ := b.onCorners(l, t)
	scores := b.byNumber[t.Of].Scores
	p = results.PlanePoint{Trial: t.Of, Weights: w, Search: 1 - *scores.Search.Mean}
	p.X, p.Y = l.Place(w)
	if scores.Test != nil && scores.Test.Mean != nil {
		wrong := 1 - *scores.Test.Mean
		p.Test = &wrong
	}
	outcomes, err := b.outcomes(t.Of, results.Search)
	if err != nil {
		return p, nil, err
	}
	labels, err := b.ledger.Labels(t.Of, results.Search)
	if err != nil {
		return p, nil, err
	}
	losses = map[string]float64{}
	for i, o := range outcomes {
		if s, ok := labels[o.ID]; ok {
			likelihood := math.Log(eval.NewForecast(s.LogProbs, s.Right).Probabilities[s.Right])
			outcomes[i].Soft = &likelihood
		} else if o.Soft != nil && *o.Soft > 0 { // a lead over wrong answers
			losses[o.Category] = math.NaN()
		}
	}
	for name, c := range eval.Summarize(outcomes).Categories {
		switch {
		case c.Soft == nil:
			losses[name] = math.NaN()
		case !math.IsNaN(losses[name]):
			losses[name] = -*c.Soft
		}
	}
	return p, losses, nil
}

// addLoss takes the mean over the categories that have a loss at every point, by the
// weights of the objective.
func (b *reporter) addLoss(l *results.Landscape, losses []map[string]float64) {
	l.Categories = []string{}
	for name := range losses[0] {
		if eval.WeightOf(b.weights, name) == 0 {
			continue
		}
		if !slices.ContainsFunc(losses, func(of map[string]float64) bool { v, ok := of[name]; return !ok || math.IsNaN(v) }) {
			l.Categories = append(l.Categories, name)
		}
	}
	slices.Sort(l.Categories)
	for i := range l.Points {
		sum, total := 0.0, 0.0
		for _, name := range l.Categories {
			w := eval.WeightOf(b.weights, name)
			sum, total = sum+w*losses[i][name], total+w
		}
		if total > 0 {
			loss := sum / total
			l.Points[i].Loss = &loss
		}
	}
}
