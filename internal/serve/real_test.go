//go:build servers

package serve_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"soup/eval"
	"soup/eval/server/servertest"
	"soup/internal/launch"
	"soup/internal/serve"
	"soup/merge/convert"
)

const garden = "../../examples/garden/"

// asGGUF converts a checkpoint.
func asGGUF(t *testing.T, path string) string {
	t.Helper()
	out, err := convert.Path(t.Context(), path, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func user(text string) eval.Request {
	return eval.Request{Messages: []eval.Message{{Role: "user", Content: text}}}
}

// fixture is the garden, in the form that a server of GGUF files takes.
func fixture(t *testing.T, open func(t *testing.T) eval.Server) servertest.Fixture {
	return servertest.Fixture{
		New: open,
		A:   eval.Model{Path: asGGUF(t, garden+"finetune/arith")},
		B:   eval.Model{Path: asGGUF(t, garden+"finetune/order")},
		Questions: []eval.Question{
			{Request: user("785+878"), Reference: "1663"},
			{Request: user("reverse TNHEEIPE"), Reference: "EPIEEHNT"},
			{Request: user("sort 03186265969")},
			{Request: user("odd A big B star C quiet D tiny"), Labels: []string{"A", "B", "C", "D"}},
			{Request: eval.Request{Raw: "<|user|>12+34<|end|><|assistant|>"}, Reference: "46"},
		},
		Missing: filepath.Join(t.TempDir(), "no-such-model.gguf"),
	}
}

func open(t *testing.T, o serve.Options) eval.Server {
	t.Helper()
	if o.Folder == "" {
		o.Folder = logs(t)
	}
	s, err := serve.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// logs is where servers write: a folder that stays, so that a failure can be
// looked into.
func logs(t *testing.T) string {
	t.Helper()
	parent := os.Getenv("SOUP_SERVER_LOGS")
	if parent == "" {
		return t.TempDir()
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp(parent, "")
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// llamaServer is the program that tests run; one that is missing is a failure.
func llamaServer(t *testing.T) string {
	t.Helper()
	program := os.Getenv("SOUP_LLAMA_SERVER")
	if program == "" {
		program = "llama-server"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// router is a real llama-server in router mode, and its folder. It is started
// with what a model needs, through a script that takes away the -m that launch
// gives it.
func router(t *testing.T) (url, models string) {
	t.Helper()
	models = t.TempDir()
	script := filepath.Join(t.TempDir(), "router")
	text := fmt.Sprintf("#!/bin/sh\nshift 2\nexec %q --models-dir %q --no-models-autoload --models-max 1 \"$@\"\n", llamaServer(t), models)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := launch.LlamaServer(t.Context(), "none", launch.Options{
		Program: script, Folder: logs(t), Args: []string{"-np", "4", "-c", "2048", "-t", "1", "--no-warmup"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p.URL, models
}

func TestLlamaServerRestarted(t *testing.T) {
	o := serve.Options{Kind: "llamaserver", Start: true, Program: llamaServer(t), Threads: 1, Context: 512}
	servertest.Run(t, fixture(t, func(t *testing.T) eval.Server { return open(t, o) }))
}

func TestLlamaServerRouter(t *testing.T) {
	url, models := router(t)
	o := serve.Options{Kind: "llamaserver", URL: url, Models: models}
	servertest.Run(t, fixture(t, func(t *testing.T) eval.Server { return open(t, o) }))
}
