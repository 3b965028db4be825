package results

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// WriteText prints the report for people, at most 100 columns wide: the study,
// a table of strategies, the winner's weights, its comparisons on test, each
// category, what it kept of its parents, and footnotes. Scores are points: 100 times the mean. "~" stands in
// place of a difference that may be noise, "-" where nothing was measured.
// Equal reports give equal text.
func WriteText(w io.Writer, r Report) error {
	var p page
	for _, section := range []func(*page, Report){
		writeHead, writeStrategies, writeWinner, writeComparisons, writeChoice, writeConstraints, writeCategories, writeInheritance, writeFootnotes,
	} {
		section(&p, r)
	}
	if p.err != nil {
		return fmt.Errorf("report of %s: %w", r.Study, p.err)
	}
	_, err := w.Write(p.Bytes())
	return err
}

func writeHead(p *page, r Report) {
	p.paragraph(fmt.Sprintf("study %s, seed %d: %s of %s, %s, %s answered in %s",
		r.Study, r.Seed, plural(r.Candidates, "candidate"), plural(len(r.Parents), "parent"),
		plural(r.Swaps, "swap"), plural(r.ItemsAnswered, "item"), duration(r.Seconds)))
}

func writeStrategies(p *page, r Report) {
	p.blank()
	if len(r.Strategies) == 0 {
		p.paragraph("no candidate has been scored yet")
		return
	}
	g := grid{header: []string{"  strategy", "tried", "search ¹", "selection ²", "test ³", "test against best single"}, lastText: true}
	for _, s := range r.Strategies {
		against := none
		if s.AgainstBestSingle != nil {
			against = s.AgainstBestSingle.String()
			against = strings.Repeat(" ", max(0, len("+00.0")-strings.Index(against, " "))) + against
		}
		g.add(r.mark(s)+s.title(), fmt.Sprint(s.Candidates),
			s.Scores.Search.String(), s.Scores.Selection.String(), s.Scores.Test.String(), against)
	}
	p.table(g)
}

// mark points out the winner, also where several strategies found it.
func (r Report) mark(s StrategyReport) string {
	if r.Winner != nil && r.Winner.Trial == s.Trial {
		return "* "
	}
	return "  "
}

func (s StrategyReport) title() string {
	if s.Strategy == "single" {
		return "best single: " + s.Label
	}
	return s.Strategy
}

func writeWinner(p *page, r Report) {
	if r.Winner == nil {
		return
	}
	p.blank()
	line := fmt.Sprintf("winner: trial %d, %s", r.Winner.Trial, r.Winner.Label)
	if r.Winner.Path != "" {
		line += ", exported to " + r.Winner.Path
	}
	p.paragraph(line)
	p.blank()
	if len(r.Winner.Groups) == 0 {
		writeBars(p, r.Parents, r.Winner.ByParent)
		return
	}
	writeGroups(p, r.Parents, r.Winner.Groups)
}

// writeBars draws one weight a parent. A full bar is 1, or the largest weight
// if that is more; a negative weight has a light bar.
func writeBars(p *page, parents []string, weights map[string]float64) {
	const full = 40
	most := 1.0
	for _, x := range weights {
		most = max(most, math.Abs(x))
	}
	g := grid{header: []string{"parent", "weight", ""}, lastText: true}
	for _, parent := range parents {
		x, stroke := weights[parent], "█"
		if x < 0 {
			stroke = "░"
		}
		length := int(math.Round(full * math.Abs(x) / most))
		g.add(parent, coefficient(x), strings.Repeat(stroke, length))
	}
	p.table(g)
}

// writeGroups prints one column a group, as many beside each other as fit.
func writeGroups(p *page, parents []string, groups []GroupWeights) {
	const beside = 5 // columns of at most 12, which leave 30 for the names
	for i := 0; i < len(groups); i += beside {
		block := groups[i:min(i+beside, len(groups))]
		if i > 0 {
			p.blank()
		}
		g := grid{header: []string{"parent"}}
		for _, x := range block {
			g.header = append(g.header, clip(x.Name, 12))
		}
		for _, parent := range parents {
			row := []string{parent}
			for _, x := range block {
				row = append(row, coefficient(x.ByParent[parent]))
			}
			g.add(row...)
		}
		p.table(g)
	}
}

