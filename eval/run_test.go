package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// plain is a server that knows answers by prompt and cannot do more.
type plain struct {
	answers map[string]string
	delay   map[string]time.Duration
	sick    error
	calls   atomic.Int32
	now     atomic.Int32
	most    atomic.Int32
}

func (p *plain) Load(context.Context, Model) (Version, error) { return "v1", nil }
func (p *plain) Health(context.Context) error                 { return p.sick }
func (p *plain) Close() error                                 { return nil }

func (p *plain) Generate(ctx context.Context, r Request) (Reply, error) {
	p.calls.Add(1)
	p.most.Store(max(p.most.Load(), p.now.Add(1)))
	defer p.now.Add(-1)
	prompt := r.Messages[len(r.Messages)-1].Content
	if d := p.delay[prompt]; d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return Reply{}, ctx.Err()
		}
	}
	text, known := p.answers[prompt]
	if !known {
		return Reply{Text: "half an ans"}, errors.New("no such prompt")
	}
	return Reply{Text: text, Finish: FinishStop, Latency: time.Millisecond}, nil
}

// able has the optional powers.
type able struct {
	plain
	labels []float64
	refErr error
}

func (a *able) ScoreLabels(context.Context, Request, []string) ([]float64, error) {
	return a.labels, a.refErr
}

func (a *able) ScoreReference(_ context.Context, _ Request, reference string) (float64, error) {
	return -float64(len(reference)), a.refErr
}

// batching answers at once and keeps the sizes of its calls.
type batching struct {
	plain
	sizes []int
	err   error
	short bool
	hang  bool
}

func (b *batching) AnswerAll(ctx context.Context, questions []Question) ([]Answer, error) {
	b.sizes = append(b.sizes, len(questions))
	if b.hang {
		<-ctx.Done()
		return nil, fmt.Errorf("stopped: %w", ctx.Err())
	}
	answers := make([]Answer, len(questions))
	for i, q := range questions {
		reply, err := b.Generate(ctx, q.Request)
		if err != nil {
			reply = Reply{Finish: FinishError}
		}
		answers[i] = Answer{Reply: reply, Err: err}
	}
	if b.short {
		answers = answers[1:]
	}
	return answers, b.err
}

// sums are n items 0+1, 1+1, ... and a server that gets them right.
func sums(n int) ([]Item, plain) {
	var items []Item
	answers := map[string]string{}
	for i := range n {
		prompt := fmt.Sprintf("%d+1", i)
		items = append(items, Item{ID: fmt.Sprint("sum-", i), Category: "sum", Metric: "number", Prompt: prompt, Answer: fmt.Sprint(i + 1)})
		answers[prompt] = fmt.Sprint(i + 1)
	}
	return items, plain{answers: answers}
}

// collect runs and returns the recorded outcomes, a call each.
func collect(t *testing.T, s Server, items []Item, o Options) ([][]Outcome, error) {
	t.Helper()
	var calls [][]Outcome
	err := Run(t.Context(), s, items, o, func(outcomes []Outcome) error {
		calls = append(calls, outcomes)
		return nil
	})
	return calls, err
}

func states(calls [][]Outcome) string {
	var all []string
	for _, o := range slices.Concat(calls...) {
		all = append(all, string(o.State))
	}
	return strings.Join(all, " ")
}

