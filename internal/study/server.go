package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml/ast"

	"soup/eval"
	"soup/internal/serve"
	"soup/internal/usage"
)

// Server says what runs the candidates: the options of package serve, and how
// patient the study is with it.
type Server struct {
	serve.Options
	CandidateTimeout time.Duration // of merge, swap and all items of one candidate; 0: none
	Wait             time.Duration // for a server that is down to come back; 0: 10 minutes
	Verify           bool          // ask every item until two answers agree: for connections that change bytes

	at     ast.Node      // in the study file; nil where it has no such key
	format *serve.Format // in place of the kind's, in tests
}

const (
	embeddedKind = "embedded"
	defaultWait  = 10 * time.Minute
	itemTimeout  = 5 * time.Minute // of servers that are asked item by item
)

// Format is what the server loads.
func (s Server) Format() serve.Format {
	if s.format != nil {
		return *s.format
	}
	return s.Options.Format()
}

// ours says whether soup starts the server, and ends it.
func (s Server) ours() bool { return s.Start || s.Kind == embeddedKind }

// pots is how many files the candidates need; see kitchen.
func (s Server) pots() int {
	if s.Kind == embeddedKind {
		return 1
	}
	return 2
}

// serverKeys are the keys of the study file's server.
type serverKeys struct {
	serve.Options    `yaml:",inline"`
	CandidateTimeout time.Duration `yaml:"candidate_timeout"`
	Wait             time.Duration `yaml:"wait"`
	Verify           bool          `yaml:"verify"`
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (s *Server) UnmarshalYAML(n ast.Node) error {
	var keys serverKeys
	if err := decode(n, &keys); err != nil {
		return err
	}
	*s = Server{Options: keys.Options, CandidateTimeout: keys.CandidateTimeout, Wait: keys.Wait, Verify: keys.Verify, at: n}
	return nil
}

// completeServer checks the server's options and fills in defaults.
func (c *Config) completeServer() error {
	c.Server.Kind = cmp.Or(c.Server.Kind, embeddedKind)
	err := c.Server.Validate()
	if err == nil && c.Server.Kind == "openai" && len(c.Server.Swap) == 0 {
		err = usage.Errorf("kind openai needs swap in a study: the command by which the server gets each candidate")
	}
	if err == nil && (c.Server.CandidateTimeout < 0 || c.Server.Wait < 0) {
		err = usage.Errorf("candidate_timeout and wait cannot be negative")
	}
	if err == nil {
		return nil
	}
	if c.Server.at == nil {
		return usage.Errorf("%s: server: %s", c.File, err)
	}
	at := c.Server.at.GetToken().Position
	return usage.Errorf("%s:%d:%d: server: %s", c.File, at.Line, at.Column, err)
}

// openServer starts or finds the server; it has no model yet.
func (s *session) openServer(ctx context.Context) error {
	o := s.serverOptions()
	if o.Kind != embeddedKind {
		if err := os.MkdirAll(o.Folder, 0o755); err != nil {
			return err
		}
	}
	var err error
	if s.server, err = s.start(ctx, o); err != nil {
		return err
	}
	s.meter = newMeter()
	if !s.config.Server.ours() {
		// Rather than to wait for an address that is mistyped.
		if err := s.health(ctx); err != nil && !errors.Is(err, eval.ErrNoModel) {
			return fmt.Errorf("server: %w", err)
		}
	}
	s.identity, err = s.identify(ctx)
	return err
}

// serverOptions are those of the study file, with the study's places.
func (s *session) serverOptions() serve.Options {
	o := s.config.Server.Options
	o.Folder, o.Cache, o.Base = filepath.Join(s.dir, serverName), s.cache(), s.config.Parents.List[0].Path
	return o
}

// identify names all about the server that scores depend on. Where it is does
// not belong to it.
func (s *session) identify(ctx context.Context) (string, error) {
	o := s.config.Server
	if o.Kind == embeddedKind {
		return o.Kind + " " + engineVersion(), nil
	}
	name := o.Kind
	if i, ok := s.server.(eval.Identifier); ok {
		version, err := i.Identity(ctx)
		if err != nil {
			return "", fmt.Errorf("server: %w", err)
		}
		name = version
	}
	return name + ", " + o.Decoding(), nil
}

// askOptions are how items are asked.
func (s *session) askOptions(done func(string) bool) eval.Options {
	o := eval.Options{
		Batch: s.batch, Done: done, Watch: s.watch,
		Parallel: s.parallel, Timeout: s.config.Server.Timeout, Verify: s.config.Server.Verify,
	}
	if _, together := s.server.(eval.Batcher); !together && o.Timeout == 0 {
		o.Timeout = itemTimeout
	}
	return o
}

// watch tells the meter what is asked and answered; every answer is progress.
func (s *session) watch() func(...eval.Answer) {
	answered := s.meter.watch()
	return func(answers ...eval.Answer) {
		answered(answers...)
		s.beat(0)
	}
}

// findParallel finds how many requests at a time the server answers fastest,
// unless the study file says it; once in a session, with the first candidate
// loaded. The answers are thrown away.
func (s *session) findParallel(ctx context.Context) error {
	if s.parallel > 0 {
		return nil
	}
	if s.parallel = s.config.Server.Parallel; s.parallel > 0 {
		return nil
	}
	s.meter.enter()
	defer s.meter.leave()
	o := eval.RampOptions{Timeout: s.askOptions(nil).Timeout}
	parallel, steps, err := eval.Ramp(ctx, s.server, eval.Interleave(s.set.Search), o)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil { // whatever it is, the items themselves will tell
		return nil
	}
	s.parallel = parallel
	if len(steps) > 0 {
		return fatal(s.ledger.Event(rampEvent, steps))
	}
	return nil
}

// rampEvent holds what was measured to find the number of requests in flight.
const rampEvent = "ramp"

// give loads a model.
func (s *session) give(ctx context.Context, m eval.Model) (eval.Version, error) {
	s.meter.enter()
	defer s.meter.leave()
	version, err := s.server.Load(ctx, m)
	if err == nil {
		s.holds = m.Path
	}
	return version, err
}

// reload loads a model from scratch.
func (s *session) reload(ctx context.Context, r eval.Reloader, m eval.Model) (eval.Version, error) {
	s.meter.enter()
	defer s.meter.leave()
	return r.Reload(ctx, m)
}

// stillServed comes before answers are recorded. A server that was started again
// while they were asked may have given some of them with other weights.
func (s *session) stillServed(ctx context.Context) error {
	if s.meter.cutOff() && s.deaths == 0 { // an item that is cut off twice is that item's fault
		return errCutOff
	}
	v, ok := s.server.(eval.Verifier)
	if !ok {
		return nil
	}
	s.meter.enter()
	defer s.meter.leave()
	version, err := v.Verify(ctx)
	if err == nil && version != s.last.version {
		err = errCutOff
	}
	return err
}

// useEvent holds what the server had to do in a part of the study.
const useEvent = "server-use"

func (s *session) noteUse() error { return fatal(s.ledger.Event(useEvent, s.meter.take())) }
