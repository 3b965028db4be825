package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"soup/eval"
)

// Refusal is a reply with an HTTP status other than 2xx.
type Refusal struct {
	Code    int
	Message string        // what the server says, one line
	After   time.Duration // when it wants to be asked again (Retry-After); 0 if it does not say
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
func (c *Client) refusal(reply *http.Response, text []byte) error {
	code := reply.StatusCode
	r := &Refusal{Code: code, Message: saying(text), server: c.name + " at " + c.base.String(), After: retryAfter(reply.Header.Get("Retry-After"))}
	switch {
	case memoryWords.MatchString(r.Message):
		r.kind = eval.ErrOutOfMemory
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		r.kind = eval.ErrServer
	}
	return r
}

// retryAfter reads the two forms that RFC 9110, 10.2.3 has: seconds and a date.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return max(0, time.Duration(min(seconds, 1<<20))*time.Second)
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(date))
	}
	return 0
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
