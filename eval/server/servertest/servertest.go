// Package servertest checks that an eval.Server keeps its promises. Every
// server of soup runs it; so can one that lives elsewhere.
//
// Start with Run and Fixture.
//
// # Caveats
//
// The two checkpoints of a Fixture must answer at least one of its questions
// differently, or the check for stale weights proves nothing; Run fails then.
package servertest

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"soup/eval"
)

// Fixture is what a server is tried with.
type Fixture struct {
	// New starts a server without a model. Run closes it.
	New func(t *testing.T) eval.Server
	// A and B are two checkpoints of one architecture with different answers.
	A, B eval.Model
	// Questions are asked of both. At least one has two Labels, one a Reference,
	// one neither; answers are short.
	Questions []eval.Question
	// Missing is a path that does not exist, in the form that the server takes.
	Missing string
}

// Run tries every promise as a subtest.
func Run(t *testing.T, f Fixture) {
	t.Helper()
	for _, c := range []struct {
		name string
		try  func(*testing.T, eval.Server, Fixture)
	}{
		{"nothing loaded", nothingLoaded},
		{"missing model", missingModel},
		{"repeats", repeats},
		{"swap", swap},
		{"swap, batch", swapBatch},
		{"reload", reload},
		{"check", check},
		{"limits", limits},
		{"stop texts", stopTexts},
		{"labels", labels},
		{"reference", reference},
		{"continuations", continuations},
		{"batch equals single", batchEqualsSingle},
		{"batch forgets", batchForgets},
		{"concurrent", concurrent},
		{"cancelled", cancelled},
		{"close", closing},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := f.New(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}()
			c.try(t, s, f)
		})
	}
}

func load(t *testing.T, s eval.Server, m eval.Model) eval.Version {
	t.Helper()
	v, err := s.Load(t.Context(), m)
	if err != nil {
		t.Fatalf("load %s: %v", m.Path, err)
	}
	if v == "" {
		t.Fatalf("load %s: empty version", m.Path)
	}
	if err := s.Health(t.Context()); err != nil {
		t.Fatalf("health after load: %v", err)
	}
	return v
}

func nothingLoaded(t *testing.T, s eval.Server, f Fixture) {
	if _, err := s.Generate(t.Context(), f.Questions[0].Request); err == nil {
		t.Error("generate without a model: no error")
	}
	if err := s.Health(t.Context()); err == nil {
		t.Error("health without a model: no error")
	}
}

func missingModel(t *testing.T, s eval.Server, f Fixture) {
	_, err := s.Load(t.Context(), eval.Model{Path: f.Missing})
	if err == nil || !strings.Contains(err.Error(), f.Missing) {
		t.Errorf("load of a missing model: error %v does not name %s", err, f.Missing)
	}
}

// texts asks every question one by one.
func texts(t *testing.T, s eval.Server, f Fixture) []eval.Reply {
	t.Helper()
	var replies []eval.Reply
	for _, q := range f.Questions {
		r, err := s.Generate(t.Context(), q.Request)
		if err != nil {
			t.Fatal(err)
		}
		if r.Finish != eval.FinishStop && r.Finish != eval.FinishLength {
			t.Fatalf("finish %q", r.Finish)
		}
		r.Latency = 0
		replies = append(replies, r)
	}
	return replies
}

func repeats(t *testing.T, s eval.Server, f Fixture) {
	load(t, s, f.A)
	if a, b := texts(t, s, f), texts(t, s, f); !reflect.DeepEqual(a, b) {
		t.Errorf("the same questions got other answers:\n%v\n%v", a, b)
	}
}

// swap is the check for stale weights: A, B, A, with answers that differ.
func swap(t *testing.T, s eval.Server, f Fixture) {
	va := load(t, s, f.A)
	a := texts(t, s, f)
	vb := load(t, s, f.B)
	b := texts(t, s, f)
	again := load(t, s, f.A)
	if va != again {
		t.Errorf("equal weights, versions %s and %s", va, again)
	}
	if va == vb {
		t.Errorf("different weights, one version %s", va)
	}
	if reflect.DeepEqual(a, b) {
		t.Error("both checkpoints give the same answers: stale weights, or a fixture that cannot tell")
	}
	if c := texts(t, s, f); !reflect.DeepEqual(a, c) {
		t.Errorf("back at the first checkpoint, other answers:\n%v\n%v", a, c)
	}
}

