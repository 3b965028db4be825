//go:build cgo

package embedded

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"soup/eval"
	"soup/eval/server/servertest"
	"soup/merge/convert"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError) // ggml's loader reports its devices
	os.Exit(m.Run())
}

func newEngine(tb testing.TB, o Options) *Engine {
	tb.Helper()
	o.Convert = convert.Path
	e, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = e.Close() })
	return e
}

func mustLoad(tb testing.TB, e *Engine, path string) eval.Version {
	tb.Helper()
	v, err := e.Load(tb.Context(), eval.Model{Path: path})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func user(text string) eval.Request {
	return eval.Request{Messages: []eval.Message{{Role: "user", Content: text}}}
}

// gguf converts a garden checkpoint for tests that load it often.
func gguf(tb testing.TB, name string) string {
	tb.Helper()
	path, err := convert.Path(tb.Context(), garden+name, tb.TempDir(), "")
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func TestConformance(t *testing.T) {
	for name, path := range map[string]func(string) string{
		"gguf":         func(n string) string { return gguf(t, n) },
		"hugging face": func(n string) string { return garden + n },
	} {
		t.Run(name, func(t *testing.T) {
			servertest.Run(t, servertest.Fixture{
				New: func(t *testing.T) eval.Server { return newEngine(t, Options{}) },
				A:   eval.Model{Path: path("finetune/arith")},
				B:   eval.Model{Path: path("finetune/order")},
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
	}
}

// The text does not depend on whether a reference is read along (teacher
// forcing) and neither does the number of threads change a bit.
func TestReferenceDoesNotChangeAnswers(t *testing.T) {
	items := everyNth(gardenSet(t).Search, 5)
	with := questions(t, items)
	without := questions(t, items)
	for i := range without {
		without[i].Reference = ""
	}
	one, two := newEngine(t, Options{Threads: 1}), newEngine(t, Options{Threads: 2})
	var answers [3][]eval.Answer
	for i, c := range []struct {
		e  *Engine
		qs []eval.Question
	}{{one, with}, {one, without}, {two, with}} {
		mustLoad(t, c.e, garden+"finetune/order")
		as, err := c.e.AnswerAll(t.Context(), c.qs)
		if err != nil {
			t.Fatal(err)
		}
		for k := range as {
			as[k].Latency = 0
		}
		answers[i] = as
	}
	differ := 0
	for i := range items {
		if answers[0][i].Text != answers[1][i].Text || answers[0][i].Finish != answers[1][i].Finish {
			differ++
		}
	}
	if differ > 1 { // another order of additions may turn a near tie
		t.Errorf("%d of %d texts differ when the reference is read along", differ, len(items))
	}
	if !reflect.DeepEqual(answers[0], answers[2]) {
		t.Error("one and two threads give different bits")
	}
}

// Prompts with a long common beginning read it once and answer as before.
func TestSharedPrefix(t *testing.T) {
	e := newEngine(t, Options{})
	mustLoad(t, e, garden+"finetune/arith")
	examples := strings.Repeat("<|user|>12+34<|end|><|assistant|>46<|end|>", 6)
	var qs []eval.Question
	for _, p := range []string{"785+878", "11+22", "99-1", "123+45", "7+8"} {
		qs = append(qs, eval.Question{Request: eval.Request{Raw: examples + "<|user|>" + p + "<|end|><|assistant|>"}, Reference: "1663"})
	}
	jobs := make([]*job, len(qs))
	for i, q := range qs {
		jobs[i] = e.prepare(q)
	}
	if groups := groupByPrefix(jobs); len(groups) != 1 || groups[0].shared < minShared {
		t.Fatalf("no shared prefix was found: %+v", groups)
	}
	together, err := e.AnswerAll(t.Context(), qs)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range qs {
		alone, err := e.AnswerAll(t.Context(), []eval.Question{q})
		if err != nil {
			t.Fatal(err)
		}
		if together[i].Text != alone[0].Text || math.Abs(*together[i].Reference-*alone[0].Reference) > 1e-3 {
			t.Errorf("%q: %q %g together, %q %g alone", q.Raw[len(examples):], together[i].Text, *together[i].Reference, alone[0].Text, *alone[0].Reference)
		}
	}
}

func TestTooLongPromptFailsAlone(t *testing.T) {
	e := newEngine(t, Options{})
	mustLoad(t, e, garden+"base")
	as, err := e.AnswerAll(t.Context(), []eval.Question{
		{Request: user(strings.Repeat("A", 600))},
		{Request: user("12+34"), Reference: "46"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if as[0].Finish != eval.FinishError || as[0].Err == nil || !strings.Contains(as[0].Err.Error(), "context of 512") {
		t.Errorf("prompt of 600 tokens: %+v", as[0])
	}
	if as[1].Finish == eval.FinishError || as[1].Err != nil {
		t.Errorf("the question beside it: %+v", as[1])
	}
}

func TestLabelsNeedTokensOfTheirOwn(t *testing.T) {
	e := newEngine(t, Options{})
	mustLoad(t, e, garden+"base")
	_, err := e.ScoreLabels(t.Context(), user("odd A x B y"), []string{"A", "AB"})
	if err == nil || !strings.Contains(err.Error(), `"AB"`) {
		t.Errorf("labels with one first token: %v", err)
	}
}

func TestLoadRefusesBrokenFiles(t *testing.T) {
	good, err := os.ReadFile(gguf(t, "base"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty":     {},
		"not gguf":  []byte("hello"),
		"truncated": good[:len(good)-1000],
		"header":    good[:100],
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "broken.gguf")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			e := newEngine(t, Options{})
			if _, err := e.Load(t.Context(), eval.Model{Path: path}); err == nil || !strings.Contains(err.Error(), "broken.gguf") {
				t.Errorf("error %v does not name the file", err)
			}
		})
	}
}

// tied copies a garden checkpoint without its lm_head, as models with tied
// embeddings are stored.
func tied(t *testing.T, name string) string {
	t.Helper()
	dir := copyCheckpoint(t, name, func(c map[string]any) { c["tie_word_embeddings"] = true })
	path := filepath.Join(dir, "model.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(data)
	var header map[string]map[string]any
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	const head = 512 * 128 * 2 // lm_head comes first in these files
	delete(header, "lm_head.weight")
	for tensor, about := range header {
		if tensor != "__metadata__" {
			offsets := about["data_offsets"].([]any)
			about["data_offsets"] = []any{offsets[0].(float64) - head, offsets[1].(float64) - head}
		}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	out = append(append(out, text...), data[8+n+head:]...)
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The engine holds tied embeddings twice; a swap must reach both.
func TestSwapReachesTiedEmbeddings(t *testing.T) {
	a, b := tied(t, "finetune/arith"), tied(t, "finetune/order")
	fresh := newEngine(t, Options{})
	want := mustLoad(t, fresh, b)
	e := newEngine(t, Options{})
	first := mustLoad(t, e, a)
	if got := mustLoad(t, e, b); got != want || got == first {
		t.Errorf("swapped in: version %s, loaded afresh: %s (before: %s)", got, want, first)
	}
}

// A question longer than the cache makes room for itself, also where the
// converted file was only there for the load.
func TestLongQuestionMakesRoom(t *testing.T) {
	e := newEngine(t, Options{})
	mustLoad(t, e, garden+"base")
	e.cells = 256
	if _, err := e.Generate(t.Context(), user(strings.Repeat("AB", 120))); err != nil {
		t.Fatal(err)
	}
	if e.cells <= 256 {
		t.Errorf("the cache still has %d cells", e.cells)
	}
}

// A shared prefix that nearly fills the cache is reserved once, not once a
// question.
func TestSharedPrefixFillsTheCache(t *testing.T) {
	e := newEngine(t, Options{})
	mustLoad(t, e, garden+"base")
	var qs []eval.Question
	for _, last := range []string{"A", "B", "C", "D", "E"} {
		qs = append(qs, eval.Question{Request: eval.Request{Raw: strings.Repeat("X", 190) + last}})
	}
	e.cells = 370
	as, err := e.AnswerAll(t.Context(), qs)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range as {
		if a.Finish == eval.FinishError {
			t.Errorf("question %d: %v", i, a.Err)
		}
	}
}

// A cache that was enlarged stays as large: no second load.
func TestCacheStaysLarge(t *testing.T) {
	e := newEngine(t, Options{})
	mustLoad(t, e, garden+"base")
	e.cells, e.atLeast = 256, 0
	long := user(strings.Repeat("AB", 120))
	if _, err := e.Generate(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	loaded := e.model
	if _, err := e.Generate(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	if e.model != loaded || e.cells < e.atLeast {
		t.Errorf("loaded again; %d cells, %d asked for", e.cells, e.atLeast)
	}
}

// A model whose logits are NaN is refused at load, not scored as zeros.
func TestNotNumbers(t *testing.T) {
	dir := copyCheckpoint(t, "base", func(map[string]any) {})
	path := filepath.Join(dir, "model.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) - 256; i < len(data); i += 2 { // the final norm, in bf16
		data[i], data[i+1] = 0xc0, 0x7f
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, Options{})
	if _, err := e.Load(t.Context(), eval.Model{Path: dir}); !errors.Is(err, eval.ErrNotNumbers) {
		t.Errorf("load: %v", err)
	}
	as, err := e.AnswerAll(t.Context(), []eval.Question{{Request: user("1+1"), Reference: "2"}, {Request: user("1+1"), Labels: []string{"A", "B"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range as {
		if a.Finish != eval.FinishError || !errors.Is(a.Err, eval.ErrNotNumbers) {
			t.Errorf("answer %+v", a)
		}
	}
}
