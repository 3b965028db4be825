package openai

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"soup/eval"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/wire"
)

const kind = "openai server" // in errors

// Options say which server is used.
type Options struct {
	// URL is what comes before /chat/completions; one without a path gets /v1.
	URL   string
	Key   string // sent as bearer token; "" sends none
	Model string // name of the model in requests; default "soup"
	// Swap makes the server load a path and returns when it no longer answers with
	// what it had before. Nil: it cannot.
	Swap func(ctx context.Context, path string) error
	// Request is added to every request, in place of what is there; nil values take
	// a key away.
	Request map[string]any
	Wait    time.Duration // until the server answers after a swap; default 10 minutes
	Timeout time.Duration // of one attempt at a request; default 10 minutes
	Pause   time.Duration // before the second attempt; default 100 ms
}

const (
	defaultModel = "soup"
	defaultWait  = 10 * time.Minute
	tolerance    = 1e-3                   // nats by which readings of one model differ: kernels that add up in another order
	moment       = 200 * time.Millisecond // between two questions whether the server answers
)

// Server is an eval.Server that asks a server with OpenAI's interface.
type Server struct {
	options Options
	client  *wire.Client
	canary  canary.Canary
	texts   canary.Canary // where answers take the place of log-probabilities
	floored atomic.Int64

	loading sync.Mutex // one Load or Close at a time

	mu     sync.Mutex
	closed bool
	loaded bool
	has    eval.Model // what a server without Swap was loaded with first
	shows  *abilities // nil before the first load
}

var (
	_ eval.Server      = (*Server)(nil)
	_ eval.LabelScorer = (*Server)(nil)
	_ eval.Checker     = (*Server)(nil)
)

var (
	errClosed = errors.New(kind + ": closed")
	errEmpty  = fmt.Errorf("%s: %w", kind, eval.ErrNoModel)
)

// New returns a driver without a model; nothing is sent yet.
func New(o Options) (*Server, error) {
	u, err := url.Parse(o.URL)
	if err == nil && strings.Trim(u.Path, "/") == "" {
		o.URL = strings.TrimRight(o.URL, "/") + "/v1"
	}
	if o.Model == "" {
		o.Model = defaultModel
	}
	if o.Wait <= 0 {
		o.Wait = defaultWait
	}
	client, err := wire.New(kind, wire.Options{URL: o.URL, Key: o.Key, Timeout: o.Timeout, Pause: o.Pause})
	if err != nil {
		return nil, err
	}
	return &Server{options: o, client: client, canary: canary.Canary{Tolerance: tolerance}}, nil
}

// Load implements eval.Server. Without Options.Swap the first model is taken to
// be the one that the server has, and any other is an error.
func (s *Server) Load(ctx context.Context, m eval.Model) (eval.Version, error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", kind, context.Cause(ctx))
	}
	s.mu.Lock()
	closed := s.closed
	s.loaded = false
	s.mu.Unlock()
	if closed {
		return "", errClosed
	}
	path, err := filepath.Abs(m.Path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", kind, err)
	}
	if err := s.exchange(ctx, eval.Model{Path: path, Digest: m.Digest}); err != nil {
		return "", err
	}
	version, err := s.version(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.Path, err)
	}
	s.floored.Store(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = true
	return version, nil
}

// exchange makes the server load m and waits until it answers.
func (s *Server) exchange(ctx context.Context, m eval.Model) error {
	if s.options.Swap != nil {
		if err := s.options.Swap(ctx, m.Path); err != nil {
			return fmt.Errorf("%s: %w", m.Path, err)
		}
		return s.await(ctx)
	}
	same := s.has.Path == m.Path
	if s.has.Digest != "" && m.Digest != "" {
		same = s.has.Digest == m.Digest
	}
	if s.has.Path != "" && !same {
		return fmt.Errorf("%s: the server at %s has %s, and there is no way to give it another model: name a command that does (option swap)",
			m.Path, s.options.URL, s.has.Path)
	}
	s.has = m
	return nil
}

// await returns when the server answers.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.options.Wait, fmt.Errorf("no answer within %s after the swap", s.options.Wait))
	defer cancel()
	for {
		err := s.ready(ctx)
		if err == nil || !wire.MayRetry(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s at %s: %w", kind, s.options.URL, context.Cause(ctx))
		case <-time.After(moment):
		}
	}
}

// ready asks for the list of models, which all such servers have; one that
// refuses it is up as well.
func (s *Server) ready(ctx context.Context) error {
	err := s.client.Once(ctx, "GET", "/models", nil, nil)
	var refusal *wire.Refusal
	if errors.As(err, &refusal) && refusal.Code/100 == 4 && !wire.MayRetry(err) && refusal.Code != 401 && refusal.Code != 403 {
		return nil
	}
	return err
}

// Health implements eval.Server.
func (s *Server) Health(ctx context.Context) error {
	if _, err := s.abilities(); err != nil {
		return err
	}
	return s.client.Retry(ctx, s.ready)
}

// abilities are what the server was found to be able to do.
func (s *Server) abilities() (abilities, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return abilities{}, errClosed
	case !s.loaded || s.shows == nil:
		return abilities{}, errEmpty
	}
	return *s.shows, nil
}

// Close implements eval.Server. The server goes on.
func (s *Server) Close() error {
	s.loading.Lock()
	defer s.loading.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.loaded = true, false
	s.client.Close()
	return nil
}

// Floored is how many labels since the last Load were not among the tokens that
// the server shows, so that their score is only known to be lower.
func (s *Server) Floored() int64 { return s.floored.Load() }

// Identity names the model: the interface has no version, and where the server is
// does not matter to its answers.
func (s *Server) Identity(context.Context) (string, error) {
	return "openai " + s.options.Model, nil
}
