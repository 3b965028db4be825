//go:build cgo

package embedded

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ollama/ollama/tokenizer"

	"soup/eval"
)

// job is one question on its way.
type job struct {
	question  eval.Question
	prompt    []int32
	reference []int32 // with the end token, or a continuation; nil if not asked for
	labels    []int32 // first token of each label
	limit     int     // most tokens to generate
	continued bool    // reference is one of the question's continuations

	seq       int // slot in the cache
	fed       int // tokens of prompt+reference that the cache holds
	reserved  int // tokens of the cache set aside
	generated []int32
	logprob   float64 // sum over the reference so far
	diverged  bool    // the greedy answer is no longer the reference
	decoding  bool    // past prompt and reference, one token a pass
	done      bool
	answer    eval.Answer
}

// prepare turns a question into tokens. A question that cannot be asked is a
// job that is done, with the reason in its answer; the others go on.
func (e *Engine) prepare(q eval.Question) *job {
	j := &job{question: q, limit: q.MaxTokens}
	if j.limit <= 0 {
		j.limit = defaultTokens
	}
	var err error
	if j.prompt, err = e.encode(q.Request); err != nil {
		return j.fail(err)
	}
	j.limit = min(j.limit, e.longest-len(j.prompt))
	switch {
	case len(j.prompt) == 0:
		return j.fail(errors.New("empty prompt"))
	case j.limit < 1:
		return j.fail(fmt.Errorf("prompt of %d tokens does not fit into the model's context of %d", len(j.prompt), e.longest))
	case len(q.Labels) > 0:
		j.labels, err = e.firstTokens(q.Labels)
	case q.Reference != "":
		j.reference, err = e.referenceTokens(q.Reference, e.longest-len(j.prompt))
	}
	if err != nil {
		return j.fail(err)
	}
	return j
}

// referenceTokens are the tokens of a reference with the end token; none if
// they do not fit, and then the likelihood stays unknown.
func (e *Engine) referenceTokens(text string, room int) ([]int32, error) {
	ids, err := e.tokens(text, false)
	if err != nil || len(ids)+1 > room {
		return nil, err
	}
	return append(slices.Clone(ids), e.end()), nil
}

// firstTokens are the tokens that labels begin with, which must differ.
func (e *Engine) firstTokens(labels []string) (first []int32, err error) {
	for _, label := range labels {
		ids, err := e.tokens(label, false)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 || slices.Contains(first, ids[0]) {
			return nil, fmt.Errorf("label %q has no first token of its own", label)
		}
		first = append(first, ids[0])
	}
	return first, nil
}

// end is the token that closes an answer.
func (e *Engine) end() int32 {
	if eos := e.tok.Vocabulary().EOS; len(eos) > 0 {
		return eos[0]
	}
	return 0
}

// fail ends the job without an answer.
func (j *job) fail(err error) *job {
	j.done = true
	j.answer = eval.Answer{Reply: eval.Reply{Finish: eval.FinishError}, Err: fmt.Errorf("embedded engine: %w", err)}
	return j
}

// known is what the job reads before it says anything of its own.
func (j *job) known() int {
	if len(j.reference) > 0 {
		return len(j.prompt) + len(j.reference) - 1 // the end token need not be read
	}
	return len(j.prompt)
}

// need is the most tokens that the job will hold in the cache.
func (j *job) need() int { return max(j.known(), len(j.prompt)+j.limit) }

// token returns token i of prompt+reference.
func (j *job) token(i int) int32 {
	if i < len(j.prompt) {
		return j.prompt[i]
	}
	return j.reference[i-len(j.prompt)]
}

// nextPiece returns the next tokens of prompt and reference, at most n tokens
// and rows outputs (at least one of each).
func (j *job) nextPiece(n, rows int) piece {
	p := piece{job: j, start: j.fed, seq: j.seq}
	for i := j.fed; i < j.known() && len(p.tokens) < n && len(p.outputs) < rows; i++ {
		if i >= len(j.prompt)-1 {
			p.outputs = append(p.outputs, len(p.tokens))
		}
		p.tokens = append(p.tokens, j.token(i))
	}
	if len(p.outputs) == 0 { // the engine wants at least one; it is not looked at
		p.outputs = []int{len(p.tokens) - 1}
	}
	return p
}

