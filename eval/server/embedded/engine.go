//go:build cgo

package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/ollama/ollama/kvcache"
	"github.com/ollama/ollama/ml"
	"github.com/ollama/ollama/model"
	_ "github.com/ollama/ollama/model/models" // registers every architecture
	"github.com/ollama/ollama/tokenizer"

	"soup/eval"
	"soup/eval/server/internal/template"
)

// computing is held while ggml works: its CPU backend, with one scratch buffer
// and one thread count, exists once in a process and not once an engine.
var computing sync.Mutex

// Engine is an eval.Server that runs a GGUF inside this process.
type Engine struct {
	options Options

	mu       sync.Mutex // one call at a time
	closed   bool
	path     string
	remove   func() // of the file at path, if it was converted for this load only
	model    model.Model
	tok      tokenizer.Tokenizer
	cache    kvcache.Cache
	taken    [sequences + 1]bool // sequences that the cache may hold tokens of
	cells    int                 // tokens that the cache holds
	atLeast  int                 // tokens that it has been asked to hold
	longest  int                 // tokens that the model reads at once
	layout   layout
	template template.Template
	encoded  map[string][]int32 // token ids of the texts seen so far
}

var (
	_ eval.Server             = (*Engine)(nil)
	_ eval.LabelScorer        = (*Engine)(nil)
	_ eval.ReferenceScorer    = (*Engine)(nil)
	_ eval.ContinuationScorer = (*Engine)(nil)
	_ eval.Renderer           = (*Engine)(nil)
	_ eval.Batcher            = (*Engine)(nil)
	_ eval.Checker            = (*Engine)(nil)
	_ eval.Reloader           = (*Engine)(nil)
)

// New returns an engine without a model; Load gives it one.
func New(o Options) (*Engine, error) {
	return &Engine{options: o, remove: func() {}, encoded: map[string][]int32{}}, nil
}

// Load implements eval.Server. A Hugging Face directory is converted first (see
// Options). Where the file has the header of the one before, only the tensors'
// bytes are exchanged.
func (e *Engine) Load(ctx context.Context, m eval.Model) (version eval.Version, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer recoverInto(&err, m.Path)
	if e.closed {
		return "", errors.New("embedded engine: closed")
	}
	path, remove, err := e.gguf(ctx, m)
	if err != nil {
		return "", err
	}
	if err := e.exchange(ctx, path); err != nil {
		remove()
		return "", err
	}
	e.remove()
	e.path, e.remove = path, remove
	return e.fingerprint(ctx)
}

// exchange puts the weights of a file in place of those that are loaded.
func (e *Engine) exchange(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	swapped, err := e.swap(path)
	if err != nil || swapped {
		return err
	}
	return e.open(ctx, path)
}

// gguf returns the path of m as a GGUF file and what to do when it is loaded.
func (e *Engine) gguf(ctx context.Context, m eval.Model) (string, func(), error) {
	info, err := os.Stat(m.Path)
	if err != nil {
		return "", nil, fmt.Errorf("embedded engine: %w", err)
	}
	if !info.IsDir() {
		return m.Path, func() {}, nil
	}
	if e.options.Convert == nil {
		return "", nil, fmt.Errorf("embedded engine: %s: a directory; convert it to GGUF first", m.Path)
	}
	cache, remove := e.options.Cache, func() {}
	if cache == "" || m.Digest == "" {
		if cache, err = os.MkdirTemp("", "soup-gguf-"); err != nil {
			return "", nil, err
		}
		remove = func() { os.RemoveAll(cache) }
	}
	path, err := e.options.Convert(ctx, m.Path, cache, m.Digest)
	if err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}

// swap exchanges the bytes of every tensor, if the file has the same header as
// the model that is loaded.
func (e *Engine) swap(path string) (bool, error) {
	if e.model == nil {
		return false, nil
	}
	data, unmap, err := mapFile(path)
	if err != nil {
		return false, err
	}
	defer unmap()
	if !e.layout.fits(data) {
		return false, nil
	}
	computing.Lock()
	defer computing.Unlock()
	backend := e.model.Backend()
	for _, t := range e.layout.tensors {
		for _, name := range t.targets {
			if held := backend.Get(name); held != nil {
				held.FromBytes(data[t.offset : t.offset+t.size])
			}
		}
	}
	return true, nil
}

