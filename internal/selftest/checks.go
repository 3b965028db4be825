package selftest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"soup/eval"
	"soup/internal/probe"
)

// closeEnough is how far, in nats, log-probabilities of equal questions may be
// apart; servers that put several requests into one pass differ by some 1e-3.
const closeEnough = 0.02

// said is what a server says to a question, with what it scores.
type said struct {
	text   string
	labels []float64
}

// near compares scores; texts only where there are none, for one near tie turns
// a text.
func (s said) near(other said, tolerance float64) bool {
	if len(s.labels) != len(other.labels) {
		return false
	}
	if len(s.labels) == 0 {
		return s.text == other.text
	}
	return s.apart(other) <= tolerance
}

// apart is the widest difference between scores, in nats.
func (s said) apart(other said) float64 {
	widest := 0.0
	for i, v := range s.labels {
		if w := other.labels[i]; v != w {
			widest = max(widest, math.Abs(v-w))
		}
	}
	return widest
}

// labels are what many vocabularies have as one token each.
var labels = []string{"A", "B", "1", "2", "yes", "no", "The", "Paris"}

// say asks for a short answer, and for label scores where the server has them.
func (t *trial) say(ctx context.Context, r eval.Request) (s said, err error) {
	r.MaxTokens = 16
	if b, ok := t.server.(eval.Batcher); ok {
		return sayTogether(ctx, b, r)
	}
	reply, err := t.server.Generate(ctx, r)
	if err != nil {
		return s, err
	}
	s.text = reply.Text
	if scorer, ok := t.server.(eval.LabelScorer); ok {
		s.labels, err = scorer.ScoreLabels(ctx, r, labels)
	}
	return s, err
}

func sayTogether(ctx context.Context, b eval.Batcher, r eval.Request) (s said, err error) {
	answers, err := b.AnswerAll(ctx, []eval.Question{{Request: r}, {Request: r, Labels: labels}})
	if err != nil {
		return s, err
	}
	if len(answers) != 2 {
		return s, fmt.Errorf("%w: %d answers to 2 questions", eval.ErrReply, len(answers))
	}
	return said{answers[0].Text, answers[1].Labels}, errors.Join(answers[0].Err, answers[1].Err)
}

func (t *trial) load(ctx context.Context) (err error) {
	started := time.Now()
	if t.loaded, err = t.server.Load(ctx, eval.Model{Path: t.a}); err == nil {
		err = t.server.Health(ctx)
	}
	if err != nil {
		t.note("reach", Fail, oneLine(err), nil)
		return errEnd
	}
	seconds := time.Since(started).Seconds()
	t.note("reach", OK, fmt.Sprintf("the model is loaded after %.2f s, version %s", seconds, t.loaded), map[string]float64{"seconds": seconds})
	return nil
}

// identity asks what the server says of itself.
func (t *trial) identity(ctx context.Context) error {
	if i, ok := t.server.(interface {
		Identity(ctx context.Context) (string, error)
	}); ok {
		if name, err := i.Identity(ctx); err != nil {
			t.note("version", Warn, oneLine(err), nil)
		} else {
			t.note("version", OK, name, nil)
		}
	}
	d, ok := t.server.(eval.Describer)
	if !ok {
		return nil
	}
	facts, err := d.Describe(ctx)
	if err != nil {
		t.note("facts", Warn, oneLine(err), nil)
	}
	for _, f := range facts {
		t.note(f.Name, OK, f.Text, nil)
	}
	return nil
}

// raw is a prompt that needs no template.
const raw = "The sum of 17 and 25 is 42. The capital of France is"

func (t *trial) answers(ctx context.Context) error {
	reply, err := t.server.Generate(ctx, eval.Request{Raw: raw, MaxTokens: 8})
	switch {
	case err != nil:
		t.note("answer", Fail, oneLine(err), nil)
		return errEnd
	case reply.Finish != eval.FinishStop && reply.Finish != eval.FinishLength, reply.Tokens < 0, reply.Tokens > 8:
		t.note("answer", Fail, fmt.Sprintf("asked for 8 tokens: finish %q after %d", reply.Finish, reply.Tokens), nil)
	default:
		seconds := reply.Latency.Seconds()
		t.note("answer", OK, fmt.Sprintf("%d tokens in %.3f s", reply.Tokens, seconds), map[string]float64{"seconds": seconds, "tokens": float64(reply.Tokens)})
	}
	return nil
}

