package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options says how Run works. The zero value is usable.
type Options struct {
	Batch    int                  // items that are asked and recorded together; default 150
	Parallel int                  // most requests at a time to a server that is no Batcher; default 8
	Timeout  time.Duration        // of an item; of a Batcher's call, the sum over its items; default none
	Done     func(id string) bool // reports whether an item has been recorded already; default none
	Verify   bool                 // ask a server that is no Batcher until two answers agree: for connections that change bytes
	Agree    float64              // nats by which log-probabilities of answers that agree may differ; default 0
	// Watch is called before questions are sent, and what it returns with their
	// answers; by several goroutines at once. Default none.
	Watch func() (answered func(...Answer))
}

const (
	defaultBatch    = 150
	defaultParallel = 8
)

// Run asks the server the items and hands their outcomes to record, one call a
// batch, in order. Batches are cut at fixed places of items. One with all items
// Done is skipped; of one with items missing a Batcher is asked anew as a whole,
// and only the missing ones are recorded, so that an interrupted run gives what
// an unbroken one would have given even where answers depend on their batch.
// Other servers are asked the missing ones. A caller that races candidates calls
// Run once a rung.
//
// An item whose answer was lost on the way (ErrUnreachable, ErrServer, ErrReply)
// is asked again, up to twice, while the server's Health is well. One that the
// server cannot answer is recorded as failed, or as timed out. Run stops with an
// error if an item is not valid (before anything is asked), if a Batcher's call
// fails as a whole, if after a failed item the server's Health is not well, if
// record fails, and with ctx.Err() if ctx ends. It records nothing of that batch
// then, except, where a server that is no Batcher is no longer well, what this
// server answered before the first answer that was lost.
func Run(ctx context.Context, s Server, items []Item, o Options, record func([]Outcome) error) error {
	if o.Batch <= 0 {
		o.Batch = defaultBatch
	}
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if o.Done == nil {
		o.Done = func(string) bool { return false }
	}
	if err := checkItems(items); err != nil {
		return err
	}
	for batch := range slices.Chunk(items, o.Batch) {
		if !slices.ContainsFunc(batch, func(it Item) bool { return !o.Done(it.ID) }) {
			continue
		}
		if _, ok := s.(Batcher); !ok {
			batch = slices.DeleteFunc(slices.Clone(batch), func(it Item) bool { return o.Done(it.ID) })
		}
		outcomes, err := runBatch(ctx, s, batch, o)
		if err != nil && len(outcomes) == 0 {
			return err
		}
		outcomes = slices.DeleteFunc(outcomes, func(out Outcome) bool { return o.Done(out.ID) })
		if err := errors.Join(err, record(outcomes)); err != nil {
			return err
		}
	}
	return nil
}

// watch is Watch, or nothing.
func (o Options) watch() func(...Answer) {
	if o.Watch == nil {
		return func(...Answer) {}
	}
	return o.Watch()
}

// runBatch returns one outcome an item, or why the batch does not count, with
// the outcomes that do nevertheless.
func runBatch(ctx context.Context, s Server, batch []Item, o Options) ([]Outcome, error) {
	questions := make([]Question, len(batch))
	for i, it := range batch {
		questions[i] = metrics[it.Metric].Ask(it)
	}
	answers, err := askAll(ctx, s, questions, o)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("items %q to %q: %w", batch[0].ID, batch[len(batch)-1].ID, err)
	}
	outcomes := judgeAll(len(batch), func(i int) Metric { return metrics[batch[i].Metric] }, func(i int) Outcome {
		return judge(ctx, batch[i], metrics[batch[i].Metric], questions[i], answers[i])
	})
	if slices.ContainsFunc(outcomes, func(o Outcome) bool { return !o.Scored() }) {
		err = s.Health(ctx)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return beforeLoss(outcomes, answers), fmt.Errorf("server failed while answering: %w", err)
	}
	return outcomes, nil
}

// askAll returns one answer a question, in order. Its error is that of the whole
// call; the error of one question is in its answer.
func askAll(ctx context.Context, s Server, questions []Question, o Options) ([]Answer, error) {
	b, ok := s.(Batcher)
	if !ok {
		return askRounds(ctx, s, questions, o), nil
	}
	within, cancel := limit(ctx, o.Timeout*time.Duration(len(questions)))
	defer cancel()
	answered := o.watch()
	answers, err := b.AnswerAll(within, questions)
	answered(answers...)
	if err != nil && errors.Is(within.Err(), context.DeadlineExceeded) {
		late := failed(fmt.Errorf("no answer in %v an item: %w", o.Timeout, within.Err()))
		return slices.Repeat([]Answer{late}, len(questions)), nil
	}
	if err == nil && len(answers) != len(questions) {
		err = fmt.Errorf("the server gave %d answers to %d questions", len(answers), len(questions))
	}
	return answers, err
}

func limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

// askEach keeps o.Parallel requests going until all questions are answered or
// ctx ends.
func askEach(ctx context.Context, s Server, questions []Question, o Options) []Answer {
	answers := make([]Answer, len(questions))
	next := make(chan int)
	var turn atomic.Int64
	var workers sync.WaitGroup
	for range min(o.Parallel, len(questions)) {
		workers.Go(func() {
			for i := range next {
				answered := o.watch()
				answers[i] = ask(ctx, s, questions[i], o)
				answers[i].turn = turn.Add(1)
				answered(answers[i])
			}
		})
	}
	for i := range questions {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	return answers
}

func ask(ctx context.Context, s Server, q Question, o Options) Answer {
	if o.Verify {
		return askVerified(ctx, s, q, o)
	}
	return askOne(ctx, s, q, o.Timeout)
}

// askOne uses what the server can: labels and references are optional powers.
func askOne(ctx context.Context, s Server, q Question, timeout time.Duration) Answer {
	ctx, cancel := limit(ctx, timeout)
	defer cancel()
	started := time.Now()
	if len(q.Continuations) > 0 {
		return askContinuations(ctx, s, q, started)
	}
	if scorer, ok := s.(LabelScorer); ok && len(q.Labels) > 0 {
		scores, err := scorer.ScoreLabels(ctx, q.Request, q.Labels)
		switch {
		case err == nil:
			return Answer{Reply: Reply{Finish: FinishStop, Latency: time.Since(started)}, Labels: scores}
		case !errors.Is(err, ErrNoScores): // else the label is generated
			return failed(err)
		}
	}
	reply, err := s.Generate(ctx, q.Request)
	if err != nil {
		return failed(err)
	}
	a := Answer{Reply: reply}
	if a.Latency == 0 {
		a.Latency = time.Since(started)
	}
	if scorer, ok := s.(ReferenceScorer); ok && q.Reference != "" {
		mean, err := scorer.ScoreReference(ctx, q.Request, q.Reference)
		if err != nil {
			a.Err = fmt.Errorf("no likelihood of the reference: %w", err) // the answer stands
			return a
		}
		a.Reference = &mean
	}
	return a
}

func failed(err error) Answer {
	return Answer{Reply: Reply{Finish: FinishError}, Err: err}
}
