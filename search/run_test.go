package search_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"soup/search"
)

func mustNew(t testing.TB, name string, options map[string]any, s search.Space) search.Strategy {
	t.Helper()
	made, err := search.New(name, options, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func scored(score float64) search.Trial {
	return search.Trial{State: search.StateComplete, Score: score}
}

func first(_ context.Context, p search.Point) (search.Trial, error) {
	return scored(p.Weights[0][0]), nil
}

func TestRunFindsTheBest(t *testing.T) {
	r, err := search.Run(t.Context(), mustNew(t, "single", nil, three), first, search.Settings{})
	if err != nil || r.Status != search.StatusDone || len(r.Trials) != 3 {
		t.Fatalf("got %+v, %v", r, err)
	}
	if r.Best == nil || r.Best.Point.Label != "a" || r.Best.Score != 1 {
		t.Errorf("best is %+v", r.Best)
	}
}

func TestRunFirstOfEqualsIsBest(t *testing.T) {
	flat := func(context.Context, search.Point) (search.Trial, error) { return scored(0.5), nil }
	r, err := search.Run(t.Context(), mustNew(t, "single", nil, three), flat, search.Settings{Ahead: 3})
	if err != nil || r.Best == nil || r.Best.Point.Number != 0 {
		t.Errorf("got %+v, %v", r.Best, err)
	}
}

func TestRunBudget(t *testing.T) {
	for _, ahead := range []int{0, 1, 4, 100} {
		var calls atomic.Int64
		f := func(ctx context.Context, p search.Point) (search.Trial, error) {
			calls.Add(1)
			return first(ctx, p)
		}
		r, err := search.Run(t.Context(), mustNew(t, "random", nil, three), f, search.Settings{Trials: 7, Ahead: ahead})
		if err != nil || r.Status != search.StatusBudget || len(r.Trials) != 7 || calls.Load() != 7 {
			t.Errorf("ahead %d: %d calls, %d trials, %s, %v", ahead, calls.Load(), len(r.Trials), r.Status, err)
		}
	}
	r, err := search.Run(t.Context(), mustNew(t, "single", nil, three), first, search.Settings{Trials: 3})
	if err != nil || r.Status != search.StatusDone {
		t.Errorf("budget of just what it takes: %s, %v", r.Status, err)
	}
}

func TestRunDeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	f := func(ctx context.Context, p search.Point) (search.Trial, error) {
		if p.Number == 2 {
			<-ctx.Done()
			return search.Trial{}, ctx.Err()
		}
		return first(ctx, p)
	}
	r, err := search.Run(ctx, mustNew(t, "random", nil, three), f, search.Settings{})
	if err != nil || r.Status != search.StatusBudget || len(r.Trials) != 2 || r.Best == nil {
		t.Errorf("got %s, %d trials, %v", r.Status, len(r.Trials), err)
	}
}

func TestRunInterrupted(t *testing.T) {
	for ahead, most := range map[int]int{1: 10, 5: 59} { // the call that interrupts may be the last of five to get going
		ctx, cancel := context.WithCancel(t.Context())
		f := func(ctx context.Context, p search.Point) (search.Trial, error) {
			if p.Number == 10 {
				cancel()
				return search.Trial{}, ctx.Err()
			}
			return first(ctx, p)
		}
		r, err := search.Run(ctx, mustNew(t, "random", nil, three), f, search.Settings{Ahead: ahead})
		if err != nil || r.Status != search.StatusInterrupted || len(r.Trials) > most || r.Best == nil {
			t.Errorf("ahead %d: %s, %d trials, %v", ahead, r.Status, len(r.Trials), err)
		}
		cancel()
	}
}

// What had ended when the search was interrupted is not thrown away.
func TestRunKeepsWhatEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := func(ctx context.Context, p search.Point) (search.Trial, error) {
		cancel()
		return first(ctx, p)
	}
	r, err := search.Run(ctx, mustNew(t, "random", nil, three), f, search.Settings{})
	if err != nil || r.Status != search.StatusInterrupted || len(r.Trials) != 1 {
		t.Errorf("got %s, %d trials, %v", r.Status, len(r.Trials), err)
	}
	r, err = search.Run(ctx, mustNew(t, "random", nil, three), f, search.Settings{})
	if err != nil || r.Status != search.StatusInterrupted || len(r.Trials) != 0 || r.Best != nil {
		t.Errorf("cancelled before it began: %s, %d trials, %v", r.Status, len(r.Trials), err)
	}
}