// tokens compares token ids with those of the checkpoint's tokenizer.
func (t *trial) tokens(ctx context.Context) error {
	const name = "token ids"
	if _, ok := t.server.(eval.TokenLister); !ok {
		t.note(name, Cannot, "the server does not show token ids: they were not compared", nil)
		return nil
	}
	note, err := probe.Tokens(ctx, t.server, t.options.Model)
	switch {
	case err != nil:
		t.note(name, Fail, oneLine(err), nil)
	case note != "":
		t.note(name, Warn, note, nil)
	case !isDirectory(t.options.Model):
		t.note(name, Warn, "the model is a GGUF file: there is no other tokenizer to compare with", nil)
	default:
		t.note(name, OK, "equal to those of the checkpoint's tokenizer.json", nil)
	}
	return nil
}

// logProbs checks scores of labels and of references.
func (t *trial) logProbs(ctx context.Context) error {
	if scorer, ok := t.server.(eval.LabelScorer); !ok {
		t.note("label scores", Cannot, "no log-probabilities of labels: choices are generated, and have no smooth score", nil)
	} else {
		scores, err := scorer.ScoreLabels(ctx, eval.Request{Raw: raw}, labels)
		t.noteScores("label scores", scores, true, err)
	}
	if scorer, ok := t.server.(eval.ReferenceScorer); !ok {
		t.note("reference scores", Cannot, "no likelihood of given answers: generated answers have no smooth score", nil)
	} else {
		mean, err := scorer.ScoreReference(ctx, eval.Request{Raw: raw}, " Paris.")
		t.noteScores("reference scores", []float64{mean}, false, err)
	}
	return nil
}

// noteScores judges log-probabilities; where they are of different tokens at one
// place they cannot add up to more than 1.
func (t *trial) noteScores(name string, scores []float64, exclusive bool, err error) {
	if err != nil {
		t.note(name, Fail, oneLine(err), nil)
		return
	}
	total, highest := 0.0, math.Inf(-1)
	for _, v := range scores {
		if math.IsNaN(v) || v > 1e-3 {
			t.note(name, Fail, fmt.Sprintf("%g is no log-probability", v), nil)
			return
		}
		total += math.Exp(v)
		highest = max(highest, v)
	}
	switch {
	case exclusive && total > 1.01:
		t.note(name, Fail, fmt.Sprintf("probabilities of %d labels add up to %.3f", len(scores), total), nil)
	case math.IsInf(highest, -1):
		t.note(name, Fail, "every score is minus infinity", nil)
	default:
		t.note(name, OK, fmt.Sprintf("log-probabilities, the highest %.3f", highest), map[string]float64{"highest": highest})
	}
}

// continuations checks what multiple choice by log-likelihood needs.
func (t *trial) continuations(ctx context.Context) error {
	const name = "choices' likelihood"
	scorer, ok := t.server.(eval.ContinuationScorer)
	if !ok {
		t.note(name, Cannot, "no log-likelihood of texts of several tokens: benchmarks that compare whole choices cannot be scored here", nil)
		return nil
	}
	texts := []string{" Paris", " Paris, and the capital of Italy is Rome", " xyzzy"}
	got, err := scorer.ScoreContinuations(ctx, eval.Request{Raw: raw}, texts)
	switch {
	case err == nil && len(got) != len(texts):
		err = fmt.Errorf("%d scores of %d texts", len(got), len(texts))
	case err == nil && (got[0].Tokens < 1 || got[1].Tokens <= got[0].Tokens):
		err = fmt.Errorf("%q has %d tokens, %q has %d", texts[0], got[0].Tokens, texts[1], got[1].Tokens)
	case err == nil && got[1].LogProb > got[0].LogProb+closeEnough:
		err = fmt.Errorf("%q is less likely (%g) than with more behind it (%g)", texts[0], got[0].LogProb, got[1].LogProb)
	}
	var scores []float64
	for _, c := range got {
		scores = append(scores, c.LogProb)
	}
	t.noteScores(name, scores, false, err)
	return nil
}

