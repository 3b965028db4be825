package results

import (
	"fmt"

	"soup/results/table"
)

// Inheritance says what the winner kept of its parents on the test items, and
// what it can do that none of them could. An item counts as solved from half of
// its score on.
type Inheritance struct {
	Parents []Kept `json:"parents"` // that were scored on test, in the study's order
	// Items that all parents fail, and how many of them the winner solves.
	AllFail       int `json:"all_fail"`
	AllFailSolved int `json:"all_fail_solved"`
	// Items that exactly one parent fails, likewise.
	OneFails       int `json:"one_fails"`
	OneFailsSolved int `json:"one_fails_solved"`
	// Specialists are the best parents, by search, of every category.
	Specialists []Specialist `json:"specialists"`
}

// Kept sets the winner against one parent, item by item.
type Kept struct {
	Parent string `json:"parent"`
	Trial  int    `json:"trial"`
	Solves int    `json:"solves"` // items that the parent solves
	Kept   int    `json:"kept"`   // of these, the winner solves
	Fails  int    `json:"fails"`  // items that the parent fails
	Gained int    `json:"gained"` // of these, the winner solves
}

// Specialist is what became of a category's best parent: the difference is the
// winner less the parent, paired, in this category.
type Specialist struct {
	Category string `json:"category"`
	Parent   string `json:"parent"`
	Difference
}

// writeInheritance prints what was lost as plainly as what was gained.
func writeInheritance(p *table.Page, r Report) {
	i := r.Inheritance
	if i == nil {
		return
	}
	g := table.Grid{Header: []string{"category, best parent", "winner less parent", "95 % interval", "p", "n", "verdict"}, LastText: true}
	for _, s := range i.Specialists {
		g.Add(s.Category+", "+s.Parent, signed(s.Delta), s.interval(), Probability(s.P), fmt.Sprint(s.N), s.Verdict)
	}
	p.Blank()
	p.Table(g)
	kept := table.Grid{Header: []string{"items of test that a parent", "solves", "the winner too", "fails", "the winner solves"}}
	for _, k := range i.Parents {
		kept.Add(k.Parent, fmt.Sprint(k.Solves), part(k.Kept, k.Solves), fmt.Sprint(k.Fails), part(k.Gained, k.Fails))
	}
	p.Blank()
	p.Table(kept)
	p.Paragraph(fmt.Sprintf("the winner solves %d of the %s that all parents fail, and %d of the %s that exactly one fails",
		i.AllFailSolved, plural(i.AllFail, "item"), i.OneFailsSolved, plural(i.OneFails, "item")))
}

// part is how many of how many, as a rate; none of none is no rate.
func part(of, all int) string {
	if all == 0 {
		return none
	}
	return fmt.Sprintf("%d (%.1f %%)", of, 100*float64(of)/float64(all))
}