// open loads a model from scratch.
func (e *Engine) open(ctx context.Context, path string) error {
	e.unload()
	l, err := readLayout(path)
	if err != nil {
		return err
	}
	computing.Lock()
	defer computing.Unlock()
	m, err := model.New(path, ml.BackendParams{
		AllocMemory: true, NumThreads: e.threads(l.size), FlashAttention: ml.FlashAttentionEnabled,
	})
	if errors.Is(err, model.ErrUnsupportedModel) {
		return fmt.Errorf("embedded engine: %s: an architecture that it does not run; score the model through another server, such as llama-server", filepath.Base(path))
	}
	if err != nil {
		return fmt.Errorf("embedded engine: %s: %w", filepath.Base(path), err)
	}
	own, ok := m.(tokenizer.Tokenizer)
	if !ok || m.Config().Cache == nil {
		m.Backend().Close()
		return fmt.Errorf("embedded engine: %s: architecture %q does not generate text", filepath.Base(path), m.Backend().Config().Architecture())
	}
	if err := m.Backend().Load(ctx, nil); err != nil {
		m.Backend().Close()
		return fmt.Errorf("embedded engine: %s: %w", filepath.Base(path), err)
	}
	config := m.Backend().Config()
	tok, err := textTokenizer(config, own)
	if err == nil {
		err = runnable(config)
	}
	if err != nil {
		m.Backend().Close()
		return fmt.Errorf("embedded engine: %s: %w", filepath.Base(path), err)
	}
	bos, eos := specialTexts(tok)
	tmpl, err := template.New(config.String("tokenizer.chat_template"), bos, eos)
	if err != nil {
		m.Backend().Close()
		return fmt.Errorf("embedded engine: %s: %w", filepath.Base(path), err)
	}
	e.model, e.tok, e.layout, e.template = m, tok, l, tmpl
	e.longest = int(config.Uint("context_length", 2048))
	e.encoded = map[string][]int32{}
	e.initCache()
	return nil
}

// smallModel is the size in bytes up to which one thread is the best default:
// its operations are so short that a second thread mostly waits (garden, 900
// items on 2 cores: 1.0 s with one thread, 1.1 s with two; see docs/log.md).
const smallModel = 64 << 20

func (e *Engine) threads(size int) int {
	switch {
	case e.options.Threads > 0:
		return e.options.Threads
	case size < smallModel:
		return 1
	default:
		return runtime.NumCPU()
	}
}

// initCache makes room for as many tokens as fit in 256 MiB, at least 2,048
// and at most 16,384, never less than the longest sequence needs.
func (e *Engine) initCache() {
	c := e.model.Backend().Config()
	heads := max(1, int(c.Uint("attention.head_count")))
	width := int(c.Uint("attention.key_length", c.Uint("embedding_length")/uint32(heads)))
	width += int(c.Uint("attention.value_length", uint32(width)))
	perToken := 4 * int(c.Uint("block_count")) * int(c.Uint("attention.head_count_kv", uint32(heads))) * width
	e.cells = max(min(max(256<<20/max(1, perToken), 2048), 16384), e.atLeast)
	e.cache, e.taken = e.model.Config().Cache, [sequences + 1]bool{}
	perSequence := (e.cells + sequences) / (sequences + 1) // rounded up
	e.cells = perSequence * (sequences + 1)
	e.cache.Init(e.model.Backend(), ml.DTypeF32, sequences+1, perSequence, chunkTokens)
}

func (e *Engine) unload() {
	if e.model == nil {
		return
	}
	computing.Lock()
	defer computing.Unlock()
	e.cache.Close()
	e.model.Backend().Close()
	e.model, e.tok, e.cache = nil, nil, nil
}

