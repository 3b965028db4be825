package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"soup/results"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError)
	goleak.VerifyTestMain(m)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writer is a run at work, as far as its ledger shows it.
type writer struct {
	testing.TB
	*results.Ledger
}

// begun begins a study of two parents in a new folder.
func begun(t testing.TB, name string) writer {
	t.Helper()
	l, err := results.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	parents := []results.Parent{{Name: "left", Path: "x", Hash: "1"}, {Name: "right", Path: "y", Hash: "2"}}
	must(t, l.Begin(results.Study{Name: name, Seed: 3, Settings: []results.Setting{{Name: "server", Value: "embedded v1"}}}, parents))
	return writer{t, l}
}

func candidate(number int, strategy string) results.Trial {
	return results.Trial{
		Number: number, Of: number, Strategy: strategy, Label: fmt.Sprint(strategy, " ", number), Key: fmt.Sprint("key", number),
		Weights: [][]float64{{.25, .75}},
	}
}

// complete records a trial of two items with a score.
func (w writer) complete(number int, strategy string, score float64) {
	w.Helper()
	c := candidate(number, strategy)
	must(w.TB, w.Start(c))
	must(w.TB, w.Record(number, results.Search, []results.Outcome{
		{Item: "one", Category: "arith", State: results.OK, Score: score}, {Item: "two", Category: "arith", State: results.OK, Score: score},
	}))
	c.State, c.Eval = results.Complete, .5
	must(w.TB, w.Finish(c))
}

// fail records a trial that could not be scored.
func (w writer) fail(number int, reason, kind string) {
	w.Helper()
	c := candidate(number, "random")
	c.State, c.Reason, c.Failure = results.Failed, reason, kind
	must(w.TB, w.Finish(c))
}

func (w writer) phase(name string, candidates int) {
	w.Helper()
	must(w.TB, w.Event("phase", map[string]any{"name": name, "candidates": candidates}))
}

// served is a site that runs until end, or the end of the test.
type served struct {
	*Site
	end    func() error
	client *http.Client
}

// serve serves a study.
func serve(t testing.TB, o Options) served {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.poll == 0 {
		o.poll = 5 * time.Millisecond
	}
	site, err := Open(t.Context(), o)
	must(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- site.Serve(ctx) }()
	transport := &http.Transport{}
	s := served{site, func() error {
		cancel()
		err := <-done
		done <- err
		return err
	}, &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	t.Cleanup(func() {
		must(t, s.end())
		transport.CloseIdleConnections()
	})
	return s
}

func (s served) url(path string) string { return "http://" + s.listener.Addr().String() + path }

// get asks for a path and returns what comes.
func (s served) get(t testing.TB, path string, change ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url(path), nil)
	must(t, err)
	for _, f := range change {
		f(r)
	}
	answer, err := s.client.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer, string(text)
}

// viewer reads a stream of events.
type viewer struct {
	t     testing.TB
	body  io.ReadCloser
	lines *bufio.Scanner
	id    string // of the last event
}

// watch opens the stream; an id says what was seen before.
func (s served) watch(t testing.TB, id string) *viewer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url("/events"), nil)
	must(t, err)
	r.Header.Set("Last-Event-ID", id)
	answer, err := s.client.Do(r)
	must(t, err)
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("stream: %s, %s", answer.Status, kind)
	}
	v := &viewer{t: t, body: answer.Body, lines: bufio.NewScanner(answer.Body)}
	v.lines.Buffer(nil, 1<<20)
	t.Cleanup(func() { answer.Body.Close() })
	return v
}

// next returns the next message; false at the end of the stream, whose last word
// must be that it ends.
func (v *viewer) next() (m message, more bool) {
	v.t.Helper()
	ended := false
	for v.lines.Scan() {
		line := v.lines.Text()
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			v.id = id
		}
		ended = ended || line == "event: end"
		if data, ok := strings.CutPrefix(line, "data: "); ok && !ended {
			must(v.t, json.Unmarshal([]byte(data), &m))
			return m, true
		}
	}
	if !ended {
		v.t.Errorf("the stream broke off: %v", v.lines.Err())
	}
	return m, false
}

// until reads messages until one fits.
func (v *viewer) until(fits func(message) bool) message {
	v.t.Helper()
	for {
		m, more := v.next()
		if !more {
			v.t.Fatal("the stream ended before what was expected")
		}
		if fits(m) {
			return m
		}
	}
}

// says fits messages that have a part with a text.
func says(part, text string) func(message) bool {
	return func(m message) bool { return strings.Contains(m.Parts[part], text) }
}
