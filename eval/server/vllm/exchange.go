package vllm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"soup/eval"
	"soup/eval/server/internal/wire"
)

type empty struct{}

// exchange makes the server read a directory's weights, and forget what it
// computed with the ones before.
func (s *Server) exchange(ctx context.Context, dir string) error {
	err := s.read(ctx, dir)
	if s.connect.way == reload && takesNoPath(err) {
		s.connect.way = reloadIn
		err = s.read(ctx, dir)
	}
	if err != nil {
		return fmt.Errorf("weights of %s: %w", dir, err)
	}
	return s.dropPrefixes(ctx)
}

func (s *Server) read(ctx context.Context, dir string) error {
	switch s.connect.way {
	case updates:
		return s.update(ctx, dir)
	case reloadIn:
		return s.reloadServed(ctx, dir)
	default:
		return s.call(ctx, map[string]any{"weights_path": dir, "is_checkpoint_format": true})
	}
}

// update is one session of the disk backend
// (docs/training/weight_transfer/disk.md of vLLM at c702168).
func (s *Server) update(ctx context.Context, dir string) error {
	if !s.connect.begun {
		if err := s.post(ctx, "/init_weight_transfer_engine", map[string]any{"init_info": empty{}}); err != nil {
			return err
		}
		s.connect.begun = true
	}
	if err := s.post(ctx, "/start_weight_update", empty{}); err != nil {
		return err
	}
	if err := s.post(ctx, "/update_weights", map[string]any{"update_info": map[string]string{"path": dir}}); err != nil {
		return err
	}
	return s.post(ctx, "/finish_weight_update", empty{})
}

// reloadServed reads the served directory again, with its memory given back
// meanwhile where the server can do that.
func (s *Server) reloadServed(ctx context.Context, dir string) error {
	root, err := filepath.Abs(s.connect.root)
	if err != nil || root != dir {
		return advised{
			fmt.Errorf("vllm %s can only read %s again, which it was started with", s.connect.version, s.connect.root), "update vLLM",
		}
	}
	if !s.connect.sleeps {
		return s.call(ctx, nil)
	}
	if err := s.post(ctx, "/sleep?level=2", nil); err != nil {
		return err
	}
	if err := s.post(ctx, "/wake_up?tags=weights", nil); err != nil {
		return err
	}
	if err := s.call(ctx, nil); err != nil {
		return err
	}
	return s.post(ctx, "/wake_up?tags=kv_cache", nil)
}

// call is reload_weights in every worker.
func (s *Server) call(ctx context.Context, arguments map[string]any) error {
	body := map[string]any{"method": "reload_weights"}
	if arguments != nil {
		body["kwargs"] = arguments
	}
	return s.post(ctx, "/collective_rpc", body)
}

// post changes something in the server, once: a second attempt at what has
// failed halfway would not tell why.
func (s *Server) post(ctx context.Context, route string, body any) error {
	within, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return s.loads.Once(within, http.MethodPost, route, body, nil)
}

// takesNoPath finds the error of versions whose reload_weights has no argument.
func takesNoPath(err error) bool {
	var refusal *wire.Refusal
	return errors.As(err, &refusal) && strings.Contains(refusal.Message, "unexpected keyword argument")
}

const (
	dropAttempts = 50
	dropPause    = 100 * time.Millisecond
)

// dropPrefixes empties the prefix cache, which holds what earlier weights
// computed. The server does not while a request is in progress, such as one that
// was given up; older versions do not say whether they did.
func (s *Server) dropPrefixes(ctx context.Context) error {
	for range dropAttempts {
		var reply struct{ Success *bool }
		err := s.client.Once(ctx, http.MethodPost, "/reset_prefix_cache", nil, &reply)
		switch {
		case errors.Is(err, eval.ErrReply):
			return s.post(ctx, "/reset_prefix_cache", nil)
		case err != nil:
			return err
		case reply.Success == nil || *reply.Success:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("vllm: %w", ctx.Err())
		case <-time.After(dropPause):
		}
	}
	return advised{
		fmt.Errorf("vllm at %s keeps its prefix cache: it is answering somebody else", s.client.URL()), "let soup use the server alone, or start it with --no-enable-prefix-caching",
	}
}
