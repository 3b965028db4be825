// Package selftest tries an inference server before a night depends on it: does
// it answer with the weights that it was given, does it render prompts as the
// model was trained, are its log-probabilities such, how far do they repeat, how
// long does a swap take, and what can it not do.
//
// Start with Run.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"soup/eval"
	"soup/internal/serve"
	"soup/internal/usage"
)

// Options say what to try.
type Options struct {
	Server serve.Options
	Model  string        // checkpoint: a Hugging Face directory or a GGUF file
	Limit  time.Duration // of the whole test; default 10 minutes

	open func(context.Context, serve.Options) (eval.Server, error) // of tests; default serve.Open
}

// defaultLimit is for models that take a minute to load; small ones take
// seconds in all.
const defaultLimit = 10 * time.Minute

// State is how a check went.
type State string

// The states of a check.
const (
	OK     State = "ok"
	Warn   State = "warn"   // soup works, but not at its best, or this could not be found out
	Fail   State = "fail"   // scores would be wrong, or there would be none
	Cannot State = "cannot" // the server lacks the power; soup does without
)

// Check is one thing that was tried. The JSON keys are fixed.
type Check struct {
	Name   string             `json:"name"`
	State  State              `json:"state"`
	Says   string             `json:"says"`             // one line
	Values map[string]float64 `json:"values,omitempty"` // what was measured: seconds, nats, tokens, items a second
}

// Report is what soup check --server prints. The JSON keys are fixed.
type Report struct {
	OK      bool    `json:"ok"` // nothing failed
	Server  string  `json:"server"`
	URL     string  `json:"url,omitempty"`
	Model   string  `json:"model"`
	Seconds float64 `json:"seconds"`
	Checks  []Check `json:"checks"`
}

// trial is a test under way.
type trial struct {
	options Options
	server  eval.Server
	a, b    string // what the server loads: the model, and a copy with other weights
	report  *Report
	loaded  eval.Version // of a
	widest  float64      // difference of log-probabilities of equal questions, nats
}

// errEnd says that no later check makes sense; what failed is in the report.
var errEnd = errors.New("the test ends here")

// Run tries a server with a model and a copy of it with other weights, which it
// makes in a temporary folder. What the server does wrong is in the report; an
// error is one of the options, of the model, or the context's end.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Limit <= 0 {
		o.Limit = defaultLimit
	}
	if o.open == nil {
		o.open = serve.Open
	}
	within, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "soup-check-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	started := time.Now()
	t := &trial{options: o, report: &Report{Server: o.Server.Kind, URL: o.Server.URL, Model: o.Model}}
	if t.a, t.b, err = prepare(within, o, dir); err != nil {
		return nil, err
	}
	t.options.Server.Folder = filepath.Join(dir, "server")
	t.options.Server.Base = o.Model
	if err := t.run(within); ctx.Err() != nil {
		return nil, ctx.Err()
	} else if err != nil && !errors.Is(err, errEnd) {
		return nil, err
	}
	t.report.Seconds = time.Since(started).Seconds()
	t.report.OK = true
	for _, c := range t.report.Checks {
		t.report.OK = t.report.OK && c.State != Fail
	}
	return t.report, nil
}

func (o *Options) validate() error {
	if o.Model == "" {
		return usage.Errorf("--server needs --model: the checkpoint to try it with")
	}
	if o.Server.Kind == "" {
		o.Server.Kind = "embedded"
	}
	return o.Server.Validate()
}

// run makes every check, in an order in which each can build on those before.
func (t *trial) run(ctx context.Context) (err error) {
	server, err := t.options.open(ctx, t.options.Server)
	if err != nil {
		t.note("reach", Fail, oneLine(err), nil)
		return errEnd
	}
	t.server = server
	defer func() {
		if e := server.Close(); e != nil {
			t.note("end", Fail, oneLine(e), nil)
		}
	}()
	for _, check := range []func(context.Context) error{
		t.load, t.identity, t.answers, t.template, t.tokens, t.logProbs, t.continuations, t.repeats, t.swap, t.length, t.tools, t.speed,
	} {
		if err := check(ctx); err != nil {
			return err
		}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.note("time", Fail, fmt.Sprintf("the test was not over after %s", t.options.Limit), nil)
			return errEnd
		}
	}
	return nil
}

// note adds a check to the report.
func (t *trial) note(name string, state State, says string, values map[string]float64) {
	t.report.Checks = append(t.report.Checks, Check{name, state, says, values})
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
