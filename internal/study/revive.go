package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"soup/eval"
)

var (
	// errKilled says that a server went down twice under one candidate.
	errKilled = errors.New("the server went down twice under this candidate")
	// errLate says that a candidate took longer than it may.
	errLate = errors.New("not scored in time")
	// errCutOff says that answers do not count because the server was started
	// again while they were asked, or lost the candidate.
	errCutOff = fmt.Errorf("%w: it was cut off while it answered", eval.ErrUnreachable)
)

// healthTimeout is how long a server may take to say whether it is well.
const healthTimeout = 30 * time.Second

// attended does what needs the server. Where the server is down after it, it is
// brought back and the work is done again: what the ledger has of it costs
// nothing. A candidate under which it goes down twice is at fault.
func (s *session) attended(ctx context.Context, work loader) (all spent, err error) {
	defer func() { s.deaths = 0 }()
	for s.deaths = 0; ; {
		took, err := s.inTime(ctx, work)
		all = all.plus(took)
		if err == nil || ctx.Err() != nil || errors.Is(err, errFatal) || !s.isDown(ctx, err) {
			return all, err
		}
		s.warn("the server is down: " + oneLine(err.Error()))
		if again := s.revive(ctx); again != nil {
			return all, again
		}
		if s.deaths++; s.deaths == 2 {
			return all, fmt.Errorf("%w: %w", errKilled, err)
		}
	}
}

// inTime does work within the time that a candidate has.
func (s *session) inTime(ctx context.Context, work loader) (spent, error) {
	limit := s.config.Server.CandidateTimeout
	if limit == 0 {
		return work(ctx)
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	took, err := work(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w, %s (candidate_timeout): %w", errLate, limit, context.DeadlineExceeded)
	}
	return took, err
}

// isDown tells a server that is gone from one that could not do something.
// Weights that are broken or too large are not its fault, also if it ends.
func (s *session) isDown(ctx context.Context, err error) bool {
	if errors.Is(err, eval.ErrNotNumbers) || errors.Is(err, eval.ErrOutOfMemory) {
		return false
	}
	return errors.Is(err, eval.ErrUnreachable) || errors.Is(s.health(ctx), eval.ErrUnreachable)
}

// health is the server's; one that does not tell in time cannot be reached.
func (s *session) health(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	err := s.server.Health(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: it does not say within %s whether it is well", eval.ErrUnreachable, healthTimeout)
	}
	return err
}

// revive returns when the server is there again and has proven anew that it
// exchanges weights. One that soup started is started again, unless it is well;
// any other is waited for.
func (s *session) revive(ctx context.Context) error {
	s.last, s.proven = served{}, false
	ours, what := s.config.Server.ours(), "the server to start again"
	if !ours {
		what = strings.TrimRight("the server at "+cmp.Or(s.config.Server.URL, "its default address"), "/")
	}
	return s.await(ctx, what, func() error {
		err := s.health(ctx)
		if errors.Is(err, eval.ErrUnreachable) && ours {
			err = s.restart(ctx)
		} else if !errors.Is(err, eval.ErrUnreachable) {
			err = nil // what else may be wrong is that it has no model
		}
		if err != nil {
			return err
		}
		now, err := s.identify(ctx)
		switch {
		case err != nil:
			return err
		case now != s.identity:
			return fatal(fmt.Errorf("the server came back as %s and was %s: scores would mix both", now, s.identity))
		}
		return s.prove(ctx) // it may go down again meanwhile
	})
}

// restart puts a new server in the place of the old one. Its versions may have
// other names.
func (s *session) restart(ctx context.Context) error {
	if s.server != nil {
		_ = s.server.Close() // it is down as it is
		s.server = nil
	}
	server, err := s.start(ctx, s.serverOptions())
	if err != nil {
		s.server = gone{err}
		return err
	}
	s.server = server
	for key, version := range s.versions {
		s.earlier[key] = version
	}
	clear(s.versions)
	return nil
}

// await tries until there is no error, with growing pauses, or until the time to
// wait is over: then the study stops, and goes on from there another day.
func (s *session) await(ctx context.Context, what string, try func() error) error {
	limit := s.config.Server.Wait
	if limit == 0 {
		limit = defaultWait
	}
	end := time.Now().Add(limit)
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = s.pause, 30*s.pause
	defer s.progress.Waiting("")
	for told := false; ; told = true {
		err := try()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errFatal):
			return err
		case time.Now().After(end):
			return fatal(fmt.Errorf("waited %s for %s: %w", limit, what, err))
		}
		if !told {
			s.progress.Waiting(what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(pauses.NextBackOff(), max(time.Until(end), 0)+time.Millisecond)):
		}
	}
}

// gone stands where no server could be started.
type gone struct{ err error }

func (g gone) Load(context.Context, eval.Model) (eval.Version, error)     { return "", g.err }
func (g gone) Generate(context.Context, eval.Request) (eval.Reply, error) { return eval.Reply{}, g.err }
func (g gone) Health(context.Context) error                               { return g.err }
func (g gone) Close() error                                               { return nil }
