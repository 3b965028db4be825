package adapter

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/merge"
)

// Every option that makes an adapter unfit, by the code it is refused with.
func TestRefusedOptions(t *testing.T) {
	for _, c := range []struct {
		option string
		value  any
		code   string
	}{
		{"peft_type", "IA3", "peft-type"},
		{"peft_type", nil, "peft-type"},
		{"peft_type", "LOHA", "peft-type"},
		{"use_dora", true, "variant"},
		{"use_qalora", true, "variant"},
		{"use_bdlora", options{"nblocks": 2}, "variant"},
		{"alora_invocation_tokens", []int{5}, "variant"},
		{"arrow_config", options{"top_k": 3}, "variant"},
		{"kasa_config", options{"beta": 1}, "variant"},
		{"monteclora_config", options{"num_samples": 8}, "variant"},
		{"layer_replication", [][]int{{0, 2}, {1, 3}}, "variant"},
		{"target_parameters", []string{"mlp.experts.gate_up_proj"}, "variant"},
		{"init_lora_weights", "pissa", "initialisation"},
		{"init_lora_weights", "pissa_niter_16", "initialisation"},
		{"init_lora_weights", "OLoRA", "initialisation"},
		{"init_lora_weights", "corda", "initialisation"},
		{"init_lora_weights", "loftq", "initialisation"},
		{"init_lora_weights", "lora_ga", "initialisation"},
		{"bias", "all", "bias"},
		{"bias", "lora_only", "bias"},
		{"lora_bias", true, "bias"},
		{"modules_to_save", []string{"lm_head"}, "saved-weights"},
		{"trainable_token_indices", []int{1}, "saved-weights"},
		{"trainable_token_indices", options{"embed_tokens": []int{1}}, "saved-weights"},
		{"rank_pattern", options{"q(?=x)": 2}, "pattern"},
		{"alpha_pattern", options{"(": 2}, "pattern"},
		{"r", 3, "rank"},
		{"rank_pattern", options{"q": 9}, "rank"},
	} {
		found := check(t, small(t, 1, options{c.option: c.value}))
		wantFinding(t, found, merge.Refuse, c.code, "")
		if got := codes(found); len(got) != 1 {
			t.Errorf("%s = %v: %v", c.option, c.value, got)
		}
	}
}

// Options that change nothing about B*A pass, also as PEFT writes what is unset.
func TestAcceptedOptions(t *testing.T) {
	accepted := options{
		"use_dora": false, "init_lora_weights": "gaussian", "modules_to_save": []string{}, "loftq_config": options{}, "target_modules": "all-linear",
		"layers_to_transform": []int{1}, "lora_dropout": 0.1, "rank_pattern": options{"none": 3}, "megatron_core": "megatron.core", "corda_config": nil,
		"exclude_modules": "x", "revision": "main", "qalora_group_size": 16,
	}
	for option, value := range accepted {
		if found := check(t, small(t, 1, options{option: value})); len(found) > 0 {
			t.Errorf("%s: %v", option, found)
		}
	}
	wantFinding(t, check(t, small(t, 1, options{"use_new_thing": true, "other": 1, "unset": false})), merge.Warn, "unknown-option", `["other" "use_new_thing"]`)
}

