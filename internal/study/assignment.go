package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"soup/eval"
	"soup/internal/fleet"
	"soup/results"
)

// assignment is a task of the fleet: a candidate, and the items that it is asked.
type assignment struct {
	Trial    int         `json:"trial"` // of the coordinator's ledger; -1 for a probe
	Strategy string      `json:"strategy"`
	Label    string      `json:"label"`
	Weights  [][]float64 `json:"weights"`
	Key      string      `json:"key"`
	Split    string      `json:"split"`
	From     int         `json:"from,omitempty"` // the items of the split: from this one
	To       int         `json:"to,omitempty"`   // to the one before this; 0: to the last
	Race     *raceSheet  `json:"race,omitempty"`
}

// raceSheet is what a race against an incumbent depends on, beside the study.
type raceSheet struct {
	Settled   []string          `json:"settled"`
	Incumbent []results.Outcome `json:"incumbent"` // without answers
	Margin    float64           `json:"margin"`
}

// answers are the result of an assignment.
type answers struct {
	Outcomes []results.Outcome `json:"outcomes"`
	Tokens   map[string]int    `json:"tokens,omitempty"` // generated, by first item of a batch
	Merge    float64           `json:"merge"`            // seconds
	Swap     float64           `json:"swap"`
	Eval     float64           `json:"eval"`
	First    float64           `json:"first_token"`
}

// newAssignment describes the work of a trial.
func newAssignment(trial int, split string, c candidate, r *race) assignment {
	a := assignment{Trial: trial, Strategy: c.strategy, Label: c.label, Weights: c.weights, Key: c.key, Split: split}
	if r == nil {
		return a
	}
	a.Race = &raceSheet{Settled: r.settled, Margin: r.margin, Incumbent: toLedger(r.incumbent)}
	for i := range a.Race.Incumbent {
		a.Race.Incumbent[i].Answer = ""
	}
	return a
}

// task names the assignment by its content: one that is put again is the same.
func (a assignment) task() (fleet.Task, error) {
	raw, err := json.Marshal(a)
	sum := sha256.Sum256(raw)
	return fleet.Task{ID: fmt.Sprintf("%d-%s-%s", a.Trial, a.Split, hex.EncodeToString(sum[:8])), Payload: raw}, err
}

func readAssignment(t fleet.Task) (a assignment, err error) {
	if err := json.Unmarshal(t.Payload, &a); err != nil {
		return a, fleet.Final{Err: fmt.Errorf("task %s: %w", t.ID, err)}
	}
	return a, nil
}

func (a assignment) candidate() candidate { return candidate{a.Strategy, a.Label, a.Weights, a.Key} }

// courseOf is the way through the items of an assignment.
func (s *session) courseOf(a assignment) (course, error) {
	var items []eval.Item
	switch a.Split {
	case results.Search:
		items = s.set.Search
	case results.Selection:
		items = s.set.Selection
	case results.Test:
		items = s.set.Test
	default:
		return course{}, fleet.Final{Err: fmt.Errorf("unknown split %q", a.Split)}
	}
	if a.To > 0 {
		to := min(a.To, len(items))
		items = items[min(a.From, to):to]
	}
	if a.Race == nil || s.config.Racing == nil {
		return whole(items), nil
	}
	r := &race{alpha: s.config.Racing.Alpha, incumbent: fromLedger(a.Race.Incumbent), margin: a.Race.Margin}
	r.Race = eval.NewRace(s.set.Search, s.config.raceOptions(a.Race.Settled))
	return r.course(items), nil
}

// raceOptions are those of a race in which some items are settled.
func (c *Config) raceOptions(settled []string) eval.RaceOptions {
	return eval.RaceOptions{
		First: c.Racing.First, Eta: c.Racing.Eta, Seed: c.Seed, Weights: c.Objective.Weights,
		Settled: func(id string) bool { _, found := slices.BinarySearch(settled, id); return found },
	}
}

// perform scores an assignment here, as a trial of this process's ledger.
func (s *session) perform(ctx context.Context, a assignment, trial int) (spent, error) {
	c, err := s.courseOf(a)
	if err != nil {
		return spent{}, err
	}
	return s.score(ctx, trial, a.Split, c, func(ctx context.Context) (spent, error) { return s.load(ctx, a.candidate()) })
}
