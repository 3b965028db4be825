package selftest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"soup/eval"
	"soup/internal/serve"
	"soup/internal/usage"
)

const garden = "../../examples/garden/base"

// fake answers out of a hash of the file that it has loaded and of the prompt.
type fake struct {
	weights  string
	calls    atomic.Int64
	ignores  bool                       // swaps
	version  func(sum string) string    // default: the sum itself
	template func(prompt string) string // of a conversation; default: the model's
	score    func(v float64) float64    // of each label; default: as it is
	generate func(r eval.Request) error // default: none
	load     func(path string) error    // default: none
	cut      bool                       // prompts that are too long
	facts    []eval.Fact                // with factsErr, what Describe says
	factsErr error
}

func (f *fake) Load(_ context.Context, m eval.Model) (eval.Version, error) {
	if f.load != nil {
		if err := f.load(m.Path); err != nil {
			return "", err
		}
	}
	raw, err := os.ReadFile(m.Path)
	if err != nil {
		return "", err
	}
	if f.weights == "" || !f.ignores {
		f.weights = fmt.Sprintf("%x", sha256.Sum256(raw))[:16]
	}
	if f.version != nil {
		return eval.Version(f.version(f.weights)), nil
	}
	return eval.Version(f.weights), nil
}

func (f *fake) prompt(r eval.Request) (string, error) {
	f.calls.Add(1)
	if f.generate != nil {
		if err := f.generate(r); err != nil {
			return "", err
		}
	}
	if len(r.Tools) > 0 {
		return "", eval.ErrNoTools
	}
	text := r.Raw
	if text == "" {
		var err error
		if text, _, err = rendered(garden, r.Messages); err != nil {
			return "", err
		}
		if f.template != nil {
			text = f.template(text)
		}
	}
	if len(text) > 1500 && !f.cut {
		return "", errors.New("the prompt is too long")
	}
	return text, nil
}

// draw is a number from 0 to 1.
func (f *fake) draw(prompt, what string) float64 {
	h := sha256.Sum256([]byte(f.weights + "\n" + prompt + "\n" + what))
	return float64(binary.LittleEndian.Uint64(h[:])>>11) / (1 << 53)
}

func (f *fake) Generate(_ context.Context, r eval.Request) (eval.Reply, error) {
	text, err := f.prompt(r)
	if err != nil {
		return eval.Reply{Finish: eval.FinishError}, err
	}
	return eval.Reply{Text: fmt.Sprint(f.draw(text, "")), Finish: eval.FinishLength, Tokens: 1, Latency: time.Millisecond}, nil
}

func (f *fake) Health(context.Context) error { return nil }
func (f *fake) Close() error                 { return nil }

// scoring is a fake with every power that a server without batches has.
type scoring struct{ *fake }

func (s scoring) ScoreLabels(_ context.Context, r eval.Request, labels []string) ([]float64, error) {
	text, err := s.prompt(r)
	if err != nil {
		return nil, err
	}
	var scores []float64
	for _, l := range labels {
		v := math.Log(s.draw(text, l) / float64(len(labels)+1))
		if s.score != nil {
			v = s.score(v)
		}
		scores = append(scores, v)
	}
	return scores, nil
}

func (s scoring) ScoreReference(_ context.Context, r eval.Request, reference string) (float64, error) {
	return math.Log(s.draw(r.Raw, reference)), nil
}

func (s scoring) ScoreContinuations(_ context.Context, r eval.Request, texts []string) ([]eval.Continuation, error) {
	var out []eval.Continuation
	for i, t := range texts {
		out = append(out, eval.Continuation{LogProb: float64(-len(t)) - s.draw(r.Raw, t)/10, Tokens: 1 + 5*i})
	}
	return out, nil
}

func (s scoring) Describe(context.Context) ([]eval.Fact, error) { return s.facts, s.factsErr }
func (s scoring) Identity(context.Context) (string, error)      { return "fake 1.2", nil }

