//go:build cgo

package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"soup/eval"
)

// ScoreContinuations implements eval.ContinuationScorer.
func (e *Engine) ScoreContinuations(ctx context.Context, r eval.Request, continuations []string) ([]eval.Continuation, error) {
	if len(continuations) == 0 {
		return nil, errors.New("embedded engine: no continuations to score")
	}
	a, err := e.answer(ctx, eval.Question{Request: r, Continuations: continuations})
	return a.Continuations, err
}

// prepareAll returns the jobs that answer a question: one a continuation, or
// the question itself.
func (e *Engine) prepareAll(q eval.Question) []*job {
	if len(q.Continuations) == 0 {
		return []*job{e.prepare(q)}
	}
	jobs := make([]*job, len(q.Continuations))
	for i, text := range q.Continuations {
		jobs[i] = e.prepareContinuation(q, text)
	}
	return jobs
}

// prepareContinuation makes a job that reads a text after a prompt and says
// nothing of its own.
func (e *Engine) prepareContinuation(q eval.Question, text string) *job {
	j := &job{question: q, continued: true}
	var err error
	if j.prompt, j.reference, err = e.encodePair(q.Request, text); err != nil {
		return j.fail(err)
	}
	switch {
	case len(j.reference) == 0:
		return j.fail(fmt.Errorf("continuation %q has no tokens of its own after the prompt", clip(text)))
	case j.known() > e.longest:
		return j.fail(fmt.Errorf("prompt and continuation of %d tokens do not fit into the model's context of %d", j.known(), e.longest))
	}
	return j
}

// encodePair divides a prompt and its continuation into tokens as lm-eval does
// (lm_eval/api/model.py, TemplateLM._encode_pair): white space at the end of the
// prompt counts as the beginning of the continuation, both are divided together
// so that a word is not cut at the seam, and what the prompt alone does not
// account for is the continuation. A prompt without tokens is the model's first
// token, or where it has none the end token.
func (e *Engine) encodePair(r eval.Request, continuation string) (prompt, rest []int32, err error) {
	text, err := e.template.Render(r)
	if err != nil {
		return nil, nil, err
	}
	special := r.Raw != ""
	context := strings.TrimRightFunc(text, unicode.IsSpace)
	if prompt, err = e.tokens(context, special); err != nil {
		return nil, nil, err
	}
	whole, err := e.tokens(text+continuation, special)
	if err != nil {
		return nil, nil, err
	}
	rest = whole[min(len(prompt), len(whole)):]
	if len(prompt) == 0 {
		prompt = []int32{e.first()}
	}
	return prompt, rest, nil
}

// first is the token that opens a text.
func (e *Engine) first() int32 {
	if bos := e.tok.Vocabulary().BOS; len(bos) > 0 {
		return bos[0]
	}
	return e.end()
}

// finishContinuation is called when prompt and continuation are read.
func (b *batch) finishContinuation(j *job) {
	j.answer.Continuations = []eval.Continuation{{LogProb: j.logprob, Tokens: len(j.reference), Greedy: !j.diverged}}
	j.answer.Finish, j.answer.Latency = eval.FinishStop, time.Since(b.started)
	j.done = true
}

// join makes one answer of those of a question's jobs: the first that failed, or
// all of them.
func join(jobs []*job) eval.Answer {
	all := jobs[0].answer
	for _, j := range jobs {
		if j.answer.Err != nil {
			return j.answer
		}
	}
	for _, j := range jobs[1:] {
		all.Continuations = append(all.Continuations, j.answer.Continuations...)
		all.Latency = max(all.Latency, j.answer.Latency)
	}
	return all
}
