package sglang

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"soup/eval"
	"soup/eval/server/internal/bytoken"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/hfdir"
	"soup/eval/server/internal/template"
	"soup/eval/server/internal/wire"
)

// Options say which server, and how patiently it is asked.
type Options struct {
	URL     string        // like http://127.0.0.1:30000
	Key     string        // sent as bearer token; "" sends none
	Context int           // tokens that prompt and answer may have; default, and at most: the server's
	Timeout time.Duration // of one request; default 10 minutes
	Pause   time.Duration // before a request is repeated, growing; default 100 ms
}

// Server is an eval.Server of SGLang.
type Server struct {
	*bytoken.Asker
	options Options
	client  *wire.Client
	loads   *wire.Client // has the time that reading weights takes
	canary  canary.Canary

	// Written during Load only, which nothing else runs beside.
	version  string           // of the program; "" is not known yet
	context  int              // tokens
	served   *hfdir.Directory // the model that the server was started with; nil if it cannot be read here
	template template.Template
}

var (
	_ eval.Server             = (*Server)(nil)
	_ eval.LabelScorer        = (*Server)(nil)
	_ eval.ReferenceScorer    = (*Server)(nil)
	_ eval.ContinuationScorer = (*Server)(nil)
	_ eval.TokenLister        = (*Server)(nil)
	_ eval.Checker            = (*Server)(nil)
)

const (
	name        = "sglang"
	loadTimeout = 30 * time.Minute // of one exchange of weights
)

// New returns a Server; nothing is asked yet.
func New(o Options) (*Server, error) {
	s := &Server{options: o}
	s.Asker = bytoken.New(name, s)
	w := wire.Options{URL: o.URL, Key: o.Key, Timeout: o.Timeout, Pause: o.Pause}
	var err error
	if s.client, err = wire.New(name, w); err != nil {
		return nil, err
	}
	w.Timeout = loadTimeout
	s.loads, err = wire.New(name, w)
	return s, err
}

// Identity implements eval.Identifier.
func (s *Server) Identity(ctx context.Context) (string, error) {
	if s.version == "" {
		if err := s.connect(ctx); err != nil {
			return "", err
		}
	}
	return name + " " + s.version, nil
}

// Verify implements eval.Verifier: a server that somebody started anew has the
// weights that it begins with.
func (s *Server) Verify(ctx context.Context) (eval.Version, error) {
	readings, err := s.sing(ctx)
	if err != nil {
		return "", err
	}
	return s.canary.Recognise(readings), nil
}

// Health implements eval.Server. The server answers by generating a token.
func (s *Server) Health(ctx context.Context) error {
	if err := s.Ready(); err != nil {
		return err
	}
	return s.client.Get(ctx, "/health", nil)
}

// Close implements eval.Server. The server goes on running.
func (s *Server) Close() error {
	s.Asker.Close()
	s.client.Close()
	s.loads.Close()
	return nil
}

// Load implements eval.Server.
func (s *Server) Load(ctx context.Context, m eval.Model) (version eval.Version, err error) {
	err = s.Exchange(func() (bytoken.Model, error) {
		model, v, err := s.load(ctx, m)
		version = v
		return model, err
	})
	return version, err
}

// load exchanges the weights, and returns when the canary has seen them.
func (s *Server) load(ctx context.Context, model eval.Model) (m bytoken.Model, v eval.Version, err error) {
	if err := ctx.Err(); err != nil {
		return m, "", fmt.Errorf("sglang: %w", err)
	}
	dir, err := hfdir.Open(model.Path)
	if err != nil {
		return m, "", fmt.Errorf("sglang: %w", err)
	}
	if s.version == "" {
		if err := s.connect(ctx); err != nil {
			return m, "", err
		}
	}
	if s.served != nil {
		if err := dir.Fits(s.served); err != nil {
			return m, "", fmt.Errorf("sglang: %w", err)
		}
	}
	if err := s.exchange(ctx, dir.Path, model.Digest); err != nil {
		return m, "", err
	}
	if m, err = s.model(ctx, dir); err != nil {
		return m, "", err
	}
	readings, err := s.sing(ctx)
	if err != nil {
		return m, "", err
	}
	v, err = s.canary.Version(readings)
	return m, v, err
}

