package study

import (
	"cmp"
	"context"
	"slices"

	"soup/eval"
	"soup/internal/usage"
	"soup/results"
	"soup/search"
)

// runner is a candidate on its way to the front.
type runner struct {
	results.FrontPoint
	outcomes []eval.Outcome
	single   bool
}

// BuildFront finds the candidates of a study that no other one surely dominates in
// some categories, on search: points for a user who must choose between them. The
// categories are two at least and six at most.
func BuildFront(ctx context.Context, dir string, categories []string) (*results.Front, error) {
	if len(categories) < 2 || len(categories) > 6 {
		return nil, usage.Errorf("a front takes 2 to 6 categories, got %d", len(categories))
	}
	ledger, err := openForReading(dir)
	if err != nil {
		return nil, err
	}
	defer ledger.Close()
	b, err := newReporter(dir, ledger)
	if err != nil {
		return nil, err
	}
	runners, err := b.runners(ctx, categories)
	if err != nil {
		return nil, err
	}
	if len(runners) == 0 {
		return nil, usage.Errorf("%s: no candidate has a score in each of the categories %v", dir, categories)
	}
	return front(categories, runners), nil
}

// runners are the candidates with a score in every category.
func (b *reporter) runners(ctx context.Context, categories []string) ([]runner, error) {
	var list []runner
	for _, t := range b.trials {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if t.State != results.Complete || t.Strategy == baseStrategy {
			continue
		}
		outcomes, err := b.outcomes(t.Number, results.Search)
		if err != nil {
			return nil, err
		}
		outcomes = slices.DeleteFunc(outcomes, func(o eval.Outcome) bool { return !slices.Contains(categories, o.Category) })
		r := runner{results.FrontPoint{Trial: t.Number, Label: t.Label}, outcomes, t.Strategy == singleStrategy}
		means := eval.Summarize(outcomes).Categories
		for _, c := range categories {
			if means[c].N > 0 {
				r.Scores = append(r.Scores, means[c].Mean)
			}
		}
		if len(r.Scores) == len(categories) {
			list = append(list, r)
		}
	}
	return list, nil
}

func front(categories []string, runners []runner) *results.Front {
	var all, singles [][]float64
	for _, r := range runners {
		all = append(all, r.Scores)
		if r.single {
			singles = append(singles, r.Scores)
		}
	}
	f := &results.Front{Objectives: categories, Reference: lowest(singles, len(categories))}
	on := search.Front(all)
	for i, r := range runners {
		r.Open = !slices.Contains(on, i)
		if r.Open && surelyBelow(r, runners, on) {
			continue
		}
		if r.Open {
			f.Near++
		}
		f.Points = append(f.Points, r.FrontPoint)
	}
	slices.SortStableFunc(f.Points, func(a, b results.FrontPoint) int {
		return cmp.Compare(b.Scores[0], a.Scores[0])
	})
	f.Hypervolume, f.OfParents = search.Hypervolume(all, f.Reference), search.Hypervolume(singles, f.Reference)
	return f
}

// lowest is the least of the scores in each objective; 0 where there are none.
func lowest(scores [][]float64, objectives int) []float64 {
	low := make([]float64, objectives)
	for k := range low {
		for i, s := range scores {
			if i == 0 || s[k] < low[k] {
				low[k] = s[k]
			}
		}
	}
	return low
}

// surelyBelow says that some candidate surely dominates r. Those on the front are
// tried first: mostly one of them does.
func surelyBelow(r runner, runners []runner, on []int) bool {
	above := func(q runner) bool { return surelyDominates(q, r) }
	return slices.ContainsFunc(on, func(k int) bool { return above(runners[k]) }) || slices.ContainsFunc(runners, above)
}

// surelyDominates says that a is nowhere lower than b, and somewhere higher by
// more than 1.96 standard errors of the paired difference.
func surelyDominates(a, b runner) bool {
	for k := range a.Scores {
		if a.Scores[k] < b.Scores[k] {
			return false
		}
	}
	for _, d := range eval.Differences(a.outcomes, b.outcomes) {
		if d.Units > 1 && d.Mean > z95*d.SE {
			return true
		}
	}
	return false
}
