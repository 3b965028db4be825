//go:build cgo

package embedded

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/eval"
	"soup/merge/convert"
	"soup/merge/convert/picotest"
)

// notRun are the architectures that ollama's engine lacks.
var notRun = []string{"gemma", "olmo2"}

// Every architecture and every kind of tokenizer gives transformers' token ids
// and transformers' greedy text.
func TestPicoModels(t *testing.T) {
	for _, name := range picotest.Names() {
		t.Run(name, func(t *testing.T) {
			golden := picotest.Read(t, name)
			e := newEngine(t, Options{})
			_, err := e.Load(t.Context(), eval.Model{Path: picotest.Dir(t, name)})
			if slices.Contains(notRun, name) {
				if err == nil || !strings.Contains(err.Error(), "does not run") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, special := range []bool{false, true} {
				want := golden.Probe.IDs
				if special {
					want = golden.Probe.WithSpecial
				}
				if got, err := e.tok.Encode(golden.Probe.Text, special); err != nil || !slices.Equal(got, want) {
					t.Errorf("special %t: ids are %v, want %v (%v)", special, got, want, err)
				}
			}
			for _, a := range golden.Answers {
				r, err := e.Generate(t.Context(), eval.Request{Raw: a.Prompt, MaxTokens: len(a.AnswerIDs)})
				if err != nil || r.Text != a.Answer {
					t.Errorf("%q: answer %q, want %q (%v)", a.Prompt, r.Text, a.Answer, err)
				}
			}
		})
	}
}

// A key that is lost changes the answers: otherwise the test above would not
// see it.
func TestPicoModelsNeedTheirKeys(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(map[string]any)
	}{
		{"smollm", func(c map[string]any) { c["rope_parameters"] = map[string]any{"rope_theta": 1e4} }},
		{"llama", func(c map[string]any) { c["rope_parameters"] = map[string]any{"rope_theta": 5e3} }},
		{"gpt2tok", func(c map[string]any) { c["rope_parameters"] = map[string]any{"rope_theta": 1e4} }},
		{"gemma2", func(c map[string]any) { c["attn_logit_softcapping"] = 0.01 }},
		{"qwen3", func(c map[string]any) { c["rms_norm_eps"] = 0.5 }},
	} {
		dir := picotest.Dir(t, c.name)
		picotest.Edit(t, dir, "config.json", c.change)
		e := newEngine(t, Options{})
		mustLoad(t, e, dir)
		same := true
		for _, a := range picotest.Read(t, c.name).Answers {
			r, err := e.Generate(t.Context(), eval.Request{Raw: a.Prompt, MaxTokens: len(a.AnswerIDs)})
			if err != nil {
				t.Fatal(err)
			}
			same = same && r.Text == a.Answer
		}
		if same {
			t.Errorf("%s: the changed key changes nothing", c.name)
		}
	}
}

func TestLoadRefusesWhatItWouldComputeWrongly(t *testing.T) {
	yarn := picotest.Dir(t, "smollm")
	picotest.Edit(t, yarn, "config.json", func(c map[string]any) {
		c["rope_parameters"] = map[string]any{"rope_theta": 1e4, "rope_type": "yarn", "factor": 2, "original_max_position_embeddings": 256}
	})
	falcon := filepath.Join(t.TempDir(), "falcon.gguf")
	good, err := convert.Path(t.Context(), picotest.Dir(t, "smollm"), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(falcon, []byte(strings.Replace(string(text), "\x06\x00\x00\x00\x00\x00\x00\x00smollm", "\x06\x00\x00\x00\x00\x00\x00\x00falcon", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{yarn: `rope scaling "yarn"`, falcon: `tokenizer.ggml.pre is "falcon"`} {
		if _, err := newEngine(t, Options{}).Load(t.Context(), eval.Model{Path: path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Load(t.Context(), eval.Model{Path: garden + "base"}); err == nil || !strings.Contains(err.Error(), "a directory") {
		t.Errorf("error %v", err)
	}
}

// Newer checkpoints keep the chat template in a file of its own.
func TestTemplateFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(garden+"base")); err != nil {
		t.Fatal(err)
	}
	template := "{{ bos_token }}{% for m in messages %}<|user|>{{ m.content | trim }}<|end|>{% endfor %}<|assistant|>"
	if err := os.WriteFile(filepath.Join(dir, "chat_template.jinja"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, Options{})
	mustLoad(t, e, dir)
	got, err := e.template.Render(eval.Request{Messages: []eval.Message{{Role: "user", Content: " 1+1 "}}})
	if err != nil || got != "<|endoftext|><|user|>1+1<|end|><|assistant|>" {
		t.Errorf("rendered %q, %v", got, err)
	}
}