func TestRefusedTensors(t *testing.T) {
	good := pair("l.0.q", 1, 6, 5, 2)
	with := func(more ...fake) []fake { return append(slices.Clone(good), more...) }
	for _, c := range []struct {
		code, says string
		tensors    []fake
	}{
		{"embedding", "changes an embedding", with(noise(prefix+"emb.lora_embedding_A", merge.F32, 1, 2, 9))},
		{"variant", "belongs to DoRA", with(noise(prefix+"l.0.q.lora_magnitude_vector.weight", merge.F32, 1, 5))},
		{"bias", "is a trained bias", with(noise(prefix+"l.0.q.lora_B.bias", merge.F32, 1, 5))},
		{"saved-weights", "is a copy of the base's", with(noise(prefix+"model.embed_tokens.base_layer.weight", merge.F32, 1, 9, 6))},
		{"saved-weights", "is not part of a LoRA", with(noise(prefix+"score.weight", merge.F32, 1, 2, 6))},
		{"tensor-names", "no lora_A and lora_B", nil},
		{"tensor-names", "has no counterpart", good[:1]},
		{"dtype", "is U8", with(noise(tensorA("z"), merge.U8, 1, 2, 6), noise(tensorB("z"), merge.F32, 1, 5, 2))},
		{"shape", "is not that of a matrix", []fake{{good[0].name, merge.F32, []int64{2, 2, 3}, good[0].values}, good[1]}},
		{"shape", "has shape [5 3], but", []fake{good[0], noise(good[1].name, merge.F32, 1, 5, 3)}},
	} {
		wantFinding(t, check(t, open(t, directory(t, nil, c.tensors...))), merge.Refuse, c.code, c.says)
	}
	var many []fake
	for i := range 20 {
		many = append(many, noise(fmt.Sprintf("%sl.%d.lora_embedding_A", prefix, i), merge.F32, 1, 2))
	}
	found := check(t, open(t, directory(t, nil, with(many...)...)))
	wantFinding(t, found, merge.Refuse, "embedding", "12 more tensors")
	if len(found) != perCode+1 {
		t.Errorf("%d findings", len(found))
	}
}

// What two adapters have against each other.
func TestCompare(t *testing.T) {
	first := small(t, 1, nil)
	for _, c := range []struct {
		more                 options
		severity, code, says string
	}{
		{options{"base_model_name_or_path": "org/other"}, merge.Refuse, "base-model", `its base is "org/other", but "org/base"`},
		{options{"base_model_name_or_path": "mirror/Base"}, merge.Warn, "base-model", `"mirror/Base"`},
		{options{"base_model_name_or_path": "org/base-unsloth-bnb-4bit"}, merge.Warn, "base-model", "4bit"},
		{options{"base_model_name_or_path": "/hub/models--org--base/snapshots/0a1b"}, merge.Warn, "base-model", "0a1b"},
		{options{"base_model_name_or_path": nil}, merge.Warn, "base-model", `its base is ""`},
		{options{"revision": "v2"}, merge.Warn, "base-model", `"v2"`},
		{options{"task_type": "SEQ_CLS"}, merge.Warn, "task-type", "SEQ_CLS"},
		{options{"fan_in_fan_out": true}, merge.Refuse, "fan-in-fan-out", "true, but false"},
	} {
		found := check(t, first, small(t, 2, c.more))
		wantFinding(t, found, c.severity, c.code, c.says)
		if len(found) != 1 {
			t.Errorf("%v: %v", c.more, found)
		}
	}
	if found := check(t, first, small(t, 2, nil)); len(found) > 0 {
		t.Errorf("%v", found)
	}
	wantFinding(t, check(t), merge.Refuse, "adapters", "no adapters")
	other := open(t, directory(t, nil, pair("l.0.q", 1, 7, 5, 2)...))
	wantFinding(t, check(t, first, other), merge.Refuse, "shape", "maps 7 values to 5, but 6 to 5")
	wide := open(t, directory(t, options{"r": 4}, slices.Concat(pair("l.0.q", 1, 6, 5, 4), pair("l.1.q", 1, 6, 5, 4))...))
	found := check(t, first, wide)
	wantFinding(t, found, merge.Note, "modules", "1 modules: l.1.q")
	wantFinding(t, found, merge.Note, "rank", "1 modules: l.0.q")
	if found.Err() != nil {
		t.Error(found.Err())
	}
}

