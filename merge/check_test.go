package merge

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// has looks for a finding whose text holds a part.
func has(fs Findings, severity, code, text string) bool {
	for _, f := range fs {
		if f.Severity == severity && f.Code == code && strings.Contains(f.String()+f.Tensor, text) {
			return true
		}
	}
	return false
}

func TestCheckPasses(t *testing.T) {
	if fs := Check([]*Checkpoint{small(t, 1), small(t, 2)}, small(t, 3)); len(fs) != 0 {
		t.Errorf("findings on parents that fit: %v", fs)
	}
	if fs := Check([]*Checkpoint{smallGGUF(t, 1), smallGGUF(t, 2)}, nil); len(fs) != 0 {
		t.Errorf("findings on GGUF parents that fit: %v", fs)
	}
	if fs := Check([]*Checkpoint{open(t, garden+"finetune/arith"), open(t, garden+"finetune/order")}, open(t, garden+"base")); len(fs) != 0 {
		t.Errorf("findings on the garden: %v", fs)
	}
}

func TestCheckNoParents(t *testing.T) {
	wantError(t, Check(nil, nil).Err(), "no parents")
}

// TestCheckSideFiles changes one small file of the second parent.
func TestCheckSideFiles(t *testing.T) {
	swap := func(text, old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in the fixture", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	for _, c := range []struct{ file, text, severity, code, says string }{
		{"config.json", swap(smallConfig, `"llama"`, `"qwen2"`), Refuse, "architecture", `model_type is "qwen2", but "llama"`},
		{"config.json", swap(smallConfig, `"hidden_size":8`, `"hidden_size":16`), Refuse, "architecture", "hidden_size is 16, but 8"},
		{"config.json", swap(smallConfig, `"vocab_size":3`, `"vocab_size":4`), Refuse, "architecture", "vocab_size is 4"},
		{"config.json", swap(smallConfig, `false`, `true`), Refuse, "tied-embeddings", "tie_word_embeddings is true, but false"},
		{"config.json", swap(smallConfig, `"eos_token_id":2`, `"eos_token_id":1`), Refuse, "special-tokens", "eos_token_id is 1, but 2"},
		{"config.json", swap(smallConfig, `"eos_token_id":2`, `"eos_token_id":[1,2]`), Warn, "special-tokens", "eos_token_id is [1,2]"},
		{"config.json", swap(smallConfig, `{`, `{"quantization_config":{"quant_method":"gptq"},`), Refuse, "quantised", "gptq"},
		{"config.json", `{`, Refuse, "config", "broken JSON"},
		{"config.json", "", Note, "config", "no config.json"},
		{"tokenizer.json", swap(smallTokenizer, `"b":1`, `"c":1`), Refuse, "vocabulary", `1 of 3 token ids differ: id 1 is "c" but "b" in`},
		{"tokenizer.json", swap(smallTokenizer, `"b":1`, `"b":1,"d":3`), Refuse, "vocabulary", `id 3 is "d" but does not exist`},
		{"tokenizer.json", swap(smallTokenizer, `"b":1,`, ``), Refuse, "vocabulary", `id 1 does not exist but is "b"`},
		{"tokenizer.json", swap(smallTokenizer, `"content":"<end>"`, `"content":"<stop>"`), Refuse, "added-tokens", `id 2 is "<stop>" but "<end>"`},
		{"tokenizer.json", swap(smallTokenizer, `"id":2`, `"id":5`), Refuse, "added-tokens", "2 added tokens differ"},
		{"tokenizer.json", swap(smallTokenizer, `"special":true`, `"special":false`), Warn, "added-tokens", "flags"},
		{"tokenizer.json", swap(smallTokenizer, `"a b"`, `"b a"`), Warn, "tokenizer", "merges differs"},
		{"tokenizer.json", `{"model":{"vocab":[["a",0],["b",0]]}}`, Refuse, "vocabulary", "token ids differ"},
		{"tokenizer.json", `{"model":{"vocab":7}}`, Refuse, "config", "model.vocab"},
		{"tokenizer.json", `[`, Refuse, "config", "broken JSON"},
		{"tokenizer.json", "", Warn, "tokenizer", "only one"},
		{"tokenizer_config.json", swap(smallTokConfig, `"<end>"`, `{"content":"a"}`), Refuse, "special-tokens", `eos_token is "a", but "<end>"`},
		{"tokenizer_config.json", swap(smallTokConfig, `{{x}}`, `{{y}}`), Warn, "chat-template", "differs"},
		{"tokenizer_config.json", `7`, Refuse, "config", "broken JSON"},
		{"chat_template.jinja", "{{z}}", Warn, "chat-template", "differs"},
	} {
		t.Run(c.file+" "+c.says, func(t *testing.T) {
			other := open(t, smallDir(t, 2, map[string]string{c.file: c.text}))
			fs := Check([]*Checkpoint{small(t, 1), other}, nil)
			if !has(fs, c.severity, c.code, c.says) {
				t.Fatalf("no %s %s with %q in %v", c.severity, c.code, c.says, fs)
			}
			if (fs.Err() != nil) != (c.severity == Refuse) {
				t.Errorf("Err is %v", fs.Err())
			}
			for _, f := range fs {
				if f.Severity != Note && f.Remedy == "" || f.Parent == "" {
					t.Errorf("incomplete finding %+v", f)
				}
			}
		})
	}
}