// fingerprint identifies the loaded weights by what they do: the bits of every
// logit after a fixed prompt. It is the canary that stale weights cannot pass.
func (e *Engine) fingerprint(ctx context.Context) (eval.Version, error) {
	n := int32(len(e.tok.Vocabulary().Values))
	prompt := make([]int32, 8)
	for i := range prompt {
		prompt[i] = (int32(i)*7919 + 11) % n
	}
	b := batch{engine: e}
	logits, err := b.forward(ctx, []piece{{tokens: prompt, seq: 0, outputs: []int{len(prompt) - 1}}})
	if err != nil {
		return "", err
	}
	if err := e.drop(0); err != nil {
		return "", err
	}
	if notNumbers(logits) {
		return "", fmt.Errorf("embedded engine: %w", eval.ErrNotNumbers)
	}
	h := sha256.New()
	buf := make([]byte, 0, 4*len(logits))
	for _, v := range logits {
		bits := math.Float32bits(v)
		buf = append(buf, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
	}
	h.Write(buf)
	return eval.Version(hex.EncodeToString(h.Sum(nil)[:8])), nil
}

// Generate implements eval.Server.
func (e *Engine) Generate(ctx context.Context, r eval.Request) (eval.Reply, error) {
	a, err := e.answer(ctx, eval.Question{Request: r})
	return a.Reply, err
}

// ScoreLabels implements eval.LabelScorer.
func (e *Engine) ScoreLabels(ctx context.Context, r eval.Request, labels []string) ([]float64, error) {
	if len(labels) == 0 {
		return nil, errors.New("embedded engine: no labels to score")
	}
	a, err := e.answer(ctx, eval.Question{Request: r, Labels: labels})
	return a.Labels, err
}

// ScoreReference implements eval.ReferenceScorer.
func (e *Engine) ScoreReference(ctx context.Context, r eval.Request, reference string) (float64, error) {
	r.MaxTokens = 1
	a, err := e.answer(ctx, eval.Question{Request: r, Reference: reference})
	if err != nil {
		return 0, err
	}
	if a.Reference == nil {
		return 0, errors.New("embedded engine: the reference is empty or does not fit into the context")
	}
	return *a.Reference, nil
}

// answer asks one question.
func (e *Engine) answer(ctx context.Context, q eval.Question) (eval.Answer, error) {
	as, err := e.AnswerAll(ctx, []eval.Question{q})
	if err != nil {
		return eval.Answer{Reply: eval.Reply{Finish: eval.FinishError}}, err
	}
	return as[0], as[0].Err
}

// AnswerAll implements eval.Batcher.
func (e *Engine) AnswerAll(ctx context.Context, questions []eval.Question) (answers []eval.Answer, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer recoverInto(&err, e.path)
	if e.model == nil {
		return nil, errors.New("embedded engine: no model is loaded")
	}
	b := batch{engine: e, started: time.Now()}
	answers, err = b.run(ctx, questions)
	if err != nil { // whatever was half done must not be seen by the next call
		e.forget()
	}
	return answers, err
}

// forget empties the cache. It looks at every cell once for each sequence, so
// those that hold nothing are left alone.
func (e *Engine) forget() {
	for seq, taken := range e.taken {
		if taken {
			_ = e.drop(seq)
		}
	}
}

// drop forgets one sequence.
func (e *Engine) drop(seq int) error {
	err := e.cache.Remove(seq, 0, math.MaxInt32)
	e.taken[seq] = err != nil
	return err
}

// Check implements eval.Checker.
func (e *Engine) Check(q eval.Question) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model == nil {
		return errors.New("embedded engine: no model is loaded")
	}
	return join(e.prepareAll(q)).Err
}

// Render implements eval.Renderer.
func (e *Engine) Render(_ context.Context, r eval.Request) (text string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer recoverInto(&err, e.path)
	if e.model == nil {
		return "", errors.New("embedded engine: no model is loaded")
	}
	return e.template.Render(r)
}

// Reload implements eval.Reloader.
func (e *Engine) Reload(ctx context.Context, m eval.Model) (eval.Version, error) {
	e.mu.Lock()
	if !e.closed {
		e.unload()
	}
	e.mu.Unlock()
	return e.Load(ctx, m)
}

// Health implements eval.Server.
func (e *Engine) Health(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model == nil {
		return errors.New("embedded engine: no model is loaded")
	}
	return nil
}

// Close implements eval.Server.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unload()
	e.remove()
	e.remove, e.closed = func() {}, true
	return nil
}

// encode returns the token ids of r's prompt.
func (e *Engine) encode(r eval.Request) ([]int32, error) {
	text, err := e.template.Render(r)
	if err != nil {
		return nil, err
	}
	return e.tokens(text, r.Raw != "")
}

func (e *Engine) tokens(text string, special bool) ([]int32, error) {
	key := text
	if special {
		key = "\x00" + text
	}
	if ids, ok := e.encoded[key]; ok {
		return ids, nil
	}
	ids, err := e.tok.Encode(text, special)
	if err != nil {
		return nil, fmt.Errorf("embedded engine: tokens of %q: %w", clip(text), err)
	}
	e.encoded[key] = ids
	return ids, nil
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

// recoverInto turns a panic of the engine's libraries into an error.
func recoverInto(err *error, path string) {
	switch p := recover().(type) {
	case nil:
	case error:
		*err = fmt.Errorf("embedded engine: %s: %w", filepath.Base(path), p)
	default:
		*err = fmt.Errorf("embedded engine: %s: %v", filepath.Base(path), p)
	}
}

// specialTexts returns the texts of the special tokens that chat templates
// refer to; "" where there is none.
func specialTexts(t tokenizer.Tokenizer) (bos, eos string) {
	v := t.Vocabulary()
	text := func(ids []int32) string {
		if len(ids) == 0 || int(ids[0]) >= len(v.Values) {
			return ""
		}
		return v.Values[ids[0]]
	}
	return text(v.BOS), text(v.EOS)
}
