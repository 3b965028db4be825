package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"soup/eval"
)

// Fake is what Hostile and Stale try a driver with: a server that is well, for
// them to spoil.
type Fake struct {
	// New is a driver of the server at a URL, without a model. It is closed.
	New func(t *testing.T, url string) eval.Server
	// Well answers as a real server does, on every route that the driver uses. It
	// tells the models A and B apart, by other texts or other log-probabilities.
	Well func(t *testing.T) http.Handler
	A, B eval.Model
	// Question has an answer. Its Labels, Reference and Continuations are asked
	// for where the driver scores them.
	Question eval.Question
	// Asks reports whether a request makes the model say something, as opposed to
	// those that load it or ask how the server is. Stale needs it.
	Asks func(r *http.Request) bool
}

// spoiled is a server whose replies are spoiled while spoil is not nil.
type spoiled struct {
	well  http.Handler
	spoil atomic.Pointer[func(w http.ResponseWriter, r *http.Request, well http.Handler)]
	read  atomic.Int64 // bytes of replies that the driver took, or the network's buffers
}

// counted counts what is written.
type counted struct {
	http.ResponseWriter
	read *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.read.Add(int64(n))
	return n, err
}

// Unwrap is for http.ResponseController.
func (c counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (s *spoiled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if spoil := s.spoil.Load(); spoil != nil {
		(*spoil)(counted{w, &s.read}, r, s.well)
		return
	}
	s.well.ServeHTTP(w, r)
}

// start serves a fake and gives a driver of it.
func (f Fake) start(t *testing.T) (*spoiled, eval.Server) {
	t.Helper()
	handler := &spoiled{well: f.Well(t)}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	driver := f.New(t, server.URL)
	t.Cleanup(func() {
		handler.spoil.Store(nil)
		if err := driver.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return handler, driver
}

// power is one thing that drivers can do; ok is false for those who cannot.
type power struct {
	name string
	use  func(context.Context, eval.Server, eval.Question) (result any, ok bool, err error)
}

// powers of asking, Generate first.
var powers = []power{
	{"generate", func(ctx context.Context, s eval.Server, q eval.Question) (any, bool, error) {
		reply, err := s.Generate(ctx, q.Request)
		if err != nil && (reply.Text != "" || reply.Finish == eval.FinishStop || reply.Finish == eval.FinishLength) {
			err = errors.Join(errors.New("an error, and an answer as well"), err)
		}
		return [3]any{reply.Text, reply.Finish, reply.Tokens}, true, err
	}},
	{"labels", func(ctx context.Context, s eval.Server, q eval.Question) (any, bool, error) {
		scorer, ok := s.(eval.LabelScorer)
		if !ok || len(q.Labels) == 0 {
			return nil, false, nil
		}
		scores, err := scorer.ScoreLabels(ctx, q.Request, q.Labels)
		return scores, true, err
	}},
	{"reference", func(ctx context.Context, s eval.Server, q eval.Question) (any, bool, error) {
		scorer, ok := s.(eval.ReferenceScorer)
		if !ok || q.Reference == "" {
			return nil, false, nil
		}
		score, err := scorer.ScoreReference(ctx, q.Request, q.Reference)
		return score, true, err
	}},
	{"continuations", func(ctx context.Context, s eval.Server, q eval.Question) (any, bool, error) {
		scorer, ok := s.(eval.ContinuationScorer)
		if !ok || len(q.Continuations) == 0 {
			return nil, false, nil
		}
		scores, err := scorer.ScoreContinuations(ctx, q.Request, q.Continuations)
		return scores, true, err
	}},
}

// within calls f, which must have ended soon after its context has.
func within(t *testing.T, limit time.Duration, f func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-time.After(limit + grace):
		t.Fatalf("still waiting %s after the context's end", grace)
		return nil
	}
}

// grace is how long a call may go on after its context has ended.
const grace = 10 * time.Second

// recorded is the reply of a server that is well.
func recorded(r *http.Request, well http.Handler) *httptest.ResponseRecorder {
	reply := httptest.NewRecorder()
	well.ServeHTTP(reply, r)
	return reply
}

// rewritten gives every JSON value within a body to change, the innermost
// first; a body that is not JSON stays as it is.
func rewritten(body []byte, change func(any) any) []byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var out bytes.Buffer
	for {
		var value any
		err := d.Decode(&value)
		if errors.Is(err, io.EOF) {
			return out.Bytes()
		}
		if err != nil {
			return body
		}
		text, err := json.Marshal(walk(value, change))
		if err != nil {
			return body
		}
		out.Write(append(text, '\n'))
	}
}

func walk(value any, change func(any) any) any {
	switch v := value.(type) {
	case map[string]any:
		for k := range v {
			v[k] = walk(v[k], change)
		}
	case []any:
		for i := range v {
			v[i] = walk(v[i], change)
		}
	}
	return change(value)
}