func TestCheckMergesOfBothForms(t *testing.T) {
	other := strings.Replace(smallTokenizer, `["a b"]`, `[["a","b"]]`, 1)
	fs := Check([]*Checkpoint{small(t, 1), open(t, smallDir(t, 2, map[string]string{"tokenizer.json": other}))}, nil)
	if len(fs) != 0 {
		t.Errorf("findings: %v", fs)
	}
}

func TestCheckOpaqueTokenizers(t *testing.T) {
	with := func(seed uint64, model string) *Checkpoint {
		return open(t, smallDir(t, seed, map[string]string{"tokenizer.json": "", "tokenizer.model": model}))
	}
	if fs := Check([]*Checkpoint{with(1, "x"), with(2, "x")}, nil); len(fs) != 0 {
		t.Errorf("findings: %v", fs)
	}
	wantError(t, Check([]*Checkpoint{with(1, "x"), with(2, "y")}, nil).Err(), "tokenizer file differs")
}

// TestCheckTensors changes the tensors of the second parent.
func TestCheckTensors(t *testing.T) {
	base := smallTensors(2, BF16)
	edit := func(i int, f ...fake) []fake {
		return append(append(append([]fake{}, base[:i]...), f...), base[i+1:]...)
	}
	for _, c := range []struct {
		tensors              []fake
		severity, code, says string
	}{
		{edit(5), Refuse, "tensor-names", "no tensor model.norm.weight"},
		{append(edit(5, base[5]), noise("extra", BF16, 1, 2)), Refuse, "tensor-names", "tensor extra is not in"},
		{edit(0), Refuse, "tied-embeddings", "no lm_head.weight"},
		{edit(1, noise(base[1].name, BF16, 1, 4, 8)), Refuse, "shape", "model.embed_tokens.weight has shape [4 8], but [3 8]"},
		{edit(5, fake{base[5].name, I8, []int64{8}, make([]byte, 8)}), Refuse, "dtype", "model.norm.weight is I8, but BF16"},
		{edit(5, noise(base[5].name, F32, 1, 8)), Note, "mixed-dtypes", "1 tensors"},
		{append(edit(5, base[5]), fake{"x.qweight", I32, []int64{1}, make([]byte, 4)}), Refuse, "quantised", "x.qweight is quantised (I32)"},
	} {
		other := open(t, directory(t, nil, c.tensors...))
		if fs := Check([]*Checkpoint{small(t, 1), other}, nil); !has(fs, c.severity, c.code, c.says) {
			t.Errorf("no %s %s with %q in %v", c.severity, c.code, c.says, fs)
		}
	}
	without := open(t, directory(t, nil, edit(0)...))
	if fs := Check([]*Checkpoint{without, small(t, 1)}, nil); !has(fs, Refuse, "tied-embeddings", "has lm_head.weight, but") {
		t.Errorf("findings: %v", fs)
	}
}

func TestCheckPackedFloats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	write(t, path, withHeader(`{"w":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]},"v":{"dtype":"F4","shape":[2],"data_offsets":[4,5]}}`, make([]byte, 5)))
	c := open(t, path)
	fs := Check([]*Checkpoint{c}, nil)
	if !has(fs, Refuse, "quantised", "w is quantised (F8_E4M3)") || !has(fs, Refuse, "quantised", "v is quantised (F4)") {
		t.Errorf("findings: %v", fs)
	}
	_, err := Scan(t.Context(), c)
	if err != nil {
		t.Error(err)
	}
}

// TestCheckFindsAllAtOnce: three faults of one parent are all reported, and
// hundreds of one kind are counted.
func TestCheckFindsAllAtOnce(t *testing.T) {
	many := []fake{noise("lm_head.weight", BF16, 1, 4, 8)}
	for i := range 20 {
		many = append(many, noise(fmt.Sprintf("n%d", i), BF16, 1, 2))
	}
	other := open(t, directory(t, map[string]string{"config.json": strings.Replace(smallConfig, "llama", "x", 1)}, many...))
	fs := Check([]*Checkpoint{small(t, 1), other}, nil)
	for _, code := range []string{"architecture", "shape", "tensor-names"} {
		if !has(fs, Refuse, code, "") {
			t.Errorf("no %s in %v", code, fs)
		}
	}
	if !has(fs, Refuse, "tensor-names", `12 more tensors with the finding "tensor-names"`) {
		t.Errorf("not counted: %v", fs)
	}
	wantError(t, fs.Err(), other.Path(), fmt.Sprintf("(and %d more)", len(fs)-1))
	if hint(fs.Err()) == "" {
		t.Error("no remedy")
	}
}

