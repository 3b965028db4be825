//go:build cgo

package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ollama/ollama/model"
	"github.com/ollama/ollama/model/input"

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

// piece is a run of tokens of one sequence in a forward pass.
type piece struct {
	job     *job
	tokens  []int32
	start   int // position of tokens[0]
	seq     int
	outputs []int // indices into tokens whose logits are wanted
}

func (b *batch) run(ctx context.Context, questions []eval.Question) ([]eval.Answer, error) {
	var jobs []*job
	asked := make([][]*job, len(questions))
	for i, q := range questions {
		asked[i] = b.engine.prepareAll(q)
		jobs = append(jobs, asked[i]...)
	}
	if err := b.makeRoom(ctx, jobs); err != nil {
		return nil, err
	}
	for _, group := range groupByPrefix(jobs) {
		if err := b.answerGroup(ctx, group); err != nil {
			return nil, err
		}
	}
	answers := make([]eval.Answer, len(questions))
	for i := range questions {
		answers[i] = join(asked[i])
	}
	return answers, nil
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
	w := newWaiting(g)
	for len(w.queue)+len(w.live) > 0 {
		if w.admit(b.engine); len(w.live) == 0 {
			return fmt.Errorf("embedded engine: a question of %d tokens does not fit into a cache of %d", w.queue[0].need(), b.engine.cells)
		}
		pieces := b.nextPieces(w.live)
		logits, err := b.forward(ctx, pieces)
		if err != nil {
			return err
		}
		if err := b.read(pieces, logits); err != nil {
			return err
		}
		if err := w.dismiss(b.engine); err != nil {
			return err
		}
	}
	return nil
}

// waiting is the jobs of a group: those in the queue and those that have a
// sequence of the cache.
type waiting struct {
	shared      int
	queue, live []*job
	free        []int // sequences
	used        int   // tokens of the cache that are set aside
}

func newWaiting(g group) *waiting {
	w := &waiting{shared: g.shared, used: g.shared}
	for _, j := range g.jobs {
		if !j.done {
			w.queue = append(w.queue, j)
		}
	}
	for seq := sequences - 1; seq >= 0; seq-- {
		w.free = append(w.free, seq)
	}
	return w
}

// admit gives sequences to as many jobs as the cache has room for.
func (w *waiting) admit(e *Engine) {
	for len(w.queue) > 0 && len(w.free) > 0 {
		j := w.queue[0]
		j.reserved = j.need() - w.shared
		if w.used+j.reserved > e.cells {
			return
		}
		w.queue = w.queue[1:]
		j.seq, w.free = w.free[len(w.free)-1], w.free[:len(w.free)-1]
		w.used += j.reserved
		if w.shared > 0 {
			e.cache.CopyPrefix(sequences, j.seq, int32(w.shared))
			e.taken[j.seq] = true
			j.fed = w.shared
		}
		w.live = append(w.live, j)
	}
}

// dismiss takes the sequences of jobs that are done.
func (w *waiting) dismiss(e *Engine) (err error) {
	w.live = slices.DeleteFunc(w.live, func(j *job) bool {
		if j.done {
			w.used -= j.reserved
			w.free = append(w.free, j.seq)
			err = errors.Join(err, e.drop(j.seq))
		}
		return j.done
	})
	return err
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

// forward runs one pass and returns the logits of the outputs, row by row.
func (b *batch) forward(ctx context.Context, pieces []piece) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var in input.Batch
	var tokens, outputs []int32
	for _, p := range pieces {
		b.engine.taken[p.seq] = true
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
		if !j.done && !j.decoding && j.fed >= j.known() {
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
