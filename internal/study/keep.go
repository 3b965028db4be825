package study

import (
	"encoding/json"
	"fmt"
	"slices"

	"soup/eval"
	"soup/internal/usage"
	"soup/results"
	"soup/search"
)

// constraint is one category that the winner must keep. It stands in the ledger
// with the study's settings, because scores that strategies see depend on it.
type constraint struct {
	Category string  `json:"category"`
	Parent   string  `json:"parent"` // "" is the best one in the category, by search
	Margin   float64 `json:"margin"`
	Sure     bool    `json:"sure,omitempty"` // see Keep
}

const bestParent = "best-parent"

// constraints spells out objective.keep: one for each category.
func (c *Config) constraints(items []eval.Item) ([]constraint, error) {
	var list []constraint
	for i, k := range c.Objective.Keep {
		categories, err := k.categories(items)
		if err != nil {
			return nil, usage.Errorf("%s: objective: keep: entry %d: %s", c.File, i+1, err)
		}
		parent := k.Of
		if parent == bestParent {
			parent = ""
		}
		known := slices.ContainsFunc(c.Parents.List, func(p Parent) bool { return p.Name == parent })
		if parent != "" && !known {
			return nil, usage.Errorf("%s: objective: keep: entry %d: of %q is neither best-parent nor a parent", c.File, i+1, parent)
		}
		if !(k.Margin >= 0 && k.Margin < 1) {
			return nil, usage.Errorf("%s: objective: keep: entry %d: margin %v is not from 0 to 1; 0.01 is a point", c.File, i+1, k.Margin)
		}
		for _, category := range categories {
			if slices.ContainsFunc(list, func(x constraint) bool { return x.Category == category }) {
				return nil, usage.Errorf("%s: objective: keep: category %s is kept twice", c.File, category)
			}
			list = append(list, constraint{category, parent, k.Margin, k.Sure})
		}
	}
	return list, nil
}

