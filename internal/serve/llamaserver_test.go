package serve

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
)

func TestLlamaServerOptions(t *testing.T) {
	const url = "http://127.0.0.1:1"
	for name, o := range map[string]Options{
		"started":          {Start: true, Program: "llama-server", Args: []string{"-fa", "on"}, Threads: 2, Context: 512, Parallel: 8},
		"runs":             {URL: url},
		"router":           {URL: url, Models: "models"},
		"router with name": {URL: url, Models: "models", Model: "candidate", Key: "KEY"},
	} {
		o.Kind = "llamaserver"
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for says, o := range map[string]Options{
		"either start":       {},
		"start: true or the": {Start: true, URL: url},
		"its own":            {URL: url, Args: []string{"-v"}},
		"for a server that":  {Start: true, Models: "models"},
		"give that folder":   {URL: url, Model: "candidate"},
		"no file's name":     {URL: url, Models: "models", Model: "a/b"},
		"kind openai only":   {URL: url, Swap: []string{"true"}},
		"cannot be negative": {URL: url, Parallel: -1},
	} {
		o.Kind = "llamaserver"
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", o, err, says)
		}
	}
}

// A server that cannot be started says why, and whether it was memory.
func TestLlamaServerDoesNotStart(t *testing.T) {
	folder := t.TempDir()
	model := filepath.Join(folder, "model.gguf")
	program := filepath.Join(folder, "server")
	if err := os.WriteFile(model, []byte("GGUF"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		script string
		memory bool
	}{
		{"echo 'ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 99'; echo 'exiting due to model loading error'; exit 1", true},
		{"echo 'tensor is missing'; echo 'exiting due to model loading error'; exit 1", false}, // the log still has the line above
	} {
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), Options{Kind: "llamaserver", Start: true, Program: program, Folder: folder})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Load(t.Context(), eval.Model{Path: model})
		if err == nil || !strings.Contains(err.Error(), "exiting due to model") || errors.Is(err, eval.ErrOutOfMemory) != c.memory {
			t.Errorf("%s: %v", c.script, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestChatTemplateOfBrokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := os.WriteFile(path, []byte("GGUF\x03\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := chatTemplate(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}
