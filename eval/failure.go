package eval

import (
	"context"
	"errors"
)

// The kinds of failure that the ledger tells apart.
const (
	FailureMemory      = "out of memory" // ErrOutOfMemory
	FailureUnreachable = "unreachable"   // ErrUnreachable: it ended, or nothing answers
	FailureServer      = "server error"  // ErrServer: HTTP status 5xx
	FailureReply       = "reply"         // ErrReply: something else answers there
	FailureNotNumbers  = "not numbers"   // ErrNotNumbers: the weights are broken
	FailureTimeout     = "timeout"       // a deadline has passed
)

// FailureKind says which of the kinds an error is; "" for any other.
func FailureKind(err error) string {
	for _, k := range []struct {
		is   error
		kind string
	}{
		{ErrOutOfMemory, FailureMemory}, // first: it comes with a status of 5xx
		{ErrNotNumbers, FailureNotNumbers},
		{context.DeadlineExceeded, FailureTimeout},
		{ErrUnreachable, FailureUnreachable},
		{ErrServer, FailureServer},
		{ErrReply, FailureReply},
	} {
		if errors.Is(err, k.is) {
			return k.kind
		}
	}
	return ""
}
