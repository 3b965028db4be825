package eval

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestFailureKind(t *testing.T) {
	if got := FailureKind(errors.New("x")); got != "" {
		t.Errorf("any error is %q", got)
	}
	for want, err := range map[string]error{
		"":                 nil,
		FailureMemory:      fmt.Errorf("%w: %w", ErrServer, ErrOutOfMemory),
		FailureTimeout:     fmt.Errorf("%w: %w", ErrUnreachable, context.DeadlineExceeded),
		FailureUnreachable: fmt.Errorf("x: %w", ErrUnreachable),
		FailureServer:      fmt.Errorf("x: %w", ErrServer),
		FailureReply:       fmt.Errorf("x: %w", ErrReply),
		FailureNotNumbers:  fmt.Errorf("x: %w", ErrNotNumbers),
	} {
		if got := FailureKind(err); got != want {
			t.Errorf("%v is %q, not %q", err, got, want)
		}
	}
}
