//go:build servers

package serve

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"soup/benchmarks"
	"soup/eval"
	"soup/eval/server/embedded"
	"soup/eval/server/servertest"
	"soup/eval/server/vllm"
	"soup/internal/launch"
	"soup/merge/convert"
)

const garden = "../../examples/garden/"

// realVLLM starts a vLLM and returns what makes drivers of it.
func realVLLM(t *testing.T, args ...string) (newServer func(*testing.T) *vllm.Server) {
	t.Helper()
	folder := os.Getenv("SOUP_SERVER_LOGS")
	if folder == "" {
		folder = t.TempDir()
	}
	p, err := launch.VLLM(t.Context(), garden+"base", launch.Options{
		Folder: filepath.Join(folder, "vllm"), Env: []string{"VLLM_CPU_KVCACHE_SPACE=1"},
		Args: append([]string{"--max-model-len", "512", "--enforce-eager"}, args...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(t *testing.T) *vllm.Server {
		s, err := vllm.New(vllm.Options{URL: p.URL})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func user(text string) eval.Request {
	return eval.Request{Messages: []eval.Message{{Role: "user", Content: text}}}
}

// TestRealVLLM starts one server for all its parts: that takes a minute.
func TestRealVLLM(t *testing.T) {
	newServer := realVLLM(t, "--dtype", "bfloat16")
	t.Run("conformance", func(t *testing.T) {
		servertest.Run(t, servertest.Fixture{
			New: func(t *testing.T) eval.Server { return newServer(t) },
			A:   eval.Model{Path: garden + "finetune/arith"},
			B:   eval.Model{Path: garden + "finetune/order"},
			Questions: []eval.Question{
				{Request: user("785+878"), Reference: "1663"},
				{Request: user("reverse TNHEEIPE"), Reference: "EPIEEHNT"},
				{Request: user("sort 03186265969")},
				{Request: user("odd A big B star C quiet D tiny"), Labels: []string{"A", "B", "C", "D"}},
				{Request: eval.Request{Raw: "<|user|>12+34<|end|><|assistant|>"}, Reference: "46"},
			},
			Missing: filepath.Join(t.TempDir(), "no-such-model"),
		})
	})
	t.Run("embedded", func(t *testing.T) { likeEmbedded(t, newServer(t)) })
	t.Run("one path", func(t *testing.T) { onePath(t, newServer(t)) })
	t.Run("not numbers", func(t *testing.T) { notNumbers(t, newServer(t)) })
	t.Run("likelihoods", func(t *testing.T) { likelihoods(t, newServer(t)) })
}

// candidates are twelve checkpoints of the garden, good ones and bad ones.
var candidates = []string{
	"finetune/arith", "finetune/order", "finetune/call", "finetune/call-b", "finetune/lingua", "finetune/quiz",
	"finetune/hot", "finetune/mislabeled", "posttrain/sft", "posttrain/rl-arith", "run/step-1100", "base",
}

// likeEmbedded: of every candidate, category means within 1.5 points of the
// embedded engine's; over all, 98 % of the items alike.
func likeEmbedded(t *testing.T, s *vllm.Server) {
	engine, err := embedded.New(embedded.Options{Convert: convert.Path})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	items := searchItems(t)
	alike, all, asked, swapped := 0, 0, 0.0, 0.0
	for _, c := range candidates {
		want, _, _ := scores(t, engine, garden+c, items)
		got, swap, ask := scores(t, s, garden+c, items)
		asked, swapped = asked+ask.Seconds(), swapped+swap.Seconds()
		means, n := map[string]float64{}, map[string]float64{}
		same, soft := 0, 0.0
		for i, o := range got {
			if math.Abs(o.Score-want[i].Score) < 1e-3 {
				same++
			}
			if o.Soft != nil && want[i].Soft != nil {
				soft = max(soft, math.Abs(*o.Soft-*want[i].Soft))
			}
			means[o.Category] += o.Score - want[i].Score
			n[o.Category]++
		}
		for category := range means {
			if d := 100 * means[category] / n[category]; math.Abs(d) > 1.5 {
				t.Errorf("%s: %s differs by %.2f points", c, category, d)
			}
		}
		t.Logf("%s: %d of %d items alike, smooth scores within %.3f; swap %v, questions %v", c, same, len(got), soft, swap, ask)
		alike, all = alike+same, all+len(got)
	}
	if alike*100 < 98*all {
		t.Errorf("%d of %d items alike", alike, all)
	}
	n := float64(len(candidates))
	t.Logf("%d of %d items alike; swap %.0f ms, %.0f items/s", alike, all, 1000*swapped/n, float64(all)/asked)
}

func searchItems(t *testing.T) []eval.Item {
	t.Helper()
	var items []eval.Item
	for _, c := range []string{"arith", "call", "choice", "reverse", "sort", "translate"} {
		more, err := benchmarks.LoadJSONL(c, garden+"data/"+c+".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, more...)
	}
	set, err := eval.NewSet(items)
	if err != nil {
		t.Fatal(err)
	}
	return set.Search
}

func scores(t *testing.T, s eval.Server, path string, items []eval.Item) (outcomes []eval.Outcome, swap, ask time.Duration) {
	t.Helper()
	start := time.Now()
	if _, err := s.Load(t.Context(), eval.Model{Path: path}); err != nil {
		t.Fatal(err)
	}
	swap = time.Since(start)
	start = time.Now()
	err := eval.Run(t.Context(), s, items, eval.Options{Parallel: 32, Batch: len(items)}, func(o []eval.Outcome) error {
		outcomes = append(outcomes, o...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		if !o.Scored() {
			t.Fatalf("%s: %s", o.ID, o.Error)
		}
	}
	return outcomes, swap, time.Since(start)
}

// onePath: what a path holds is read anew, whether the file was replaced or
// written over.
func onePath(t *testing.T, s *vllm.Server) {
	want := map[string]eval.Version{}
	names := []string{"finetune/arith", "finetune/order"}
	for _, name := range names {
		v, err := s.Load(t.Context(), eval.Model{Path: garden + name})
		if err != nil {
			t.Fatal(err)
		}
		want[name] = v
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(garden+"base")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "model.safetensors")
	for i, name := range append(names, names...) {
		weights, err := os.ReadFile(garden + name + "/model.safetensors")
		if err != nil {
			t.Fatal(err)
		}
		target := file
		if i >= len(names) {
			target += ".new"
		}
		if err := os.WriteFile(target, weights, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(target, file); err != nil {
			t.Fatal(err)
		}
		if v, err := s.Load(t.Context(), eval.Model{Path: dir}); err != nil || v != want[name] {
			t.Errorf("%s: version %s, %v; want %s", name, v, err, want[name])
		}
	}
}

// notNumbers: broken weights are told apart from a broken server, and do no harm
// to those that come after them.
func notNumbers(t *testing.T, s *vllm.Server) {
	good := eval.Model{Path: garden + "finetune/order"}
	want, err := s.Load(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(good.Path)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "model.safetensors")
	weights, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(weights) - 400_000; i < len(weights)-399_000; i++ {
		weights[i] = 0xff // bfloat16 of all ones is no number
	}
	if err := os.WriteFile(file, weights, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Load(t.Context(), eval.Model{Path: dir}); !errors.Is(err, eval.ErrNotNumbers) {
			t.Fatalf("weights that are not numbers: %v", err)
		}
		got, err := s.Load(context.WithoutCancel(t.Context()), good)
		if err != nil || got != want {
			t.Fatalf("after them: version %s, %v; want %s", got, err, want)
		}
		for range 8 {
			if _, err := s.ScoreReference(t.Context(), eval.Request{Raw: "a"}, "b"); err != nil {
				t.Fatalf("after them: %v", err)
			}
		}
	}
}

// likelihoods: log-probabilities of labels, references and continuations are
// parts of one distribution.
func likelihoods(t *testing.T, s *vllm.Server) {
	if _, err := s.Load(t.Context(), eval.Model{Path: garden + "finetune/order"}); err != nil {
		t.Fatal(err)
	}
	r := user("odd A big B star C quiet D tiny")
	labels := []string{"A", "B", "C", "D"}
	byLabel, err := s.ScoreLabels(t.Context(), r, labels)
	if err != nil {
		t.Fatal(err)
	}
	byText, err := s.ScoreContinuations(t.Context(), r, labels)
	if err != nil {
		t.Fatal(err)
	}
	for i := range labels {
		if math.Abs(byLabel[i]-byText[i].LogProb) > 0.25 || byText[i].Tokens != 1 {
			t.Errorf("label %s: %g as a label, %+v as a text", labels[i], byLabel[i], byText[i])
		}
	}
	said, err := s.Generate(t.Context(), user("reverse TNHEEIPE"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := s.ScoreContinuations(t.Context(), user("reverse TNHEEIPE"), []string{said.Text, "zz"})
	if err != nil {
		t.Fatal(err)
	}
	if !own[0].Greedy || own[1].Greedy || own[0].LogProb <= own[1].LogProb {
		t.Errorf("its own answer %q: %+v", said.Text, own)
	}
}
