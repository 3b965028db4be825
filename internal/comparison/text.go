package comparison

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"soup/results"
	"soup/results/table"
)

// WriteJSON prints everything.
func (c *Comparison) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(c)
}

// WriteText prints tables, as wide as w is: strategies over all studies,
// strategies at equal cost, studies with several seeds, the studies, and their
// winners in pairs. Scores are points.
func (c *Comparison) WriteText(w io.Writer) error {
	return c.write(w, &table.Page{Columns: table.Columns(w)})
}

// WriteMarkdown prints the same as GitHub's Markdown.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	return c.write(w, &table.Page{Markdown: true})
}

func (c *Comparison) write(w io.Writer, p *table.Page) error {
	for _, part := range []func(*table.Page){c.writeStrategies, c.writePaces, c.writeSeeds, c.writeStudies, c.writePairs, c.writeLegend} {
		part(p)
	}
	_, err := p.WriteTo(w)
	return err
}

func (c *Comparison) writeStrategies(p *table.Page) {
	p.Heading("Strategies")
	g := table.Grid{
		Header: []string{"strategy", "studies", "tried", "mean rank", "test", "quartiles", "gain", "single +~-", "others +~-"},
		Spare:  []int{2, 5},
	}
	for _, s := range c.Strategies {
		rank, gain := "-", "-"
		if s.MeanRank != nil {
			rank = fmt.Sprintf("%.1f", *s.MeanRank)
		}
		if s.Gain != nil {
			gain = fmt.Sprintf("%+.1f", 100**s.Gain)
		}
		g.Add(title(s.Name), fmt.Sprint(s.Studies), fmt.Sprintf("%.0f", s.Tried), rank, points(s.Test), s.Quartiles.between("%.1f", s.Studies), gain,
			tally(s.Better, s.Noise, s.Worse), tally(s.Wins, s.Ties, s.Losses))
	}
	p.Table(g)
}

func tally(wins, ties, losses int) string { return fmt.Sprintf("%d/%d/%d", wins, ties, losses) }

// between is the range of the middle half, in points; two numbers have none.
func (q *Quartiles) between(format string, of int) string {
	if q == nil || of < 3 {
		return "-"
	}
	return fmt.Sprintf("["+format+", "+format+"]", 100*q.Low, 100*q.High)
}

// writePaces sets the best score so far at equal cost beside each other: the same
// items, and the same seconds.
func (c *Comparison) writePaces(p *table.Page) {
	if len(c.Paces) == 0 {
		return
	}
	header := []string{"search within"}
	for _, n := range c.Budgets.Items {
		header = append(header, fmt.Sprintf("%.0f items", n))
	}
	for _, s := range c.Budgets.Seconds {
		header = append(header, fmt.Sprintf("%.*f s", max(0, min(1, int(10/max(s, 0.1)))), s))
	}
	g := table.Grid{Header: header, Spare: []int{1, 4, 1}}
	for _, x := range c.Paces {
		row := []string{title(x.Strategy)}
		for _, best := range append(x.Items[:len(x.Items):len(x.Items)], x.Seconds...) {
			cell := "-"
			if best != nil {
				cell = points(*best)
			}
			row = append(row, cell)
		}
		g.Add(row...)
	}
	p.Blank()
	p.Heading("Best so far at equal cost")
	p.Table(g)
}

func (c *Comparison) writeSeeds(p *table.Page) {
	if len(c.Seeds) == 0 {
		return
	}
	g := table.Grid{Header: []string{"study", "seeds", "winner's test", "quartiles", "gain", "quartiles", "candidates", "single +~-"}, Spare: []int{6}}
	for _, s := range c.Seeds {
		n := len(s.Seeds)
		test := "-"
		if s.Test != nil {
			test = points(s.Test.Median)
		}
		g.Add(s.Name, fmt.Sprint(n), test, s.Test.between("%.1f", n), fmt.Sprintf("%+.1f", 100*s.Gain.Median), s.Gain.between("%+.1f", n),
			fmt.Sprintf("%.0f", s.Candidates.Median), tally(s.Better, s.Noise, s.Worse))
	}
	p.Blank()
	p.Heading("Seeds")
	p.Table(g)
}

func (c *Comparison) writeStudies(p *table.Page) {
	g := table.Grid{
		Header: []string{"study", "seed", "tried", "items", "winner", "test", "against best single"},
		Spare:  []int{3, 4}, LastText: true,
	}
	for _, s := range c.Studies {
		against := "-"
		if s.AgainstBestSingle != nil {
			against = s.AgainstBestSingle.String()
		}
		g.Add(s.Dir, fmt.Sprint(s.Seed), fmt.Sprint(s.Candidates), fmt.Sprint(s.Items), table.Clip(s.Winner, 24), s.Test.String(), against)
	}
	p.Blank()
	p.Heading("Studies")
	p.Table(g)
}

func (c *Comparison) writePairs(p *table.Page) {
	p.Blank()
	if len(c.Pairs) == 0 {
		p.Paragraph("no two studies have the same test items: their winners cannot be paired")
		return
	}
	g := table.Grid{Header: []string{"winner of, against that of", "delta", "95 % interval", "p", "n", "verdict"}, LastText: true}
	for _, x := range c.Pairs {
		g.Add(x.Of+", "+x.Against, fmt.Sprintf("%+.1f", 100*x.Delta), fmt.Sprintf("[%+.1f, %+.1f]", 100*x.Low, 100*x.High), results.Probability(x.P), fmt.Sprint(x.N), x.Verdict)
	}
	p.Heading("Winners in pairs")
	p.Table(g)
}

func (c *Comparison) writeLegend(p *table.Page) {
	p.Blank()
	p.Item("points: 100 x the mean over categories, on test; mean over studies, with the quartiles of three or more; gain: less each study's best single checkpoint")
	p.Item("+~-: studies in which it is better, cannot be told apart, is worse, by the paired test on the same items: against the best single checkpoint, and against every other strategy")
	if len(c.Paces) > 0 {
		p.Item("equal cost: the median over studies of the best search score so far; each strategy pays for all its candidates, also those that another had tried before")
	}
	for _, s := range c.Seeds {
		p.Item(fmt.Sprintf("seeds of %s: %s; medians", s.Name, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(s.Seeds)), ", "), "[]")))
	}
}