// readRow takes in the logits after position at.
func (b *batch) readRow(j *job, at int, row []float32) {
	if notNumbers(row) {
		j.fail(eval.ErrNotNumbers)
		return
	}
	if len(j.labels) > 0 {
		b.readLabels(j, row)
		return
	}
	best := argmax(row)
	if k := at - (len(j.prompt) - 1); !j.decoding && k < len(j.reference) {
		want := j.reference[k]
		j.logprob += float64(row[want]) - logSumExp(row)
		if j.diverged {
			return
		}
		j.diverged = best != want
	}
	if j.continued {
		return
	}
	b.say(j, best)
}

// say adds a token to the answer and ends it where that is due. The job goes on
// reading its reference after that.
func (b *batch) say(j *job, token int32) {
	if j.answer.Finish != "" {
		return
	}
	if b.engine.tok.Is(token, tokenizer.SpecialEOS) {
		b.finish(j, eval.FinishStop)
		return
	}
	j.generated = append(j.generated, token)
	if b.stopped(j) {
		return
	}
	if len(j.generated) >= j.limit {
		b.finish(j, eval.FinishLength)
	}
}

// stopped looks for a stop text, which ends the answer before it.
func (b *batch) stopped(j *job) bool {
	if len(j.question.Stop) == 0 {
		return false
	}
	text, err := b.engine.tok.Decode(j.generated)
	if err != nil {
		return false
	}
	cut := -1
	for _, s := range j.question.Stop {
		if at := strings.Index(text, s); s != "" && at >= 0 && (cut < 0 || at < cut) {
			cut = at
		}
	}
	if cut < 0 {
		return false
	}
	b.finish(j, eval.FinishStop)
	j.answer.Text = text[:cut]
	return true
}

// finish notes the answer; the job is done when nothing is left to read.
func (b *batch) finish(j *job, why eval.Finish) {
	text, err := b.engine.tok.Decode(j.generated)
	if err != nil {
		j.fail(fmt.Errorf("answer cannot be decoded: %w", err))
		return
	}
	j.answer.Text, j.answer.Finish = text, why
	j.answer.Tokens = len(j.generated)
	j.answer.Latency = time.Since(b.started)
	j.done = j.decoding
}

// startDecoding is called when prompt and reference are read.
func (b *batch) startDecoding(j *job) {
	if j.continued {
		b.finishContinuation(j)
		return
	}
	j.decoding = true
	if len(j.reference) > 0 {
		mean := j.logprob / float64(len(j.reference))
		j.answer.Reference = &mean
	}
	j.done = j.answer.Finish != ""
}

// rewind drops what the cache holds beyond the tokens that the model said
// itself. A cache that cannot forget a tail reads the sequence again.
func (b *batch) rewind(j *job) error {
	keep := len(j.prompt) + len(j.generated) - 1
	if keep < j.fed {
		if err := b.engine.cache.Remove(j.seq, int32(keep), math.MaxInt32); err != nil {
			return b.startOver(j)
		}
		j.fed = keep
	}
	return nil
}

// startOver makes what the job said so far a part of its prompt.
func (b *batch) startOver(j *job) error {
	if err := b.engine.drop(j.seq); err != nil {
		return fmt.Errorf("embedded engine: cache: %w", err)
	}
	j.prompt = append(slices.Clone(j.prompt), j.generated...)
	j.reference, j.fed, j.decoding = nil, 0, false
	return nil
}

func (b *batch) readLabels(j *job, row []float32) {
	norm := logSumExp(row)
	j.answer.Labels = make([]float64, len(j.labels))
	best := 0
	for i, id := range j.labels {
		j.answer.Labels[i] = float64(row[id]) - norm
		if j.answer.Labels[i] > j.answer.Labels[best] {
			best = i
		}
	}
	j.answer.Text, j.answer.Finish = j.question.Labels[best], eval.FinishStop
	j.answer.Latency = time.Since(b.started)
	j.done = true
}

// notNumbers finds NaN: the sum of a row holds one if any element is one, or if
// infinities of both signs are.
func notNumbers(row []float32) bool {
	sum := float32(0)
	for _, v := range row {
		sum += v
	}
	return sum != sum
}

// argmax returns the first index of the highest value.
func argmax(row []float32) int32 {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return int32(best)
}

// logSumExp returns log(sum(exp(row))), shifted by the maximum so that nothing
// overflows.
func logSumExp(row []float32) float64 {
	top := float64(row[argmax(row)])
	sum := 0.0
	for _, v := range row {
		sum += math.Exp(float64(v) - top)
	}
	return top + math.Log(sum)
}
