package vllm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"soup/eval"
	"soup/eval/server/internal/bytoken"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/hfdir"
	"soup/eval/server/internal/wire"
)

// Options say which server, and how patiently it is asked.
type Options struct {
	URL     string        // like http://127.0.0.1:8000; "" only with Start
	Key     string        // sent as bearer token; "" sends none
	Model   string        // name that the server gives the model; default: its only one
	Context int           // tokens that prompt and answer may have; default, and at most: the server's
	Timeout time.Duration // of one request; default 10 minutes
	Pause   time.Duration // before a request is repeated, growing; default 100 ms
	// Start starts the server with a checkpoint, ends the one that it started
	// before, and returns the address. Where it is set, the first Load calls it,
	// and every Load that finds the server dead.
	Start func(ctx context.Context, checkpoint string) (url string, err error)
}

// Server is an eval.Server of vLLM.
type Server struct {
	*bytoken.Asker
	options Options

	// Written during Load only, which nothing else runs beside.
	client   *wire.Client
	loads    *wire.Client // has the time that reading weights takes
	connect  *connection
	served   *hfdir.Directory // the model that the server was started with; nil if it cannot be read here
	canary   canary.Canary
	tainted  atomic.Bool // the key-value cache may hold what is not a number
	echoes   atomic.Bool // labels are scored as prompts: the server does not know logprob_token_ids
	textOnly atomic.Bool // function calls are left to the caller: the server has no parser for them
}

var (
	_ eval.Server             = (*Server)(nil)
	_ eval.LabelScorer        = (*Server)(nil)
	_ eval.ReferenceScorer    = (*Server)(nil)
	_ eval.ContinuationScorer = (*Server)(nil)
	_ eval.TokenLister        = (*Server)(nil)
	_ eval.Checker            = (*Server)(nil)
	_ eval.Reloader           = (*Server)(nil)
)

const name = "vllm"

// New returns a Server; nothing is asked yet.
func New(o Options) (*Server, error) {
	s := &Server{options: o}
	s.Asker = bytoken.New(name, s)
	if o.URL == "" && o.Start != nil {
		return s, nil
	}
	return s, s.dial(o.URL)
}

// dial makes the clients of an address.
func (s *Server) dial(url string) (err error) {
	s.hangUp()
	o := wire.Options{URL: url, Key: s.options.Key, Timeout: s.options.Timeout, Pause: s.options.Pause}
	if s.client, err = wire.New(name, o); err != nil {
		return err
	}
	o.Timeout = loadTimeout
	s.loads, err = wire.New(name, o)
	s.connect, s.served = nil, nil
	return err
}

// loadTimeout is what one exchange of weights may take.
const loadTimeout = 30 * time.Minute

// Identity implements eval.Identifier: the version is that of the server at the
// address, which must be known.
func (s *Server) Identity(ctx context.Context) (string, error) {
	if s.connect != nil {
		return name + " " + s.connect.version, nil
	}
	if s.options.URL == "" {
		return "", errors.New(name + ": not started yet")
	}
	return Version(ctx, s.options.URL, s.options.Key)
}

