package study

import (
	"encoding/json"
	"fmt"
	"slices"

	"soup/internal/usage"
	"soup/merge"
	"soup/results"
)

// findingsEvent holds what a session found about its parents, where that is not
// what the session before it found.
const findingsEvent = "findings"

// refused is the first finding that refuses, as a mistake in the study file.
func refused(found merge.Findings) error {
	err := found.Err()
	if err == nil {
		return nil
	}
	wrong := &usage.Error{Message: err.Error()}
	if hinted, ok := err.(interface{ Hint() string }); ok {
		wrong.Advice = hinted.Hint()
	}
	return wrong
}

// warnOfFindings prints the findings that warn, before any work.
func (s *session) warnOfFindings() {
	for _, f := range s.pantry.found {
		if f.Severity == merge.Warn {
			s.warn(f.Code + ": " + f.String())
		}
	}
}

// noteFindings leaves the findings in the ledger for the report, which names
// parents as the study does.
func (s *session) noteFindings() error {
	now := []results.Finding{}
	for _, f := range s.pantry.found {
		name := f.Parent
		if i := slices.IndexFunc(s.pantry.source, func(c *merge.Checkpoint) bool { return c.Path() == f.Parent }); i >= 0 {
			name = s.pantry.names[i]
		}
		now = append(now, results.Finding{Code: f.Code, Severity: f.Severity, Parent: name, Tensor: f.Tensor, Message: f.Message, Remedy: f.Remedy})
	}
	before, err := readFindings(s.ledger)
	if err != nil || slices.Equal(before, now) {
		return err
	}
	return s.ledger.Event(findingsEvent, now)
}

// readFindings are those of the last session; none before the first.
func readFindings(ledger *results.Ledger) (found []results.Finding, err error) {
	events, err := ledger.Events(findingsEvent)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	if err := json.Unmarshal(events[len(events)-1].Detail, &found); err != nil {
		return nil, fmt.Errorf("event %s: %w", findingsEvent, err)
	}
	return found, nil
}

// addFindings says what to beware of: of the parents as they are, of
// their midpoints, and of what the winner lost.
func (b *reporter) addFindings(r *results.Report) (err error) {
	if r.Findings, err = readFindings(b.ledger); err != nil {
		return err
	}
	r.Findings = slices.Concat(r.Findings, r.Midpoints.Findings(), r.Inheritance.Losses())
	return nil
}
