package results

import (
	"fmt"
	"slices"

	"soup/results/table"
)

// Midpoints is what a study knows of its parents from the midpoint of every two,
// scored on the search items.
type Midpoints struct {
	// Barriers are in the order of the parents, of the pairs whose three scores are
	// known.
	Barriers []Barrier  `json:"barriers"`
	Needless []Needless `json:"needless"` // in the order of the parents
}

// Barrier is the mean of two parents less their midpoint, paired: above 0, and
// Better, where a barrier lies between them (linear mode connectivity,
// https://arxiv.org/abs/1912.05671).
type Barrier struct {
	First  string `json:"first"`
	Second string `json:"second"`
	Trial  int    `json:"trial"` // of the midpoint
	Difference
}

// Needless is a parent that nothing speaks for: another one is as good in every
// category, to a standard error, and half of it costs that one more than noise.
type Needless struct {
	Parent     string `json:"parent"`
	Over       string `json:"over"` // the other one: of several, the one that it costs most
	Difference        // Over less the midpoint of the two
}

// The findings of midpoints.
const (
	BarrierCode  = "barrier"
	NeedlessCode = "adds-nothing"
)

// Findings are the parents with a barrier to all others, then those that nothing
// speaks for. Empty where there are no midpoints.
func (m *Midpoints) Findings() (found []Finding) {
	if m == nil {
		return nil
	}
	for _, name := range m.names() {
		if low, high, ok := m.apart(name); ok {
			found = append(found, Finding{
				Code: BarrierCode, Severity: "warn", Parent: name,
				Message: fmt.Sprintf("halfway to each other parent the score lies below the mean of the two, by %s to %s points", points(low), points(high)),
				Remedy:  "leave it out: it cannot be averaged with the others",
			})
		}
	}
	for _, n := range m.Needless {
		found = append(found, Finding{
			Code: NeedlessCode, Severity: "note", Parent: n.Parent,
			Message: fmt.Sprintf("%s is as good or better in every category, and half of this parent costs it %s points [%s, %s]", n.Over, points(n.Delta), points(n.Low), points(n.High)),
			Remedy:  "leave it out, unless it is good at what is not scored here",
		})
	}
	return found
}

// names are the parents in their order.
func (m *Midpoints) names() (names []string) {
	for _, b := range m.Barriers {
		for _, name := range []string{b.First, b.Second} {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// apart says whether a parent has a barrier to every other one, and the lowest and
// the highest of them.
func (m *Midpoints) apart(name string) (low, high float64, ok bool) {
	var heights []float64
	for _, b := range m.Barriers {
		if b.First != name && b.Second != name {
			continue
		}
		if b.Verdict != Better {
			return 0, 0, false
		}
		heights = append(heights, b.Delta)
	}
	if len(heights) == 0 || len(heights) < len(m.names())-1 {
		return 0, 0, false
	}
	return slices.Min(heights), slices.Max(heights), true
}

// between is the barrier between two parents, nil where it was not measured.
func (m *Midpoints) between(a, b string) *Barrier {
	for i, x := range m.Barriers {
		if x.First == a && x.Second == b || x.First == b && x.Second == a {
			return &m.Barriers[i]
		}
	}
	return nil
}

func (b *Barrier) cell(mark string) string {
	if b == nil {
		return none + " "
	}
	if b.Verdict != Better {
		mark = " "
	}
	return signed(b.Delta) + mark
}

// writeMidpoints prints the matrix of barriers, as many columns beside each other
// as fit.
func writeMidpoints(p *table.Page, r Report) {
	m := r.Midpoints
	if m == nil || len(m.Barriers) == 0 {
		return
	}
	const name, cell, mark = 28, 8, "*"
	beside := len(r.Parents)
	if !p.Markdown && !p.Keep {
		beside = max((p.Columns-name)/cell, 1)
	}
	for from := 0; from < len(r.Parents); from += beside {
		to := min(from+beside, len(r.Parents))
		g := table.Grid{Header: []string{"barrier to parent, on search"}}
		for i := from; i < to; i++ {
			g.Header = append(g.Header, fmt.Sprintf("%d ", i+1))
		}
		for i, a := range r.Parents {
			row := []string{fmt.Sprintf("%d %s", i+1, a)}
			for j := from; j < to; j++ {
				if i == j {
					row = append(row, "")
					continue
				}
				row = append(row, m.between(a, r.Parents[j]).cell(mark))
			}
			g.Add(row...)
		}
		p.Blank()
		p.Table(g)
	}
	p.Item("points by which the midpoint of two parents lies below the mean of their scores; " + mark + ": a barrier, beyond noise by the paired 95 % interval")
}
