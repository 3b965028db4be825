//go:build servers

package serve_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"soup/eval"
	"soup/eval/server/embedded"
	"soup/internal/launch"
	"soup/internal/serve"
)

// post asks a real llama-server past the driver.
func post(t *testing.T, url string, in map[string]any, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := http.Post(url, "application/json", bytes.NewReader(body)) //nolint:noctx // of a test
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if err := json.NewDecoder(reply.Body).Decode(out); err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, reply.Status, err)
	}
}

// oneModel is a real llama-server with one model, and a driver of it.
func oneModel(t *testing.T, m eval.Model, args ...string) (*launch.Process, eval.Server) {
	t.Helper()
	p, err := launch.LlamaServer(t.Context(), m.Path, launch.Options{
		Program: llamaServer(t), Folder: logs(t), Args: append([]string{"-np", "4", "-c", "2048", "-t", "1", "--no-warmup"}, args...),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, serve.Options{Kind: "llamaserver", URL: p.URL})
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	load(t, s, m)
	return p, s
}

// Scores of labels, of whatever rank, are those of the whole vocabulary, and so
// are those of the first tokens of continuations; the server renders the garden's
// template as soup does.
func TestLlamaServerScores(t *testing.T) {
	p, s := oneModel(t, eval.Model{Path: asGGUF(t, garden+"finetune/quiz")})
	ask := user("odd A big B star C quiet D tiny")
	var rendered struct {
		Prompt string `json:"prompt"`
	}
	post(t, p.URL+"/apply-template", map[string]any{"messages": ask.Messages}, &rendered)
	if want := "<|user|>odd A big B star C quiet D tiny<|end|><|assistant|>"; rendered.Prompt != want {
		t.Errorf("the server renders %q", rendered.Prompt)
	}
	var reply struct {
		Probabilities []struct {
			Top []struct {
				ID      int32   `json:"id"`
				LogProb float64 `json:"logprob"`
			} `json:"top_logprobs"`
		} `json:"completion_probabilities"`
	}
	post(t, p.URL+"/completion", map[string]any{"prompt": rendered.Prompt, "n_predict": 1, "n_probs": 512, "cache_prompt": false}, &reply)
	all := map[int32]float64{}
	for _, c := range reply.Probabilities[0].Top {
		all[c.ID] = c.LogProb
	}
	labels := strings.Split("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz", "")
	got, err := s.(eval.LabelScorer).ScoreLabels(t.Context(), ask, labels)
	if err != nil {
		t.Fatal(err)
	}
	worst, deep := 0.0, 0
	for i, label := range labels {
		ids, err := s.(eval.TokenLister).Tokens(t.Context(), label, false)
		if err != nil || len(ids) != 1 {
			t.Fatalf("label %s: %v, %v", label, ids, err)
		}
		worst = math.Max(worst, math.Abs(got[i]-all[ids[0]]))
		if all[ids[0]] < reply.Probabilities[0].Top[49].LogProb {
			deep++
		}
	}
	t.Logf("%d labels, %d of them beyond the first 50: up to %g nats from the whole vocabulary's", len(labels), deep, worst)
	if worst > 1e-4 || deep == 0 {
		t.Errorf("labels differ by %g, %d are beyond the first 50", worst, deep)
	}
	texts, err := s.(eval.ContinuationScorer).ScoreContinuations(t.Context(), ask, []string{"A", "D", "Dx"})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(texts[0].LogProb-got[0]) > 1e-4 || texts[2].LogProb >= texts[1].LogProb || texts[2].Tokens != 2 {
		t.Errorf("continuations %+v, labels %v", texts, got[:4])
	}
}

// The embedded engine and llama-server find the same text as likely, token by
// token, and read the same tokens.
func TestLlamaServerAgreesOnContinuations(t *testing.T) {
	m := eval.Model{Path: asGGUF(t, garden+"finetune/lingua")}
	_, s := oneModel(t, m)
	e, err := embedded.New(embedded.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	load(t, e, m)
	for _, text := range []string{"1663", "EPIEEHNT", "ein haus"} {
		ids, err := e.Tokens(t.Context(), text, false)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := s.(eval.TokenLister).Tokens(t.Context(), text, false)
		if err != nil || !slices.Equal(ids, theirs) {
			t.Errorf("%q: tokens %v, %v, the engine's %v", text, theirs, err, ids)
		}
		got, err := s.(eval.ContinuationScorer).ScoreContinuations(t.Context(), user("785+878"), []string{text, text + "<|end|>"})
		if err != nil {
			t.Fatal(err)
		}
		want, err := e.ScoreReference(t.Context(), user("785+878"), text)
		if err != nil {
			t.Fatal(err)
		}
		if mean := got[1].LogProb / float64(got[1].Tokens); math.Abs(mean-want) > 0.02 || got[0].Tokens != len(ids) {
			t.Errorf("%q: %g a token, the engine %g", text, mean, want)
		}
	}
}

// What is wrong with one model or one request is not the server's fault.
func TestLlamaServerTrouble(t *testing.T) {
	good := eval.Model{Path: asGGUF(t, garden+"base")}
	data, err := os.ReadFile(good.Path)
	if err != nil {
		t.Fatal(err)
	}
	o := serve.Options{Kind: "llamaserver", Start: true, Program: llamaServer(t), Threads: 1, Context: 512, Parallel: 2, Folder: logs(t)}
	s := open(t, o)
	defer s.Close()
	broken := func(name string, change func(data []byte) []byte) eval.Model {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, change(slices.Clone(data)), 0o600); err != nil {
			t.Fatal(err)
		}
		return eval.Model{Path: path}
	}
	nan := broken("nan.gguf", func(d []byte) []byte {
		for i := len(d) - 4096; i < len(d); i += 2 { // the ends of matrices, in bf16
			d[i], d[i+1] = 0xc0, 0x7f
		}
		return d
	})
	if _, err := s.Load(t.Context(), nan); !errors.Is(err, eval.ErrNotNumbers) {
		t.Errorf("NaN: %v", err)
	}
	short := broken("short.gguf", func(d []byte) []byte { return d[:len(d)-5000] })
	if _, err := s.Load(t.Context(), short); err == nil || errors.Is(err, eval.ErrOutOfMemory) || !strings.Contains(err.Error(), "short.gguf") {
		t.Errorf("a file that is cut: %v", err)
	}
	load(t, s, good)
	if r, err := s.Generate(t.Context(), user(strings.Repeat("A", 600))); err == nil || r.Finish != eval.FinishError || !strings.Contains(err.Error(), "context size") {
		t.Errorf("a prompt that is too long: %+v, %v", r, err)
	}
	if err := s.Health(t.Context()); err != nil {
		t.Errorf("after it: %v", err)
	}
	r := user(strings.Repeat("A", 505))
	r.MaxTokens = 100
	if got, err := s.Generate(t.Context(), r); err != nil || got.Finish != eval.FinishLength && got.Finish != eval.FinishStop {
		t.Errorf("an answer at the end of the context: %+v, %v", got, err)
	}
}

// A server that is killed is started again by the next load, and says the same.
func TestLlamaServerKilled(t *testing.T) {
	m := eval.Model{Path: asGGUF(t, garden+"base")}
	folder := logs(t)
	s := open(t, serve.Options{Kind: "llamaserver", Start: true, Program: llamaServer(t), Threads: 1, Context: 512, Folder: folder})
	defer s.Close()
	first, err := s.Load(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := syscall.Kill(pidOf(t, m.Path), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Generate(t.Context(), user("1+1")); !errors.Is(err, eval.ErrUnreachable) {
			t.Errorf("generate: %v", err)
		}
		if err := s.Health(t.Context()); !errors.Is(err, eval.ErrUnreachable) || !strings.Contains(err.Error(), "killed") {
			t.Errorf("health: %v", err)
		}
		if again, err := s.Load(t.Context(), m); err != nil || again != first {
			t.Fatalf("load again: %s, %v; before %s", again, err, first)
		}
	}
}

// pidOf finds the llama-server that was given a file.
func pidOf(t *testing.T, gguf string) int {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(e)
		if err == nil && bytes.Contains(text, []byte("-m\x00"+gguf+"\x00")) {
			var pid int
			for _, digit := range regexp.MustCompile(`\d+`).FindString(e) {
				pid = 10*pid + int(digit-'0')
			}
			return pid
		}
	}
	t.Fatalf("no process with %s", gguf)
	return 0
}
