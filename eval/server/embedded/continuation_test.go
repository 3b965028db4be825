//go:build cgo

package embedded

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"soup/eval"
)

// bruteForce computes what ScoreContinuations must give, one token a time: a
// pass over all that came before, anew for each.
func bruteForce(t *testing.T, e *Engine, r eval.Request, text string) eval.Continuation {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	prompt, rest, err := e.encodePair(r, text)
	if err != nil {
		t.Fatal(err)
	}
	c := eval.Continuation{Tokens: len(rest), Greedy: true}
	b := batch{engine: e}
	for i, want := range rest {
		before := append(slices.Clone(prompt), rest[:i]...)
		row, err := b.forward(t.Context(), []piece{{tokens: before, outputs: []int{len(before) - 1}}})
		if err != nil {
			t.Fatal(err)
		}
		e.forget()
		c.LogProb += float64(row[want]) - logSumExp(row)
		c.Greedy = c.Greedy && argmax(row) == want
	}
	return c
}

// Many questions of one call, with shared prefixes and without, equal the sums
// token by token, as far as a batch of another shape rounds alike (nearly always
// to 1e-5).
func TestContinuationsEqualBruteForce(t *testing.T) {
	e := newEngine(t, Options{})
	mustLoad(t, e, garden+"finetune/order")
	var questions []eval.Question
	for _, it := range everyNth(gardenSet(t).Search, 75) {
		r := it.Request()
		questions = append(questions, eval.Question{Request: r, Continuations: []string{it.Answer, it.Answer + "1", "7", "B or C"}})
		shots := eval.Request{Raw: strings.Repeat("<|user|>12+34<|end|><|assistant|>46<|end|>", 3) + "<|user|>" + it.Prompt + "<|end|><|assistant|> "}
		questions = append(questions, eval.Question{Request: shots, Continuations: []string{it.Answer, "x"}})
	}
	answers, err := e.AnswerAll(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	greedy := 0
	for i, q := range questions {
		if answers[i].Err != nil || len(answers[i].Continuations) != len(q.Continuations) {
			t.Fatalf("question %d: %+v", i, answers[i])
		}
		for k, text := range q.Continuations {
			got, want := answers[i].Continuations[k], bruteForce(t, e, q.Request, text)
			if math.Abs(got.LogProb-want.LogProb) > 1e-3*float64(want.Tokens) || got.Tokens != want.Tokens || got.Greedy != want.Greedy {
				t.Errorf("%q after question %d: %+v, token by token %+v", text, i, got, want)
			}
			if got.Greedy {
				greedy++
			}
		}
	}
	if greedy == 0 {
		t.Error("no continuation is the model's own answer: the check of Greedy proves nothing")
	}
}

// A pair is divided into tokens together, and the space at the end of a prompt
// belongs to the continuation.
func TestEncodePair(t *testing.T) {
	e := newEngine(t, Options{})
	mustLoad(t, e, garden+"finetune/order")
	closed, joined, err := e.encodePair(eval.Request{Raw: "sort 31 "}, "13")
	if err != nil {
		t.Fatal(err)
	}
	open, apart, err := e.encodePair(eval.Request{Raw: "sort 31"}, " 13")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(closed, open) || !reflect.DeepEqual(joined, apart) || len(joined) < 2 {
		t.Errorf("space in the prompt: %v %v, in the continuation: %v %v", closed, joined, open, apart)
	}
	blank, rest, err := e.encodePair(eval.Request{Raw: " "}, "13")
	if err != nil || len(blank) != 1 || len(rest) == 0 {
		t.Errorf("a blank prompt: %v %v, %v", blank, rest, err)
	}
}

func TestContinuationsThatCannotBeScored(t *testing.T) {
	e := newEngine(t, Options{})
	mustLoad(t, e, garden+"finetune/order")
	for _, c := range []struct {
		q    eval.Question
		want string
	}{
		{eval.Question{Request: eval.Request{Raw: "sort 31"}, Continuations: []string{"13", ""}}, "no tokens of its own"},
		{eval.Question{Request: eval.Request{Raw: strings.Repeat("sort 31", 400)}, Continuations: []string{"13"}}, "do not fit into the model's context"},
		{eval.Question{Request: eval.Request{Raw: "sort", Tools: []byte("[]")}, Continuations: []string{"13"}}, "no functions can be offered"},
	} {
		if err := e.Check(c.q); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("check: %v, want %q", err, c.want)
		}
		answers, err := e.AnswerAll(t.Context(), []eval.Question{c.q, {Request: user("785+878")}})
		if err != nil || answers[0].Err == nil || !strings.Contains(answers[0].Err.Error(), c.want) || answers[1].Err != nil {
			t.Errorf("%+v, %v", answers, err)
		}
	}
}
