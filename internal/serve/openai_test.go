package serve

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
)

func TestOpenAIOptions(t *testing.T) {
	const url = "http://127.0.0.1:1/v1"
	for takes, want := range map[string]Format{"": Directory, "safetensors": Directory, "gguf": GGUF} {
		o := Options{Kind: "openai", URL: url, Swap: []string{"swap"}, Takes: takes, Request: map[string]any{"top_k": 1}}
		if err := o.Validate(); err != nil || o.Format() != want {
			t.Errorf("takes %q: %v, format %v", takes, err, o.Format())
		}
	}
	for says, o := range map[string]Options{
		"cannot start":    {Start: true},
		"needs a url":     {},
		"do not go":       {URL: url, Models: "models"},
		"neither":         {URL: url, Takes: "onnx"},
		"names no":        {URL: url, Swap: []string{""}},
		"cannot be negat": {URL: url, Timeout: -1},
	} {
		o.Kind = "openai"
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", o, err, says)
		}
	}
}

// A key that is named must be there; the value is sent.
func TestKey(t *testing.T) {
	t.Setenv("SOME_KEY", "")
	for _, o := range []Options{{Kind: "openai", URL: "http://127.0.0.1:1", Key: "SOME_KEY"}, {Kind: "llamaserver", URL: "http://127.0.0.1:1", Key: "SOME_KEY"}} {
		if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "SOME_KEY is empty") {
			t.Errorf("%s: %v", o.Kind, err)
		}
	}
}

// The command gets the candidate, and its failure is the load's.
func TestSwap(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("%s with authorization %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		_, _ = w.Write([]byte(`{"choices":[{"text":"x","message":{"content":"x"},"finish_reason":"stop"}]}`))
	}))
	defer server.Close()
	t.Setenv("SOME_KEY", "secret")
	folder := t.TempDir()
	m := eval.Model{Path: filepath.Join(folder, "candidate")}
	if err := os.WriteFile(m.Path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Kind: "openai", URL: server.URL, Key: "SOME_KEY", Folder: folder, Swap: []string{"sh", "-c", `echo "$SOUP_MODEL $0"`}}
	for script, want := range map[string]string{"echo $SOUP_MODEL $0": "", "echo no room; exit 2": "exit status 2; the last line of"} {
		o.Swap[2] = script
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Load(t.Context(), m)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", script, err)
		}
		log, failed := os.ReadFile(filepath.Join(folder, "swap.log"))
		if failed != nil || want == "" && string(log) != m.Path+" "+m.Path+"\n" {
			t.Errorf("%s printed %q, %v", script, log, failed)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
