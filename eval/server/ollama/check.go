package ollama

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ollama/ollama/api"

	"soup/eval"
)

// longestCheck bounds what Check asks of the server.
const longestCheck = 5 * time.Minute

// Check implements eval.Checker. A prompt that may be too long is read by the
// server, which is the one to tell.
func (s *Server) Check(q eval.Question) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	if len(q.Continuations) > 0 {
		return errors.New("ollama: it tells no likelihood of a given text; use another server, such as llama-server, or ask for an answer")
	}
	ctx, cancel := context.WithTimeout(context.Background(), longestCheck)
	defer cancel()
	if len(q.Labels) > 0 {
		if _, err := s.firstTokens(ctx, q.Labels); err != nil {
			return err
		}
	}
	request, err := s.prompt(q.Request, 1)
	if err != nil || s.surelyFits(request) {
		return err
	}
	if _, err := s.post(ctx, request); err != nil {
		return fmt.Errorf("prompt of %d bytes: %w", length(request), err)
	}
	return nil
}

// surelyFits: a token is a byte at least. Templates of the server add to what is
// sent.
func (s *Server) surelyFits(request any) bool {
	const added = 64
	if _, chat := request.(*chatRequest); chat {
		return 2*length(request)+added < s.context()
	}
	return length(request)+added < s.context()
}

func length(request any) int {
	switch r := request.(type) {
	case *api.GenerateRequest:
		return len(r.Prompt)
	case *chatRequest:
		n := len(r.Tools)
		for _, m := range r.Messages {
			n += len(m.Content)
		}
		return n
	}
	return 0
}
