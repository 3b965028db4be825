package results

import (
	"fmt"
	"strings"

	"soup/results/table"
)

// writeStrategies prints one row a strategy: what it tried, what that cost, and
// the scores of its best candidate. How that compares with the best single
// checkpoint stands beside it where the page is wide, and below it elsewhere.
func writeStrategies(p *table.Page, r Report) {
	p.Blank()
	if len(r.Strategies) == 0 {
		p.Paragraph("no candidate has been scored yet")
		return
	}
	header := []string{"  strategy", "tried", "items", "time", "search ¹", "selection ²", "test ³"}
	narrow := table.Grid{Header: header}
	wide := table.Grid{Header: append(header[:len(header):len(header)], "test against best single"), LastText: true}
	for _, s := range r.Strategies {
		items, time := r.spent(s.Strategy)
		row := []string{
			r.mark(s) + s.title(), fmt.Sprint(s.Candidates), items, time,
			s.Scores.Search.String(), s.Scores.Selection.String(), s.Scores.Test.String(),
		}
		narrow.Add(row...)
		wide.Add(append(row[:len(row):len(row)], s.against())...)
	}
	if p.Fits(wide) {
		p.Table(wide)
		return
	}
	p.Table(narrow)
	writeAgainst(p, r)
}

// against is the comparison with the best single checkpoint, the deltas below
// each other.
func (s StrategyReport) against() string {
	if s.AgainstBestSingle == nil {
		return none
	}
	text := s.AgainstBestSingle.String()
	return fmt.Sprintf("%s%s n=%d", strings.Repeat(" ", max(0, len("+00.0")-strings.Index(text, " "))), text, s.AgainstBestSingle.N)
}

// writeAgainst prints the comparisons as a table of their own.
func writeAgainst(p *table.Page, r Report) {
	g := table.Grid{Header: []string{"  on test against best single", "delta", "95 % interval", "p", "n", "verdict"}, LastText: true}
	for _, s := range r.Strategies {
		if c := s.AgainstBestSingle; c != nil {
			g.Add(r.mark(s)+s.title(), signed(c.Delta), c.interval(), Probability(c.P), fmt.Sprint(c.N), c.Verdict)
		}
	}
	if len(g.Rows) > 0 {
		p.Blank()
		p.Table(g)
	}
}

// spent is what a strategy's own trials cost on search: items and time. Those
// that it shares with an earlier strategy cost nothing more.
func (r Report) spent(strategy string) (items, time string) {
	var cost Seconds
	n, found := 0, false
	for _, t := range r.Trials {
		if t.Strategy == strategy && t.State != Cached {
			cost.Add(t.Seconds)
			n += t.Answered
			found = true
		}
	}
	if !found {
		return none, none
	}
	return fmt.Sprint(n), duration(cost.Total())
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

// legend explains the table of strategies, each split with its n.
func (r Report) legend() []string {
	if len(r.Strategies) == 0 {
		return nil
	}
	lines := []string{"points: 100 × the mean over categories ± standard error; ~ may be noise; [95 % interval], paired"}
	if r.Winner != nil {
		lines = append(lines, "* the winner")
	}
	if r.baselines() {
		lines = append(lines, "< below the winner, > above it, ~ may be noise: paired, with the same items")
	}
	return append(lines,
		"items, time: spent on search by the strategy's own candidates; what an earlier one had tried costs nothing more",
		r.searchNote(),
		"² "+r.itemsOn(func(s Scores) *Score { return s.Selection })+"chose the winner among the best on search",
		"³ "+r.itemsOn(func(s Scores) *Score { return s.Test })+"asked once, at the end: chose nothing")
}

// itemsOn says how many items the strategies' scores on a split rest on.
func (r Report) itemsOn(of func(Scores) *Score) string {
	least, most := 0, 0
	for _, s := range r.Strategies {
		if score := of(s.Scores); score != nil {
			if least == 0 || score.N < least {
				least = score.N
			}
			most = max(most, score.N)
		}
	}
	switch {
	case most == 0:
		return ""
	case least == most:
		return fmt.Sprintf("n = %d; ", most)
	}
	return fmt.Sprintf("n = %d to %d; ", least, most)
}

func (r Report) searchNote() string {
	note := fmt.Sprintf("¹ %schose the candidates: the best of %d", r.itemsOn(func(s Scores) *Score { return s.Search }), r.Candidates)
	if r.Optimism == nil {
		return note + " looks better here than it is"
	}
	return note + fmt.Sprintf(" is expected to look %s points better here than it is", points(*r.Optimism))
}
