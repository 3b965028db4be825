package ollama

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ollama/ollama/api"

	"soup/eval"
	"soup/eval/server/servertest"
	"soup/merge/convert"
)

const garden = "../../../examples/garden/"

// converted is a garden checkpoint as a GGUF file.
func converted(t *testing.T, name string) string {
	t.Helper()
	path, err := convert.Path(t.Context(), garden+name, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// alone keeps a test from the user's own Ollama.
func alone(t *testing.T) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("OLLAMA_MODELS", "")
}

func newServer(t *testing.T, f *fake, o Options) *Server {
	t.Helper()
	alone(t)
	o.URL, o.Pause = f.URL, time.Microsecond
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.mu.Lock()
		f.instead = nil
		f.mu.Unlock()
		_ = s.Close()
	})
	return s
}

func mustLoad(t *testing.T, s *Server, path string) eval.Version {
	t.Helper()
	v, err := s.Load(t.Context(), eval.Model{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func user(text string) eval.Request {
	return eval.Request{Messages: []eval.Message{{Role: "user", Content: text}}}
}

func TestConformance(t *testing.T) {
	for name, linked := range map[string]bool{"linked": true, "uploaded": false} {
		t.Run(name, func(t *testing.T) {
			servertest.Run(t, servertest.Fixture{
				New: func(t *testing.T) eval.Server {
					f := newFake(t)
					o := Options{}
					if linked {
						o.Models = f.folder
					}
					return newServer(t, f, o)
				},
				A: eval.Model{Path: converted(t, "finetune/arith")},
				B: eval.Model{Path: converted(t, "finetune/order")},
				Questions: []eval.Question{
					{Request: user("785+878"), Reference: "1663"},
					{Request: user("sort 03186265969")},
					{Request: user("odd A big B star"), Labels: []string{"A", "B"}},
					{Request: eval.Request{Raw: "<|user|>12+34<|end|><|assistant|>"}},
				},
				Missing: filepath.Join(t.TempDir(), "no-such-model"),
			})
		})
	}
}

// With the header that it had, a candidate costs an unload, a link and a load.
func TestExchangeOfLinks(t *testing.T) {
	f := newFake(t)
	s := newServer(t, f, Options{Models: f.folder})
	a, b := converted(t, "finetune/arith"), converted(t, "finetune/order")
	mustLoad(t, s, a)
	if got := f.take(); got != "show unload unload delete create show load generate generate generate" {
		t.Errorf("the first candidate: %s", got)
	}
	before := f.stored()
	mustLoad(t, s, b)
	if got := f.take(); got != "unload ps load generate" {
		t.Errorf("the second: %s", got)
	}
	if got := f.stored(); !slices.Equal(before, got) {
		t.Errorf("blobs %v, then %v", before, got)
	}
	if target, err := os.Readlink(filepath.Join(f.folder, "blobs", before[0])); err != nil || target != b {
		t.Errorf("the blob is a link to %s, %v", target, err)
	}
	if _, err := s.Reload(t.Context(), eval.Model{Path: b}); err != nil {
		t.Fatal(err)
	}
	if got := f.take(); got != "unload ps unload ps delete create show load generate generate generate" {
		t.Errorf("from scratch: %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := f.stored(); len(got) > 0 || len(f.models) > 0 || len(f.running) > 0 {
		t.Errorf("left: blobs %v, models %v", got, f.models)
	}
}

func TestExchangeOfUploads(t *testing.T) {
	f := newFake(t)
	s := newServer(t, f, Options{})
	a, b := converted(t, "finetune/arith"), converted(t, "finetune/order")
	for range 3 {
		mustLoad(t, s, a)
		mustLoad(t, s, b)
		if got := f.stored(); len(got) != 1 {
			t.Errorf("blobs %v", got)
		}
	}
	f.take()
	mustLoad(t, s, b) // the very same
	if got := f.take(); got != "unload ps load generate" {
		t.Errorf("the same weights again: %s", got)
	}
}

// A file of another header makes another model.
func TestOtherHeader(t *testing.T) {
	f := newFake(t)
	s := newServer(t, f, Options{Models: f.folder})
	path := converted(t, "finetune/arith")
	mustLoad(t, s, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.gguf")
	at := strings.Index(string(data), "<|assistant|>' }}") // in the chat template
	if at < 0 {
		at = strings.Index(string(data), "<|assistant|>")
	}
	data[at+2] = 'A'
	if err := os.WriteFile(other, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f.take()
	mustLoad(t, s, other)
	if got := f.take(); !strings.Contains(got, "delete create") {
		t.Errorf("another header: %s", got)
	}
}

// All requests have the same options of the runner, and nothing that Ollama
// chooses by itself.
func TestOptionsOfRequests(t *testing.T) {
	f := newFake(t)
	s := newServer(t, f, Options{Models: f.folder, Seed: 7, Context: 300, Threads: 2})
	mustLoad(t, s, converted(t, "finetune/arith"))
	r := user("785+878")
	r.Stop = []string{"b"}
	if _, err := s.Generate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ScoreLabels(t.Context(), r, []string{"A", "B"}); err != nil {
		t.Fatal(err)
	}
	for _, body := range f.options {
		options := body["options"].(map[string]any)
		for name, want := range map[string]any{
			"temperature": 0.0, "seed": 7.0, "top_k": 1.0, "repeat_penalty": 1.0, "num_ctx": 300.0, "num_thread": 2.0,
		} {
			if options[name] != want {
				t.Errorf("%s is %v, not %v, in %v", name, options[name], want, body)
			}
		}
		if body["truncate"] != false || body["shift"] != false || body["stream"] != false {
			t.Errorf("truncate, shift or stream is on in %v", body)
		}
		if _, ok := options["stop"].([]any); !ok {
			t.Errorf("no stop texts of its own in %v", body)
		}
	}
}

func TestNames(t *testing.T) {
	f := newFake(t)
	path := converted(t, "finetune/arith")
	first := newServer(t, f, Options{Models: f.folder})
	mustLoad(t, first, path) // and is killed
	second := newServer(t, f, Options{Models: f.folder})
	mustLoad(t, second, path)
	if got := f.take(); !strings.Contains(got, "delete create") {
		t.Errorf("what a study left is not made anew: %s", got)
	}
	f.models["soup:latest"].License = "MIT"
	third := newServer(t, f, Options{Models: f.folder})
	_, err := third.Load(t.Context(), eval.Model{Path: path})
	if err == nil || !strings.Contains(err.Error(), "did not make") {
		t.Errorf("a model of the user's: %v", err)
	}
	if f.models["soup:latest"] == nil {
		t.Error("a model of the user's is gone")
	}
	other := newServer(t, f, Options{Models: f.folder, Name: "other:1b"})
	mustLoad(t, other, path)
	if f.models["other:1b"] == nil {
		t.Errorf("models %v", f.models)
	}
}

func TestFolders(t *testing.T) {
	f := newFake(t)
	path := converted(t, "finetune/arith")
	wrong := newServer(t, f, Options{Models: t.TempDir()})
	if _, err := wrong.Load(t.Context(), eval.Model{Path: path}); err == nil || !strings.Contains(err.Error(), "does not keep its models in") {
		t.Errorf("a folder that is another's: %v", err)
	}
	none := newServer(t, f, Options{Models: filepath.Join(path, "folder")})
	if _, err := none.Load(t.Context(), eval.Model{Path: path}); err == nil || !strings.Contains(err.Error(), "folder of models") {
		t.Errorf("a folder that cannot be: %v", err)
	}
	found := newServer(t, f, Options{})
	t.Setenv("OLLAMA_MODELS", f.folder)
	f.take()
	mustLoad(t, found, path)
	if got := f.take(); strings.Contains(got, "upload") || found.folder == nil {
		t.Errorf("the folder of OLLAMA_MODELS is not found: %s", got)
	}
}

// A server that does not see what is linked, as one in a container, gets it sent.
func TestLinkNotSeen(t *testing.T) {
	f := newFake(t)
	s := newServer(t, f, Options{Models: f.folder})
	path := converted(t, "finetune/arith")
	f.instead = func(w http.ResponseWriter, path string, _ map[string]any) bool {
		if strings.HasSuffix(path, "/create") {
			for _, name := range f.stored() {
				if info, _ := os.Lstat(filepath.Join(f.folder, "blobs", name)); info.Mode()&os.ModeSymlink != 0 || strings.Contains(s.linkDigest(), strings.TrimPrefix(name, "sha256-")) {
					return say(w, 500, `{"error":"open blob: permission denied"}`)
				}
			}
		}
		return false
	}
	mustLoad(t, s, path)
	if got := f.take(); !strings.Contains(got, "upload") || s.folder != nil || len(f.stored()) != 1 {
		t.Errorf("%s; blobs %v", got, f.stored())
	}
}

// What a server that forgets its models had is made again.
func TestForgotten(t *testing.T) {
	f := newFake(t)
	s := newServer(t, f, Options{Models: f.folder})
	path := converted(t, "finetune/arith")
	v := mustLoad(t, s, path)
	f.models, f.running = map[string]*api.ShowResponse{}, map[string][]byte{}
	if again := mustLoad(t, s, path); again != v {
		t.Errorf("version %s, then %s", v, again)
	}
}

// The version of stale weights is the one before: by that they are found out.
func TestStale(t *testing.T) {
	f := newFake(t)
	f.stale = true
	s := newServer(t, f, Options{Models: f.folder})
	if a, b := mustLoad(t, s, converted(t, "finetune/arith")), mustLoad(t, s, converted(t, "finetune/order")); a != b {
		t.Errorf("stale weights have versions %s and %s", a, b)
	}
}

func TestLoadFails(t *testing.T) {
	path := converted(t, "finetune/arith")
	dir := t.TempDir()
	cut := filepath.Join(dir, "cut.gguf")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, data[:5000], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, route string
		code              int
		says, want        string
		kind              error
	}{
		{"directory", garden + "finetune/arith", "", 0, "", "convert it to GGUF first", nil},
		{"cut off", cut, "", 0, "", "cut.gguf", nil},
		{"memory", path, "load", 500, `{"error":"model requires more system memory (9 GiB) than is available (1 GiB)"}`, "more system memory", eval.ErrOutOfMemory},
		{"refused", path, "load", 500, `{"error":"unable to load model: wrong shape"}`, "wrong shape", eval.ErrServer},
		{"not a load", path, "load", 200, `{"model":"soup"}`, "does not say", eval.ErrReply},
		{"creation", path, "create", 200, `{"status":"half"}`, `ended with "half"`, eval.ErrReply},
		{"not numbers", path, "generate", 500, `{"error":"json: unsupported value: NaN"}`, "not numbers", eval.ErrNotNumbers},
		{"no log-probabilities", path, "generate", 200, `{"model":"soup","created_at":"2026-01-01T00:00:00Z","done":true,"done_reason":"stop"}`, "no log-probabilities", eval.ErrReply},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.instead = func(w http.ResponseWriter, path string, body map[string]any) bool {
				return f.entry(path, body) == c.route && c.code != 0 && say(w, c.code, c.says)
			}
			s := newServer(t, f, Options{Models: f.folder})
			_, err := s.Load(t.Context(), eval.Model{Path: c.path})
			if err == nil || !strings.Contains(err.Error(), c.want) || c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("%v", err)
			}
			if _, err := s.Generate(t.Context(), user("1+1")); err == nil {
				t.Error("answers after a load that failed")
			}
			f.instead = nil
			mustLoad(t, s, path)
		})
	}
}

func TestIdentity(t *testing.T) {
	f := newFake(t)
	s := newServer(t, f, Options{})
	if got, err := s.Identity(t.Context()); err != nil || got != "ollama 0.17.4" {
		t.Errorf("%q, %v", got, err)
	}
	f.instead = func(w http.ResponseWriter, _ string, _ map[string]any) bool { return say(w, 200, "{}") }
	if _, err := s.Identity(t.Context()); !errors.Is(err, eval.ErrReply) {
		t.Errorf("no version: %v", err)
	}
	if _, err := New(Options{URL: "127.0.0.1"}); err == nil {
		t.Error("a URL that is none")
	}
}

// Nothing can be freed at a server that is gone, and that is no failure.
func TestCloseOfAServerThatIsGone(t *testing.T) {
	f := newFake(t)
	s := newServer(t, f, Options{Models: f.folder})
	mustLoad(t, s, converted(t, "finetune/arith"))
	f.instead = func(w http.ResponseWriter, _ string, _ map[string]any) bool {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			err = c.Close()
		}
		if err != nil {
			t.Error(err)
		}
		return true
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := f.stored(); len(got) > 0 {
		t.Errorf("the link is left: %v", got)
	}
}
