//go:build servers

package serve_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
	"soup/eval/server/servertest"
	"soup/internal/launch"
	"soup/internal/serve"
)

// routerScript drives a router as a user's command would.
func routerScript(url, models string) string {
	return `set -e
ask() { curl -sf -o /dev/null "$@"; }
state() { curl -sf "` + url + `/models$1" | tr -d ' \n' | grep -o '"id":"soup".*' | grep -o '"value":"[a-z]*"' | head -1; }
if [ "$(state)" = '"value":"loaded"' ]; then
  ask "` + url + `/models/unload" -d '{"model":"soup"}'
  while [ "$(state)" != '"value":"unloaded"' ]; do sleep 0.02; done
fi
ln -sfn "$SOUP_MODEL" "` + models + `/next" && mv -T "` + models + `/next" "` + models + `/soup.gguf"
state '?reload=1' > /dev/null
ask "` + url + `/models/load" -d '{"model":"soup"}'
while [ "$(state)" != '"value":"loaded"' ]; do sleep 0.02; done`
}

// A real llama-server behind the common interface, its weights swapped by a
// command that drives its router.
func TestOpenAIThroughRouter(t *testing.T) {
	url, models := router(t)
	o := serve.Options{
		Kind: "openai", URL: url, Model: "soup", Swap: []string{"sh", "-c", routerScript(url, models)}, Takes: "gguf",
		Request: map[string]any{"cache_prompt": false, "top_k": 1, "repeat_penalty": 1},
	}
	f := fixture(t, func(t *testing.T) eval.Server { return open(t, o) })
	servertest.Run(t, f)
	s := open(t, o)
	defer s.Close()
	load(t, s, f.A)
	if by := s.(interface{ Evidence() string }).Evidence(); by != "log-probabilities" {
		t.Errorf("weights are told apart by %s", by)
	}
}

// A server that the swap command ends and starts again.
func TestOpenAIRestarted(t *testing.T) {
	folder := logs(t)
	port := strings.TrimPrefix(freeURL(t), "http://127.0.0.1:")
	script := `cd "` + folder + `"
if [ -f pid ]; then kill $(cat pid) 2>/dev/null; while kill -0 $(cat pid) 2>/dev/null; do sleep 0.02; done; fi
setsid "` + llamaServer(t) + `" -m "$0" --host 127.0.0.1 --port ` + port + ` -np 2 -c 1024 -t 1 --no-warmup > server.log 2>&1 &
echo $! > pid`
	o := serve.Options{
		Kind: "openai", URL: "http://127.0.0.1:" + port + "/v1", Swap: []string{"sh", "-c", script}, Takes: "gguf", Folder: folder,
		Request: map[string]any{"cache_prompt": false},
	}
	end := launch.Command{Name: "end", Args: []string{"sh", "-c", `kill $(cat "` + folder + `/pid")`}, Log: filepath.Join(folder, "end.log")}
	t.Cleanup(func() {
		if err := end.Run(context.Background()); err != nil {
			t.Error(err)
		}
	})
	f := fixture(t, nil)
	s := open(t, o)
	defer s.Close()
	first, err := s.Load(t.Context(), f.A)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Load(t.Context(), f.B)
	if err != nil || first == second {
		t.Fatalf("versions %s, %s, %v", first, second, err)
	}
}

// freeURL is the address of a server that was there a moment ago.
func freeURL(t *testing.T) string {
	t.Helper()
	p, err := launch.LlamaServer(t.Context(), asGGUF(t, garden+"base"), launch.Options{Program: llamaServer(t), Folder: logs(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return p.URL
}

// The server's own template gives the answer that soup's gives, and functions
// are refused where it has no place for them.
func TestOpenAIOneModel(t *testing.T) {
	m := eval.Model{Path: asGGUF(t, garden+"finetune/arith")}
	p, direct := oneModel(t, m)
	s := open(t, serve.Options{Kind: "openai", URL: p.URL, Takes: "gguf"})
	defer s.Close()
	load(t, s, m)
	for _, prompt := range []string{"785+878", "12+34", "sort 3142"} {
		a, err := s.Generate(t.Context(), user(prompt))
		if err != nil {
			t.Fatal(err)
		}
		b, err := direct.Generate(t.Context(), user(prompt))
		if err != nil || a.Text != b.Text || a.Finish != b.Finish {
			t.Errorf("%q: %+v; /completion %+v, %v", prompt, a, b, err)
		}
	}
	r := user("785+878")
	r.Tools = json.RawMessage(`[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}]`)
	if got, err := s.Generate(t.Context(), r); err != nil {
		t.Logf("functions: %v", err)
	} else {
		t.Logf("functions: %+v", got)
	}
	if _, err := s.Load(t.Context(), eval.Model{Path: asGGUF(t, garden+"base")}); err == nil {
		t.Error("another model is no error")
	}
}
