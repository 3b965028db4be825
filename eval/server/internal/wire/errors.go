package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/cenkalti/backoff/v5"

	"soup/eval"
)

// Refusal is a reply with an HTTP status other than 2xx.
type Refusal struct {
	Code    int
	Message string // what the server says, one line
	server  string
	kind    error // of package eval; nil for a request that is wrong
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: HTTP status %d: %s", r.server, r.Code, r.Message)
}

// Unwrap makes errors.Is find eval.ErrServer and eval.ErrOutOfMemory.
func (r *Refusal) Unwrap() error { return r.kind }

// Words by which servers say that memory is short: CUDA's, ggml's, Ollama's,
// PyTorch's.
var memoryWords = regexp.MustCompile(`(?i)out of memory|cudaMalloc failed|failed to allocate|unable to allocate|requires more system memory|insufficient memory|OutOfMemoryError`)

// refusal reads what a server says with a status other than 2xx.
func (c *Client) refusal(code int, text []byte) error {
	r := &Refusal{Code: code, Message: saying(text), server: c.name + " at " + c.base.String()}
	switch {
	case memoryWords.MatchString(r.Message):
		r.kind = eval.ErrOutOfMemory
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		r.kind = eval.ErrServer
	}
	return r
}

// saying finds the message in the forms that servers give errors: {"error":
// "..."}, {"error": {"message": "..."}}, {"message": "..."}, {"detail": ..}.
func saying(text []byte) string {
	var forms struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  string          `json:"detail"`
	}
	_ = json.Unmarshal(text, &forms)
	var plain string
	var nested struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(forms.Error, &plain)
	_ = json.Unmarshal(forms.Error, &nested)
	for _, s := range []string{plain, nested.Message, forms.Message, forms.Detail} {
		if s != "" {
			return excerpt([]byte(s))
		}
	}
	return excerpt(text)
}

// Explain turns an error of the connection into one of package eval. The
// context's own end stays as it is.
func (c *Client) Explain(ctx context.Context, err error) error {
	where := c.name + " at " + c.base.String()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", where, context.Cause(ctx))
	case errors.Is(err, errTooLong):
		return fmt.Errorf("%s: %w: %w, over %d bytes", where, eval.ErrReply, errTooLong, c.options.MaxReply)
	}
	return fmt.Errorf("%s: %w: %w", where, eval.ErrUnreachable, err)
}

// MayRetry says whether the same request can succeed later: the connection
// failed, the server is overloaded or on its way up, or the reply was damaged.
func MayRetry(err error) bool {
	switch {
	case errors.Is(err, eval.ErrOutOfMemory), errors.Is(err, errTooLong):
		return false
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	return errors.Is(err, eval.ErrUnreachable) || errors.Is(err, eval.ErrServer) || errors.Is(err, eval.ErrReply)
}

// Retry calls try until it has no error, an error that no repetition helps, or
// Options.Attempts are used up; the pauses between grow and are random. Each
// call gets Options.Timeout; one that used it up is tried again.
func (c *Client) Retry(ctx context.Context, try func(context.Context) error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier = c.options.Pause, longestPause, 2
	for attempt := 1; ; attempt++ {
		err := c.attempt(ctx, try)
		if err == nil || ctx.Err() != nil || attempt == c.options.Attempts || !MayRetry(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return c.Explain(ctx, ctx.Err())
		case <-time.After(pauses.NextBackOff()):
		}
	}
}

// attempt calls try with the time that one attempt has.
func (c *Client) attempt(ctx context.Context, try func(context.Context) error) error {
	within, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	err := try(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%s at %s: %w: no reply within %s", c.name, c.base, eval.ErrUnreachable, c.options.Timeout)
	}
	return err
}