// alike is how many equal questions are asked at the same time.
const alike = 8

// repeats asks the same three times, then eight times at once.
func (t *trial) repeats(ctx context.Context) error {
	first, err := t.say(ctx, eval.Request{Raw: raw})
	if err != nil {
		t.note("repeats", Fail, oneLine(err), nil)
		return nil
	}
	alone, texts, err := t.differences(ctx, first, 2, 1)
	t.noteRepeats("repeats alone", alone, texts, err)
	together, moreTexts, err := t.differences(ctx, first, alike, alike)
	t.noteRepeats("repeats among others", together, moreTexts, err)
	t.widest = max(alone, together)
	return nil
}

// differences asks the question again and returns the widest difference of
// scores, and how many texts were others.
func (t *trial) differences(ctx context.Context, first said, times, parallel int) (widest float64, texts int, err error) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for range times {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			again, e := t.say(ctx, eval.Request{Raw: raw})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case e != nil:
				err = e
			case len(again.labels) != len(first.labels):
				err = fmt.Errorf("%w: %d label scores, then %d", eval.ErrReply, len(first.labels), len(again.labels))
			default:
				widest = max(widest, again.apart(first))
				if again.text != first.text {
					texts++
				}
			}
		})
	}
	wait.Wait()
	return widest, texts, err
}

func (t *trial) noteRepeats(name string, widest float64, texts int, err error) {
	values := map[string]float64{"nats": widest, "other_texts": float64(texts)}
	switch {
	case err != nil:
		t.note(name, Fail, oneLine(err), nil)
	case widest > 0.5:
		t.note(name, Fail, fmt.Sprintf("log-probabilities of one question differ by %.3g nats", widest), values)
	case widest > 0 || texts > 0:
		t.note(name, Warn, fmt.Sprintf("log-probabilities of one question differ by up to %.2g nats, %d texts are others: the canary's tolerance should be %.2g", widest, texts, 4*widest), values)
	default:
		t.note(name, OK, "to the last bit", values)
	}
}

// tools offers a function.
func (t *trial) tools(ctx context.Context) error {
	const name = "functions"
	tools := `[{"type":"function","function":{"name":"capital_of","description":"The capital of a country","parameters":{"type":"object","properties":{"country":{"type":"string"}},"required":["country"]}}}]`
	_, err := t.server.Generate(ctx, eval.Request{Messages: conversation, MaxTokens: 8, Tools: []byte(tools)})
	switch {
	case errors.Is(err, eval.ErrNoTools):
		t.note(name, Cannot, "functions cannot be offered to this model here: such benchmarks write them into the prompt", nil)
	case err != nil:
		t.note(name, Warn, oneLine(err), nil)
	default:
		t.note(name, OK, "can be offered to the model", nil)
	}
	return nil
}

// length finds out what happens to a prompt that is too long. It must be an
// error: a prompt that is cut is another question.
func (t *trial) length(ctx context.Context) error {
	const name = "context"
	n := t.options.Server.Context
	if n == 0 {
		n = positions(t.options.Model)
	}
	if n == 0 || n > longestTried {
		t.note(name, Warn, "prompts that are too long were not tried: give --context, of at most "+fmt.Sprint(longestTried), nil)
		return nil
	}
	if _, err := t.server.Generate(ctx, eval.Request{Raw: strings.Repeat("a b ", n/8), MaxTokens: 1}); err != nil {
		t.note(name, Warn, fmt.Sprintf("a prompt of about %d tokens: %s", n/4, oneLine(err)), nil)
		return nil
	}
	_, err := t.server.Generate(ctx, eval.Request{Raw: strings.Repeat("a b ", n), MaxTokens: 1})
	switch {
	case err == nil:
		t.note(name, Warn, fmt.Sprintf("a prompt of more than %d tokens is answered: the server has a longer context, or cuts prompts", n), nil)
	case t.server.Health(ctx) != nil:
		t.note(name, Fail, fmt.Sprintf("a prompt of more than %d tokens ends the server: %s", n, oneLine(err)), nil)
	default:
		t.note(name, OK, fmt.Sprintf("prompts of more than %d tokens are refused", n), map[string]float64{"tokens": float64(n)})
	}
	return nil
}

// longestTried keeps the test short.
const longestTried = 8192
