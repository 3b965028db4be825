package servertest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"soup/eval"
)

// Stale tries a driver with a server that takes every load, says that all went
// well, and goes on answering with the weights that it had: it repeats to each
// question what it said to it before the swap. The driver must notice, or give
// the version of the weights that answer, so that whoever compares versions
// does. The same server without the fault must show that the fake can tell.
func Stale(t *testing.T, f Fake) {
	t.Helper()
	t.Run("server that swaps", func(t *testing.T) {
		_, driver := f.start(t)
		a, b, again := load(t, driver, f.A), load(t, driver, f.B), load(t, driver, f.A)
		if a == b || a != again {
			t.Errorf("versions of A, B, A: %s, %s, %s", a, b, again)
		}
	})
	t.Run("server that does not", func(t *testing.T) {
		server, driver := f.start(t)
		f.freeze(t, server)
		a := load(t, driver, f.A)
		notB(t, a, f.B, driver.Load)
		if r, ok := driver.(eval.Reloader); ok {
			notB(t, a, f.B, r.Reload)
		}
	})
	t.Run("server that did", func(t *testing.T) {
		server, driver := f.start(t)
		load(t, driver, f.A)
		b := load(t, driver, f.B)
		f.freeze(t, server)
		again, err := driver.Load(t.Context(), f.B)
		if err == nil && again != b {
			t.Errorf("the same weights again: version %s, was %s", again, b)
		}
		notB(t, b, f.A, driver.Load)
	})
}

// notB loads a model that does not get through.
func notB(t *testing.T, before eval.Version, m eval.Model, load func(context.Context, eval.Model) (eval.Version, error)) {
	t.Helper()
	version, err := load(t.Context(), m)
	if err == nil && version != before {
		t.Errorf("stale weights pass as version %s; what answers is %s", version, before)
	}
	if err != nil {
		oneClearLine(t, err)
	}
}

// freeze makes the server answer every question as it did the first time that
// it is asked from now on.
func (f Fake) freeze(t *testing.T, server *spoiled) {
	t.Helper()
	if f.Asks == nil {
		t.Fatal("a fixture without Asks")
	}
	var mu sync.Mutex
	said := map[string]*httptest.ResponseRecorder{}
	spoil := func(w http.ResponseWriter, r *http.Request, well http.Handler) {
		if !f.Asks(r) {
			well.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		defer mu.Unlock()
		key := r.Method + " " + r.URL.RequestURI() + " " + string(body)
		if said[key] == nil {
			said[key] = recorded(r, well)
		}
		for name, values := range said[key].Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(said[key].Code)
		_, _ = w.Write(said[key].Body.Bytes())
	}
	server.spoil.Store(&spoil)
}
