//go:build cgo

package embedded

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ollama/ollama/fs/ggml"

	"soup/eval"
)

// copyCheckpoint copies a garden checkpoint with config.json changed.
func copyCheckpoint(t *testing.T, name string, change func(map[string]any)) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(garden+name)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	change(config)
	if raw, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func decode(t *testing.T, path string) *ggml.GGML {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := ggml.Decode(f, -1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// transformers 5 writes rope_theta into rope_parameters, where the converter
// does not look.
func TestConvertReadsRopeParameters(t *testing.T) {
	dir := copyCheckpoint(t, "base", func(c map[string]any) {
		delete(c, "rope_theta")
		c["rope_parameters"] = map[string]any{"rope_type": "default", "rope_theta": 123456.0}
	})
	c, err := Convert(t.Context(), dir, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := decode(t, c.Path).KV().Float("rope.freq_base"); got != 123456 {
		t.Errorf("rope.freq_base is %g", got)
	}
}

func TestConvertNamesItsSources(t *testing.T) {
	c, err := Convert(t.Context(), garden+"base", t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	tensors := decode(t, c.Path).Tensors().Items()
	if len(tensors) != 30 || len(c.Sources) != 30 {
		t.Fatalf("%d tensors, %d sources, want 30", len(tensors), len(c.Sources))
	}
	for _, tensor := range tensors {
		if len(c.Sources[tensor.Name]) != 1 {
			t.Errorf("%s comes from %v", tensor.Name, c.Sources[tensor.Name])
		}
	}
	if got := c.Sources["blk.2.attn_q.weight"]; !slices.Equal(got, []string{"model.layers.2.self_attn.q_proj.weight"}) {
		t.Errorf("blk.2.attn_q.weight comes from %v", got)
	}
}

func TestConvertIsCachedByDigest(t *testing.T) {
	cache := t.TempDir()
	first, err := Convert(t.Context(), garden+"base", cache, "0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(first.Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Convert(t.Context(), garden+"base", cache, "0123456789abcdef"); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(first.Path); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("converted again (%v)", err)
	}
}

func TestConvertRefuses(t *testing.T) {
	unknownSplit := copyCheckpoint(t, "base", func(map[string]any) {})
	path := filepath.Join(unknownSplit, "tokenizer.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(raw), `(?i:'s`, `(?i:'z|'s`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, want string }{
		{unknownSplit, "pre-tokenizer"},
		{copyCheckpoint(t, "base", func(c map[string]any) { c["architectures"] = []string{"MambaForCausalLM"} }), "MambaForCausalLM"},
		{copyCheckpoint(t, "base", func(c map[string]any) { c["rope_parameters"] = map[string]any{"full": 1} }), "rope_theta"},
		{t.TempDir(), "config.json"},
	} {
		if _, err := Convert(t.Context(), c.dir, t.TempDir(), ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v does not say %q", err, c.want)
		}
	}
}

// Newer checkpoints keep the chat template in a file of its own.
func TestConvertReadsTemplateFile(t *testing.T) {
	dir := copyCheckpoint(t, "base", func(map[string]any) {})
	template := "{{ bos_token }}{% for m in messages %}<|user|>{{ m.content | trim }}<|end|>{% endfor %}<|assistant|>"
	if err := os.WriteFile(filepath.Join(dir, "chat_template.jinja"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, Options{})
	mustLoad(t, e, dir)
	got, err := e.render(eval.Request{Messages: []eval.Message{{Role: "user", Content: " 1+1 "}}})
	if err != nil || got != "<|endoftext|><|user|>1+1<|end|><|assistant|>" {
		t.Errorf("rendered %q, %v", got, err)
	}
}
