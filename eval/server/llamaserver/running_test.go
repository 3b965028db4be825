package llamaserver

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"soup/eval"
)

func newRouter(t *testing.T) (*fake, *Server) {
	t.Helper()
	f := newFake(t)
	f.router, f.models = true, t.TempDir()
	return f, newServer(t, Options{URL: f.url, Models: f.models})
}

func TestRouterSwaps(t *testing.T) {
	f, s := newRouter(t)
	a, b := weightsFile(t, "one"), weightsFile(t, "two")
	first, second, again := mustLoad(t, s, a), mustLoad(t, s, b), mustLoad(t, s, a)
	if first != again || first == second {
		t.Errorf("versions %s, %s, %s", first, second, again)
	}
	if f.asked[0]["model"] != "soup" {
		t.Errorf("the request names model %v", f.asked[0]["model"])
	}
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
	f.status = unloaded // the router lives on without its process
	if err := s.Health(t.Context()); !errors.Is(err, eval.ErrUnreachable) {
		t.Errorf("health without the model: %v", err)
	}
	if got := mustLoad(t, s, a); got != first {
		t.Errorf("version %s, before it died %s", got, first)
	}
}

func TestRouterRefuses(t *testing.T) {
	t.Run("broken model", func(t *testing.T) {
		_, s := newRouter(t)
		m := weightsFile(t, "broken")
		if _, err := s.Load(t.Context(), m); !errors.Is(err, eval.ErrServer) || !strings.Contains(err.Error(), m.Path) {
			t.Errorf("%v", err)
		}
		mustLoad(t, s, weightsFile(t, "one"))
	})
	t.Run("another folder", func(t *testing.T) {
		f, _ := newRouter(t)
		s := newServer(t, Options{URL: f.url, Models: t.TempDir()})
		if _, err := s.Load(t.Context(), weightsFile(t, "one")); err == nil || !strings.Contains(err.Error(), "--models-dir") {
			t.Errorf("%v", err)
		}
	})
	t.Run("no folder", func(t *testing.T) {
		f, _ := newRouter(t)
		s := newServer(t, Options{URL: f.url})
		if _, err := s.Load(t.Context(), weightsFile(t, "one")); err == nil || !strings.Contains(err.Error(), "option models") {
			t.Errorf("%v", err)
		}
	})
	t.Run("folder is missing", func(t *testing.T) {
		f, _ := newRouter(t)
		s := newServer(t, Options{URL: f.url, Models: filepath.Join(t.TempDir(), "none")})
		if _, err := s.Load(t.Context(), weightsFile(t, "one")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v", err)
		}
	})
	t.Run("somebody's file", func(t *testing.T) {
		f, s := newRouter(t)
		if err := os.WriteFile(filepath.Join(f.models, "soup.gguf"), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), weightsFile(t, "one")); err == nil || !strings.Contains(err.Error(), "no link of soup's") {
			t.Errorf("%v", err)
		}
	})
}

// A router that never says that it is done is given up.
func TestRouterHangs(t *testing.T) {
	f := newFake(t)
	f.router, f.models = true, t.TempDir()
	s := newServer(t, Options{URL: f.url, Models: f.models, LoadTimeout: 100 * time.Millisecond})
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/models/load" {
			f.status = "loading"
			f.say(w, map[string]bool{"success": true})
		}
		return r.URL.Path == "/models/load"
	}
	if _, err := s.Load(t.Context(), weightsFile(t, "one")); err == nil || !strings.Contains(err.Error(), "within 100ms") {
		t.Errorf("%v", err)
	}
}

// Requests that were heard although their replies got lost, and requests that
// were not: both end with the model loaded.
func TestRouterLosesReplies(t *testing.T) {
	for name, heard := range map[string]bool{"heard": true, "not heard": false} {
		t.Run(name, func(t *testing.T) {
			f, s := newRouter(t)
			mustLoad(t, s, weightsFile(t, "one"))
			lost := map[string]bool{}
			f.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/models/") && !lost[r.URL.Path] {
					lost[r.URL.Path] = true
					if heard {
						f.route(discard{}, r)
					}
					panic(http.ErrAbortHandler)
				}
				return false
			}
			want := f.weights
			mustLoad(t, s, weightsFile(t, "two"))
			if len(lost) != 2 || f.weights == want {
				t.Errorf("lost %v, weights %q", lost, f.weights)
			}
		})
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

// A server with one model keeps it.
func TestOneModel(t *testing.T) {
	f := newFake(t)
	m := weightsFile(t, "one")
	f.weights, f.path = "one", m.Path
	s := newServer(t, Options{URL: f.url})
	mustLoad(t, s, m)
	if _, err := s.Load(t.Context(), weightsFile(t, "two")); err == nil || !strings.Contains(err.Error(), "--models-dir") {
		t.Errorf("another model: %v", err)
	}
	if err := s.Health(t.Context()); err == nil {
		t.Error("well after a load that failed")
	}
}

func TestScales(t *testing.T) {
	f := newFake(t)
	m := weightsFile(t, "one")
	f.weights, f.path = "one", m.Path
	f.adapters = []adapter{{1, "b.gguf", 1}, {0, "a.gguf", 1}}
	s := newServer(t, Options{URL: f.url})
	if _, err := s.Scale(t.Context(), []float64{1, 0}); err == nil {
		t.Error("scales without a model are no error")
	}
	mustLoad(t, s, m)
	if names, err := s.Adapters(t.Context()); err != nil || len(names) != 2 || names[0] != "a.gguf" {
		t.Errorf("%v, %v", names, err)
	}
	var versions []eval.Version
	for _, scales := range [][]float64{{0.7, 0.3}, {0.3, 0.7}, {0.7, 0.3}} {
		v, err := s.Scale(t.Context(), scales)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	if versions[0] != versions[2] || versions[0] == versions[1] {
		t.Errorf("versions %v", versions)
	}
	for _, wrong := range [][]float64{{1}, {1, nan()}} {
		if _, err := s.Scale(t.Context(), wrong); err == nil {
			t.Errorf("scales %v are no error", wrong)
		}
	}
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool { // it does not listen
		if r.Method == http.MethodPost && r.URL.Path == "/lora-adapters" {
			f.say(w, map[string]bool{"success": true})
			return true
		}
		return false
	}
	if _, err := s.Scale(t.Context(), []float64{0, 1}); !errors.Is(err, eval.ErrReply) || !strings.Contains(err.Error(), "a.gguf") {
		t.Errorf("a server that keeps its scales: %v", err)
	}
	_, router := newRouter(t)
	mustLoad(t, router, m)
	if _, err := router.Adapters(t.Context()); err == nil {
		t.Error("a router's adapters are no error")
	}
}