func writeComparisons(p *page, r Report) {
	g := grid{header: []string{"winner on test against", "delta", "95 % interval", "p", "n", "wins", "losses", "ties", "verdict"}, lastText: true}
	for _, c := range r.Comparisons {
		if c.Of == OfWinner && c.Split == Test {
			g.add(r.opponent(c.Against), signed(c.Delta), c.interval(), probability(c.P),
				fmt.Sprint(c.N), fmt.Sprint(c.Wins), fmt.Sprint(c.Losses), fmt.Sprint(c.Ties), c.Verdict)
		}
	}
	if len(g.rows) == 0 {
		return
	}
	p.blank()
	p.paragraph(r.outcome())
	p.blank()
	p.table(g)
}

func (r Report) opponent(against string) string {
	if single := r.single(); against == OfBestSingle && single != nil {
		return single.title()
	}
	return against
}

// outcome is the study's answer in one sentence.
func (r Report) outcome() string {
	c, single := r.test(), r.single()
	switch {
	case r.Winner != nil && single != nil && r.Winner.Trial == single.Trial:
		return fmt.Sprintf("the best single checkpoint, %s, won: no soup was chosen", single.Label)
	case c == nil || single == nil || r.Winner == nil:
		return "the winner was not compared with the best single checkpoint"
	case c.Verdict == Better:
		return fmt.Sprintf("the winner is better than the best single checkpoint, %s, by %s points on test", single.Label, points(c.Delta))
	case c.Verdict == Worse:
		return fmt.Sprintf("the winner is worse than the best single checkpoint, %s, by %s points on test", single.Label, points(-c.Delta))
	}
	return fmt.Sprintf("on test the winner cannot be told from the best single checkpoint, %s", single.Label)
}

// test returns the comparison that the study is about, nil if not made.
func (r Report) test() *Comparison {
	i := slices.IndexFunc(r.Comparisons, func(c Comparison) bool {
		return c.Of == OfWinner && c.Against == OfBestSingle && c.Split == Test
	})
	if i < 0 {
		return nil
	}
	return &r.Comparisons[i]
}

func writeCategories(p *page, r Report) {
	c, single := r.test(), r.single()
	if c == nil || single == nil || r.Winner == nil || len(c.Categories) == 0 {
		return
	}
	winner := r.categories(r.Winner.Trial)
	before := r.categories(single.Trial)
	g := grid{header: []string{"category on test", "winner", "best single", "delta", "95 % interval", "p", "n", "verdict"}, lastText: true}
	for _, x := range c.Categories {
		g.add(x.Category, winner[x.Category].String(), before[x.Category].String(),
			signed(x.Delta), x.interval(), probability(x.P), fmt.Sprint(x.N), x.Verdict)
	}
	p.blank()
	p.table(g)
}

// categories returns a trial's scores on test by category.
func (r Report) categories(trial int) map[string]CategoryScore {
	if t := r.trial(trial); t != nil && t.Scores.Test != nil {
		return t.Scores.Test.Categories
	}
	return nil
}

func writeFootnotes(p *page, r Report) {
	p.blank()
	for _, line := range slices.Concat(r.legend(), r.measured(), r.cost(), r.states()) {
		p.paragraph(line)
	}
	if r.Exchanges != nil {
		p.paragraph(r.Exchanges.line())
	}
	said := map[string]bool{}
	for _, n := range r.Notes {
		for _, line := range n.Lines {
			if !said[line] { // two strategies may choose by the same facts
				p.paragraph(n.Strategy + ": " + line)
			}
			said[line] = true
		}
	}
	for _, line := range r.Warnings {
		p.paragraph("warning: " + line)
	}
}

// legend explains the table of strategies.
func (r Report) legend() []string {
	if len(r.Strategies) == 0 {
		return nil
	}
	lines := []string{"points: 100 × the mean over categories ± standard error; ~ may be noise; [95 % interval], paired"}
	if r.Winner != nil {
		lines = append(lines, "* the winner")
	}
	return append(lines, r.searchNote(), "² chose the winner among the best on search", "³ asked once, at the end: chose nothing")
}

