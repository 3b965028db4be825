package results

import (
	"fmt"
	"strings"

	"soup/results/table"
)

// Finding is something to beware of: about the parents, found before the search,
// or about the winner. docs/findings.md lists the codes.
type Finding struct {
	Code     string `json:"code"`
	Severity string `json:"severity"` // refuse, warn or note
	Parent   string `json:"parent"`   // name; "" where it is about all
	Tensor   string `json:"tensor"`   // "" where it is not about one
	Message  string `json:"message"`  // one line, without the parent's name
	Remedy   string `json:"remedy"`   // "" where there is none
}

// LossCode is the finding of a category in which the winner is worse than the
// parent that was best there.
const LossCode = "specialisation-loss"

// Losses are the categories in which the winner is worse on test, by the paired
// interval, than the parent that was best there on search: what averaging lost of
// a specialist. Empty where nothing was compared.
func (i *Inheritance) Losses() (found []Finding) {
	if i == nil {
		return nil
	}
	for _, s := range i.Specialists {
		if s.Verdict == Worse {
			found = append(found, Finding{
				Code: LossCode, Severity: "warn", Parent: s.Parent,
				Message: fmt.Sprintf("in %s the winner is %s points [%s, %s] below this parent, the best there, n=%d", s.Category, points(-s.Delta), points(-s.High), points(-s.Low), s.N),
				Remedy:  "name the category in objective.keep, or give it more weight in objective.weights",
			})
		}
	}
	return found
}

// line is a finding in one line.
func (f Finding) line() string {
	parts := []string{f.Severity, f.Code}
	if f.Parent != "" {
		parts = append(parts, f.Parent)
	}
	line := strings.Join(append(parts, f.Message), ": ")
	if f.Remedy != "" {
		line += "; remedy: " + f.Remedy
	}
	return line
}

// FindingLines are the findings of a report, one line each.
func (r Report) FindingLines() (lines []string) {
	for _, f := range r.Findings {
		lines = append(lines, f.line())
	}
	return lines
}

// writeFindings prints what to beware of.
func writeFindings(p *table.Page, r Report) {
	if len(r.Findings) == 0 {
		return
	}
	p.Blank()
	p.Paragraph("findings, which docs/findings.md explains:")
	for _, line := range r.FindingLines() {
		p.Item(line)
	}
}