// Bases at two local paths are compared by content, whatever they are called.
func TestLocalBases(t *testing.T) {
	files := map[string]string{"tokenizer.json": "{}"}
	one, same := smallBase(t, merge.BF16, nil), smallBase(t, merge.BF16, files)
	cut := smallBase(t, merge.BF16, nil)
	safetensors(t, filepath.Join(cut, "model.safetensors"), noise("l.0.q.weight", merge.BF16, 91, 5, 6))
	other := smallBase(t, merge.BF16, nil)
	safetensors(t, filepath.Join(other, "model.safetensors"), noise("l.0.norm.weight", merge.BF16, 90, 6), noise("l.0.q.weight", merge.BF16, 92, 5, 6))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(one, link); err != nil {
		t.Fatal(err)
	}
	first := small(t, 1, options{"base_model_name_or_path": one})
	for path, tensor := range map[string]string{one: "", same: "", link: "", other: "l.0.q.weight", cut: "l.0.norm.weight", smallBase(t, merge.F32, nil): "l.0.norm.weight"} {
		found := check(t, first, small(t, 2, options{"base_model_name_or_path": path}))
		onBase, err := CheckBase(t.Context(), openBase(t, path), []*Adapter{first})
		if err != nil {
			t.Fatal(err)
		}
		if tensor == "" {
			if len(found) > 0 || onBase.Err() != nil {
				t.Errorf("%s: %v, %v", path, found, onBase)
			}
			continue
		}
		wantFinding(t, found, merge.Refuse, "base-model", "tensor "+tensor+" differs")
		wantFinding(t, onBase, merge.Refuse, "base-model", "tensor "+tensor+" differs")
	}
	ctx, cancel := contextCancelled(t)
	defer cancel()
	_, err := Check(ctx, []*Adapter{first, small(t, 2, options{"base_model_name_or_path": other})})
	wantError(t, err, "canceled")
	_, err = CheckBase(ctx, openBase(t, other), []*Adapter{first})
	wantError(t, err, "canceled")
}

// What speaks against a base.
func TestCheckBase(t *testing.T) {
	of := func(base string, adapters ...*Adapter) merge.Findings {
		t.Helper()
		found, err := CheckBase(t.Context(), openBase(t, base), adapters)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	a := small(t, 1, options{"base_model_name_or_path": "base"})
	good := smallBase(t, merge.BF16, nil)
	if found := of(good, a); found.Err() != nil || len(found) != 1 || found[0].Code != "base-model" || found[0].Severity != merge.Warn {
		t.Errorf("%v", found) // the temporary directory has another name
	}
	head := func(name string) *Adapter { return open(t, directory(t, nil, pair(name, 1, 6, 5, 2)...)) }
	wantFinding(t, of(good, head("l.7.q")), merge.Refuse, "modules", "has no tensor l.7.q.weight")
	wantFinding(t, of(good, head("lm_head")), merge.Refuse, "tied-embeddings", "lm_head")
	tied := smallBase(t, merge.BF16, map[string]string{"config.json": `{"tie_word_embeddings":true}`})
	safetensors(t, filepath.Join(tied, "model.safetensors"), noise("lm_head.weight", merge.BF16, 1, 5, 6))
	wantFinding(t, of(tied, head("lm_head")), merge.Refuse, "tied-embeddings", "lm_head")
	wantFinding(t, of(good, open(t, directory(t, nil, pair("l.0.q", 1, 7, 5, 2)...))), merge.Refuse, "shape", "[5 7]")
	wantFinding(t, of(good, small(t, 1, options{"fan_in_fan_out": true})), merge.Refuse, "fan-in-fan-out", "fan_in_fan_out is true")

	quantised := smallBase(t, merge.BF16, nil)
	safetensors(t, filepath.Join(quantised, "model.safetensors"), noise("l.0.q.weight", merge.U8, 1, 5, 6))
	wantFinding(t, of(quantised, a), merge.Refuse, "dtype", "l.0.q, which is U8")

	var many []fake
	for i := range 20 {
		many = append(many, pair(fmt.Sprintf("x.%d", i), 1, 6, 5, 2)...)
	}
	wantFinding(t, of(good, open(t, directory(t, nil, many...))), merge.Refuse, "modules", "more modules do not fit")

	write(t, filepath.Join(a.Path(), "chat_template.jinja"), []byte("{{x}}"))
	wantFinding(t, of(good, a), merge.Note, "tokenizer", "chat_template.jinja")
	write(t, filepath.Join(good, "chat_template.jinja"), []byte("{{x}}"))
	if found := of(good, a); len(found) != 1 {
		t.Errorf("%v", found)
	}
}

// A GGUF base has other names.
func TestCheckBaseGGUF(t *testing.T) {
	path := filepath.Join(t.TempDir(), "base.gguf")
	write(t, path, []byte("GGUF\x03\x00\x00\x00"+strings.Repeat("\x00", 16)+strings.Repeat("\x00", 8)))
	base, err := merge.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	found, err := CheckBase(t.Context(), base, []*Adapter{small(t, 1, nil)})
	if err != nil {
		t.Fatal(err)
	}
	wantFinding(t, found, merge.Refuse, "format", "gguf")
}