// categories are those that the entry means, in the order of the items.
func (k Keep) categories(items []eval.Item) ([]string, error) {
	if (k.Benchmark == "") == (k.Category == "") {
		return nil, fmt.Errorf("give either benchmark or category")
	}
	var list []string
	for _, it := range items {
		if (it.Category == k.Category || it.Benchmark == k.Benchmark) && !slices.Contains(list, it.Category) {
			list = append(list, it.Category)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no item is of %s", k.Benchmark+k.Category)
	}
	return list, nil
}

// keeper judges candidates by the constraints. Its references are trials of
// single parents.
type keeper struct {
	constraints []constraint
	trial       map[string]int // by category, the trial of the parent to keep up with
	search      map[int][]eval.Outcome
}

// newKeeper finds the parents to keep up with: in each category the named one, or
// the best by search, the first of equals. outcomes reads those of a trial.
func newKeeper(list []constraint, parents []string, trials []results.Trial, outcomes func(trial int, split string) ([]eval.Outcome, error)) (*keeper, error) {
	k := &keeper{constraints: list, trial: map[string]int{}, search: map[int][]eval.Outcome{}}
	top := map[string]float64{}
	for _, t := range trials {
		parent := onlyParent(t.Weights)
		if len(list) == 0 || t.Strategy != singleStrategy || t.State != results.Complete || parent < 0 {
			continue
		}
		o, err := outcomes(t.Number, results.Search)
		if err != nil {
			return nil, err
		}
		k.search[t.Number] = o
		means := eval.Summarize(o).Categories
		for _, c := range list {
			m, ok := means[c.Category]
			if !ok || m.N == 0 || c.Parent != "" && c.Parent != parents[parent] {
				continue
			}
			if _, had := k.trial[c.Category]; !had || m.Mean > top[c.Category] {
				k.trial[c.Category], top[c.Category] = t.Number, m.Mean
			}
		}
	}
	return k, nil
}

// startKeeping finds the parents to keep up with as soon as all are scored, when
// the first strategy after the parents' own is at work, and lowers the scores so
// far by what they do not keep.
func (s *session) startKeeping(strategy string) (err error) {
	if s.keeper != nil || len(s.keep) == 0 || strategy == singleStrategy || strategy == baseStrategy {
		return nil
	}
	if s.keeper, err = newKeeper(s.keep, s.space.Parents, s.trials, s.outcomes); err != nil {
		return err
	}
	for trial := range s.scores {
		o, err := s.outcomes(trial, results.Search)
		if err != nil {
			return err
		}
		s.scores[trial] -= s.keeper.penalty(o)
	}
	return nil
}

// penalty is what a candidate's search score loses for categories that it does
// not keep: of each, search.KeepCost times what lies below the margin by more than
// a standard error; of a category to keep surely, what its 95 % interval reaches
// below the margin, for the same will be asked of it on selection.
func (k *keeper) penalty(outcomes []eval.Outcome) (cost float64) {
	if k == nil {
		return 0
	}
	differences := map[int]map[string]eval.Difference{}
	for _, c := range k.constraints {
		trial, ok := k.trial[c.Category]
		if !ok {
			continue
		}
		if differences[trial] == nil {
			differences[trial] = eval.Differences(outcomes, k.search[trial])
		}
		if d, ok := differences[trial][c.Category]; ok {
			doubt := d.SE
			if c.Sure {
				doubt = -z95 * d.SE
			}
			cost += search.KeepCost * max(0, -c.Margin-d.Mean-doubt)
		}
	}
	return cost
}

// read are the search outcomes of a reference, which it has read already.
func (k *keeper) read(trial int, split string) ([]eval.Outcome, bool) {
	if k == nil || split != results.Search {
		return nil, false
	}
	o, ok := k.search[trial]
	return slices.Clone(o), ok
}

// The verdicts on a constraint.
const (
	isKept = "kept" // the whole interval of the difference is above -margin
	isLost = "lost" // it is below
	isOpen = "open" // -margin lies within: not enough items to tell
)

func (c constraint) verdict(d results.Difference) string {
	switch {
	case d.N == 0:
		return isOpen
	case d.Low >= -c.Margin:
		return isKept
	case d.High < -c.Margin:
		return isLost
	}
	return isOpen
}

// judge compares a candidate with the parents on the items of one split.
func (k *keeper) judge(candidate []eval.Outcome, reference func(trial int) ([]eval.Outcome, error)) ([]results.Constraint, error) {
	var list []results.Constraint
	compared := map[int]map[string]eval.Comparison{}
	for _, c := range k.constraints {
		trial, ok := k.trial[c.Category]
		if !ok {
			continue
		}
		if compared[trial] == nil {
			o, err := reference(trial)
			if err != nil {
				return nil, err
			}
			compared[trial] = eval.Compare(candidate, o).Categories
		}
		d := difference(compared[trial][c.Category])
		list = append(list, results.Constraint{Category: c.Category, Trial: trial, Margin: c.Margin, Difference: d, Kept: c.verdict(d)})
	}
	return list, nil
}

// standing is how well a candidate keeps what it must: 2 if it may win, 1 if
// nothing is surely lost, 0 otherwise. It may win if every difference is above
// minus the margin, and the whole interval where the study wants to be sure.
func (k *keeper) standing(list []results.Constraint) int {
	level := 2
	for _, c := range list {
		i := slices.IndexFunc(k.constraints, func(x constraint) bool { return x.Category == c.Category })
		switch {
		case c.Kept == isLost:
			return 0
		case c.Kept == isOpen && (k.constraints[i].Sure || c.Delta < -c.Margin):
			level = 1
		}
	}
	return level
}

// references are the trials that the constraints refer to, each once.
func (k *keeper) references() []int {
	if k == nil {
		return nil
	}
	var list []int
	for _, c := range k.constraints {
		if trial, ok := k.trial[c.Category]; ok && !slices.Contains(list, trial) {
			list = append(list, trial)
		}
	}
	return list
}

// readKeep reads the constraints of a ledger and what each trial loses by them.
func (b *reporter) readKeep() error {
	var list []constraint
	for _, s := range b.study.Settings {
		if s.Name != keepSetting {
			continue
		}
		if err := json.Unmarshal([]byte(s.Value), &list); err != nil {
			return fmt.Errorf("ledger %s: setting %s: %w", b.dir, s.Name, err)
		}
	}
	if len(list) == 0 {
		return nil
	}
	var err error
	if b.keeper, err = newKeeper(list, b.parents, b.trials, b.outcomes); err != nil {
		return err
	}
	b.penalties = map[int]float64{}
	for _, t := range b.trials {
		if t.State != results.Complete {
			continue
		}
		o, err := b.outcomes(t.Number, results.Search)
		if err != nil {
			return err
		}
		b.penalties[t.Number] = b.keeper.penalty(o)
	}
	return nil
}

// addConstraints says on the test items whether the winner keeps what it must.
func (b *reporter) addConstraints(r *results.Report) error {
	if b.keeper == nil || b.winner == nil {
		return nil
	}
	winner, err := b.outcomes(b.winner.Trial, results.Test)
	if err != nil || len(winner) == 0 {
		return err
	}
	r.Constraints, err = b.keeper.judge(winner, func(trial int) ([]eval.Outcome, error) { return b.outcomes(trial, results.Test) })
	for i := range r.Constraints {
		c := &r.Constraints[i]
		c.Parent = b.byNumber[c.Trial].Label
	}
	return err
}