func run(t *testing.T, s eval.Server) *Report {
	t.Helper()
	report, err := Run(t.Context(), Options{
		Model: garden, Server: serve.Options{Context: 512},
		open: func(context.Context, serve.Options) (eval.Server, error) { return s, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// states lists the checks that are not ok.
func states(r *Report) string {
	var out []string
	for _, c := range r.Checks {
		if strings.Contains(c.Says, "\n") || c.Says == "" {
			out = append(out, c.Name+" does not say one line")
		}
		if c.State != OK {
			out = append(out, fmt.Sprintf("%s %s: %s", c.Name, c.State, c.Says))
		}
	}
	return strings.Join(out, "\n")
}

func TestGoodServer(t *testing.T) {
	r := run(t, scoring{&fake{facts: []eval.Fact{{Name: "weights", Text: "linked"}}}})
	want := "token ids cannot: the server does not show token ids: they were not compared\n" +
		"functions cannot: functions cannot be offered to this model here: such benchmarks write them into the prompt"
	if !r.OK || states(r) != want {
		t.Errorf("ok %t\n%s", r.OK, states(r))
	}
	for _, name := range []string{"reach", "version", "weights", "answer", "template", "label scores", "reference scores", "choices' likelihood", "repeats alone", "repeats among others", "swap", "context"} {
		if find(r, name).State != OK {
			t.Errorf("no check %q", name)
		}
	}
	if s := find(r, "speed"); s.Values["parallel"] < 1 || s.Values["items_per_s"] <= 0 {
		t.Errorf("%+v", s)
	}
}

func TestServerWithoutPowers(t *testing.T) {
	r := run(t, &fake{})
	if !r.OK || strings.Count(states(r), "cannot: ") != 5 || !strings.Contains(states(r), "benchmarks that compare whole choices cannot be scored here") {
		t.Errorf("ok %t\n%s", r.OK, states(r))
	}
}

func find(r *Report, name string) Check {
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	return Check{}
}

// What would give wrong scores fails, and says what it is.
func TestBadServers(t *testing.T) {
	var n atomic.Int64
	for _, test := range []struct {
		name, check, says string
		server            eval.Server
	}{
		{"ignores the swap", "swap", "stale weights: other weights have the same version", scoring{&fake{ignores: true}}},
		{
			"ignores it, with new versions", "swap", "stale weights: other weights have another version, and answer as before",
			scoring{&fake{ignores: true, version: func(string) string { return fmt.Sprint(n.Add(1)) }}},
		},
		{"counts its loads", "swap", "the same weights had version", scoring{&fake{version: func(string) string { return fmt.Sprint(n.Add(1)) }}}},
		{"another template", "template", "another template", scoring{&fake{template: func(p string) string { return "### " + p }}}},
		{"above 0", "label scores", "no log-probability", scoring{&fake{score: func(v float64) float64 { return -v }}}},
		{"too probable", "label scores", "add up to", scoring{&fake{score: func(float64) float64 { return -0.1 }}}},
		{"not a number", "label scores", "NaN is no log-probability", scoring{&fake{score: func(float64) float64 { return math.NaN() }}}},
		{"draws lots", "repeats alone", "differ by", scoring{&fake{score: func(v float64) float64 { return v - float64(n.Add(1)) }}}},
		{"has no answer", "answer", "out of luck", scoring{&fake{generate: func(eval.Request) error { return errors.New("out\nof luck") }}}},
		{"cannot load", "reach", "no space", scoring{&fake{load: func(string) error { return errors.New("no space") }}}},
		{"cannot swap", "swap", "second load", scoring{&fake{load: func(string) error {
			if n.Add(1) > 1 {
				return errors.New("second load")
			}
			return nil
		}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			n.Store(0)
			r := run(t, test.server)
			if c := find(r, test.check); r.OK || c.State != Fail || !strings.Contains(c.Says, test.says) {
				t.Errorf("ok %t\n%s", r.OK, states(r))
			}
		})
	}
}

// What soup can live with is a warning.
func TestDoubtfulServers(t *testing.T) {
	var n atomic.Int64
	for _, test := range []struct {
		name, check, says string
		server            eval.Server
	}{
		{"rounds", "repeats alone", "tolerance should be 0.00", scoring{&fake{score: func(v float64) float64 { return v - 1e-4*float64(n.Add(1)%7) }}}},
		{"cuts prompts", "context", "longer context, or cuts prompts", scoring{&fake{cut: true}}},
		{"no facts", "facts", "gone", scoring{&fake{factsErr: errors.New("gone")}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := run(t, test.server)
			if c := find(r, test.check); !r.OK || c.State != Warn || !strings.Contains(c.Says, test.says) {
				t.Errorf("ok %t\n%s", r.OK, states(r))
			}
		})
	}
}

func TestErrors(t *testing.T) {
	nobody := func(context.Context, serve.Options) (eval.Server, error) { return nil, errors.New("nobody there") }
	r, err := Run(t.Context(), Options{Model: garden, open: nobody})
	if err != nil || r.OK || !strings.Contains(states(r), "reach fail: nobody there") {
		t.Errorf("%+v, %v", r, err)
	}
	for _, o := range []Options{
		{},
		{Model: garden, Server: serve.Options{Kind: "nix"}},
		{Model: filepath.Join(garden, "model.safetensors")},
	} {
		var wrong *usage.Error
		if _, err := Run(t.Context(), o); !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := Run(t.Context(), Options{Model: "nowhere"}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Options{Model: garden}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	hangs := &fake{generate: func(eval.Request) error { time.Sleep(300 * time.Millisecond); return nil }}
	r, err = Run(t.Context(), Options{Model: garden, Limit: 200 * time.Millisecond, open: func(context.Context, serve.Options) (eval.Server, error) { return scoring{hangs}, nil }})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) || err == nil && !strings.Contains(states(r), "was not over after 200ms") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPrinted(t *testing.T) {
	r := &Report{OK: true, Server: "ollama", URL: "http://x", Model: "m", Seconds: 1.5, Checks: []Check{{"swap", Warn, "slow", map[string]float64{"seconds": 3}}}}
	var text, js bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteJSON(&js)); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(js.Bytes(), &back); err != nil || back.Checks[0].Values["seconds"] != 3 {
		t.Errorf("%s %v", &js, err)
	}
	if !strings.Contains(text.String(), "ollama at http://x is fit for a study; tried in 1.5 s with m") || !strings.Contains(text.String(), "slow") {
		t.Errorf("%s", &text)
	}
}

func TestTemplateOf(t *testing.T) {
	for _, test := range []struct{ config, file, want string }{
		{`{"chat_template":"a{{bos_token}}","bos_token":"<s>"}`, "", "a<s>"},
		{`{"chat_template":[{"name":"rag","template":"r"},{"name":"default","template":"d{{eos_token}}"}],"eos_token":{"content":"</s>"}}`, "", "d</s>"},
		{`{"chat_template":"old"}`, "new", "new"},
	} {
		dir := t.TempDir()
		write(t, dir, "tokenizer_config.json", test.config)
		if test.file != "" {
			write(t, dir, "chat_template.jinja", test.file)
		}
		if got, _, err := rendered(dir, conversation); err != nil || got != test.want {
			t.Errorf("%s: %q, %v", test.config, got, err)
		}
	}
	for _, config := range []string{`{}`, `{"chat_template":[{"name":"rag","template":"r"}]}`, `{"chat_template":"{% if"}`, `{`} {
		dir := t.TempDir()
		write(t, dir, "tokenizer_config.json", config)
		if got, _, err := rendered(dir, conversation); err == nil {
			t.Errorf("%s: %q", config, got)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
