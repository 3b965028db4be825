//go:build cgo

package embedded

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ollama/ollama/model"
	"github.com/ollama/ollama/model/input"
	"github.com/ollama/ollama/tokenizer"

	"soup/eval"
)

const (
	sequences   = 64  // answers in progress at once
	chunkTokens = 128 // tokens a forward pass
	// A pass returns one row of logits, as wide as the vocabulary, for each
	// position asked about; this many floats bound what it may return.
	chunkLogits   = 16 << 20
	defaultTokens = 32 // eval.Request.MaxTokens of 0
)

// batch answers the questions of one AnswerAll call.
type batch struct {
	engine  *Engine
	started time.Time
}

// job is one question on its way.
type job struct {
	question  eval.Question
	prompt    []int32
	reference []int32 // with the end token; nil if not asked for
	labels    []int32 // first token of each label
	limit     int     // most tokens to generate

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

// piece is a run of tokens of one sequence in a forward pass.
type piece struct {
	job     *job
	tokens  []int32
	start   int // position of tokens[0]
	seq     int
	outputs []int // indices into tokens whose logits are wanted
}

func (b *batch) run(ctx context.Context, questions []eval.Question) ([]eval.Answer, error) {
	jobs := make([]*job, len(questions))
	for i, q := range questions {
		j, err := b.prepare(q)
		if err != nil {
			return nil, err
		}
		jobs[i] = j
	}
	if err := b.makeRoom(ctx, jobs); err != nil {
		return nil, err
	}
	for _, group := range groupByPrefix(jobs) {
		if err := b.answerGroup(ctx, group); err != nil {
			return nil, err
		}
	}
	answers := make([]eval.Answer, len(jobs))
	for i, j := range jobs {
		answers[i] = j.answer
	}
	return answers, nil
}

// prepare turns a question into tokens.
func (b *batch) prepare(q eval.Question) (*job, error) {
	prompt, err := b.engine.encode(q.Request)
	if err != nil {
		return nil, err
	}
	if len(prompt) == 0 {
		return nil, fmt.Errorf("embedded engine: empty prompt")
	}
	j := &job{question: q, prompt: prompt, limit: q.MaxTokens}
	if j.limit <= 0 {
		j.limit = defaultTokens
	}
	if room := b.engine.longest - len(prompt); j.limit > room {
		j.limit = room
	}
	if j.limit < 1 {
		j.fail("prompt of %d tokens does not fit into the model's context of %d", len(prompt), b.engine.longest)
		return j, nil
	}
	if len(q.Labels) > 0 {
		return j, b.prepareLabels(j)
	}
	if q.Reference != "" {
		ids, err := b.engine.tokens(q.Reference, false)
		if err != nil {
			return nil, err
		}
		j.reference = append(slices.Clone(ids), b.engine.end())
		if len(prompt)+len(j.reference) > b.engine.longest {
			j.fail("prompt and reference of %d tokens do not fit into the model's context of %d", len(prompt)+len(j.reference), b.engine.longest)
		}
	}
	return j, nil
}

func (b *batch) prepareLabels(j *job) error {
	for _, label := range j.question.Labels {
		ids, err := b.engine.tokens(label, false)
		if err != nil {
			return err
		}
		if len(ids) == 0 || slices.Contains(j.labels, ids[0]) {
			return fmt.Errorf("embedded engine: label %q has no first token of its own", label)
		}
		j.labels = append(j.labels, ids[0])
	}
	return nil
}

// end is the token that closes an answer.
func (e *Engine) end() int32 {
	if eos := e.tok.Vocabulary().EOS; len(eos) > 0 {
		return eos[0]
	}
	return 0
}

func (j *job) fail(format string, args ...any) {
	j.done = true
	j.answer = eval.Answer{Err: fmt.Errorf(format, args...)}
	j.answer.Finish = eval.FinishError
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

// makeRoom loads the model anew with a larger cache where one question alone
// would not fit into it.
func (b *batch) makeRoom(ctx context.Context, jobs []*job) error {
	need := 0
	for _, j := range jobs {
		if !j.done {
			need = max(need, j.need())
		}
	}
	e := b.engine
	if need+chunkTokens <= e.cells {
		return nil
	}
	e.atLeast = need + chunkTokens
	return e.open(ctx, e.path)
}

// answerGroup answers jobs that share the first tokens of their prompts. Every
// forward pass carries the next token of all answers in progress and as many
// prompts as fit beside them.
func (b *batch) answerGroup(ctx context.Context, g group) error {
	defer b.engine.forget()
	if g.shared > 0 {
		if err := b.readPrefix(ctx, g); err != nil {
			return err
		}
	}
	queue := slices.DeleteFunc(slices.Clone(g.jobs), func(j *job) bool { return j.done })
	var live []*job
	free := make([]int, 0, sequences)
	for seq := sequences - 1; seq >= 0; seq-- {
		free = append(free, seq)
	}
	used := g.shared
	for len(queue)+len(live) > 0 {
		for len(queue) > 0 && len(free) > 0 && used+queue[0].need() <= b.engine.cells {
			j := queue[0]
			queue = queue[1:]
			j.seq, free = free[len(free)-1], free[:len(free)-1]
			if j.fed = g.shared; g.shared > 0 {
				b.engine.cache.CopyPrefix(sequences, j.seq, int32(g.shared))
			}
			j.reserved = j.need()
			used += j.reserved
			live = append(live, j)
		}
		pieces := b.nextPieces(live)
		logits, err := b.forward(ctx, pieces)
		if err != nil {
			return err
		}
		if err := b.read(pieces, logits); err != nil {
			return err
		}
		live = slices.DeleteFunc(live, func(j *job) bool {
			if j.done {
				used -= j.reserved
				free = append(free, j.seq)
				err = b.engine.cache.Remove(j.seq, 0, math.MaxInt32)
			}
			return j.done
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readPrefix reads the shared prefix once, into a sequence of its own.
func (b *batch) readPrefix(ctx context.Context, g group) error {
	prefix := g.jobs[0].prompt[:g.shared]
	for at := 0; at < len(prefix); at += chunkTokens {
		part := prefix[at:min(at+chunkTokens, len(prefix))]
		p := piece{tokens: part, start: at, seq: sequences, outputs: []int{len(part) - 1}}
		if _, err := b.forward(ctx, []piece{p}); err != nil {
			return err
		}
	}
	return nil
}

// nextPieces fills a forward pass: one token of every answer that is being
// decoded, then prompts in order.
func (b *batch) nextPieces(live []*job) []piece {
	rows := max(sequences, chunkLogits/len(b.engine.tok.Vocabulary().Values))
	tokens := 0
	var pieces []piece
	for _, j := range live {
		if j.decoding {
			last := j.generated[len(j.generated)-1]
			pieces = append(pieces, piece{job: j, tokens: []int32{last}, start: j.fed, seq: j.seq, outputs: []int{0}})
			tokens++
			rows--
		}
	}
	for _, j := range live {
		if j.decoding || tokens >= chunkTokens || rows < 1 {
			continue
		}
		p := j.nextPiece(chunkTokens-tokens, rows)
		tokens += len(p.tokens)
		rows -= len(p.outputs)
		pieces = append(pieces, p)
	}
	return pieces
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

// forward runs one pass and returns the logits of the outputs, row by row.
func (b *batch) forward(ctx context.Context, pieces []piece) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var in input.Batch
	var tokens, outputs []int32
	for _, p := range pieces {
		for _, o := range p.outputs {
			outputs = append(outputs, int32(len(tokens)+o))
		}
		for i, id := range p.tokens {
			tokens = append(tokens, id)
			in.Positions = append(in.Positions, int32(p.start+i))
			in.Sequences = append(in.Sequences, p.seq)
		}
	}
	computing.Lock()
	defer computing.Unlock()
	m := b.engine.model
	c := m.Backend().NewContext()
	defer c.Close()
	in.Inputs = c.Input().FromInts(tokens, len(tokens))
	in.Outputs = c.Input().FromInts(outputs, len(outputs))
	c.SetBatchSize(len(tokens))
	out, err := model.Forward(c, m, in)
	if err != nil {
		return nil, fmt.Errorf("embedded engine: %w", err)
	}
	c.Compute(out)
	return out.Floats(), nil
}

// read gives every piece's logits to its job.
func (b *batch) read(pieces []piece, logits []float32) error {
	rows := 0
	for _, p := range pieces {
		rows += len(p.outputs)
	}
	width := len(logits) / rows
	for _, p := range pieces {
		j := p.job
		for _, o := range p.outputs {
			row := logits[:width]
			logits = logits[width:]
			if p.start+o >= len(j.prompt)-1 && !j.done {
				b.readRow(j, p.start+o, row)
			}
		}
		j.fed += len(p.tokens)
		if !j.done && !j.decoding && j.fed == j.known() {
			b.startDecoding(j)
			if j.done {
				continue
			}
			if err := b.rewind(j); err != nil {
				return err
			}
		}
	}
	return nil
}

// readRow takes in the logits after position at.
func (b *batch) readRow(j *job, at int, row []float32) {
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
		j.fail("answer cannot be decoded: %v", err)
		return
	}
	j.answer.Text, j.answer.Finish = text, why
	j.answer.Tokens = len(j.generated)
	j.answer.Latency = time.Since(b.started)
	j.done = j.decoding
}

// startDecoding is called when prompt and reference are read.
func (b *batch) startDecoding(j *job) {
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
	if err := b.engine.cache.Remove(j.seq, 0, math.MaxInt32); err != nil {
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
