package page

import (
	"fmt"
	"slices"
	"strings"

	"soup/results"
)

// view is what stands in the page without its script: what can be printed.
type view struct {
	Title      string
	Facts      []string
	Verdict    verdict
	Weights    []weightTable
	Strategies []strategyRow
	Categories []categoryRow
	Columns    []string // of Categories, before the comparison
	Kept       []keptRow
	Solved     []solvedRow
	SolvedAll  string
	Specialist []differenceRow
	Choice     choice
	Stages     []results.Stage
	Notes      []string
	Findings   []results.Finding
	Warnings   []string
	Optimism   string
	Without    string
}

// verdict is the study's answer.
type verdict struct {
	Class    string // better, worse, noise or none
	Sentence string
	Detail   string // delta, interval, p, n
	Losses   string // categories that the winner is worse in
	Scale    *scale
}

// scale draws an interval on a line of 100 units.
type scale struct{ Zero, Low, Width, Delta float64 }

type weightTable struct {
	Group string
	Rows  []weightRow
}

type weightRow struct {
	Parent, Weight string
	Percent        float64 // of the longest bar
	Negative       bool
}

type strategyRow struct {
	Winner                  bool
	Name                    string
	Tried                   int
	Search, Selection, Test string
	differenceRow
}

// choice is how sure it is that the winner is best.
type choice struct {
	Gain  string
	Rows  []differenceRow
	Lines []string
}

// differenceRow is a paired difference.
type differenceRow struct{ What, Delta, Interval, P, N, Verdict, Class string }

type categoryRow struct {
	Name  string
	Means []string
	differenceRow
}

type keptRow struct {
	Category, Parent, Margin, State string
	differenceRow
}

type solvedRow struct{ Parent, Solves, Kept, Fails, Gained string }

func newView(s Study) view {
	r := s.Report
	v := view{Title: r.Study, Verdict: newVerdict(r), Without: s.Without, Stages: r.Stages(), Findings: r.Findings, Warnings: r.Warnings}
	v.Facts = []string{
		count(r.Candidates, "candidate") + " of " + count(len(r.Parents), "parent"), count(r.ItemsAnswered, "item") + " answered",
		results.Duration(r.Seconds), fmt.Sprintf("seed %d", r.Seed),
	}
	if r.ServerIdle != nil {
		v.Facts = append(v.Facts, fmt.Sprintf("server idle %.0f %%", 100**r.ServerIdle))
	}
	if r.Winner != nil {
		v.Weights = weightTables(r.Winner.Weights, r.Parents)
	}
	v.addTables(r)
	if r.Optimism != nil {
		v.Optimism = results.Points(*r.Optimism)
	}
	for _, n := range r.Notes {
		for _, line := range n.Lines {
			if line = n.Strategy + ": " + line; !slices.Contains(v.Notes, line) {
				v.Notes = append(v.Notes, line)
			}
		}
	}
	return v
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%s %ss", grouped(n), noun)
}

