package results

import (
	"fmt"
	"strings"

	"soup/results/table"
)

// Path is what a study saw on the line between two parents, or on the triangle of
// three, one of which is to be kept up with: what another one gains, and what it costs.
type Path struct {
	From   string      `json:"from"` // the parent that the constraints name
	To     string      `json:"to"`   // the other one; of two others the better one in the target, on search
	Third  string      `json:"third,omitempty"`
	Target []string    `json:"target"` // categories of the objective that need not be kept
	Keep   []string    `json:"keep"`   // categories that must be kept
	Points []PathPoint `json:"points"` // by At, then by Third
	Gain   *Difference `json:"gain"`   // of To over From in the target, on test; nil where not measured
	Share  *Estimate   `json:"share"`  // of that gain which the winner has: 1 is all; nil where there is no sure gain, or no winner
}

// Line are the points without the third parent.
func (h *Path) Line() (list []PathPoint) {
	for _, x := range h.Points {
		if x.Third == 0 {
			list = append(list, x)
		}
	}
	return list
}

// PathPoint is one soup of them on the search items.
type PathPoint struct {
	At     float64   `json:"at"` // weight of To; the rest is From's, but for Third
	Third  float64   `json:"third,omitempty"`
	Trial  int       `json:"trial"`
	Target PathScore `json:"target"`
	Keep   PathScore `json:"keep"`
}

// PathScore is the mean over categories by their weights, those that must be kept
// alike, with its standard error if categories are independent; nil if unknown.
type PathScore struct {
	Mean float64  `json:"mean"`
	SE   *float64 `json:"se"`
}

func (s PathScore) text() string {
	if s.SE == nil {
		return points(s.Mean)
	}
	return points(s.Mean) + " ± " + points(*s.SE)
}

// writePath prints both curves and what was kept of the gain.
func writePath(p *table.Page, r Report) {
	h := r.Path
	if h == nil {
		return
	}
	g := table.Grid{Header: []string{"on search, weight of " + h.To, strings.Join(h.Target, ", "), fmt.Sprintf("to keep (%d)", len(h.Keep)), ""}, LastText: true}
	for _, x := range h.Points {
		won := r.Winner != nil && r.Winner.Trial == x.Trial
		if x.Third != 0 && !won {
			continue
		}
		mark := ""
		if won {
			mark = "winner"
		}
		if x.Third != 0 {
			mark += ", with " + coefficient(x.Third) + " " + h.Third
		}
		g.Add(coefficient(x.At), x.Target.text(), x.Keep.text(), mark)
	}
	p.Blank()
	p.Table(g)
	if h.Third != "" {
		p.Item(fmt.Sprintf("the line from %s to %s, and the winner, of %s on the triangle with %s", h.From, h.To, plural(len(h.Points), "soup"), h.Third))
	}
	if h.Gain == nil {
		return
	}
	line := fmt.Sprintf("on test, %s gains %s points %s over %s in %s", h.To, signed(h.Gain.Delta), h.Gain.interval(), h.From, strings.Join(h.Target, ", "))
	if s := h.Share; s != nil {
		line += fmt.Sprintf("; the winner keeps %.0f %% [%.0f %%, %.0f %%] of that", 100*s.Delta, 100*s.Low, 100*s.High)
	}
	p.Item(line)
}
