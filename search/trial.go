package search

import (
	"errors"
	"fmt"
	"math"
)

// State says what became of a trial.
type State string

// The states of a trial. Only a complete one has a score.
const (
	StateComplete State = "complete"
	StatePruned   State = "pruned" // stopped early: it could no longer win
	StateFailed   State = "failed" // not measured; Trial.Err says why
)

// Category is the result of one category.
type Category struct {
	Mean float64 // mean score of the items
	SE   float64 // its standard error; 0 if unknown
	N    int     // how many items were scored; 0 if unknown
}

// Item is the outcome of one item.
type Item struct {
	ID       string
	Category string
	Cluster  string  // items that share a passage, function or problem; "" for none
	Score    float64 // 0 to 1
	Soft     float64 // smooth score: mean log-probability of the reference answer, or label margin; NaN if unknown
}

// Trial is a point with its outcome.
type Trial struct {
	Point      Point
	State      State
	Score      float64             // higher is better; means nothing unless complete
	Categories map[string]Category // by name; of a pruned trial, as estimated from the items that it did answer
	Items      []Item              // those that were answered, in the study's order; may be empty
	Err        error               // why it failed
}

// rank is what trials are compared by: one without a score is worst.
func (t Trial) rank() float64 {
	if t.State != StateComplete {
		return math.Inf(-1)
	}
	return t.Score
}

// settled is the trial with a state that can be relied on: a complete trial
// whose score is not a number has failed, so has one without a state.
func (t Trial) settled() Trial {
	switch {
	case t.State == StateComplete && !finite(t.Score):
		t.Err = errors.Join(t.Err, fmt.Errorf("score is %v, not a number", t.Score))
	case t.State == StateComplete || t.State == StatePruned || t.State == StateFailed:
		return t
	default:
		t.Err = errors.Join(t.Err, fmt.Errorf("unknown state %q", t.State))
	}
	t.State, t.Score = StateFailed, 0
	return t
}

// best returns the complete trial with the highest score, the first of equals.
func best(trials []Trial) *Trial {
	var top *Trial
	for i := range trials {
		t := &trials[i]
		if t.State == StateComplete && (top == nil || t.Score > top.Score) {
			top = t
		}
	}
	return top
}
