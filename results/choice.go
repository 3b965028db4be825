package results

import (
	"fmt"
	"strings"

	"soup/results/table"
)

// Choice says how sure the choice of the winner is, by the selection items: the
// chosen soup against the best parent, and the finalists against each other.
type Choice struct {
	N         int        `json:"n"`         // items that all finalists were scored on
	Halvings  int        `json:"halvings"`  // of these items; 0 if they are too few
	Finalists []Finalist `json:"finalists"` // that could win, the likeliest to be best first
	Gain      *Gain      `json:"gain"`      // nil without a soup or a parent among the finalists
	Plateau   *Plateau   `json:"plateau"`   // nil where weights matter
}

// Finalist is a candidate that could win.
type Finalist struct {
	Trial int     `json:"trial"`
	Label string  `json:"label"`
	Score float64 `json:"score"` // on the N items
	Best  float64 `json:"best"`  // share of the halves in which it scores highest: how sure it is to be best
}

// Gain is that of a soup over a parent on the selection items, seen three ways.
type Gain struct {
	Soup   int `json:"soup"`   // trial
	Parent int `json:"parent"` // trial
	// Observed is the paired difference on all items. It is too good by what
	// choosing on the same items adds.
	Observed Difference `json:"observed"`
	// Repeated is the mean difference on one half of the items between the soup and
	// the parent that the other half chose; nil if the items are too few for halves.
	Repeated *Estimate `json:"repeated"`
	// Shrunken is Observed with Factor times the soup's lead over the other soups
	// among the finalists.
	Shrunken Estimate `json:"shrunken"`
	Factor   float64  `json:"factor"`
}

// Estimate is a difference with its 95 % interval.
type Estimate struct {
	Delta float64 `json:"delta"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Plateau says that weights hardly matter: some parents in equal shares are
// within one standard error of the best soup with other weights.
type Plateau struct {
	Equal int      `json:"equal"` // trial with equal shares
	Label string   `json:"label"`
	Of    []string `json:"parents"` // its parents
	Other int      `json:"other"`   // trial with other weights
	Difference
}

// Exchanges is an A/A check of the comparison on test: the winner and the best
// single checkpoint were exchanged item by item at random, so that neither is
// better, and compared again.
type Exchanges struct {
	N      int `json:"n"` // times
	Items  int `json:"items"`
	Better int `json:"better"` // times that a gain was claimed
	Worse  int `json:"worse"`  // or a loss
}

// writeChoice prints what the selection items say.
func writeChoice(p *table.Page, r Report) {
	c := r.Choice
	if c == nil {
		return
	}
	if g := c.Gain; g != nil {
		p.Blank()
		t := table.Grid{Header: []string{g.Title(), "delta", "95 % interval"}, LastText: true}
		for _, e := range g.Estimates() {
			t.Add(e.Name, signed(e.Delta), e.interval())
		}
		p.Table(t)
	}
	for _, line := range c.Lines() {
		p.Item(line)
	}
}

// Title says what is set against what.
func (g *Gain) Title() string {
	return fmt.Sprintf("trial %d less trial %d on selection, n=%d", g.Soup, g.Parent, g.Observed.N)
}

// NamedEstimate is one of the ways to see a gain.
type NamedEstimate struct {
	Name string
	Estimate
}

// Estimates are the ways to see it, in words.
func (g *Gain) Estimates() []NamedEstimate {
	list := []NamedEstimate{{"as observed on the items that chose", Estimate{g.Observed.Delta, g.Observed.Low, g.Observed.High}}}
	if g.Repeated != nil {
		list = append(list, NamedEstimate{"on halves that chose nothing", *g.Repeated})
	}
	return append(list, NamedEstimate{fmt.Sprintf("lead over other soups shrunk to %.0f %%", 100*g.Factor), g.Shrunken})
}

func (e Estimate) interval() string { return Difference{Low: e.Low, High: e.High}.interval() }

// Interval is the 95 % interval in points.
func (e Estimate) Interval() string { return e.interval() }

const likeliest = 3 // finalists named

// Lines say how sure it is who is best, and whether weights matter.
func (c *Choice) Lines() []string {
	var lines, best []string
	for i, f := range c.Finalists {
		if i < likeliest && f.Best > 0 {
			best = append(best, fmt.Sprintf("trial %d %.0f %%", f.Trial, 100*f.Best))
		}
	}
	if c.Halvings > 0 && len(c.Finalists) > 1 {
		lines = append(lines, fmt.Sprintf("highest of %d finalists in so many of %d halves of the %d items: %s", len(c.Finalists), c.Halvings, c.N, strings.Join(best, ", ")))
	}
	if q := c.Plateau; q != nil {
		lines = append(lines, fmt.Sprintf("weights hardly matter: equal shares of %s (trial %d) less the best other soup (trial %d): %s %s, n=%d",
			strings.Join(q.Of, ", "), q.Equal, q.Other, signed(q.Delta), q.interval(), q.N))
	}
	return lines
}

// Line says what the check found.
func (e *Exchanges) Line() string {
	return fmt.Sprintf("A/A check: with winner and best single exchanged at random on each of %d test items, %d times, a gain was claimed %d times and a loss %d times (in truth never)",
		e.Items, e.N, e.Better, e.Worse)
}
