package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Objective tries a point. What goes wrong with this point is a trial in
// StateFailed; an error ends the search (the disk is full, the context is done).
// It must return soon after the context is done.
type Objective func(ctx context.Context, p Point) (Trial, error)

// Settings say how Run goes about it. The zero value works.
type Settings struct {
	Trials int // at most so many points; 0: until the strategy is done
	Ahead  int // calls of the objective at the same time; 0 stands for 1
}

// Status says why a search ended.
type Status string

// The reasons to end.
const (
	StatusDone        Status = "done"        // the strategy has nothing more to ask
	StatusBudget      Status = "budget"      // Settings.Trials are used up, or the context's deadline has passed
	StatusInterrupted Status = "interrupted" // the context was cancelled
	StatusFailed      Status = "failed"      // Run returned an error
)

// Result is what a search found.
type Result struct {
	Best   *Trial  // highest score of the complete trials, the first of equals; nil if there is none
	Trials []Trial // all that ended, by Point.Number
	Status Status
}

// Run asks the strategy for points until it is done, tries them and tells it the
// outcomes. Points are begun in the order asked. With Ahead above 1 the objective
// runs concurrently; which points are asked does not depend on it.
//
// Being interrupted and running out of budget are no errors: Result then holds
// what was found so far. After an error it does too.
func Run(ctx context.Context, s Strategy, f Objective, o Settings) (Result, error) {
	if o.Trials < 0 || o.Ahead < 0 {
		return Result{Status: StatusFailed}, fmt.Errorf("trials %d and ahead %d cannot be negative", o.Trials, o.Ahead)
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &loop{strategy: s, objective: f, ahead: max(1, o.Ahead), left: o.Trials, ended: make(chan ended)}
	if l.left == 0 {
		l.left = math.MaxInt
	}
	for {
		l.begin(inner)
		if l.running == 0 {
			return l.result(ctx)
		}
		if err := l.end(<-l.ended); err != nil {
			cancel()
		}
	}
}

type loop struct {
	strategy  Strategy
	objective Objective
	ahead     int // calls at the same time
	left      int // points that may still be begun
	running   int
	ended     chan ended
	trials    []Trial
	err       error
}

type ended struct {
	trial Trial
	err   error
}

// begin starts as many calls as there is room for.
func (l *loop) begin(ctx context.Context) {
	room := min(l.ahead-l.running, l.left)
	if room <= 0 || l.err != nil || ctx.Err() != nil {
		return
	}
	for _, p := range l.strategy.Ask(room) {
		l.left--
		l.running++
		go func() {
			t, err := l.objective(ctx, p.clone())
			t.Point = p
			l.ended <- ended{t.settled(), err}
		}()
	}
}

// end takes in one call and returns why the search cannot go on.
func (l *loop) end(e ended) error {
	l.running--
	if e.err != nil {
		if l.err == nil {
			l.err = fmt.Errorf("%s: %s: %w", l.strategy.Name(), e.trial.Point.Label, e.err)
		}
		return l.err
	}
	l.trials = append(l.trials, e.trial)
	l.strategy.Tell([]Trial{e.trial})
	return nil
}

func (l *loop) result(ctx context.Context) (Result, error) {
	slices.SortFunc(l.trials, func(a, b Trial) int { return cmp.Compare(a.Point.Number, b.Point.Number) })
	r := Result{Best: best(l.trials), Trials: l.trials}
	var err error
	r.Status, err = l.status(ctx)
	return r, err
}

func (l *loop) status(ctx context.Context) (Status, error) {
	stop := ctx.Err()
	switch {
	case l.err != nil && (stop == nil || !errors.Is(l.err, stop)):
		return StatusFailed, l.err
	case l.err == nil && l.strategy.Done():
		return StatusDone, nil
	case errors.Is(stop, context.DeadlineExceeded):
		return StatusBudget, nil
	case stop != nil:
		return StatusInterrupted, nil
	case l.left == 0:
		return StatusBudget, nil
	}
	return StatusFailed, fmt.Errorf("strategy %s neither asks for a point nor is done", l.strategy.Name())
}