func (r Report) searchNote() string {
	note := fmt.Sprintf("¹ chose the candidates: the best of %d", r.Candidates)
	if r.Optimism == nil {
		return note + " looks better here than it is"
	}
	return note + fmt.Sprintf(" is expected to look %s points better here than it is", points(*r.Optimism))
}

// measured says what share of the items has no score or a cut-off answer, in
// all and for each row of the table.
func (r Report) measured() []string {
	var all Counts
	for _, t := range r.Trials {
		if t.State != Cached {
			all.add(t.Scores.counts())
		}
		if t.Partial != nil {
			all.add(t.Partial.Counts)
		}
	}
	if all == (Counts{}) {
		return nil
	}
	lost := fmt.Sprintf("not measured: %d of %s (%d failed, %d timed out, %d missing)",
		all.unmeasured(), plural(all.N+all.unmeasured(), "item"), all.Failed, all.Timeout, all.Missing)
	cut := fmt.Sprintf("truncated: %d of %s", all.Truncated, plural(all.N, "answer"))
	for _, s := range r.Strategies {
		c := s.Scores.counts()
		if c.unmeasured() > 0 {
			lost += fmt.Sprintf("; %s %s", s.title(), share(c.unmeasured(), c.N+c.unmeasured()))
		}
		if c.Truncated > 0 {
			cut += fmt.Sprintf("; %s %s", s.title(), share(c.Truncated, c.N))
		}
	}
	return []string{lost, cut}
}

func (s Scores) counts() (c Counts) {
	for _, score := range []*Score{s.Search, s.Selection, s.Test} {
		if score != nil {
			c.add(score.Counts)
		}
	}
	return c
}

func (c *Counts) add(d Counts) {
	c.N += d.N
	c.Failed += d.Failed
	c.Timeout += d.Timeout
	c.Missing += d.Missing
	c.Truncated += d.Truncated
}

func (c Counts) unmeasured() int { return c.Failed + c.Timeout + c.Missing }

// cost says where the time went.
func (r Report) cost() []string {
	if r.Cost == (Seconds{}) {
		return nil
	}
	line := fmt.Sprintf("cost: %s merging, %s swapping, %s evaluating (of it %s until the first answers came)",
		duration(r.Cost.Merge), duration(r.Cost.Swap), duration(r.Cost.Eval), duration(r.Cost.FirstToken))
	if r.ServerIdle != nil {
		line += fmt.Sprintf("; the server idled %.0f %% of the time", 100**r.ServerIdle)
	}
	return []string{line}
}

// failure says how a trial failed.
func (t TrialReport) failure() string {
	kind := ""
	if t.Failure != "" {
		kind = " (" + t.Failure + ")"
	}
	return fmt.Sprintf("trial %d (%s) failed%s: %s", t.Number, t.Label, kind, cmp.Or(t.Reason, "no reason recorded"))
}

// stopped says after how many items trials were pruned.
func (r Report) stopped() string {
	at := map[int]int{}
	of := 0
	for _, t := range r.Trials {
		if t.Partial != nil {
			at[t.Partial.N+t.Partial.unmeasured()]++
			of = max(of, t.Partial.Of)
		}
	}
	var parts []string
	for _, items := range slices.Sorted(maps.Keys(at)) {
		parts = append(parts, fmt.Sprintf("%d after %d", at[items], items))
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s of %d items)", strings.Join(parts, ", "), of)
}

// states counts the trials by state and names the failed ones.
func (r Report) states() []string {
	counts := map[string]int{}
	var lines []string
	for _, t := range r.Trials {
		counts[t.State]++
		if t.State == Failed {
			lines = append(lines, t.failure())
		}
	}
	if len(counts) == 0 {
		return nil
	}
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		part := fmt.Sprintf("%d %s", counts[state], state)
		if state == Pruned {
			part += r.stopped()
		}
		parts = append(parts, part)
	}
	return append([]string{"trials: " + strings.Join(parts, ", ")}, lines...)
}