// swapBatch is the same check through the call that studies use.
func swapBatch(t *testing.T, s eval.Server, f Fixture) {
	batcher, ok := s.(eval.Batcher)
	if !ok {
		return
	}
	load(t, s, f.A)
	a := ask(t, batcher, f.Questions)
	load(t, s, f.B)
	b := ask(t, batcher, f.Questions)
	for i := range a {
		if len(a[i].Labels) > 0 && reflect.DeepEqual(a[i].Labels, b[i].Labels) {
			t.Errorf("question %d: both checkpoints give the label scores %v", i, a[i].Labels)
		}
		if a[i].Reference != nil && *a[i].Reference == *b[i].Reference {
			t.Errorf("question %d: both checkpoints give the reference %g", i, *a[i].Reference)
		}
	}
	load(t, s, f.A)
	if c := ask(t, batcher, f.Questions); !reflect.DeepEqual(a, c) {
		t.Errorf("back at the first checkpoint, other answers:\n%v\n%v", a, c)
	}
}

// reload: from scratch, the same weights are the same version.
func reload(t *testing.T, s eval.Server, f Fixture) {
	r, ok := s.(eval.Reloader)
	if !ok {
		return
	}
	load(t, s, f.B)
	swapped := load(t, s, f.A)
	fresh, err := r.Reload(t.Context(), f.A)
	if err != nil || fresh != swapped {
		t.Errorf("swapped in: version %s; loaded from scratch: %s, %v", swapped, fresh, err)
	}
}

// check: what can be asked passes, what was answered can be asked.
func check(t *testing.T, s eval.Server, f Fixture) {
	c, ok := s.(eval.Checker)
	if !ok {
		return
	}
	if err := c.Check(f.Questions[0]); err == nil {
		t.Error("check without a model: no error")
	}
	load(t, s, f.A)
	for i, q := range f.Questions {
		if err := c.Check(q); err != nil {
			t.Errorf("question %d: %v", i, err)
		}
	}
}

func limits(t *testing.T, s eval.Server, f Fixture) {
	load(t, s, f.A)
	for _, q := range f.Questions {
		full, err := s.Generate(t.Context(), q.Request)
		if err != nil {
			t.Fatal(err)
		}
		if full.Tokens < 2 {
			continue
		}
		short := q.Request
		short.MaxTokens = 1
		r, err := s.Generate(t.Context(), short)
		if err != nil {
			t.Fatal(err)
		}
		if r.Finish != eval.FinishLength || r.Tokens != 1 || !strings.HasPrefix(full.Text, r.Text) {
			t.Errorf("one token of %q: %+v", full.Text, r)
		}
		return
	}
	t.Error("no question has an answer of two tokens")
}

func stopTexts(t *testing.T, s eval.Server, f Fixture) {
	load(t, s, f.A)
	for _, q := range f.Questions {
		full, err := s.Generate(t.Context(), q.Request)
		if err != nil {
			t.Fatal(err)
		}
		if len(full.Text) < 3 || full.Text[0] >= 0x80 || full.Text[1] >= 0x80 || full.Text[0] == full.Text[1] {
			continue
		}
		cut := q.Request
		cut.Stop = []string{full.Text[1:2]}
		r, err := s.Generate(t.Context(), cut)
		if err != nil {
			t.Fatal(err)
		}
		if r.Text != full.Text[:1] || r.Finish != eval.FinishStop {
			t.Errorf("%q stopped at %q: %+v", full.Text, cut.Stop[0], r)
		}
		return
	}
	t.Error("no question has an answer that can be cut")
}

func labels(t *testing.T, s eval.Server, f Fixture) {
	scorer, ok := s.(eval.LabelScorer)
	if !ok {
		return
	}
	load(t, s, f.A)
	for _, q := range f.Questions {
		if len(q.Labels) < 2 {
			continue
		}
		scores, err := scorer.ScoreLabels(t.Context(), q.Request, q.Labels)
		if err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for _, v := range scores {
			total += math.Exp(v)
		}
		if len(scores) != len(q.Labels) || total <= 0 || total > 1.0001 {
			t.Errorf("labels %v: log-probabilities %v add up to %g", q.Labels, scores, total)
		}
		turned, err := scorer.ScoreLabels(t.Context(), q.Request, []string{q.Labels[1], q.Labels[0]})
		if err != nil {
			t.Fatal(err)
		}
		if turned[0] != scores[1] || turned[1] != scores[0] {
			t.Errorf("labels in another order: %v, then %v", scores, turned)
		}
		return
	}
	t.Error("no question has two labels")
}