// grouped writes 63,900.
func grouped(n int) string {
	digits := fmt.Sprint(n)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// against is the comparison of the winner with a baseline on test, nil if there is none.
func against(r results.Report, baseline string) *results.Comparison {
	at := slices.IndexFunc(r.Comparisons, func(c results.Comparison) bool {
		return c.Of == results.OfWinner && c.Against == baseline && c.Split == results.Test
	})
	if at < 0 {
		return nil
	}
	return &r.Comparisons[at]
}

func single(r results.Report) *results.StrategyReport { return strategy(r, "single") }

func strategy(r results.Report, name string) *results.StrategyReport {
	at := slices.IndexFunc(r.Strategies, func(s results.StrategyReport) bool { return s.Strategy == name })
	if at < 0 {
		return nil
	}
	return &r.Strategies[at]
}

func newVerdict(r results.Report) verdict {
	best, c := single(r), against(r, results.OfBestSingle)
	switch {
	case r.Winner == nil:
		return verdict{Class: "none", Sentence: "The study is not finished: there is no winner yet."}
	case best != nil && best.Trial == r.Winner.Trial:
		return verdict{Class: "noise", Sentence: fmt.Sprintf("No soup is better: the best single checkpoint, %s, won.", best.Label)}
	case best == nil || c == nil:
		return verdict{Class: "none", Sentence: "The winner was not compared with the best single checkpoint."}
	}
	v := verdict{Class: class(c.Verdict), Detail: detail(c.Difference), Scale: newScale(c.Difference)}
	switch c.Verdict {
	case results.Better:
		v.Sentence = fmt.Sprintf("The soup is better than the best single checkpoint, %s, by %s points.", best.Label, results.Points(c.Delta))
	case results.Worse:
		v.Sentence = fmt.Sprintf("The soup is worse than the best single checkpoint, %s, by %s points.", best.Label, results.Points(-c.Delta))
	default:
		v.Sentence = fmt.Sprintf("No soup is better: the winner cannot be told from the best single checkpoint, %s.", best.Label)
	}
	var lost []string
	for _, x := range c.Categories {
		if x.Verdict == results.Worse {
			lost = append(lost, fmt.Sprintf("%s (%s points %s)", x.Category, results.Signed(x.Delta), x.Interval()))
		}
	}
	v.Losses = strings.Join(lost, ", ")
	return v
}

func detail(d results.Difference) string {
	return fmt.Sprintf("%s points, 95 %% interval %s, %s, n = %s items of test: %s won, %s lost, %s even", results.Signed(d.Delta),
		d.Interval(), probability(d.P), grouped(d.N), grouped(d.Wins), grouped(d.Losses), grouped(d.Ties))
}

func probability(p float64) string {
	text := results.Probability(p)
	if rest, below := strings.CutPrefix(text, "<"); below {
		return "p < " + rest
	}
	return "p = " + text
}

// newScale leaves an eighth of the line free at both ends.
func newScale(d results.Difference) *scale {
	low, high := min(d.Low, 0), max(d.High, 0)
	if high-low == 0 {
		return nil
	}
	at := func(x float64) float64 { return 12.5 + 75*(x-low)/(high-low) }
	return &scale{Zero: at(0), Low: at(d.Low), Width: max(at(d.High)-at(d.Low), .5), Delta: at(d.Delta)}
}

// class is the style of a verdict; none is measured, which is not noise.
func class(verdict string) string {
	switch verdict {
	case results.Better, results.Worse:
		return verdict
	case results.Noise:
		return "noise"
	}
	return "none"
}

func difference(what string, d results.Difference) differenceRow {
	row := differenceRow{
		What: what, Delta: results.Signed(d.Delta), Interval: d.Interval(), P: results.Probability(d.P), N: grouped(d.N),
		Verdict: d.Verdict, Class: class(d.Verdict),
	}
	if d.Verdict == results.Noise {
		row.Verdict = "~ noise"
	}
	return row
}

func weightTables(w results.Weights, parents []string) []weightTable {
	groups := w.Groups
	if len(groups) == 0 {
		groups = []results.GroupWeights{{ByParent: w.ByParent}}
	}
	longest := 1.0
	for _, g := range groups {
		for _, x := range g.ByParent {
			longest = max(longest, x, -x)
		}
	}
	var tables []weightTable
	for _, g := range groups {
		t := weightTable{Group: g.Name}
		for _, p := range parents {
			x := g.ByParent[p]
			t.Rows = append(t.Rows, weightRow{p, results.Coefficient(x), 100 * max(x, -x) / longest, x < 0})
		}
		tables = append(tables, t)
	}
	return tables
}

func (v *view) addTables(r results.Report) {
	for _, s := range r.Strategies {
		row := strategyRow{
			Winner: r.Winner != nil && r.Winner.Trial == s.Trial, Name: s.Strategy, Tried: s.Candidates,
			Search: s.Scores.Search.String(), Selection: s.Scores.Selection.String(), Test: s.Scores.Test.String(),
		}
		if s.Strategy == "single" {
			row.Name = "best single: " + s.Label
		}
		if s.AgainstBestSingle != nil {
			row.differenceRow = difference("", s.AgainstBestSingle.Difference)
		}
		v.Strategies = append(v.Strategies, row)
	}
	v.addCategories(r)
	for _, c := range r.Constraints {
		v.Kept = append(v.Kept, keptRow{c.Category, c.Parent, results.Points(c.Margin), c.Kept, difference(c.Category, c.Difference)})
	}
	v.addInheritance(r)
	v.addChoice(r)
}

func (v *view) addChoice(r results.Report) {
	if r.Choice != nil {
		v.Choice.Lines = r.Choice.Lines()
		if g := r.Choice.Gain; g != nil {
			v.Choice.Gain = g.Title()
			for _, e := range g.Estimates() {
				v.Choice.Rows = append(v.Choice.Rows, differenceRow{What: e.Name, Delta: results.Signed(e.Delta), Interval: e.Interval()})
			}
		}
	}
	if r.Exchanges != nil {
		v.Choice.Lines = append(v.Choice.Lines, r.Exchanges.Line())
	}
}

// addCategories sets the winner beside the baselines in every category.
func (v *view) addCategories(r results.Report) {
	c := against(r, results.OfBestSingle)
	if c == nil || r.Winner == nil {
		return
	}
	trials := []int{r.Winner.Trial}
	v.Columns = []string{"winner"}
	for _, b := range []struct{ strategy, name string }{{"single", "best single"}, {"uniform", "uniform"}, {"base", "base"}} {
		if s := strategy(r, b.strategy); s != nil {
			trials, v.Columns = append(trials, s.Trial), append(v.Columns, b.name)
		}
	}
	for _, x := range c.Categories {
		row := categoryRow{Name: x.Category, differenceRow: difference(x.Category, x.Difference)}
		for _, number := range trials {
			row.Means = append(row.Means, categoryMean(r, number, x.Category))
		}
		v.Categories = append(v.Categories, row)
	}
}

func categoryMean(r results.Report, trial int, category string) string {
	at := slices.IndexFunc(r.Trials, func(t results.TrialReport) bool { return t.Number == trial })
	if at < 0 || r.Trials[at].Scores.Test == nil {
		return results.CategoryScore{}.String()
	}
	return r.Trials[at].Scores.Test.Categories[category].String()
}

func (v *view) addInheritance(r results.Report) {
	in := r.Inheritance
	if in == nil {
		return
	}
	for _, s := range in.Specialists {
		v.Specialist = append(v.Specialist, difference(s.Category+", "+s.Parent, s.Difference))
	}
	part := func(of, all int) string {
		if all == 0 {
			return "-"
		}
		return fmt.Sprintf("%s (%.1f %%)", grouped(of), 100*float64(of)/float64(all))
	}
	for _, k := range in.Parents {
		v.Solved = append(v.Solved, solvedRow{k.Parent, grouped(k.Solves), part(k.Kept, k.Solves), grouped(k.Fails), part(k.Gained, k.Fails)})
	}
	v.SolvedAll = fmt.Sprintf("The winner solves %s of the %s that all parents fail, and %s of the %s that exactly one fails.",
		grouped(in.AllFailSolved), count(in.AllFail, "item"), grouped(in.OneFailsSolved), count(in.OneFails, "item"))
}
