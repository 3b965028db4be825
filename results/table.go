package results

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"soup/results/table"
)

// WriteText prints the report for people, 100 columns wide: the study,
// a table of strategies, the winner's weights, its comparisons on test, each
// category, what it kept of its parents, findings, and footnotes. Scores are points: 100 times the mean. "~" stands in
// place of a difference that may be noise, "-" where nothing was measured.
// Equal reports give equal text.
func WriteText(w io.Writer, r Report) error { return WriteTextWidth(w, r, columns) }

// WriteTextWidth is WriteText for so many columns, 80 at least. What is narrow
// has tables below each other that are one table in what is wide.
func WriteTextWidth(w io.Writer, r Report, columns int) error {
	return write(w, r, &table.Page{Columns: columns})
}

// WriteMarkdown prints the same as GitHub's Markdown.
func WriteMarkdown(w io.Writer, r Report) error { return write(w, r, &table.Page{Markdown: true}) }

func write(w io.Writer, r Report, p *table.Page) error {
	for _, section := range []func(*table.Page, Report){
		writeHead, writeStrategies, writeWinner, writeCurve, writePath, writeLandscape, writeMidpoints, writeComparisons, writeChoice, writeConstraints, writeCategories, writeInheritance, writeCalibrations, writeFindings, writeFootnotes,
	} {
		section(p, r)
	}
	if _, err := p.WriteTo(w); err != nil {
		return fmt.Errorf("report of %s: %w", r.Study, err)
	}
	return nil
}

// Stage is what a report shows of one kind of study beside the search itself, as
// tables.
type Stage struct {
	ID    string // of one word
	Title string
	Parts []table.Part
}

// Stages are those that the study has data for.
func (r Report) Stages() (list []Stage) {
	for _, s := range []struct {
		id, title string
		write     func(*table.Page, Report)
	}{
		{"run", "Along the run", writeCurve},
		{"path", "Gained and kept", writePath},
		{"landscape", "Landscape", writeLandscape},
		{"midpoints", "Barriers", writeMidpoints},
		{"reliability", "Probabilities", writeCalibrations},
	} {
		p := &table.Page{Keep: true}
		if s.write(p, r); len(p.Parts()) > 0 {
			list = append(list, Stage{s.id, s.title, p.Parts()})
		}
	}
	return list
}

func writeHead(p *table.Page, r Report) {
	p.Heading("Study " + r.Study)
	p.Paragraph(fmt.Sprintf("study %s, seed %d: %s of %s, %s, %s answered in %s",
		r.Study, r.Seed, plural(r.Candidates, "candidate"), plural(len(r.Parents), "parent"),
		plural(r.Swaps, "swap"), plural(r.ItemsAnswered, "item"), duration(r.Seconds)))
}

func writeWinner(p *table.Page, r Report) {
	if r.Winner == nil {
		return
	}
	p.Blank()
	line := fmt.Sprintf("winner: trial %d, %s", r.Winner.Trial, r.Winner.Label)
	if r.Winner.Path != "" {
		line += ", exported to " + r.Winner.Path
	}
	p.Paragraph(line)
	p.Blank()
	if len(r.Winner.Groups) == 0 {
		writeBars(p, r.Parents, r.Winner.ByParent)
		return
	}
	writeGroups(p, r.Parents, r.Winner.Groups)
}

// writeBars draws one weight a parent. A full bar is 1, or the largest weight
// if that is more; a negative weight has a light bar. Parents that are left out
// are named below.
func writeBars(p *table.Page, parents []string, weights map[string]float64) {
	const full = 40
	most := largest(weights)
	g := table.Grid{Header: []string{"parent", "weight", ""}, LastText: true}
	var out []string
	for _, parent := range parents {
		if weights[parent] == 0 {
			out = append(out, parent)
			continue
		}
		g.Add(parent, coefficient(weights[parent]), bar(weights[parent], most, full))
	}
	p.Table(g)
	if len(out) > 0 {
		p.Item("weight 0: " + strings.Join(out, ", "))
	}
}

// largest is what a full bar stands for.
func largest(weights map[string]float64) float64 {
	most := 1.0
	for _, x := range weights {
		most = max(most, math.Abs(x))
	}
	return most
}

// bar is as long as a weight, at most full; light if that is negative.
func bar(x, most float64, full int) string {
	stroke := "█"
	if x < 0 {
		stroke = "░"
	}
	return strings.Repeat(stroke, int(math.Round(float64(full)*math.Abs(x)/most)))
}

// writeGroups prints one column a group, as many beside each other as fit, each
// weight with a short bar.
func writeGroups(p *table.Page, parents []string, groups []GroupWeights) {
	const name, number, full = 20, 6, 5
	beside := 5
	if !p.Markdown {
		beside = max((p.Columns-name)/(2+number+1+full), 1)
	}
	most := 1.0
	for _, x := range groups {
		most = max(most, largest(x.ByParent))
	}
	for i := 0; i < len(groups); i += beside {
		block := groups[i:min(i+beside, len(groups))]
		if i > 0 {
			p.Blank()
		}
		g := table.Grid{Header: []string{"parent"}}
		for _, x := range block {
			g.Header = append(g.Header, table.Clip(x.Name, number+1+full))
		}
		for _, parent := range parents {
			row := []string{parent}
			for _, x := range block {
				drawn := bar(x.ByParent[parent], most, full)
				row = append(row, coefficient(x.ByParent[parent])+" "+drawn+strings.Repeat(" ", full-len([]rune(drawn))))
			}
			g.Add(row...)
		}
		p.Table(g)
	}
}

func writeComparisons(p *table.Page, r Report) {
	g := table.Grid{Header: []string{"on test against", "delta", "95 % interval", "p", "n", "wins", "losses", "ties", "verdict"}, LastText: true, Spare: []int{7}}
	for _, c := range r.Comparisons {
		if c.Of == OfWinner && c.Split == Test {
			g.Add(r.opponent(c.Against), signed(c.Delta), c.interval(), Probability(c.P),
				fmt.Sprint(c.N), fmt.Sprint(c.Wins), fmt.Sprint(c.Losses), fmt.Sprint(c.Ties), c.Verdict)
		}
	}
	if len(g.Rows) == 0 {
		return
	}
	p.Blank()
	p.Paragraph(r.outcome())
	p.Blank()
	p.Table(g)
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

func writeFootnotes(p *table.Page, r Report) {
	p.Blank()
	for _, line := range slices.Concat(r.legend(), r.measured(), r.cost(), r.states()) {
		p.Item(line)
	}
	if r.Exchanges != nil {
		p.Item(r.Exchanges.Line())
	}
	said := map[string]bool{}
	for _, n := range r.Notes {
		for _, line := range n.Lines {
			if !said[line] { // two strategies may choose by the same facts
				p.Item(n.Strategy + ": " + line)
			}
			said[line] = true
		}
	}
	for _, line := range r.Warnings {
		p.Item("warning: " + line)
	}
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
