// Package bytoken asks servers that take prompts as token ids and tell the
// log-probability of any token: what is asked is decided here, token by token as
// the embedded engine does, and a Backend only carries it to its server.
//
// Start with New.
package bytoken

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"soup/eval"
)

// Backend is one kind of server. Its errors name the server.
type Backend interface {
	// Encode returns the ids of a text; special puts before and after it what the
	// model's tokenizer puts there.
	Encode(ctx context.Context, text string, special bool) ([]int32, error)
	// Render returns the ids of a conversation, with the functions that it offers,
	// up to where the model is to speak.
	Render(ctx context.Context, r eval.Request) ([]int32, error)
	// Continue answers a prompt greedily with at most so many tokens.
	Continue(ctx context.Context, prompt []int32, limit int, r eval.Request) (eval.Reply, error)
	// Next returns the log-probabilities of tokens at the place after a prompt.
	Next(ctx context.Context, prompt, tokens []int32) ([]float64, error)
	// Follow returns how likely every token of each text is after the prompt.
	Follow(ctx context.Context, prompt []int32, texts [][]int32) ([][]Likelihood, error)
}

// Likelihood is that of one token at its place.
type Likelihood struct {
	LogProb float64
	Best    bool // no other token is likelier
}

const (
	defaultTokens = 32       // eval.Request.MaxTokens of 0
	mostKept      = 16 << 20 // ids of prompts that are kept: 64 MiB
)

// Asker implements what servers of this kind share. It is safe for concurrent
// use; Exchange waits for the questions in progress.
type Asker struct {
	name    string
	backend Backend

	state   sync.RWMutex // held for writing while weights are exchanged
	ready   bool
	closed  bool
	context int   // tokens that prompt and answer may have
	end     int32 // ends an answer

	mu   sync.Mutex
	ids  map[string][]int32 // of the prompts and texts so far: no candidate changes them
	kept int
}

// New returns an Asker without a model. Name is the kind of server, for errors.
func New(name string, b Backend) *Asker {
	return &Asker{name: name, backend: b, ids: map[string][]int32{}}
}

// Model is what an Asker must know about a model.
type Model struct {
	Context int   // tokens that prompt and answer may have together
	End     int32 // the token that ends an answer
}

// Exchange runs load while nothing is asked. If it fails, no question is
// answered before another one succeeds.
func (a *Asker) Exchange(load func() (Model, error)) error {
	a.state.Lock()
	defer a.state.Unlock()
	if a.closed {
		return fmt.Errorf("%s: closed", a.name)
	}
	a.ready = false
	m, err := load()
	if err != nil {
		return err
	}
	a.ready, a.context, a.end = true, m.Context, m.End
	return nil
}

// Close makes all further questions fail; it reports whether it was the first.
func (a *Asker) Close() bool {
	a.state.Lock()
	defer a.state.Unlock()
	first := !a.closed
	a.closed, a.ready = true, false
	return first
}

// Ready returns nil while a model is loaded.
func (a *Asker) Ready() error {
	a.state.RLock()
	defer a.state.RUnlock()
	return a.usable()
}

func (a *Asker) usable() error {
	switch {
	case a.closed:
		return fmt.Errorf("%s: closed", a.name)
	case !a.ready:
		return fmt.Errorf("%s: %w", a.name, eval.ErrNoModel)
	}
	return nil
}

// Generate implements eval.Server.
func (a *Asker) Generate(ctx context.Context, r eval.Request) (eval.Reply, error) {
	a.state.RLock()
	defer a.state.RUnlock()
	started := time.Now()
	prompt, limit, err := a.prepare(ctx, r)
	if err != nil {
		return eval.Reply{Finish: eval.FinishError}, err
	}
	reply, err := a.backend.Continue(ctx, prompt, limit, r)
	if err != nil {
		return eval.Reply{Finish: eval.FinishError}, err
	}
	reply.Latency = time.Since(started)
	return reply, nil
}

// ScoreLabels implements eval.LabelScorer.
func (a *Asker) ScoreLabels(ctx context.Context, r eval.Request, labels []string) ([]float64, error) {
	a.state.RLock()
	defer a.state.RUnlock()
	prompt, _, err := a.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	first, err := a.firstTokens(ctx, labels)
	if err != nil {
		return nil, err
	}
	return a.backend.Next(ctx, prompt, first)
}

// ScoreReference implements eval.ReferenceScorer.
func (a *Asker) ScoreReference(ctx context.Context, r eval.Request, reference string) (float64, error) {
	a.state.RLock()
	defer a.state.RUnlock()
	if reference == "" {
		return 0, fmt.Errorf("%s: the reference is empty", a.name)
	}
	prompt, _, err := a.prepare(ctx, r)
	if err != nil {
		return 0, err
	}
	text, err := a.encode(ctx, reference, false)
	if err != nil {
		return 0, err
	}
	scored, err := a.follow(ctx, prompt, [][]int32{append(slices.Clone(text), a.end)})
	if err != nil {
		return 0, err
	}
	return sum(scored[0]) / float64(len(scored[0])), nil
}

