package convert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/merge"
	"soup/merge/convert/picotest"
)

// edited is a pico-model with a changed config.json.
func edited(name string, change func(map[string]any)) func(*testing.T) string {
	return func(t *testing.T) string {
		dir := picotest.Dir(t, name)
		picotest.Edit(t, dir, "config.json", change)
		return dir
	}
}

func set(key string, value any) func(map[string]any) {
	return func(c map[string]any) { c[key] = value }
}

// tokenizerEdited is a pico-model with a changed tokenizer.json and no
// tokenizer.model.
func tokenizerEdited(name string, change func(map[string]any)) func(*testing.T) string {
	return func(t *testing.T) string {
		dir := picotest.Dir(t, name)
		picotest.Edit(t, dir, "tokenizer.json", change)
		_ = os.Remove(filepath.Join(dir, "tokenizer.model"))
		return dir
	}
}

// torn makes a token again, after all others.
func torn(merges []any) []any { return append(merges, merges[0]) }

func TestRefuses(t *testing.T) {
	step := func(steps ...any) func(map[string]any) {
		return set("pre_tokenizer", map[string]any{"type": "Sequence", "pretokenizers": steps})
	}
	byteLevel := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}
	rope := func(kind string, more ...any) func(map[string]any) {
		p := map[string]any{"rope_type": kind, "rope_theta": 1e4}
		for i := 0; i < len(more); i += 2 {
			p[more[i].(string)] = more[i+1]
		}
		return set("rope_parameters", p)
	}
	for says, dir := range map[string]func(*testing.T) string{
		"no config.json":                    func(t *testing.T) string { return t.TempDir() },
		"MambaForCausalLM":                  edited("smollm", set("architectures", []string{"MambaForCausalLM"})),
		"without one rope_theta":            edited("smollm", set("rope_parameters", map[string]any{"full": 1})),
		`rope type "dynamic"`:               edited("smollm", rope("dynamic", "factor", 2)),
		`rope type "linear" without a`:      edited("smollm", rope("linear")),
		"original_max_position_embeddings":  edited("smollm", rope("llama3", "factor", 2)),
		"attention_factor of yarn":          edited("smollm", rope("yarn", "factor", 2, "original_max_position_embeddings", 64, "attention_factor", 1)),
		"llama3 rope of a qwen2 model":      edited("qwen2", rope("llama3", "factor", 2, "original_max_position_embeddings", 64)),
		"partial_rotary_factor":             edited("llama", set("partial_rotary_factor", 0.5)),
		"no num_hidden_layers":              edited("llama", set("num_hidden_layers", nil)),
		"rms_norm_eps is x, not a number":   edited("llama", set("rms_norm_eps", "x")),
		"num_hidden_layers is 1.5":          edited("llama", set("num_hidden_layers", 1.5)),
		`activation "relu"`:                 edited("llama", set("hidden_act", "relu")),
		"no tensor becomes blk.2.":          edited("llama", set("num_hidden_layers", 3)),
		"96 rows; config.json says 8 heads": edited("llama", set("num_attention_heads", 8)),
		"no tensor becomes output.weight":   edited("smollm", set("tie_word_embeddings", false)),
		"is not known to belong to a llama": edited("qwen3", set("architectures", []string{"LlamaForCausalLM"})),
		"no attn_logit_softcapping":         edited("gemma2", set("attn_logit_softcapping", nil)),
		"query_pre_attn_scalar 16":          edited("gemma2", set("query_pre_attn_scalar", 16)),
		"layer 0: readers of GGUF":          edited("gemma2", set("layer_types", []string{"full_attention", "full_attention"})),
		"final_logit_softcapping of a":      edited("gemma3", set("final_logit_softcapping", 30)),
		"rope_local_base_freq 5":            edited("gemma3", func(c map[string]any) { older(c); c["rope_local_base_freq"] = 5 }),
		"readers of GGUF do not know":       tokenizerEdited("smollm", step(map[string]any{"type": "Split", "pattern": map[string]any{"Regex": "x+"}, "behavior": "Isolated"}, byteLevel)),
		"step Punctuation":                  tokenizerEdited("smollm", step(map[string]any{"type": "Punctuation"}, byteLevel)),
		"without ByteLevel":                 tokenizerEdited("smollm", step(map[string]any{"type": "Digits", "individual_digits": true})),
		"model of type Unigram":             tokenizerEdited("smollm", func(c map[string]any) { c["model"].(map[string]any)["type"] = "Unigram" }),
		"normalizer NFKC of a byte-level":   tokenizerEdited("smollm", set("normalizer", map[string]any{"type": "NFKC"})),
		"normalizer Lowercase":              tokenizerEdited("mistral", set("normalizer", map[string]any{"type": "Lowercase"})),
		"pairs of tokens make a token":      tokenizerEdited("mistral", func(c map[string]any) { m := c["model"].(map[string]any); m["merges"] = m["merges"].([]any)[2:] }),
		"are apart":                         tokenizerEdited("mistral", func(c map[string]any) { m := c["model"].(map[string]any); m["merges"] = torn(m["merges"].([]any)) }),
		"embeddings only 432 rows": tokenizerEdited("llama", func(c map[string]any) {
			c["added_tokens"] = append(c["added_tokens"].([]any), map[string]any{"id": 9999, "content": "far"})
		}),
		"no tokenizer.json and no tokenizer.model": func(t *testing.T) string {
			dir := picotest.Dir(t, "smollm")
			_ = os.Remove(filepath.Join(dir, "tokenizer.json"))
			return dir
		},
		"tokenizer.model: broken": func(t *testing.T) string {
			dir := picotest.Dir(t, "mistral")
			if err := os.WriteFile(filepath.Join(dir, "tokenizer.model"), []byte("\x0a\xff"), 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		},
	} {
		t.Run(says, func(t *testing.T) {
			_, err := Write(t.Context(), dir(t), filepath.Join(t.TempDir(), "x.gguf"))
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("error %v does not say %q", err, says)
			}
		})
	}
}

func TestBackRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.gguf")
	if _, err := Write(t.Context(), picotest.Dir(t, "llama"), file); err != nil {
		t.Fatal(err)
	}
	for says, dir := range map[string]func(*testing.T) string{
		"no config.json":            func(t *testing.T) string { return t.TempDir() },
		"the architecture is qwen2": edited("qwen2", func(map[string]any) {}),
		"rope.freq_base is 7":       edited("llama", set("rope_parameters", map[string]any{"rope_theta": 7})),
		"token 0 is":                edited("smollm", func(c map[string]any) { older(c); c["rope_theta"], c["head_dim"], c["num_hidden_layers"] = 5e3, 24, 2 }),
		"are not converted back":    edited("llama", set("architectures", []string{"MambaForCausalLM"})),
		"no tokenizer.json": func(t *testing.T) string {
			dir := picotest.Dir(t, "llama")
			_ = os.Remove(filepath.Join(dir, "tokenizer.json"))
			return dir
		},
	} {
		t.Run(says, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			_, err := WriteDirectory(t.Context(), file, out, DirectoryOptions{Config: dir(t)})
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("error %v does not say %q", err, says)
			}
			if _, err := os.Lstat(out); err == nil {
				t.Error("something was written")
			}
		})
	}
}

// Forged headers are errors, whatever they hold.
func FuzzReadMetadata(f *testing.F) {
	header, _, err := encode(metadata{architectureKey: "llama", "a": []string{"x"}, "b": []int32{1}, "c": []float32{2}, "d": true, "e": uint32(3)}, []tensor{{name: "t", shape: []int64{2}, dtype: merge.F32}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(header)
	f.Add(header[:40])
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = readMetadata(data) })
}
