package llamaserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"soup/eval"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/template"
	"soup/eval/server/internal/wire"
)

const kind = "llama-server" // in errors

// Process is a llama-server that was started for one model.
type Process struct {
	URL  string
	Stop func() error // ends it; safe to call twice
	Err  func() error // why it ended; nil while it runs
}

// Options say which server is used. One of URL and Start is needed.
type Options struct {
	URL string // of a server that runs
	Key string // its API key; "" sends none
	// Start starts a server with a GGUF file and returns when it answers.
	Start func(ctx context.Context, gguf string) (Process, error)
	// Models is the folder that a server in router mode reads (--models-dir), as
	// this process sees it.
	Models string
	Model  string // name of the candidates in that folder; default "soup"
	// ChatTemplate reads the chat template of a GGUF file, "" if it has none. By
	// default the server says what it uses.
	ChatTemplate func(gguf string) (string, error)
	Timeout      time.Duration // of one attempt at a request; default 10 minutes
	LoadTimeout  time.Duration // of a router's load; default 10 minutes
	Pause        time.Duration // before the second attempt, see the log; default 100 ms
}

const (
	defaultModel       = "soup"
	defaultLoadTimeout = 10 * time.Minute
)

// Server is an eval.Server that asks a llama-server.
type Server struct {
	options Options
	canary  canary.Canary // answers repeat to the last bit while nothing else is asked
	swap    swapper

	loading sync.Mutex // one Load, Scale or Close at a time

	mu     sync.Mutex
	closed bool
	now    *session // nil while no model is loaded
}

// session is one model that is loaded: everything that requests need.
type session struct {
	client   *wire.Client
	model    string       // what requests name; "" names none
	err      func() error // why the server's process ended; nil while it runs
	health   func(context.Context) error
	template template.Template
	context  int      // tokens that a prompt and its answer may have
	slots    int      // requests that are answered at the same time
	build    string   // of llama.cpp
	bos      string   // text of the token that begins a text, if the tokenizer puts it there
	plain    bool     // the tokenizer puts nothing but that before or after a text
	encoded  sync.Map // ids of texts seen so far
}

// swapper gets a model into a server.
type swapper interface {
	// load returns a session whose client, model, err and health are set.
	load(ctx context.Context, gguf string) (*session, error)
	close() error
}

var (
	_ eval.Server             = (*Server)(nil)
	_ eval.LabelScorer        = (*Server)(nil)
	_ eval.ContinuationScorer = (*Server)(nil)
	_ eval.TokenLister        = (*Server)(nil)
	_ eval.Checker            = (*Server)(nil)
	_ eval.Scaler             = (*Server)(nil)
)

var (
	errClosed = errors.New(kind + ": closed")
	errEmpty  = fmt.Errorf("%s: %w", kind, eval.ErrNoModel)
)

// New returns a driver without a model; nothing is sent yet.
func New(o Options) (*Server, error) {
	if (o.URL == "") == (o.Start == nil) {
		return nil, errors.New(kind + ": give the url of a server, or let one be started")
	}
	if o.Model == "" {
		o.Model = defaultModel
	}
	if o.LoadTimeout <= 0 {
		o.LoadTimeout = defaultLoadTimeout
	}
	s := &Server{options: o}
	if o.Start != nil {
		s.swap = &restart{options: o}
		return s, nil
	}
	client, err := o.client(o.URL)
	if err != nil {
		return nil, err
	}
	s.swap = &running{options: o, client: client}
	return s, nil
}

func (o Options) client(url string) (*wire.Client, error) {
	return wire.New(kind, wire.Options{URL: url, Key: o.Key, Timeout: o.Timeout, Pause: o.Pause})
}

// Load implements eval.Server. The model's path is that of a GGUF file.
func (s *Server) Load(ctx context.Context, m eval.Model) (eval.Version, error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", kind, context.Cause(ctx))
	}
	if s.isClosed() {
		return "", errClosed
	}
	info, err := os.Stat(m.Path)
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s: a directory; convert it to GGUF first", m.Path)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", kind, err)
	}
	s.become(nil)
	now, err := s.swap.load(ctx, m.Path)
	if err != nil {
		return "", err
	}
	if err := s.learn(ctx, now, m.Path); err != nil {
		return "", fmt.Errorf("%s: %w", m.Path, err)
	}
	version, err := s.version(ctx, now)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.Path, err)
	}
	s.become(now)
	return version, nil
}

// version names the weights by what they say, twice.
func (s *Server) version(ctx context.Context, now *session) (eval.Version, error) {
	readings, err := wire.Agreed(slices.Equal, func() (readings []canary.Reading, err error) {
		reply, err := now.complete(ctx, canary.Prompt, settings{tokens: canary.Tokens, top: canary.Top})
		for _, p := range reply.Positions {
			for _, t := range p.Top {
				readings = append(readings, canary.Reading{Token: t.Text, LogProb: float64(t.LogProb)})
			}
		}
		return readings, err
	})
	if err != nil {
		return "", err
	}
	return s.canary.Version(readings)
}

func (s *Server) become(now *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// session returns what is loaded.
func (s *Server) session() (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, errClosed
	case s.now == nil:
		return nil, errEmpty
	}
	return s.now, nil
}

// Health implements eval.Server.
func (s *Server) Health(ctx context.Context) error {
	now, err := s.session()
	if err != nil {
		return err
	}
	if err := now.ended(); err != nil {
		return err
	}
	return now.health(ctx)
}

// ended is why the process ended, as a server that cannot be reached.
func (n *session) ended() error {
	if n.err == nil {
		return nil
	}
	if err := n.err(); err != nil {
		return fmt.Errorf("%w: %w", eval.ErrUnreachable, err)
	}
	return nil
}

// Close implements eval.Server. A server that was not started here goes on.
func (s *Server) Close() error {
	s.loading.Lock()
	defer s.loading.Unlock()
	s.mu.Lock()
	done := s.closed
	s.closed, s.now = true, nil
	s.mu.Unlock()
	if done {
		return nil
	}
	return s.swap.close()
}

// Identity names the program and its build, such as "llama-server b6000-1a2b3c".
// A router has no build to tell before it has a model, and a study wants to hear
// the same before and after: of servers that run, only the program is named.
func (s *Server) Identity(context.Context) (string, error) {
	if s.options.URL != "" {
		return kind, nil
	}
	now, err := s.session()
	if err != nil {
		return "", err
	}
	return kind + " " + now.build, nil
}

// Slots is how many requests the server answers at the same time; 0 while no
// model is loaded.
func (s *Server) Slots() int {
	if now, err := s.session(); err == nil {
		return now.slots
	}
	return 0
}
