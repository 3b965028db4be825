package study

import (
	"encoding/json"
	"fmt"
	"time"

	"soup/internal/progress"
	"soup/results"
)

// The events that tell a reader of the ledger what a run is at. A run writes
// them beside what it shows on its terminal.
const (
	phaseEvent   = "phase"   // a phase begins, or more candidates are known to come
	waitingEvent = "waiting" // what for; empty when it goes on
	warningEvent = "warning"
)

// The phases of a study, as progress names them, and its end.
const (
	SearchPhase    = "search"
	SelectionPhase = "selection"
	TestPhase      = "test"
	FinishedPhase  = "finished"
)

// phase is the detail of a phaseEvent.
type phase struct {
	Name       string `json:"name"`
	Candidates int    `json:"candidates"` // known to come, those that are done included; 0: not known
}

// noted shows progress and writes into the ledger what others want to know of
// it. An event that cannot be written does not end a study: the next outcome
// will, if it is the disk. Phase and Expect come from one goroutine.
type noted struct {
	progress.Reporter
	ledger *results.Ledger
	now    phase
}

func (n *noted) Phase(name string, candidates int) {
	n.Reporter.Phase(name, candidates)
	n.write(phase{name, candidates})
}

func (n *noted) Expect(candidates int) {
	n.Reporter.Expect(candidates)
	if candidates != n.now.Candidates {
		n.write(phase{n.now.Name, candidates})
	}
}

func (n *noted) Waiting(what string) {
	n.Reporter.Waiting(what)
	_ = n.ledger.Event(waitingEvent, what)
}

func (n *noted) warn(message string) { _ = n.ledger.Event(warningEvent, message) }

func (n *noted) write(now phase) {
	n.now = now
	_ = n.ledger.Event(phaseEvent, now)
}

// Tally adds up the events of a study, in order, one by one: what the trials do
// not say. Its zero value is a study without events.
type Tally struct {
	Phase      string          // of the last run; "" in ledgers that do not say
	Begun      time.Time       // of the phase
	Candidates int             // known to come in the phase, those that are done included; 0: not known
	Latest     time.Time       // of all events but those of workers
	Waiting    string          // what the run waits for; "" if it does not
	Swaps      int             // loads of a candidate that is scored
	Cost       results.Seconds // of selection and test; that of the search is in the trials
	Busy, Wall float64         // seconds that the server had something to do, of how many
	Again      bool            // the test split was read for more than one winner

	Workers map[string]Worker // of the last run, by name; those that left too

	loaded string // key of the candidate that the server has
}

// Idle is the share of the time in which the server had nothing to do; nil
// while it is not known.
func (t *Tally) Idle() *float64 {
	if t.Wall <= 0 {
		return nil
	}
	idle := max(0, 1-t.Busy/t.Wall)
	return &idle
}

// Loaded is the key of the trial whose weights the server was last given.
func (t *Tally) Loaded() string { return t.loaded }

// Add adds an event. What it cannot read it leaves out, but for the server's
// use, which the report rests on.
func (t *Tally) Add(e results.Event) error {
	if !OfWorkers(e) {
		t.Latest = e.Time
	}
	switch e.Kind {
	case fleetEvent:
		t.muster(e)
	case phaseEvent:
		t.begin(e)
	case waitingEvent:
		t.Waiting = text(e)
	case swapEvent:
		t.swap(e)
	case secondsEvent:
		t.spend(e)
	case useEvent:
		var u use
		if err := json.Unmarshal(e.Detail, &u); err != nil {
			return fmt.Errorf("event %d (%s): %w", e.Number, e.Kind, err)
		}
		t.Busy, t.Wall = t.Busy+u.Busy, t.Wall+u.Wall
	case testAgain:
		t.Again = true
	}
	return nil
}

func (t *Tally) begin(e results.Event) {
	var p phase
	if json.Unmarshal(e.Detail, &p) != nil {
		return
	}
	if p.Name == SearchPhase && p.Candidates == 0 { // a run begins
		t.Workers = nil
	}
	if p.Name != t.Phase || p.Candidates == 0 { // or else only more are known to come
		t.Begun, t.Waiting = e.Time, ""
	}
	t.Phase, t.Candidates = p.Name, p.Candidates
}

func (t *Tally) swap(e results.Event) {
	var d swapped
	if json.Unmarshal(e.Detail, &d) != nil || !d.Canary {
		t.Swaps++
	}
	t.loaded = d.Key
}

func (t *Tally) spend(e results.Event) {
	var d seconds
	if json.Unmarshal(e.Detail, &d) != nil { // once it was one number
		_ = json.Unmarshal(e.Detail, &d.Eval)
	}
	t.Cost.Add(results.Seconds{Merge: d.Merge, Swap: d.Swap, FirstToken: d.First, Eval: d.Eval})
}

// text is a detail that is one string.
func text(e results.Event) (s string) {
	_ = json.Unmarshal(e.Detail, &s)
	return s
}

// Say is an event in words for people, false if it has nothing for them.
func Say(e results.Event) (string, bool) {
	switch e.Kind {
	case phaseEvent:
		var p phase
		_ = json.Unmarshal(e.Detail, &p)
		return sayPhase(p), true
	case warningEvent:
		return "warning: " + text(e), true
	case fleetEvent:
		return sayFleet(e)
	case waitingEvent:
		if what := text(e); what != "" {
			return "waiting for " + what, true
		}
		return "goes on", true
	case "winner":
		var w struct {
			Trial  int    `json:"trial"`
			Path   string `json:"path"`
			Reason any    `json:"reason"`
		}
		_ = json.Unmarshal(e.Detail, &w)
		return fmt.Sprintf("trial %d wins, exported to %s: %v", w.Trial, w.Path, w.Reason), true
	case testAgain:
		return "the test split is read for a second winner: its scores are no longer unseen", true
	case "config":
		return "the study file has changed", true
	}
	return "", false
}

func sayPhase(p phase) string {
	switch {
	case p.Name == FinishedPhase:
		return "finished"
	case p.Candidates > 0:
		return fmt.Sprintf("%s: %d candidates to score", p.Name, p.Candidates)
	}
	return p.Name + " begins"
}

// IsWarning reports whether an event is a warning.
func IsWarning(e results.Event) bool { return e.Kind == warningEvent || e.Kind == testAgain }
