package study

import (
	"cmp"
	"fmt"
	"time"

	"soup/internal/usage"
	"soup/results"
	"soup/search"
)

// plan is how much a study is going to ask, before it does.
type plan struct {
	baselines span // candidates of the baselines, the base and the probe
	all       span // of all strategies
	search    int  // items of a complete candidate
	first     int  // items of one that is stopped at the first look
	finalists int  // that are scored on selection, at most
	tested    int  // that are scored on test, at most
	limit     int  // of search items; 0 for none
}

// span is from what is certain to what is possible.
type span struct{ least, most int }

func (a span) String() string {
	if a.least == a.most {
		return grouped(a.least)
	}
	return grouped(a.least) + " to " + grouped(a.most)
}

// planStudy counts candidates: those that the strategies are certain to ask, each
// once, and those that their options allow.
func (s *session) planStudy() (plan, error) {
	p := plan{search: len(s.set.Search), first: len(s.set.Search)}
	keys := map[string]bool{}
	if s.pantry.base != "" {
		p.baselines, p.all = span{1, 1}, span{1, 1}
	}
	specs := s.strategies()
	for _, spec := range specs {
		strategy, err := s.newStrategy(spec)
		if err != nil {
			return p, usage.Errorf("%s: strategies: %s", s.config.File, err)
		}
		certain, fresh := planned(strategy), 0
		for _, point := range strategy.Ask(certain) {
			c, err := s.soup(spec.Name, point)
			if err != nil {
				return p, err
			}
			if !keys[c.key] {
				keys[c.key] = true
				fresh++
			}
		}
		more := span{fresh, fresh + s.atMost(spec, certain) - certain}
		p.all.least, p.all.most = p.all.least+more.least, p.all.most+more.most
		if s.config.always(spec.Name) {
			p.baselines = p.all
		}
		if spec.Name == planeStrategy {
			p.tested += certain
		}
	}
	s.config.Budget.cut(&p)
	if r := s.config.Racing; r != nil {
		p.first = min(r.First, p.search)
	}
	p.finalists = min(p.all.most, s.config.Finalists+len(specs))
	p.tested = min(p.all.most, p.tested+len(specs)+len(s.space.Parents)+1)
	return p, nil
}

// cut takes off what a budget does not allow. Only its trials are known to be
// candidates: any other bound may end the search as soon as the baselines are
// scored.
func (b Budget) cut(p *plan) {
	if b.Trials > 0 {
		p.all.least, p.all.most = max(p.baselines.least, min(p.all.least, b.Trials)), max(p.baselines.most, min(p.all.most, b.Trials))
	}
	if b.Items > 0 || b.Tokens > 0 || b.Time > 0 || b.Cost > 0 {
		p.all.least = p.baselines.least
	}
	p.limit = b.Items
}

// atMost is how many points a strategy may ask. One that asks all of its points at
// once has asked the certain ones.
func (s *session) atMost(spec StrategySpec, certain int) int {
	switch spec.Name {
	case "greedy":
		return certain + len(s.space.Parents) - 1
	case "uniform-selected":
		return certain + 1
	case "single", "uniform", "random", "sobol", "grid", "subsets", midpointProbe, windowStrategy, planeStrategy:
		return certain
	}
	for _, p := range search.Parameters(spec.Name) {
		if p.Name != "budget" {
			continue
		}
		switch given := spec.Options["budget"].(type) {
		case int:
			return max(certain, given)
		case uint64:
			return max(certain, int(given))
		case float64:
			return max(certain, int(given))
		}
		return max(certain, int(p.Default))
	}
	return certain
}

// items are the search items of the candidates, of which baselines are asked all.
func (p plan) items() span {
	raced := max(0, p.all.least-p.baselines.least)
	all := span{min(p.all.least, p.baselines.least)*p.search + raced*p.first, p.all.most * p.search}
	if p.limit > 0 { // it is reached by a candidate that is scored to its end
		all.most = min(all.most, max(p.baselines.most*p.search, p.limit+p.search))
	}
	return all
}

// rates are what candidates have taken so far.
type rates struct {
	swap float64 // seconds a candidate of merging and swapping
	item float64 // seconds an item
}

// measured are the rates of the trials in the ledger, and whether there are any.
func (s *session) measured(trials []results.Trial) (r rates, ok bool) {
	n, items := 0, 0
	for _, t := range trials {
		answered := s.answered[t.Number]
		if t.State != results.Complete && t.State != results.Pruned || t.Eval == 0 || answered == 0 {
			continue
		}
		n++
		items += answered
		r.swap += t.Merge + t.Swap
		r.item += t.Eval
	}
	if n == 0 {
		return r, false
	}
	return rates{r.swap / float64(n), r.item / float64(items)}, true
}

// time is what candidates with so many items take.
func (r rates) time(candidates, items int) time.Duration {
	return time.Duration((r.swap*float64(candidates) + r.item*float64(items)) * float64(time.Second))
}