// ScoreContinuations implements eval.ContinuationScorer.
func (a *Asker) ScoreContinuations(ctx context.Context, r eval.Request, continuations []string) ([]eval.Continuation, error) {
	a.state.RLock()
	defer a.state.RUnlock()
	if len(continuations) == 0 {
		return nil, errors.New(a.name + ": no continuations to score")
	}
	prompt, _, err := a.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	if r.Raw != "" {
		if prompt, err = a.encode(ctx, strings.TrimRightFunc(r.Raw, unicode.IsSpace), true); err != nil {
			return nil, err
		}
	}
	texts := make([][]int32, len(continuations))
	for i, c := range continuations {
		if texts[i], err = a.continuation(ctx, r, prompt, c); err != nil {
			return nil, err
		}
		if len(texts[i]) == 0 {
			return nil, fmt.Errorf("%s: continuation %d has no tokens", a.name, i+1)
		}
	}
	scored, err := a.follow(ctx, prompt, texts)
	if err != nil {
		return nil, err
	}
	results := make([]eval.Continuation, len(scored))
	for i, s := range scored {
		worse := slices.ContainsFunc(s, func(l Likelihood) bool { return !l.Best })
		results[i] = eval.Continuation{LogProb: sum(s), Tokens: len(s), Greedy: !worse}
	}
	return results, nil
}

// continuation is what a text adds to the tokens of a prompt. Behind a raw prompt,
// white space at the prompt's end belongs to it and both are divided together, as
// lm-evaluation-harness has it (_encode_pair in lm_eval/api/model.py of release
// 0.4.13). Behind a conversation, whose template ends it, the text stands alone.
func (a *Asker) continuation(ctx context.Context, r eval.Request, prompt []int32, text string) ([]int32, error) {
	if r.Raw == "" {
		return a.encode(ctx, text, false)
	}
	whole, err := a.encode(ctx, r.Raw+text, true)
	if err != nil {
		return nil, err
	}
	return whole[min(len(prompt), len(whole)):], nil
}

// follow is Backend.Follow of what fits into the context.
func (a *Asker) follow(ctx context.Context, prompt []int32, texts [][]int32) ([][]Likelihood, error) {
	for _, t := range texts {
		if n := len(prompt) + len(t); n >= a.context { // the servers generate one token more
			return nil, fmt.Errorf("%s: prompt and text of %d tokens do not fit into the context of %d", a.name, n, a.context)
		}
	}
	return a.backend.Follow(ctx, prompt, texts)
}

func sum(ls []Likelihood) (total float64) {
	for _, l := range ls {
		total += l.LogProb
	}
	return total
}

// Tokens implements eval.TokenLister.
func (a *Asker) Tokens(ctx context.Context, text string, special bool) ([]int32, error) {
	a.state.RLock()
	defer a.state.RUnlock()
	if err := a.usable(); err != nil {
		return nil, err
	}
	ids, err := a.encode(ctx, text, special)
	return slices.Clone(ids), err
}

// Check implements eval.Checker.
func (a *Asker) Check(q eval.Question) error {
	a.state.RLock()
	defer a.state.RUnlock()
	ctx := context.Background()
	if _, _, err := a.prepare(ctx, q.Request); err != nil {
		return err
	}
	if len(q.Labels) == 0 {
		return nil
	}
	_, err := a.firstTokens(ctx, q.Labels)
	return err
}

// prepare returns a prompt's ids and how many tokens the answer may have.
func (a *Asker) prepare(ctx context.Context, r eval.Request) (prompt []int32, limit int, err error) {
	if err := a.usable(); err != nil {
		return nil, 0, err
	}
	if prompt, err = a.prompt(ctx, r); err != nil {
		return nil, 0, err
	}
	if limit = r.MaxTokens; limit <= 0 {
		limit = defaultTokens
	}
	limit = min(limit, a.context-len(prompt))
	switch {
	case len(prompt) == 0:
		return nil, 0, fmt.Errorf("%s: empty prompt", a.name)
	case limit < 1:
		return nil, 0, fmt.Errorf("%s: prompt of %d tokens does not fit into the context of %d", a.name, len(prompt), a.context)
	}
	return prompt, limit, nil
}

func (a *Asker) prompt(ctx context.Context, r eval.Request) ([]int32, error) {
	if r.Raw != "" {
		if len(r.Tools) > 0 {
			return nil, fmt.Errorf("%s: %w", a.name, eval.ErrNoTools)
		}
		return a.encode(ctx, r.Raw, true)
	}
	key, err := json.Marshal([]any{r.Messages, r.Tools})
	if err != nil {
		return nil, fmt.Errorf("%s: tools: %w", a.name, err)
	}
	return a.once("conversation "+string(key), func() ([]int32, error) { return a.backend.Render(ctx, r) })
}

func (a *Asker) encode(ctx context.Context, text string, special bool) ([]int32, error) {
	return a.once(fmt.Sprintf("%t %s", special, text), func() ([]int32, error) { return a.backend.Encode(ctx, text, special) })
}

// once asks for ids that are not known yet.
func (a *Asker) once(key string, ask func() ([]int32, error)) ([]int32, error) {
	a.mu.Lock()
	ids, ok := a.ids[key]
	a.mu.Unlock()
	if ok {
		return ids, nil
	}
	ids, err := ask()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept+len(ids) <= mostKept {
		a.ids[key] = ids
		a.kept += len(ids)
	}
	return ids, nil
}

// firstTokens are the tokens that labels begin with, which must differ.
func (a *Asker) firstTokens(ctx context.Context, labels []string) (first []int32, err error) {
	if len(labels) == 0 {
		return nil, errors.New(a.name + ": no labels to score")
	}
	for _, label := range labels {
		ids, err := a.encode(ctx, label, false)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 || slices.Contains(first, ids[0]) {
			return nil, fmt.Errorf("%s: label %q has no first token of its own", a.name, label)
		}
		first = append(first, ids[0])
	}
	return first, nil
}
