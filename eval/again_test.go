package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// shaky fails calls as it is told to, by their number from 1.
type shaky struct {
	plain
	fail func(call int32) error
	lie  func(call int32) string // not "": said instead
	dead atomic.Bool
	mu   sync.Mutex
	seen map[string]int
	said int32 // calls so far, counted one after the other
}

func (s *shaky) Generate(ctx context.Context, r Request) (Reply, error) {
	reply, err := s.plain.Generate(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]int{}
	}
	s.seen[r.Messages[len(r.Messages)-1].Content]++
	s.said++
	n := s.said
	if s.fail != nil {
		if e := s.fail(n); e != nil {
			return Reply{Finish: FinishError}, e
		}
	}
	if s.lie != nil {
		if text := s.lie(n); text != "" {
			reply.Text = text
		}
	}
	return reply, err
}

func (s *shaky) Health(context.Context) error {
	if s.dead.Load() {
		return ErrUnreachable
	}
	return nil
}

func TestLostAnswersAreAskedForAgain(t *testing.T) {
	items, server := sums(20)
	for _, lost := range []error{ErrUnreachable, ErrServer, ErrReply} {
		s := &shaky{plain: plain{answers: server.answers}, fail: func(n int32) error {
			if n <= 7 {
				return fmt.Errorf("fake: %w", lost)
			}
			return nil
		}}
		calls, err := collect(t, s, items, Options{Parallel: 3})
		if err != nil || s.calls.Load() != 27 {
			t.Errorf("%v: %d calls, %v", lost, s.calls.Load(), err)
		}
		for _, o := range slices.Concat(calls...) {
			if o.State != StateOK || o.Score != 1 {
				t.Errorf("%v: %+v", lost, o)
			}
		}
	}
}

func TestWhatNoRepetitionHelpsIsNotAskedForAgain(t *testing.T) {
	items, server := sums(3)
	for _, final := range []error{ErrOutOfMemory, ErrNotNumbers, fmt.Errorf("%w: %w", ErrServer, ErrOutOfMemory), errors.New("context too short")} {
		s := &shaky{plain: plain{answers: server.answers}, fail: func(int32) error { return final }}
		if calls, err := collect(t, s, items, Options{}); err != nil || states(calls) != "failed failed failed" || s.calls.Load() != 3 {
			t.Errorf("%v: %s after %d calls, %v", final, states(calls), s.calls.Load(), err)
		}
	}
	s := &shaky{plain: plain{answers: server.answers}, fail: func(int32) error { return ErrServer }}
	if calls, err := collect(t, s, items, Options{}); err != nil || states(calls) != "failed failed failed" || s.calls.Load() != 9 {
		t.Errorf("always lost: %s after %d calls, %v", states(calls), s.calls.Load(), err)
	}
}

// A server that dies costs the items in flight and those not asked yet; going
// on with it asks only them.
func TestDeathKeepsWhatWasAnswered(t *testing.T) {
	items, server := sums(40)
	s := &shaky{plain: plain{answers: server.answers}}
	s.fail = func(n int32) error {
		if n > 25 {
			s.dead.Store(true)
			return fmt.Errorf("fake: %w", ErrUnreachable)
		}
		return nil
	}
	calls, err := collect(t, s, items, Options{Parallel: 4})
	kept := slices.Concat(calls...)
	if !errors.Is(err, ErrUnreachable) || len(kept) < 21 || len(kept) > 25 {
		t.Fatalf("%d outcomes, %v", len(kept), err)
	}
	done := map[string]bool{}
	for _, o := range kept {
		done[o.ID] = true
		if !o.Scored() {
			t.Errorf("%+v", o)
		}
	}
	well := &shaky{plain: plain{answers: server.answers}}
	rest, err := collect(t, well, items, Options{Done: func(id string) bool { return done[id] }})
	if err != nil || len(slices.Concat(rest...)) != 40-len(kept) || well.calls.Load() != int32(40-len(kept)) {
		t.Errorf("then %d calls, %d outcomes, %v", well.calls.Load(), len(slices.Concat(rest...)), err)
	}
}

