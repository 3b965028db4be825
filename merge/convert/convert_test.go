package convert

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/merge"
	"soup/merge/convert/picotest"
)

const garden = "../../examples/garden/"

// written converts a directory and returns the file's bytes.
func written(t *testing.T, dir string) []byte {
	t.Helper()
	c, err := Write(t.Context(), dir, filepath.Join(t.TempDir(), "x.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// keysOf reads the metadata of a GGUF file.
func keysOf(t *testing.T, data []byte) map[string]any {
	t.Helper()
	values, err := readMetadata(data)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// older writes a config.json as transformers 4 did.
func older(c map[string]any) {
	p, _ := c["rope_parameters"].(map[string]any)
	delete(c, "rope_parameters")
	if full, ok := p["full_attention"].(map[string]any); ok {
		c["rope_local_base_freq"] = p["sliding_attention"].(map[string]any)["rope_theta"]
		p = full
	}
	if p["rope_theta"] != nil {
		c["rope_theta"] = p["rope_theta"]
	}
	if p["rope_type"] != "default" && p["rope_type"] != nil {
		c["rope_scaling"] = p
	}
	c["torch_dtype"] = c["dtype"]
	delete(c, "dtype")
}

func TestBothGenerationsOfConfigurations(t *testing.T) {
	for _, name := range picotest.Names() {
		t.Run(name, func(t *testing.T) {
			dir := picotest.Dir(t, name)
			now := written(t, dir)
			if !bytes.Equal(now, written(t, dir)) {
				t.Error("the same directory gives other bytes")
			}
			picotest.Edit(t, dir, "config.json", older)
			if !bytes.Equal(now, written(t, dir)) {
				t.Error("config.json of transformers 4 gives other bytes")
			}
		})
	}
}

func TestKeys(t *testing.T) {
	for name, want := range map[string]map[string]any{
		"smollm":  {"llama.rope.freq_base": 1e5, "tokenizer.ggml.pre": "smollm", "tokenizer.ggml.add_bos_token": false, "llama.attention.key_length": 16., "general.file_type": 0.},
		"llama":   {"llama.rope.freq_base": 5e3, "tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.add_bos_token": true, "llama.attention.key_length": 24., "llama.rope.dimension_count": 24.},
		"gpt2tok": {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 2., "tokenizer.ggml.pre": "gpt-2"},
		"qwen3":   {"qwen3.rope.freq_base": 1e6, "tokenizer.ggml.pre": "qwen2", "qwen3.attention.value_length": 32.},
		"mistral": {"llama.rope.freq_base": 1e4, "tokenizer.ggml.model": "llama", "tokenizer.ggml.add_space_prefix": true, "tokenizer.ggml.unknown_token_id": 0., "llama.context_length": 512.},
		"nemo":    {"tokenizer.ggml.pre": "tekken", "llama.context_length": 256., "llama.attention.key_length": 32.},
		"gemma2":  {"gemma2.attn_logit_softcapping": 50., "gemma2.final_logit_softcapping": 30., "gemma2.attention.sliding_window": 128., "tokenizer.ggml.add_space_prefix": false},
		"gemma3":  {"gemma3.rope.freq_base": 1e6, "gemma3.rope.local.freq_base": 1e4, "tokenizer.ggml.eot_token_id": 2.},
		"olmo2":   {"olmo2.rope.freq_base": 5e5, "tokenizer.ggml.pre": "dbrx"},
	} {
		got := keysOf(t, written(t, picotest.Dir(t, name)))
		for key, v := range want {
			if got[key] != v {
				t.Errorf("%s: %s is %v, want %v", name, key, got[key], v)
			}
		}
		if n := len(got["tokenizer.ggml.tokens"].([]string)); float64(n) != got[got[architectureKey].(string)+".vocab_size"] || n%16 != 0 {
			t.Errorf("%s: %d tokens of %v", name, n, got["vocab_size"])
		}
	}
}

func TestSeveralEnds(t *testing.T) {
	dir := picotest.Dir(t, "qwen2")
	picotest.Edit(t, dir, "generation_config.json", func(c map[string]any) { c["eos_token_id"] = []int{2, 0} })
	got := keysOf(t, written(t, dir))
	if ids, _ := got["tokenizer.ggml.eos_token_ids"].([]any); !slices.Equal(ids, []any{2., 0.}) || got["tokenizer.ggml.eot_token_id"] != 0. || got["tokenizer.ggml.eos_token_id"] != 2. {
		t.Errorf("ends are %v", got["tokenizer.ggml.eos_token_ids"])
	}
}

func TestNamesItsSources(t *testing.T) {
	c, err := Cache(t.Context(), picotest.Dir(t, "gemma2"), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Sources["blk.1.ffn_norm.weight"]; !slices.Equal(got, []string{"model.layers.1.pre_feedforward_layernorm.weight"}) {
		t.Errorf("blk.1.ffn_norm.weight comes from %v", got)
	}
	if !c.Inexact["output_norm.weight"] || c.Inexact["token_embd.weight"] {
		t.Errorf("inexact: %v", c.Inexact)
	}
	c, err = Cache(t.Context(), picotest.Dir(t, "llama"), t.TempDir(), "")
	if got, there := c.Sources["rope_freqs.weight"]; err != nil || !there || len(got) > 0 || len(c.Inexact) > 0 {
		t.Errorf("rope_freqs.weight comes from %v; inexact: %v (%v)", got, c.Inexact, err)
	}
}

func TestCachedByDigest(t *testing.T) {
	cache := t.TempDir()
	first, err := Path(t.Context(), garden+"base", cache, "0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Path(t.Context(), garden+"base", cache, "0123456789abcdef"); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(first); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("converted again (%v)", err)
	}
	if path, ok := Cached(cache, "0123456789abcdef"); !ok || path != first {
		t.Errorf("cached at %s, %t", path, ok)
	}
	if _, ok := Cached(cache, ""); ok {
		t.Error("found without a digest")
	}
}

func TestNothingHalfWritten(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, garden+"base", filepath.Join(dir, "x.gguf")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	there := filepath.Join(dir, "there.gguf")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), garden+"base", there); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("error %v", err)
	}
}

// There and back again: every tensor has its bytes, in every dtype.
func TestBackToSafetensors(t *testing.T) {
	for _, name := range picotest.Names() {
		for _, store := range []merge.DType{merge.F32, merge.BF16} {
			dir := picotest.DirAs(t, name, store)
			picotest.Edit(t, dir, "config.json", func(c map[string]any) { c["dtype"] = store.Torch() })
			file, out := filepath.Join(t.TempDir(), "x.gguf"), filepath.Join(t.TempDir(), "back")
			if _, err := Write(t.Context(), dir, file); err != nil {
				t.Fatal(err)
			}
			if _, err := WriteDirectory(t.Context(), file, out, DirectoryOptions{Config: dir}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sameTensors(t, name, dir, out)
		}
	}
}

func sameTensors(t *testing.T, name, a, b string) {
	t.Helper()
	first, err := merge.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := merge.Open(b)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if len(first.Tensors()) != len(second.Tensors()) {
		t.Errorf("%s: %d tensors, %d came back", name, len(first.Tensors()), len(second.Tensors()))
	}
	for _, want := range first.Tensors() {
		got, _ := second.Tensor(want.Name)
		x, _ := first.Bytes(want.Name)
		y, err := second.Bytes(want.Name)
		// A norm less one may have lost the last bits that it had before one was added.
		shifted := strings.HasPrefix(name, "gemma") && strings.HasSuffix(want.Name, "norm.weight")
		if err != nil || got.DType != want.DType || !bytes.Equal(x, y) && !shifted {
			t.Errorf("%s: %s: %s came back as %s, equal %t (%v)", name, want.Name, want.DType, got.DType, bytes.Equal(x, y), err)
		}
	}
}