func TestRunInBatches(t *testing.T) {
	items, server := sums(25)
	calls, err := collect(t, &server, items, Options{Batch: 10, Parallel: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(calls) != 3 || len(calls[0]) != 10 || len(calls[2]) != 5 {
		t.Errorf("%d batches", len(calls))
	}
	for i, o := range slices.Concat(calls...) {
		if o.ID != items[i].ID || o.Score != 1 || o.State != StateOK || o.Latency != time.Millisecond || o.Soft != nil {
			t.Errorf("item %d: %+v", i, o)
		}
	}
	if most := server.most.Load(); most > 3 {
		t.Errorf("%d requests at a time, 3 allowed", most)
	}
}

func TestRunGoesOn(t *testing.T) {
	items, server := sums(30)
	done := map[string]bool{}
	for i := range 15 { // the first batch and half of the second
		done[items[i].ID] = true
	}
	b := &batching{plain: plain{answers: server.answers}}
	calls, err := collect(t, b, items, Options{Batch: 10, Done: func(id string) bool { return done[id] }})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.sizes, []int{10, 10}) {
		t.Errorf("asked in batches of %v, want the whole second and third", b.sizes)
	}
	if len(calls[0]) != 5 || calls[0][0].ID != "sum-15" || len(calls[1]) != 10 {
		t.Errorf("recorded %d and %d", len(calls[0]), len(calls[1]))
	}
	all := func(string) bool { return true }
	if calls, err := collect(t, b, items, Options{Done: all}); err != nil || calls != nil || len(b.sizes) != 2 {
		t.Errorf("a finished run asked again: %v", err)
	}
}

func TestRunUsesOptionalPowers(t *testing.T) {
	items, server := sums(1)
	items = append(items, Item{ID: "l", Category: "choice", Metric: "letter", Prompt: "?", Answer: "B", Choices: []string{"x", "y"}})
	a := &able{plain: plain{answers: server.answers}, labels: []float64{-3, -1}}
	calls, err := collect(t, a, items, Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum, choice := calls[0][0], calls[0][1]
	if sum.Soft == nil || *sum.Soft != -1 || choice.Soft == nil || *choice.Soft != 2 || choice.Answer != "B" || a.calls.Load() != 1 {
		t.Errorf("%+v\n%+v", sum, choice)
	}
	a.refErr = errors.New("too long")
	if calls, err = collect(t, a, items, Options{}); err != nil {
		t.Fatal(err)
	}
	sum, choice = calls[0][0], calls[0][1]
	if sum.Score != 1 || sum.State != StateOK || sum.Soft != nil || !strings.Contains(sum.Error, "too long") || choice.State != StateFailed {
		t.Errorf("%+v\n%+v", sum, choice)
	}
	server.answers["?"] = "B) y" // no labels: the letter is generated
	if calls, err = collect(t, &server, items, Options{}); err != nil || calls[0][1].Score != 1 || calls[0][1].Soft != nil {
		t.Errorf("%+v %v", calls, err)
	}
}

func TestRunRecordsFailures(t *testing.T) {
	items, server := sums(3)
	delete(server.answers, "1+1")
	for _, s := range []Server{&server, &batching{plain: plain{answers: server.answers}}} {
		calls, err := collect(t, s, items, Options{})
		if err != nil || states(calls) != "ok failed ok" {
			t.Errorf("%T: %s, %v", s, states(calls), err)
		}
		want := Outcome{ID: "sum-1", Category: "sum", State: StateFailed, Finish: FinishError, Error: "no such prompt"}
		if diff := cmp.Diff(want, calls[0][1]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRunTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		items, server := sums(3)
		server.delay = map[string]time.Duration{"1+1": time.Hour}
		calls, err := collect(t, &server, items, Options{Timeout: time.Minute})
		if err != nil || states(calls) != "ok timeout ok" {
			t.Errorf("%s, %v", states(calls), err)
		}
		started := time.Now()
		calls, err = collect(t, &batching{hang: true}, items, Options{Timeout: time.Minute})
		if err != nil || states(calls) != "timeout timeout timeout" || time.Since(started) != 3*time.Minute {
			t.Errorf("%s after %v, %v", states(calls), time.Since(started), err)
		}
	})
}

func TestRunErrors(t *testing.T) {
	items, server := sums(3)
	check := func(s Server, items []Item, parts ...string) {
		t.Helper()
		calls, err := collect(t, s, items, Options{})
		wantError(t, err, parts...)
		if calls != nil {
			t.Errorf("recorded %v", calls)
		}
	}
	check(&server, append(items, Item{ID: "bad"}), `"bad"`, "prompt")
	check(&server, append(items, items[0]), "sum-0", "twice")
	if server.calls.Load() != 0 {
		t.Error("asked before all items were checked")
	}
	check(&batching{plain: plain{answers: server.answers}, err: errors.New("gone")}, items, "sum-0", "sum-2", "gone")
	check(&batching{plain: plain{answers: server.answers}, short: true}, items, "2 answers to 3 questions")
	check(&plain{sick: errors.New("connection refused")}, items, "server failed while answering", "connection refused")
	err := Run(t.Context(), &server, items, Options{}, func([]Outcome) error { return errors.New("disk full") })
	wantError(t, err, "disk full")
}

func TestRunStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		items, server := sums(100)
		server.delay = map[string]time.Duration{}
		for _, it := range items {
			server.delay[it.Prompt] = time.Hour
		}
		for _, s := range []Server{&server, &batching{hang: true}} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			started := time.Now()
			err := Run(ctx, s, items, Options{}, func([]Outcome) error {
				t.Error("recorded a batch that was cut off")
				return nil
			})
			if !errors.Is(err, context.Canceled) || time.Since(started) != time.Second {
				t.Errorf("%T: %v after %v", s, err, time.Since(started))
			}
		}
	})
}
