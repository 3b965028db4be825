package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"
)

// choice is a multiple choice question where the model is not asked for a letter:
// the server tells how likely each of Choices is after the prompt, and the
// likeliest is the answer (the first of equals). Scoring follows lm-eval
// (lm_eval/api/task.py, ConfigurableTask.process_results, commit 4e7e0d47): by sum
// is its acc, by chars its acc_norm, by bytes its acc_bytes. The smooth score is
// what the best right choice has over the best wrong one, in nats (by chars and by
// bytes: nats a character or byte).
//
// Only a server that is a ContinuationScorer can answer; for the others the item
// fails. A recorded answer is right if it is the text of a right choice.
type choice struct{}

// choiceRule are the settings, in Item.Rule.
type choiceRule struct {
	// By is what choices are compared by: "sum" (the default), "chars" or "bytes",
	// the log-probability of all tokens as it is or divided by the length of the
	// choice's text without the delimiter.
	By string `json:"by"`
	// Delimiter is put between prompt and choice. The default is a space after a
	// raw prompt and nothing where the model's template ends the prompt.
	Delimiter *string `json:"delimiter"`
	// Right are the indices of the right choices, for choices whose texts are
	// equal. Default: those that Answer and Answers name.
	Right []int `json:"right"`
}

func (choice) Validate(it Item) error {
	rule, err := it.choiceRule()
	switch {
	case err != nil:
		return err
	case len(it.Choices) < 2:
		return missing("choices")
	case slices.Contains(it.Choices, ""):
		return errors.New("a choice without text")
	case it.Answer == "":
		return missing("answer")
	case len(rule.Right) > 0:
		return checkRight(it, rule.Right)
	}
	for _, ref := range it.references() {
		if !slices.Contains(it.Choices, ref) {
			return fmt.Errorf("answer %q is none of the choices", ref)
		}
	}
	return nil
}

func checkRight(it Item, right []int) error {
	for _, i := range right {
		if i < 0 || i >= len(it.Choices) {
			return fmt.Errorf("rule: right: no choice %d among %d", i, len(it.Choices))
		}
	}
	return nil
}

func (it Item) choiceRule() (choiceRule, error) {
	var rule choiceRule
	if err := it.readRule(&rule); err != nil {
		return rule, err
	}
	if !slices.Contains([]string{"", "sum", "chars", "bytes"}, rule.By) {
		return rule, fmt.Errorf("rule: by %q is none of sum, chars, bytes", rule.By)
	}
	return rule, nil
}

func (choice) Ask(it Item) Question {
	rule, _ := it.choiceRule()
	delimiter := ""
	if it.Raw != "" {
		delimiter = " "
	}
	if rule.Delimiter != nil {
		delimiter = *rule.Delimiter
	}
	q := Question{Request: it.Request()}
	for _, c := range it.Choices {
		q.Continuations = append(q.Continuations, delimiter+c)
	}
	return q
}

func (choice) Score(it Item, answer string) float64 {
	rule, _ := it.choiceRule()
	for i, c := range it.Choices {
		if c == answer && rule.right(it, i) {
			return 1
		}
	}
	return 0
}

func (r choiceRule) right(it Item, i int) bool {
	if len(r.Right) > 0 {
		return slices.Contains(r.Right, i)
	}
	return slices.Contains(it.references(), it.Choices[i])
}

// value is what choice i is compared by.
func (r choiceRule) value(it Item, i int, logprob float64) float64 {
	switch r.By {
	case "chars":
		return logprob / float64(utf8.RuneCountInString(it.Choices[i]))
	case "bytes":
		return logprob / float64(len(it.Choices[i]))
	}
	return logprob
}

// judgeContinuations chooses the likeliest choice, the first of equals.
func (o Outcome) judgeContinuations(it Item, given []Continuation) Outcome {
	if len(given) == 0 {
		return o.fail(ErrNoContinuations)
	}
	if len(given) != len(it.Choices) || slices.ContainsFunc(given, func(c Continuation) bool { return math.IsNaN(c.LogProb) }) {
		return o.fail(errors.New("the server did not score every choice"))
	}
	rule, err := it.choiceRule()
	if err != nil {
		return o.fail(err)
	}
	chosen, most, right, wrong := 0, math.Inf(-1), math.Inf(-1), math.Inf(-1)
	for i, c := range given {
		v := rule.value(it, i, c.LogProb)
		if v > most {
			chosen, most = i, v
		}
		if rule.right(it, i) {
			right = max(right, v)
		} else {
			wrong = max(wrong, v)
		}
	}
	margin := right - wrong
	o.Answer, o.Score, o.Soft = it.Choices[chosen], oneIf(rule.right(it, chosen)), finite(&margin)
	return o
}

// askContinuations needs a server with that power.
func askContinuations(ctx context.Context, s Server, q Question, started time.Time) Answer {
	scorer, ok := s.(ContinuationScorer)
	if !ok {
		return failed(ErrNoContinuations)
	}
	given, err := scorer.ScoreContinuations(ctx, q.Request, q.Continuations)
	if err != nil {
		return failed(err)
	}
	return Answer{Reply: Reply{Finish: FinishStop, Latency: time.Since(started)}, Continuations: given}
}

// Askable returns why a server cannot ask a question of the model that is loaded,
// nil if it can or cannot tell beforehand.
func Askable(s Server, q Question) error {
	if _, ok := s.(ContinuationScorer); !ok && len(q.Continuations) > 0 {
		return ErrNoContinuations
	}
	if checker, ok := s.(Checker); ok {
		return checker.Check(q)
	}
	return nil
}