// reference: likelihoods are proper, and what the model says itself is likelier
// than the same said twice with a stray sign behind it.
func reference(t *testing.T, s eval.Server, f Fixture) {
	scorer, ok := s.(eval.ReferenceScorer)
	if !ok {
		return
	}
	load(t, s, f.A)
	tried := 0
	for _, q := range f.Questions {
		if q.Reference == "" {
			continue
		}
		said, err := s.Generate(t.Context(), q.Request)
		if err != nil {
			t.Fatal(err)
		}
		own, err := scorer.ScoreReference(t.Context(), q.Request, said.Text)
		if err != nil {
			t.Fatal(err)
		}
		other, err := scorer.ScoreReference(t.Context(), q.Request, said.Text+said.Text+"?")
		if err != nil {
			t.Fatal(err)
		}
		if own > 0 || other >= own {
			t.Errorf("log-likelihood of its own answer %q: %g, of another %g", said.Text, own, other)
		}
		tried++
	}
	if tried == 0 {
		t.Error("no question has a reference")
	}
}

func batchEqualsSingle(t *testing.T, s eval.Server, f Fixture) {
	batcher, ok := s.(eval.Batcher)
	if !ok {
		return
	}
	load(t, s, f.A)
	together, err := batcher.AnswerAll(t.Context(), f.Questions)
	if err != nil {
		t.Fatal(err)
	}
	if len(together) != len(f.Questions) {
		t.Fatalf("%d answers to %d questions", len(together), len(f.Questions))
	}
	for i, q := range f.Questions {
		if len(q.Labels) > 0 {
			continue
		}
		one, err := s.Generate(t.Context(), q.Request)
		if err != nil {
			t.Fatal(err)
		}
		if got := together[i]; got.Text != one.Text || got.Finish != one.Finish {
			t.Errorf("question %d: %q together, %q alone", i, got.Text, one.Text)
		}
	}
}

// batchForgets: the bits of an answer do not depend on what was asked before.
func batchForgets(t *testing.T, s eval.Server, f Fixture) {
	batcher, ok := s.(eval.Batcher)
	if !ok {
		return
	}
	load(t, s, f.A)
	first := ask(t, batcher, f.Questions)
	ask(t, batcher, f.Questions[:1])
	if _, err := s.Generate(t.Context(), f.Questions[len(f.Questions)-1].Request); err != nil {
		t.Fatal(err)
	}
	if second := ask(t, batcher, f.Questions); !reflect.DeepEqual(first, second) {
		t.Errorf("the same batch after other questions:\n%v\n%v", first, second)
	}
	load(t, s, f.B)
	load(t, s, f.A)
	if third := ask(t, batcher, f.Questions); !reflect.DeepEqual(first, third) {
		t.Errorf("the same batch after a swap:\n%v\n%v", first, third)
	}
}

func ask(t *testing.T, b eval.Batcher, qs []eval.Question) []eval.Answer {
	t.Helper()
	as, err := b.AnswerAll(t.Context(), qs)
	if err != nil {
		t.Fatal(err)
	}
	for i := range as {
		as[i].Latency = 0
	}
	return as
}

func concurrent(t *testing.T, s eval.Server, f Fixture) {
	load(t, s, f.A)
	want := texts(t, s, f)
	var wait sync.WaitGroup
	for i, q := range f.Questions {
		wait.Go(func() {
			r, err := s.Generate(t.Context(), q.Request)
			if err != nil || r.Text != want[i].Text {
				t.Errorf("question %d among others: %q, %v; alone %q", i, r.Text, err, want[i].Text)
			}
		})
	}
	wait.Wait()
}

func cancelled(t *testing.T, s eval.Server, f Fixture) {
	load(t, s, f.A)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	if _, err := s.Generate(ctx, f.Questions[0].Request); !errors.Is(err, context.Canceled) {
		t.Errorf("generate with a cancelled context: %v", err)
	}
	if _, err := s.Load(ctx, f.B); !errors.Is(err, context.Canceled) {
		t.Errorf("load with a cancelled context: %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("cancelled calls took %v", took)
	}
	load(t, s, f.A)
	if _, err := s.Generate(t.Context(), f.Questions[0].Request); err != nil {
		t.Errorf("after a cancelled call: %v", err)
	}
}

func closing(t *testing.T, s eval.Server, f Fixture) {
	load(t, s, f.A)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	if _, err := s.Generate(t.Context(), f.Questions[0].Request); err == nil {
		t.Error("generate after close: no error")
	}
	if _, err := s.Load(t.Context(), f.A); err == nil {
		t.Error("load after close: no error")
	}
}
