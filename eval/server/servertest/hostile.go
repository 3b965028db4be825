package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"soup/eval"
)

const (
	patience  = 20 * time.Second       // for replies that are wrong but come
	impatient = 500 * time.Millisecond // for those that never end
	mostRead  = 512 << 20              // bytes of replies, over all attempts
	longLine  = 1000                   // bytes of an error
)

// hostility is one way to answer wrongly.
type hostility struct {
	name  string
	spoil func(w http.ResponseWriter, r *http.Request, well http.Handler)
	limit time.Duration // default patience
	// numbers: only the log-probabilities are wrong, which Generate need not look at
	numbers bool
}

// Hostile lets a server answer what no server should, while it is asked to load
// a model and while each thing is asked that the driver can: web pages, other
// JSON, tokens of 10 MB, streams without end, connections that break. Each time
// the driver must give one line of error, in time, having read no more than it
// can keep, and answer as before when the server is well again.
func Hostile(t *testing.T, f Fake) {
	t.Helper()
	for _, h := range hostilities {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			t.Run("load", func(t *testing.T) { t.Parallel(); f.hostileLoad(t, h) })
			for _, p := range powers {
				if !h.numbers || p.name != "generate" {
					t.Run(p.name, func(t *testing.T) { t.Parallel(); f.hostileAnswer(t, h, p) })
				}
			}
		})
	}
}

// hostileLoad: no version is given of what the server does not say.
func (f Fake) hostileLoad(t *testing.T, h hostility) {
	server, driver := f.start(t)
	server.spoil.Store(&h.spoil)
	var version eval.Version
	err := within(t, either(h.limit, patience), func(ctx context.Context) (err error) {
		version, err = driver.Load(ctx, f.A)
		return err
	})
	oneClearLine(t, err)
	if version != "" {
		t.Errorf("version %q", version)
	}
	server.spoil.Store(nil)
	wellAgain(t, func() error { _, err := driver.Load(t.Context(), f.A); return err })
}

// hostileAnswer: the model is loaded, and then the server goes bad.
func (f Fake) hostileAnswer(t *testing.T, h hostility, p power) {
	server, driver := f.start(t)
	if _, err := driver.Load(t.Context(), f.A); err != nil {
		t.Fatal(err)
	}
	before, ok, err := p.use(t.Context(), driver, f.Question)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.SkipNow()
	}
	server.spoil.Store(&h.spoil)
	var got any
	err = within(t, either(h.limit, patience), func(ctx context.Context) (err error) {
		got, _, err = p.use(ctx, driver, f.Question)
		return err
	})
	if err == nil {
		t.Errorf("answer %.200v", got)
	}
	oneClearLine(t, err)
	notTooMuch(t, server)
	server.spoil.Store(nil)
	wellAgain(t, func() error {
		after, _, err := p.use(t.Context(), driver, f.Question)
		if err == nil && !reflect.DeepEqual(before, after) {
			t.Errorf("before %v, afterwards %v", before, after)
		}
		return err
	})
}

func either(a, b time.Duration) time.Duration {
	if a > 0 {
		return a
	}
	return b
}

func notTooMuch(t *testing.T, server *spoiled) {
	t.Helper()
	if n := server.read.Load(); n > mostRead {
		t.Errorf("the driver read %d bytes of replies", n)
	}
}

func oneClearLine(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
		t.Error("no error")
	case strings.Contains(err.Error(), "\n"), len(err.Error()) > longLine:
		t.Errorf("not one clear line but %d bytes: %.2000s", len(err.Error()), err)
	}
}

// wellAgain gives a driver a moment to find out.
func wellAgain(t *testing.T, try func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("the server is well again: %v", err)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// always answers with a status and a text.
func always(code int, text string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}
}

// changed answers with a reply in which values are replaced.
func changed(change func(any) any) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, well http.Handler) {
		reply := recorded(r, well)
		body := rewritten(reply.Body.Bytes(), change)
		body = bytes.ReplaceAll(body, []byte(`"`+notANumber+`"`), []byte("NaN"))
		w.WriteHeader(reply.Code)
		_, _ = w.Write(body)
	}
}

const notANumber = "this is NaN"

// bloated answers with a reply in which each text is 10 MB long, which it never
// holds as a whole.
func bloated(w http.ResponseWriter, r *http.Request, well http.Handler) {
	const long = "this is long"
	reply := recorded(r, well)
	body := rewritten(reply.Body.Bytes(), func(v any) any {
		if _, ok := v.(string); ok {
			return long
		}
		return v
	})
	w.WriteHeader(reply.Code)
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for i, part := range bytes.Split(body, []byte(long)) {
		for range 10 * min(i, 1) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
		_, _ = w.Write(part)
	}
}

const page = "<!DOCTYPE html>\n<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<h1>Sorry</h1>\n</body>\n</html>\n"

var hostilities = []hostility{
	{name: "web page", spoil: always(200, page)},
	{name: "web page, status 502", spoil: always(502, page)},
	{name: "status 404", spoil: always(404, `{"error":"model not found,\ntry pulling it first"}`)},
	{name: "status 500", spoil: always(500, `{"error":{"message":"CUDA error: out of memory\nin line 3"}}`)},
	{name: "redirect", spoil: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
	}},
	{name: "empty body", spoil: always(200, "")},
	{name: "empty object", spoil: always(200, "{}")},
	{name: "null", spoil: always(200, "null")},
	{name: "list", spoil: always(200, "[]")},
	{name: "an error that is no status", spoil: always(200, `{"error":"the model has gone"}`)},
	{name: "wrong types", spoil: changed(func(v any) any {
		switch v.(type) {
		case string:
			return 17
		case json.Number, bool:
			return "seventeen"
		}
		return v
	})},
	{name: "NaN", spoil: changed(func(v any) any {
		if _, ok := v.(json.Number); ok {
			return notANumber
		}
		return v
	})},
	{name: "log-probabilities above 0", numbers: true, spoil: changed(func(v any) any {
		if n, ok := v.(json.Number); ok {
			return json.Number(strings.TrimPrefix(n.String(), "-"))
		}
		return v
	})},
	{name: "tokens of 10 MB", spoil: bloated},
	{name: "ends in the middle", spoil: func(w http.ResponseWriter, r *http.Request, well http.Handler) {
		body := recorded(r, well).Body.Bytes()
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+10))
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}},
	{name: "breaks the connection", spoil: func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }},
	{name: "says it twice", spoil: func(w http.ResponseWriter, r *http.Request, well http.Handler) {
		body := recorded(r, well).Body.Bytes()
		if len(body) == 0 {
			body = []byte("{}")
		}
		_, _ = w.Write(append(append([]byte{}, body...), body...))
	}},
	{name: "stream without end", spoil: endless},
	{name: "says nothing", limit: impatient, spoil: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { silent(r) }},
	{name: "trickle without end", limit: impatient, spoil: trickle},
}

// silent waits until the driver has gone. Only a body that has been read lets
// net/http notice.
func silent(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// endless goes on as long as somebody reads.
func endless(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body)
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	_, _ = io.WriteString(w, `{"response":"`)
	for n := 0; n < 2*mostRead; n += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// trickle is a stream that is never silent for long and never says anything.
func trickle(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body)
	for {
		_, err := io.WriteString(w, " ")
		_ = http.NewResponseController(w).Flush() // the next write fails as well
		select {
		case <-r.Context().Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
		if err != nil {
			return
		}
	}
}