func TestCheckBaseIsSofter(t *testing.T) {
	base := open(t, smallDir(t, 2, map[string]string{"tokenizer_config.json": strings.Replace(smallTokConfig, "<end>", "a", 1)}))
	fs := Check([]*Checkpoint{small(t, 1)}, base)
	if fs.Err() != nil || !has(fs, Warn, "special-tokens", "eos_token") {
		t.Errorf("findings: %v", fs)
	}
	wantError(t, Check([]*Checkpoint{small(t, 1)}, open(t, directory(t, nil, noise("x", BF16, 1, 2)))).Err(), "no lm_head.weight")
}

func TestCheckTwins(t *testing.T) {
	fs := Check([]*Checkpoint{small(t, 1), small(t, 2), small(t, 1)}, small(t, 2))
	if n := len(fs); n != 2 || fs[0].Code != "identical-parents" || fs[0].Severity != Note {
		t.Errorf("findings: %v", fs)
	}
}

func TestCheckRouters(t *testing.T) {
	c := open(t, directory(t, nil, noise("model.layers.0.mlp.gate.weight", BF16, 1, 2), noise("model.layers.0.mlp.experts.0.up_proj.weight", BF16, 1, 2)))
	if fs := Check([]*Checkpoint{c}, nil); !has(fs, Warn, "moe-routers", "mlp.gate.weight") {
		t.Errorf("findings: %v", fs)
	}
}

func TestCheckGGUF(t *testing.T) {
	with := func(key string, value any) *Checkpoint {
		kvs := append([]ggufValue{}, smallKVs...)
		for i := range kvs {
			if kvs[i].key == key {
				kvs[i].value = value
			}
		}
		return open(t, write(t, filepath.Join(t.TempDir(), "m.gguf"), ggufBytes(kvs, ggufTensors(2)...)))
	}
	first := smallGGUF(t, 1)
	for _, c := range []struct {
		other                *Checkpoint
		severity, code, says string
	}{
		{with("llama.block_count", uint32(2)), Refuse, "architecture", "llama.block_count is 2, but 1"},
		{with("tokenizer.ggml.tokens", []string{"a", "b", "<end>"}), Refuse, "vocabulary", `id 1 is "b" but " b"`},
		{with("tokenizer.ggml.merges", []string{"b a"}), Warn, "tokenizer", "merges"},
		{with("tokenizer.ggml.eos_token_id", uint32(1)), Refuse, "special-tokens", "eos_token_id is 1"},
		{with("tokenizer.chat_template", "{{y}}"), Warn, "chat-template", "differs"},
		{small(t, 1), Refuse, "format", "a safetensors checkpoint"},
	} {
		if fs := Check([]*Checkpoint{first, c.other}, nil); !has(fs, c.severity, c.code, c.says) {
			t.Errorf("no %s %s with %q in %v", c.severity, c.code, c.says, fs)
		}
	}
	q := open(t, write(t, filepath.Join(t.TempDir(), "q.gguf"), ggufBytes(smallKVs, fake{"q", Quantised, []int64{32}, make([]byte, 34)})))
	wantError(t, Check([]*Checkpoint{q, q}, nil).Err(), "tensor q is quantised (Q8_0)")
}

func TestScan(t *testing.T) {
	inf, nan := []byte{0x80, 0x7f}, []byte{0xc1, 0xff}
	bad := fake{"bad", BF16, []int64{4}, append(append(append([]byte{}, inf...), nan...), append(inf, 0, 0)...)}
	half := fake{"half", F16, []int64{2}, []byte{0, 0xfc, 1, 0x7c}}
	full := fake{"full", F32, []int64{2}, []byte{0, 0, 0x80, 0xff, 0, 0, 0xc0, 0x7f}}
	ids := fake{"ids", I32, []int64{1}, []byte{0xff, 0xff, 0xff, 0xff}}
	c := open(t, directory(t, nil, bad, half, full, ids, noise("good", BF16, 1, 3*maxTile)))
	fs, err := Scan(t.Context(), c)
	if err != nil || len(fs) != 3 {
		t.Fatalf("%v, %v", fs, err)
	}
	for i, says := range []string{"bad holds 1 NaN and 2 infinite values of 4", "half holds 1 NaN and 1", "full holds 1 NaN and 1"} {
		if !strings.Contains(fs[i].Message, says) || fs[i].Severity != Warn || fs[i].Tensor == "" {
			t.Errorf("%+v, want %q", fs[i], says)
		}
	}
	c.Close()
	_, err = Scan(t.Context(), c)
	wantError(t, err, "closed")
}