// announce says before work starts what is going to be asked, and by what this
// study has measured before, how long that takes.
func (s *session) announce() error {
	p, err := s.planStudy()
	if err != nil {
		return err
	}
	s.tell("%s candidates, %s of them baselines, are %s search items%s; then at most %s candidates on %s selection items and %s on %s test items",
		p.all, p.baselines, p.items(), s.bounds(), grouped(p.finalists), grouped(len(s.set.Selection)), grouped(p.tested), grouped(len(s.set.Test)))
	s.checkBudget(p)
	for _, t := range s.past {
		if s.answered[t.Number], err = s.ledger.AnsweredBy(t.Number, results.Search); err != nil {
			return err
		}
	}
	r, ok := s.measured(s.past)
	s.unmeasured = !ok
	if !ok {
		s.tell("how long that takes is not known before the first candidate is scored")
		return nil
	}
	s.expect(r)
	left, used := p, s.spentBefore()
	left.all = span{max(0, p.all.least-used.trials), max(0, p.all.most-used.trials)}
	left.baselines = span{max(0, p.baselines.least-used.trials), max(0, p.baselines.most-used.trials)}
	s.tell("%s candidates are scored already, %s; by their rates %s", grouped(used.trials), money(s.config.Budget, used.seconds), s.forecast(left, r))
	return nil
}

// bounds names the budget in the plan.
func (s *session) bounds() string {
	if b := s.config.Budget.String(); b != "" {
		return " (budget: " + b + ")"
	}
	return ""
}

// checkBudget says that a budget is too small for the baselines.
func (s *session) checkBudget(p plan) {
	b, least := s.config.Budget, p.baselines.least
	if b.Trials > 0 && b.Trials < least {
		s.warn(fmt.Sprintf("budget: %s trials are fewer than the %s of the baselines, which run anyway; nothing else will", grouped(b.Trials), p.baselines))
	}
	if items := least * p.search; b.Items > 0 && b.Items < items {
		s.warn(fmt.Sprintf("budget: %s items are fewer than the %s of the baselines, which run anyway; nothing else will", grouped(b.Items), grouped(items)))
	}
}

// announceFirst says how long the study takes as soon as a candidate was scored.
func (s *session) announceFirst(t results.Trial) {
	if !s.unmeasured {
		return
	}
	r, ok := s.measured([]results.Trial{t})
	if !ok {
		return
	}
	s.unmeasured = false
	p, err := s.planStudy()
	if err != nil {
		return // it was planned before
	}
	if b := s.config.Budget; b.Tokens > 0 && len(s.tokens) == 0 {
		s.warn("budget: tokens: the server counted none for the first candidate; if it counts none at all, this bound has no effect")
	}
	s.tell("the first candidate took %s, %.0f items a second; by that %s", rounded(r.time(1, s.answered[t.Number])), 1/r.item, s.forecast(p, r))
	b, least := s.config.Budget, r.time(p.baselines.least, p.baselines.least*p.search)
	if limit := cmp.Or(b.Time, b.hours()); limit > 0 && limit < least {
		s.warn(fmt.Sprintf("budget: the baselines take about %s, more than %s; they run anyway", rounded(least), rounded(limit)))
	}
}

// forecast is what a plan takes by rates. Bounds of the budget cut the search short.
func (s *session) forecast(p plan, r rates) string {
	items := p.items()
	low, high := r.time(p.all.least, items.least), r.time(p.all.most, items.most)
	for _, limit := range []time.Duration{s.config.Budget.Time, s.config.Budget.hours()} {
		if limit > 0 {
			floor := r.time(p.baselines.least, p.baselines.least*p.search)
			low, high = max(floor, min(low, limit)), max(floor, min(high, limit))
		}
	}
	rest := r.time(p.finalists+p.tested, p.finalists*len(s.set.Selection)+p.tested*len(s.set.Test))
	text := fmt.Sprintf("the search takes %s to %s, selection and test at most %s more", rounded(low), rounded(high), rounded(rest))
	if rate := s.config.Budget.Rate; rate > 0 {
		text += fmt.Sprintf("; cost %.2f to %.2f", low.Hours()*rate, (high+rest).Hours()*rate)
	}
	return text
}

// money is time with its cost.
func money(b Budget, seconds float64) string {
	text := rounded(time.Duration(seconds * float64(time.Second)))
	if b.Rate > 0 {
		text += fmt.Sprintf(" and a cost of %.2f", seconds/3600*b.Rate)
	}
	return text
}

// spentBefore is what the sessions before this one took.
func (s *session) spentBefore() consumption {
	before := session{trials: s.past, answered: s.answered, tokens: s.tokens}
	return before.consumed()
}

// expect tells the progress how long a candidate takes.
func (s *session) expect(r rates) { s.progress.Each(r.time(1, len(s.set.Search))) }

func (s *session) tell(format string, args ...any) {
	fmt.Fprintf(s.info, "soup: plan: "+format+"\n", args...)
}

// rounded is a duration as people say it.
func rounded(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Minute).String()
}

// grouped is a number with a comma every three digits.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