// connect asks the server about itself.
func (s *Server) connect(ctx context.Context) error {
	var info struct {
		Version string
		Path    string `json:"model_path"`
		// The first is what the scheduler allows, the second an option that may be
		// left out (python/sglang/srt/managers/scheduler.py and server_args.py).
		MaxInput int `json:"max_req_input_len"`
		Context  int `json:"context_length"`
	}
	if err := s.client.Get(ctx, "/get_server_info", &info); err != nil {
		return err
	}
	longest := info.Context
	if longest <= 0 {
		longest = info.MaxInput
	}
	if longest <= 0 {
		longest = s.options.Context
	}
	if info.Version == "" || longest <= 0 {
		return fmt.Errorf("sglang at %s: %w: it names no version, or no context length", s.client.URL(), eval.ErrReply)
	}
	if c := s.options.Context; c > 0 {
		longest = min(longest, c)
	}
	s.version, s.context = info.Version, longest
	s.served, _ = hfdir.Open(info.Path) // a name of a hub, or a path of another machine, is none
	return nil
}

// exchange makes the server read a directory's weights and drop its prefix
// cache. It says in words what has failed, with status 400.
func (s *Server) exchange(ctx context.Context, dir, digest string) error {
	request := map[string]any{"model_path": dir, "flush_cache": true}
	if digest != "" {
		request["weight_version"] = digest
	}
	var reply struct {
		Success *bool
		Message string
	}
	within, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	err := s.loads.Once(within, http.MethodPost, "/update_weights_from_disk", request, &reply)
	switch {
	case err != nil:
		return fmt.Errorf("weights of %s: %w", dir, err)
	case reply.Success == nil:
		return fmt.Errorf("sglang at %s: %w: no success and no failure", s.client.URL(), eval.ErrReply)
	case !*reply.Success:
		return fmt.Errorf("sglang: weights of %s: %s", dir, strings.Join(strings.Fields(reply.Message), " "))
	}
	return nil
}

// model says what questions must know of the model.
func (s *Server) model(ctx context.Context, dir *hfdir.Directory) (m bytoken.Model, err error) {
	m.Context = s.context
	source, bos, eos, err := dir.Template()
	if err != nil {
		return m, fmt.Errorf("sglang: %w", err)
	}
	if s.template, err = template.New(source, bos, eos); err != nil {
		return m, fmt.Errorf("sglang: %s: %w", dir.Path, err)
	}
	text, id, err := dir.End()
	if err != nil {
		return m, fmt.Errorf("sglang: %w", err)
	}
	m.End = id
	if text == "" {
		return m, nil
	}
	ids, err := s.Encode(ctx, text, false)
	if err != nil {
		return m, err
	}
	if len(ids) != 1 {
		return m, fmt.Errorf("sglang: the end token %q is %d tokens to the server", text, len(ids))
	}
	m.End = ids[0]
	return m, nil
}

// Encode implements bytoken.Backend.
func (s *Server) Encode(ctx context.Context, text string, special bool) ([]int32, error) {
	var reply struct{ Tokens *[]int32 }
	err := s.client.Retry(ctx, func(ctx context.Context) error {
		reply.Tokens = nil
		body := map[string]any{"prompt": text, "add_special_tokens": special}
		if err := s.client.Once(ctx, http.MethodPost, "/tokenize", body, &reply); err != nil {
			return err
		}
		if reply.Tokens == nil {
			return fmt.Errorf("sglang at %s: %w: no tokens", s.client.URL(), eval.ErrReply)
		}
		return nil
	})
	var refusal *wire.Refusal
	if errors.As(err, &refusal) && refusal.Code == http.StatusNotFound {
		return nil, fmt.Errorf("sglang %s has no /tokenize: update it: %w", s.version, err)
	}
	if err != nil {
		return nil, err
	}
	return *reply.Tokens, nil
}

// Render implements bytoken.Backend. A template writes the first token itself.
func (s *Server) Render(ctx context.Context, r eval.Request) ([]int32, error) {
	text, err := s.template.Render(r)
	if err != nil {
		return nil, fmt.Errorf("sglang: %w", err)
	}
	return s.Encode(ctx, text, false)
}
