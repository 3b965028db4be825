package study

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"soup/eval"
	"soup/internal/serve"
)

// machine is what a fake server runs on: it stays when the server ends. Its
// fields say what goes wrong, and keep what was seen.
type machine struct {
	mu sync.Mutex

	version  string                      // that the server says it is
	stale    bool                        // loads are ignored
	sleeps   int                         // looks at its health until a server that is down is back by itself; 0: never
	asked    func(n int) error           // may fail the nth question
	load     func(digest string) error   // may fail a load
	swapped  func(n int) (silently bool) // before the nth question somebody starts the server anew, with other weights
	lies     bool                        // it answers with other weights than it says
	problems []string

	starts, questions, loads int
	down                     bool
	looks                    int
	path                     string
	sum                      [32]byte // of the weights that are loaded
	away                     bool     // they are not ours any more
}

// die ends the server.
func (m *machine) die() error {
	m.down, m.looks = true, 0
	return m.unreachable()
}

func (m *machine) unreachable() error {
	return fmt.Errorf("fake at http://127.0.0.1:9: %w: connection refused", eval.ErrUnreachable)
}

// start is RunOptions.start.
func (m *machine) start(context.Context, serve.Options) (eval.Server, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.starts++
	m.down, m.path = false, ""
	return &fake{m}, nil
}

// fake is a server whose answers depend on the bytes that it has loaded.
type fake struct{ *machine }

func (f *fake) Identity(context.Context) (string, error) { return "fake " + f.version, nil }
func (f *fake) Close() error                             { return nil }

func (f *fake) Health(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down && f.sleeps > 0 {
		if f.looks++; f.looks > f.sleeps {
			f.down, f.path = false, ""
		}
	}
	if f.down {
		return f.unreachable()
	}
	if f.path == "" { // as many servers have it
		return fmt.Errorf("fake: %w", eval.ErrNoModel)
	}
	return nil
}

// Load checks that what it had before is as it was: a server may have it mapped.
func (f *fake) Load(_ context.Context, m eval.Model) (eval.Version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return "", f.unreachable()
	}
	f.loads++
	f.intact()
	if f.load != nil {
		if err := f.load(m.Digest); err != nil {
			return "", err
		}
	}
	if f.stale && f.path != "" {
		return f.shown(), nil
	}
	f.path, f.away = m.Path, false
	var err error
	f.sum, err = fileSum(m.Path)
	f.complete()
	return f.shown(), err
}

// complete wants a directory that a server can load, with one weights file.
func (f *fake) complete() {
	if info, err := os.Stat(f.path); err != nil || !info.IsDir() {
		return
	}
	for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors"} {
		if !exists(filepath.Join(f.path, name)) {
			f.problems = append(f.problems, f.path+" has no "+name)
		}
	}
	if filepath.Base(f.path) == directoryName && exists(filepath.Join(f.path, "model.safetensors.index.json")) {
		f.problems = append(f.problems, f.path+" has an index")
	}
}

func (f *fake) intact() {
	if f.path == "" || !exists(f.path) {
		return
	}
	if now, err := fileSum(f.path); err != nil || now != f.sum {
		f.problems = append(f.problems, fmt.Sprintf("%s changed while it was served (%v)", f.path, err))
	}
}

func (f *fake) shown() eval.Version {
	sum := f.sum
	if f.away {
		sum = [32]byte{}
	}
	return eval.Version(hex.EncodeToString(sum[:8]))
}

func (f *fake) Verify(context.Context) (eval.Version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return "", f.unreachable()
	}
	return f.shown(), nil
}

func (f *fake) Generate(_ context.Context, r eval.Request) (eval.Reply, error) {
	if _, err := f.dice(r); err != nil {
		return eval.Reply{}, err
	}
	return eval.Reply{Text: "7", Finish: eval.FinishStop, Tokens: 1}, nil
}

func (f *fake) ScoreLabels(_ context.Context, r eval.Request, labels []string) ([]float64, error) {
	dice, err := f.dice(r)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(labels))
	for i := range scores {
		scores[i] = -float64(dice[i%len(dice)]) / 16
	}
	return scores, nil
}

// dice are bytes that depend on weights and question.
func (f *fake) dice(r eval.Request) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return nil, f.unreachable()
	}
	f.questions++
	if f.asked != nil {
		if err := f.asked(f.questions); err != nil {
			return nil, err
		}
	}
	if f.swapped != nil && f.swapped(f.questions) {
		f.away = true
	}
	sum := f.sum
	if f.away {
		sum = [32]byte{}
	}
	if f.lies {
		sum[0]++
	}
	h := sha256.New()
	h.Write(sum[:])
	fmt.Fprint(h, r.Messages)
	return h.Sum(nil), nil
}

// through runs a study through a fake server of a format and returns its
// warnings.
func through(t *testing.T, file string, m *machine, f serve.Format, change func(*Config, *RunOptions)) (string, error) {
	t.Helper()
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	o := RunOptions{start: m.start, pause: time.Millisecond, Warnings: &said}
	c.Server.Kind, c.Server.format, c.Server.Parallel = "fake", &f, 8
	if change != nil {
		change(c, &o)
	}
	err = Run(t.Context(), c, o)
	for _, p := range m.problems {
		t.Error(p)
	}
	return said.String(), err
}

// started says that soup starts the server.
func started(c *Config, _ *RunOptions) { c.Server.Start = true }

// calmly runs a study through a fake server without trouble, for what does not
// depend on real answers: it takes a quarter of the engine's time.
func calmly(t *testing.T, file string) {
	t.Helper()
	if _, err := through(t, file, &machine{}, serve.GGUF, nil); err != nil {
		t.Fatal(err)
	}
}

// undisturbed is the ledger of a study whose server has no trouble.
func undisturbed(t *testing.T, more string) kept {
	t.Helper()
	file := smallStudy(t, more)
	if said, err := through(t, file, &machine{}, serve.GGUF, nil); err != nil || said != "" {
		t.Fatalf("%v, %s", err, said)
	}
	return read(t, DefaultDir(file))
}

// nth returns the digest of the nth candidate that is given to it, from 1.
func nth(n int) func(digest string) bool {
	seen := map[string]int{}
	return func(digest string) bool {
		if _, ok := seen[digest]; !ok {
			seen[digest] = len(seen) + 1
		}
		return seen[digest] == n
	}
}
