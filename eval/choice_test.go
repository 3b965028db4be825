package eval

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
)

// continuing is a server that knows how likely texts are.
type continuing struct {
	plain
	logprobs map[string]float64
	err      error
}

func (c *continuing) ScoreContinuations(_ context.Context, _ Request, texts []string) ([]Continuation, error) {
	var given []Continuation
	for _, text := range texts {
		given = append(given, Continuation{LogProb: c.logprobs[text], Tokens: 1})
	}
	return given, c.err
}

func choiceItem(rule string) Item {
	return Item{ID: "a", Category: "c", Metric: "choice", Raw: "Q:", Answer: "été", Choices: []string{"a", "été", "long wrong"}, Rule: json.RawMessage(rule)}
}

// The three rules differ on one set of log-probabilities: the sum prefers what is
// short.
func TestChoiceRules(t *testing.T) {
	s := &continuing{logprobs: map[string]float64{" a": -2, " été": -3.5, " long wrong": -10, "a": -9, "été": -1, "long wrong": -2}}
	for _, c := range []struct {
		rule, answer string
		score, soft  float64
	}{
		{``, "a", 0, -1.5},
		{`{"by":"sum"}`, "a", 0, -1.5},
		{`{"by":"chars"}`, "long wrong", 0, -3.5/3 + 1},
		{`{"by":"bytes"}`, "été", 1, 1 - 3.5/5},
		{`{"delimiter":""}`, "été", 1, 1},
		{`{"right":[0,2]}`, "a", 1, 1.5},
	} {
		calls, err := collect(t, s, []Item{choiceItem(c.rule)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := calls[0][0]
		if o.State != StateOK || o.Answer != c.answer || o.Score != c.score || o.Soft == nil || math.Abs(*o.Soft-c.soft) > 1e-12 {
			t.Errorf("%s: %+v, soft %v, want %s %v %v", c.rule, o, o.Soft, c.answer, c.score, c.soft)
		}
	}
	chat := choiceItem("")
	chat.Raw, chat.Prompt = "", "Q"
	if q := (choice{}).Ask(chat); q.Continuations[1] != "été" {
		t.Errorf("after a chat prompt: %q", q.Continuations)
	}
}

func TestChoiceWithoutThePower(t *testing.T) {
	items := []Item{choiceItem("")}
	for _, s := range []Server{&plain{}, &batching{plain: plain{answers: map[string]string{"": "a"}}}} {
		if b, ok := s.(*batching); ok {
			b.answers["Q"] = "a"
			items[0].Raw, items[0].Prompt = "", "Q"
		}
		calls, err := collect(t, s, items, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if o := calls[0][0]; o.State != StateFailed || !strings.Contains(o.Error, "cannot tell how likely a whole text is") {
			t.Errorf("%T: %+v", s, o)
		}
		if err := Askable(s, (choice{}).Ask(items[0])); !errors.Is(err, ErrNoContinuations) {
			t.Errorf("%T: %v", s, err)
		}
		if err := Askable(s, Question{}); err != nil {
			t.Errorf("%T: %v", s, err)
		}
	}
	if err := Askable(&continuing{}, (choice{}).Ask(items[0])); err != nil {
		t.Error(err)
	}
}

func TestChoiceFailures(t *testing.T) {
	for _, s := range []*continuing{
		{err: errors.New("gone")},
		{logprobs: map[string]float64{" a": math.NaN()}},
	} {
		calls, err := collect(t, s, []Item{choiceItem("")}, Options{})
		if err != nil || calls[0][0].State != StateFailed || calls[0][0].Error == "" {
			t.Errorf("%+v, %v", calls, err)
		}
	}
}

func TestChoiceItems(t *testing.T) {
	check := func(change func(*Item), part string) {
		t.Helper()
		it := choiceItem("")
		change(&it)
		wantError(t, it.Validate(), part)
	}
	check(func(it *Item) { it.Choices = it.Choices[:1] }, `"choices" is missing`)
	check(func(it *Item) { it.Choices[0] = "" }, "without text")
	check(func(it *Item) { it.Answer = "" }, `"answer" is missing`)
	check(func(it *Item) { it.Answer = "b" }, `"b" is none of the choices`)
	check(func(it *Item) { it.Rule = json.RawMessage(`{"by":"words"}`) }, `"words" is none of sum, chars, bytes`)
	check(func(it *Item) { it.Rule = json.RawMessage(`{"right":[3]}`) }, "no choice 3 among 3")
	check(func(it *Item) { it.Rule = json.RawMessage(`{"norm":1}`) }, `"norm"`)
	check(func(it *Item) { it.Rule = json.RawMessage(`{} {}`) }, "more than one value")
	it := choiceItem(`{"right":[1]}`)
	if err := it.Validate(); err != nil {
		t.Error(err)
	}
	if (choice{}).Score(it, "été") != 1 || (choice{}).Score(it, "a") != 0 || (choice{}).Score(choiceItem(""), "été") != 1 {
		t.Error("recorded answers")
	}
}
