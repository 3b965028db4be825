package results

import (
	"fmt"

	"soup/results/table"
)

// Constraint is a category that the winner had to keep: it should be worse than
// a parent by no more than the margin. The difference is the winner less the
// parent, paired.
type Constraint struct {
	Category string  `json:"category"`
	Parent   string  `json:"parent"`
	Trial    int     `json:"trial"` // of the parent
	Margin   float64 `json:"margin"`
	// Kept is "kept" where the whole interval is above -margin, "lost" where it is
	// below, "open" where the items cannot tell.
	Kept string `json:"kept"`
	Difference
}

// writeConstraints prints what had to be kept, and whether it was.
func writeConstraints(p *table.Page, r Report) {
	if len(r.Constraints) == 0 {
		return
	}
	g := table.Grid{Header: []string{"to keep on test, parent", "margin", "winner less parent", "95 % interval", "n", ""}, LastText: true}
	for _, c := range r.Constraints {
		g.Add(c.Category+", "+c.Parent, points(c.Margin), signed(c.Delta), c.interval(), fmt.Sprint(c.N), c.Kept)
	}
	p.Blank()
	p.Table(g)
}
