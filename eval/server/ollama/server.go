package ollama

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ollama/ollama/api"

	"soup/eval"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/gguf"
	"soup/eval/server/internal/template"
	"soup/eval/server/internal/wire"
)

// Server is an eval.Server that has an Ollama run the candidates.
type Server struct {
	options Options
	items   *wire.Client // for questions
	control *wire.Client // for what moves models
	blobs   *api.Client  // for uploads
	canary  canary.Canary
	floored atomic.Int64

	mu       sync.RWMutex // questions read, what exchanges models writes
	closed   bool
	claimed  bool         // the name is ours, and it is known how blobs get there
	folder   *folder      // where candidates are linked; nil: they are uploaded
	base     *base        // what Options.Base has; nil without
	digest   string       // of the blob that the model at the server is made of; "" if there is no model
	made     *gguf.Header // of the file that it was made of
	loaded   bool
	thinks   bool // the model at the server can think first, and must be told not to
	tools    bool // the server offers functions to it
	template template.Template
	probed   bool // what follows is known
	addsBOS  bool // the server puts the token that begins a text before every prompt

	firstMu sync.Mutex
	first   map[string]string // text of the first token of labels seen so far
}

var (
	_ eval.Server      = (*Server)(nil)
	_ eval.LabelScorer = (*Server)(nil)
	_ eval.Checker     = (*Server)(nil)
	_ eval.Reloader    = (*Server)(nil)
)

// New returns a Server; nothing is sent before the first Load.
func New(o Options) (*Server, error) {
	o.fill()
	if !strings.Contains(o.Name, ":") {
		o.Name += ":latest" // as the server shows it
	}
	items, err := wire.New("ollama", wire.Options{URL: o.URL, Key: o.Key, Timeout: o.Timeout, Pause: o.Pause})
	if err != nil {
		return nil, err
	}
	control, err := wire.New("ollama", wire.Options{URL: o.URL, Key: o.Key, Timeout: loadTimeout, Pause: o.Pause})
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	return &Server{
		options: o, items: items, control: control, blobs: api.NewClient(address, control.HTTP()),
		canary: canary.Canary{Tolerance: o.Tolerance}, first: map[string]string{},
	}, nil
}

// Load implements eval.Server. The model must be a GGUF file.
func (s *Server) Load(ctx context.Context, m eval.Model) (eval.Version, error) {
	return s.exchange(ctx, m, false)
}

// Reload implements eval.Reloader: the model is made anew.
func (s *Server) Reload(ctx context.Context, m eval.Model) (eval.Version, error) {
	return s.exchange(ctx, m, true)
}

func (s *Server) exchange(ctx context.Context, m eval.Model, anew bool) (eval.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", errClosed
	}
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("ollama: %w", context.Cause(ctx))
	}
	h, err := s.header(m.Path)
	if err != nil {
		return "", fmt.Errorf("ollama: %w", err)
	}
	s.loaded = false
	if err := s.claim(ctx); err != nil {
		return "", err
	}
	if err := s.put(ctx, m.Path, h, anew); err != nil {
		return "", fmt.Errorf("%s: %w", m.Path, err)
	}
	version, err := s.awaken(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.Path, err)
	}
	s.loaded = true
	s.floored.Store(0)
	return version, nil
}

// header is that of a file: the one before, where they are the same.
func (s *Server) header(path string) (*gguf.Header, error) {
	if s.made != nil {
		if same, err := s.made.Fits(path); err != nil || same {
			return s.made, err
		}
	}
	return gguf.Read(path)
}

// claim finds out once how candidates get to the server, and takes the name: a
// model that another study left there is removed, one of the user's is not.
func (s *Server) claim(ctx context.Context) error {
	if s.claimed {
		return nil
	}
	there, err := s.show(ctx, s.options.Name)
	switch {
	case err != nil:
		return err
	case there == nil:
	case !strings.Contains(there.License, mark):
		return fmt.Errorf("ollama: there is a model %s at %s that soup did not make; give candidates another name", s.options.Name, s.options.URL)
	default:
		if err := s.remove(ctx); err != nil {
			return err
		}
	}
	if s.options.Base != "" && s.base == nil {
		if s.base, err = s.readBase(ctx); err != nil {
			return err
		}
	}
	if s.folder, err = s.findFolder(ctx); err != nil {
		return err
	}
	s.claimed = true
	return nil
}

// put makes the server's model one of the file at path. It is not loaded then.
func (s *Server) put(ctx context.Context, path string, h *gguf.Header, anew bool) error {
	if err := s.unload(ctx); err != nil {
		return err
	}
	if s.folder != nil {
		done, err := s.putLink(ctx, path, h, anew)
		if done || err != nil {
			return err
		}
		s.folder = nil // the server does not see what is linked: upload from now on
	}
	return s.putUpload(ctx, path, h, anew)
}

// awaken loads the model that is at the server and returns what it says.
func (s *Server) awaken(ctx context.Context) (eval.Version, error) {
	if err := s.load(ctx); err != nil {
		return "", err
	}
	readings, err := s.readCanary(ctx)
	if err != nil {
		return "", err
	}
	version, err := s.canary.Version(readings)
	if err != nil {
		return "", fmt.Errorf("ollama at %s: %w", s.options.URL, err)
	}
	return version, s.probeOnce(ctx)
}

// Health implements eval.Server.
func (s *Server) Health(ctx context.Context) error {
	s.mu.RLock()
	closed, loaded := s.closed, s.loaded
	s.mu.RUnlock()
	if closed {
		return errClosed
	}
	if !loaded {
		return errNoModel
	}
	_, err := s.Identity(ctx)
	return err
}

// Identity is the server's name and version, such as "ollama 0.17.4".
func (s *Server) Identity(ctx context.Context) (string, error) {
	var reply struct {
		Version string `json:"version"`
	}
	if err := s.items.Get(ctx, "/api/version", &reply); err != nil {
		return "", err
	}
	if reply.Version == "" {
		return "", fmt.Errorf("ollama at %s: %w: it tells no version", s.options.URL, eval.ErrReply)
	}
	return "ollama " + reply.Version, nil
}

// Floored is how many labels since the last Load were not among the 20 likeliest
// tokens, so that their score is only known to be lower; see ScoreLabels.
func (s *Server) Floored() int64 { return s.floored.Load() }

// Close implements eval.Server: model, blob and link are removed. A server that
// is gone is no error.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed, s.loaded = true, false
	if !s.claimed {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := s.remove(ctx)
	if s.folder != nil {
		err = errors.Join(err, s.folder.clear(s.linkDigest()))
	}
	if errors.Is(err, eval.ErrUnreachable) {
		return nil
	}
	return err
}