func TestRunObjectiveError(t *testing.T) {
	full := errors.New("no space left on device")
	for _, ahead := range []int{1, 4} {
		var late atomic.Int64
		f := func(ctx context.Context, p search.Point) (search.Trial, error) {
			switch {
			case p.Number == 4:
				return search.Trial{}, full
			case p.Number > 4:
				<-ctx.Done() // the others are called off
				late.Add(1)
				return search.Trial{}, ctx.Err()
			}
			return first(ctx, p)
		}
		r, err := search.Run(t.Context(), mustNew(t, "random", nil, three), f, search.Settings{Ahead: ahead})
		if !errors.Is(err, full) || r.Status != search.StatusFailed || len(r.Trials) != 4 {
			t.Errorf("ahead %d: %s, %d trials, %v", ahead, r.Status, len(r.Trials), err)
		}
		if err != nil && err.Error() != "random: random 4: no space left on device" {
			t.Errorf("error is %q", err)
		}
		if n := late.Load(); n > int64(ahead) {
			t.Errorf("ahead %d: %d begun after the error", ahead, n)
		}
	}
}

// A failure stays one, though the context is done as well.
func TestRunErrorBesideInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	full := errors.New("no space left on device")
	f := func(context.Context, search.Point) (search.Trial, error) {
		cancel()
		return search.Trial{}, full
	}
	if r, err := search.Run(ctx, mustNew(t, "single", nil, three), f, search.Settings{}); !errors.Is(err, full) || r.Status != search.StatusFailed {
		t.Errorf("got %s, %v", r.Status, err)
	}
}

func TestRunFailedTrials(t *testing.T) {
	f := func(ctx context.Context, p search.Point) (search.Trial, error) {
		switch p.Number {
		case 0:
			return scored(math.NaN()), nil
		case 1:
			return search.Trial{State: "half-done", Score: 9}, nil
		}
		return first(ctx, p)
	}
	r, err := search.Run(t.Context(), mustNew(t, "single", nil, three), f, search.Settings{})
	if err != nil || r.Best == nil || r.Best.Point.Label != "c" {
		t.Fatalf("got %+v, %v", r.Best, err)
	}
	for i, want := range []string{"score is NaN", `unknown state "half-done"`} {
		if trial := r.Trials[i]; trial.State != search.StateFailed || trial.Score != 0 || !strings.Contains(trial.Err.Error(), want) {
			t.Errorf("trial %d: got %+v; want failed, %s", i, trial, want)
		}
	}
}

func TestRunWithoutScores(t *testing.T) {
	f := func(context.Context, search.Point) (search.Trial, error) {
		return search.Trial{State: search.StatePruned, Score: 3}, nil
	}
	r, err := search.Run(t.Context(), mustNew(t, "greedy", nil, three), f, search.Settings{})
	if err != nil || r.Best != nil || r.Status != search.StatusDone || len(r.Trials) != 5 {
		t.Errorf("got best %+v, %s, %d trials, %v", r.Best, r.Status, len(r.Trials), err)
	}
}

func TestRunSettingsErrors(t *testing.T) {
	for _, o := range []search.Settings{{Trials: -1}, {Ahead: -1}} {
		if r, err := search.Run(t.Context(), mustNew(t, "single", nil, three), first, o); err == nil || r.Status != search.StatusFailed {
			t.Errorf("%+v: got %s, %v", o, r.Status, err)
		}
	}
}

// lazy neither asks nor ends.
type lazy struct{}

func (lazy) Name() string           { return "lazy" }
func (lazy) Ask(int) []search.Point { return nil }
func (lazy) Tell([]search.Trial)    {}
func (lazy) Done() bool             { return false }

func TestRunStalledStrategy(t *testing.T) {
	r, err := search.Run(t.Context(), lazy{}, first, search.Settings{})
	if err == nil || !strings.Contains(err.Error(), "strategy lazy neither asks") || r.Status != search.StatusFailed {
		t.Errorf("got %s, %v", r.Status, err)
	}
}

// With Ahead n, n calls really run at once, no more; results come in order.
func TestRunAhead(t *testing.T) {
	const ahead = 4
	var mu sync.Mutex
	running, most := 0, 0
	enough := make(chan struct{})
	f := func(ctx context.Context, p search.Point) (search.Trial, error) {
		mu.Lock()
		running++
		most = max(most, running)
		if running == ahead && p.Number < ahead {
			close(enough)
		}
		mu.Unlock()
		<-enough // none of the first four ends before all have begun
		mu.Lock()
		running--
		mu.Unlock()
		return first(ctx, p)
	}
	r, err := search.Run(t.Context(), mustNew(t, "random", nil, three), f, search.Settings{Ahead: ahead})
	if err != nil || most != ahead {
		t.Errorf("at most %d at once, %v; want %d", most, err, ahead)
	}
	if !slices.IsSortedFunc(r.Trials, func(a, b search.Trial) int { return a.Point.Number - b.Point.Number }) {
		t.Error("trials are not in order")
	}
}

// An objective that writes over the weights it was given harms only itself.
func TestRunOwnsItsPoints(t *testing.T) {
	f := func(_ context.Context, p search.Point) (search.Trial, error) {
		clear(p.Weights[0])
		return scored(1), nil
	}
	r, err := search.Run(t.Context(), mustNew(t, "single", nil, three), f, search.Settings{})
	if err != nil || search.Key(r.Trials[1].Point) != "0,1,0" {
		t.Errorf("got %v, %v", r.Trials[1].Point.Weights, err)
	}
}