// Version asks the server at an address for its name and version.
func Version(ctx context.Context, url, key string) (string, error) {
	client, err := wire.New(name, wire.Options{URL: url, Key: key, Timeout: 30 * time.Second})
	if err != nil {
		return "", err
	}
	defer client.Close()
	var reply struct {
		Version string `json:"version"`
	}
	if err := client.Get(ctx, "/version", &reply); err != nil {
		return "", err
	}
	return name + " " + reply.Version, nil
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

// Health implements eval.Server.
func (s *Server) Health(ctx context.Context) error {
	if err := s.Ready(); err != nil {
		return err
	}
	return s.client.Get(ctx, "/health", nil)
}

// Close implements eval.Server. A server that runs goes on running.
func (s *Server) Close() error {
	s.Asker.Close()
	s.hangUp()
	return nil
}

func (s *Server) hangUp() {
	for _, c := range []*wire.Client{s.client, s.loads} {
		if c != nil {
			c.Close()
		}
	}
}

// Load implements eval.Server.
func (s *Server) Load(ctx context.Context, m eval.Model) (version eval.Version, err error) {
	err = s.Exchange(func() (bytoken.Model, error) {
		model, v, err := s.load(ctx, m.Path)
		version = v
		return model, err
	})
	return version, err
}

// Reload implements eval.Reloader: the server that is started here is started
// anew; into another one the model that it was started with is loaded first,
// which must answer otherwise.
func (s *Server) Reload(ctx context.Context, m eval.Model) (eval.Version, error) {
	if s.options.Start != nil {
		if err := s.Exchange(func() (bytoken.Model, error) { return bytoken.Model{}, s.start(ctx, m.Path) }); err != nil {
			return "", err
		}
		return s.Load(ctx, m)
	}
	if s.served == nil {
		return "", errors.New("vllm: it cannot load from scratch: the model that it was started with is not on this machine")
	}
	first, err := s.Load(ctx, eval.Model{Path: s.served.Path})
	if err != nil {
		return "", err
	}
	version, err := s.Load(ctx, m)
	if err == nil && version == first && s.served.Path != m.Path {
		return "", fmt.Errorf("vllm: %s and %s are answered alike", s.served.Path, m.Path)
	}
	return version, err
}

// load exchanges the weights, and returns when the canary has seen them.
func (s *Server) load(ctx context.Context, path string) (m bytoken.Model, v eval.Version, err error) {
	if err := ctx.Err(); err != nil {
		return m, "", fmt.Errorf("vllm: %w", err)
	}
	dir, err := hfdir.Open(path)
	if err != nil {
		return m, "", fmt.Errorf("vllm: %w", err)
	}
	if err := s.reach(ctx, dir.Path); err != nil {
		return m, "", err
	}
	if s.served != nil {
		if err := dir.Fits(s.served); err != nil {
			return m, "", fmt.Errorf("vllm: %w", err)
		}
	}
	if err := s.exchange(ctx, dir.Path); err != nil {
		return m, "", err
	}
	if m, err = s.model(ctx, dir); err != nil {
		return m, "", err
	}
	v, err = s.version(ctx, m.Context)
	return m, v, err
}

// reach finds a server that answers, starting it if that is soup's business.
func (s *Server) reach(ctx context.Context, path string) error {
	if s.options.Start != nil && (s.client == nil || !s.answers(ctx)) {
		if err := s.start(ctx, path); err != nil {
			return err
		}
	}
	if s.connect != nil {
		return nil
	}
	c, err := s.connected(ctx)
	if err != nil {
		return err
	}
	s.connect = c
	s.served, _ = hfdir.Open(c.root) // a name of a hub, or a path of another machine, is none
	return nil
}

func (s *Server) answers(ctx context.Context) bool {
	return s.client.Once(ctx, http.MethodGet, "/health", nil, nil) == nil
}

func (s *Server) start(ctx context.Context, path string) error {
	url, err := s.options.Start(ctx, path)
	if err != nil {
		return err
	}
	s.tainted.Store(false)
	return s.dial(url)
}

// model says what questions must know of the model.
func (s *Server) model(ctx context.Context, dir *hfdir.Directory) (m bytoken.Model, err error) {
	m.Context = s.connect.context
	if c := s.options.Context; c > 0 && c < m.Context {
		m.Context = c
	}
	text, id, err := dir.End()
	if err != nil {
		return m, fmt.Errorf("vllm: %w", err)
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
		return m, fmt.Errorf("vllm: the end token %q is %d tokens to the server", text, len(ids))
	}
	m.End = ids[0]
	return m, nil
}

// version asks the canary. Where it sees what is not a number, that may be left
// in the cache from earlier weights: it is asked again after a wash.
func (s *Server) version(ctx context.Context, longest int) (eval.Version, error) {
	if s.tainted.Load() {
		if err := s.wash(ctx, longest); err != nil {
			return "", err
		}
	}
	readings, err := s.sing(ctx)
	if errors.Is(err, eval.ErrNotNumbers) {
		if err = s.wash(ctx, longest); err == nil {
			readings, err = s.sing(ctx)
		}
	}
	if err != nil {
		return "", err
	}
	return s.canary.Version(readings)
}

const (
	washPrompts = 16   // of one wash
	washTokens  = 2048 // of one prompt, or the context's size
)

// wash writes over what earlier requests left in the key-value cache.
func (s *Server) wash(ctx context.Context, longest int) error {
	ids, err := s.Encode(ctx, canary.Prompt, false)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return fmt.Errorf("vllm: %w: no tokens in %q", eval.ErrReply, canary.Prompt)
	}
	for len(ids) < min(longest-1, washTokens) {
		ids = append(ids, ids...)
	}
	ids = ids[:min(longest-1, washTokens)]
	prompts := make([][]int32, washPrompts)
	for i := range prompts {
		prompts[i] = append([]int32{ids[(i+1)%len(ids)]}, ids[1:]...) // or they share blocks
	}
	if err := s.client.Post(ctx, "/v1/completions", s.completion(prompts, 1), nil); err != nil {
		return s.explain(err)
	}
	s.tainted.Store(false)
	return s.dropPrefixes(ctx)
}

// sing asks the canary's prompt.
func (s *Server) sing(ctx context.Context) ([]canary.Reading, error) {
	ids, err := s.Encode(ctx, canary.Prompt, true)
	if err != nil {
		return nil, err
	}
	c := s.completion([][]int32{ids}, canary.Tokens)
	top := min(canary.Top, s.connect.maxLogprobs)
	c.IgnoreEOS, c.Logprobs, c.PromptLogprobs, c.IDs = true, &top, &top, true
	choices, err := s.complete(ctx, c)
	if err != nil {
		return nil, err
	}
	return choices[0].readings(), nil
}

// explain finds the error of a model whose logits are not numbers: the server
// refuses to write them as JSON, whatever the request was.
func (s *Server) explain(err error) error {
	var refusal *wire.Refusal
	if errors.As(err, &refusal) && strings.Contains(refusal.Message, "not JSON compliant") {
		s.tainted.Store(true)
		return fmt.Errorf("vllm: %w", eval.ErrNotNumbers)
	}
	return err
}