// Whatever a connection changes, no two wrong answers being alike, scores are
// those of the server.
func TestVerify(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		items, server := sums(12)
		wrong := rapid.SliceOfN(rapid.IntRange(0, 9), 200, 200).Draw(r, "faults")
		s := &shaky{plain: plain{answers: server.answers}, lie: func(n int32) string {
			if wrong[n%200] == 0 {
				return fmt.Sprint("lie ", n)
			}
			return ""
		}, fail: func(n int32) error {
			if wrong[n%200] == 1 {
				return ErrReply
			}
			return nil
		}}
		calls, err := collect(t, s, items, Options{Verify: true, Parallel: 3})
		if err != nil {
			r.Fatal(err)
		}
		for _, o := range slices.Concat(calls...) {
			if o.Scored() && o.Score != 1 {
				r.Fatalf("%+v", o)
			}
		}
	})
	items, server := sums(1)
	s := &shaky{plain: plain{answers: server.answers}, lie: func(n int32) string { return fmt.Sprint("lie ", n) }}
	calls, err := collect(t, s, items, Options{Verify: true})
	if err != nil || states(calls) != "failed" || calls[0][0].Answer != "" {
		t.Errorf("%+v, %v", calls, err)
	}
	wantError(t, errors.New(calls[0][0].Error), "asked 6 times", "no two answers agree")
}

func TestAgree(t *testing.T) {
	one, near, far := -1.0, -1.0005, -1.1
	base := func() Answer {
		return Answer{Reply: Reply{Text: "x", Finish: FinishStop}, Labels: []float64{-1, -2}, Reference: &one, Continuations: []Continuation{{-3, 2, true}}}
	}
	for name, test := range map[string]struct {
		change func(*Answer)
		want   bool
	}{
		"same":              {func(*Answer) {}, true},
		"later":             {func(a *Answer) { a.Latency = 7; a.turn = 3 }, true},
		"text":              {func(a *Answer) { a.Text = "y" }, false},
		"finish":            {func(a *Answer) { a.Finish = FinishLength }, false},
		"calls":             {func(a *Answer) { a.Calls = []Call{{Name: "f"}} }, false},
		"label, a little":   {func(a *Answer) { a.Labels[1] = -2.0005 }, true},
		"label":             {func(a *Answer) { a.Labels[1] = -2.1 }, false},
		"labels":            {func(a *Answer) { a.Labels = nil }, false},
		"reference, little": {func(a *Answer) { a.Reference = &near }, true},
		"reference":         {func(a *Answer) { a.Reference = &far }, false},
		"no reference":      {func(a *Answer) { a.Reference = nil }, false},
		"continuation":      {func(a *Answer) { a.Continuations[0].LogProb = -4 }, false},
		"greedy":            {func(a *Answer) { a.Continuations[0].Greedy = false }, false},
	} {
		a, b := base(), base()
		test.change(&b)
		if agree(a, b, 0.001) != test.want || agree(b, a, 0.001) != test.want {
			t.Errorf("%s: agree %t, want %t", name, !test.want, test.want)
		}
	}
}

// slots answers so many requests at a time in a second each; more wait.
type slots struct {
	plain
	free chan struct{}
	most int // more at a time are an error; 0 is none
}

func (s *slots) Generate(ctx context.Context, r Request) (Reply, error) {
	if n := s.now.Add(1); s.most > 0 && int(n) > s.most {
		s.now.Add(-1)
		return Reply{Finish: FinishError}, ErrOutOfMemory
	}
	defer s.now.Add(-1)
	s.free <- struct{}{}
	time.Sleep(time.Second)
	<-s.free
	return Reply{Text: "1", Finish: FinishStop}, nil
}

func TestRamp(t *testing.T) {
	items, _ := sums(30)
	for _, test := range []struct{ slots, most, want, steps int }{
		{1, 0, 1, 2}, {4, 0, 4, 4}, {6, 0, 8, 5}, {64, 0, 64, 7}, {200, 0, 64, 7}, {16, 8, 8, 5},
	} {
		synctest.Test(t, func(t *testing.T) {
			got, steps, err := Ramp(t.Context(), &slots{free: make(chan struct{}, test.slots), most: test.most}, items, RampOptions{})
			if err != nil || got != test.want || len(steps) != test.steps {
				t.Errorf("%d slots, at most %d: %d after %+v, %v", test.slots, test.most, got, steps, err)
			}
		})
	}
}

func TestRampErrors(t *testing.T) {
	items, server := sums(3)
	if n, steps, err := Ramp(t.Context(), &batching{}, items, RampOptions{}); n != 1 || steps != nil || err != nil {
		t.Errorf("a batcher: %d, %v, %v", n, steps, err)
	}
	_, _, err := Ramp(t.Context(), &plain{}, items, RampOptions{})
	wantError(t, err, "ramp", "no such prompt")
	_, _, err = Ramp(t.Context(), &server, nil, RampOptions{})
	wantError(t, err, "no items")
	_, _, err = Ramp(t.Context(), &server, []Item{{ID: "bad"}}, RampOptions{})
	wantError(t, err, `"bad"`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Ramp(ctx, &server, items, RampOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
