package adapter

import (
	"fmt"
	"slices"
	"strings"

	"soup/merge"
)

func (a *Adapter) add(severity, code, tensor, remedy, format string, args ...any) {
	a.found = append(a.found, a.finding(severity, code, tensor, remedy, format, args...))
}

func (a *Adapter) refuse(code, tensor, remedy, format string, args ...any) {
	a.add(merge.Refuse, code, tensor, remedy, format, args...)
}

func (a *Adapter) finding(severity, code, tensor, remedy, format string, args ...any) merge.Finding {
	return merge.Finding{Code: code, Severity: severity, Parent: a.dir, Tensor: tensor, Message: fmt.Sprintf(format, args...), Remedy: remedy}
}

// perCode is how many findings of one code are given one by one; the rest is
// counted.
const perCode = 8

// refuseEach refuses tensors.
func (a *Adapter) refuseEach(code string, tensors []string, remedy string, message func(tensor string) string) {
	for i, t := range tensors {
		if i == perCode {
			a.refuse(code, "", remedy, "%d more tensors with the finding %q", len(tensors)-perCode, code)
			return
		}
		a.refuse(code, t, remedy, "%s", message(t))
	}
}

const bakeWithPEFT = "merge it into its base with PEFT (merge_and_unload) and average the checkpoints"

// variants are options that make the change something else than s*B*A, or that
// change more than weight matrices.
var variants = []struct{ option, is string }{
	{"use_dora", "DoRA scales the columns of base and change together"},
	{"use_qalora", "QALoRA pools the inputs of A"},
	{"use_bdlora", "BD-LoRA stores blocks of A or B"},
	{"alora_invocation_tokens", "aLoRA changes the model after some tokens only"},
	{"arrow_config", "Arrow routes tokens to adapters"},
	{"kasa_config", "KaSA changes the base too"},
	{"monteclora_config", "MonteCLoRA draws its change at random"},
	{"layer_replication", "it repeats layers of the base"},
	{"target_parameters", "parameters outside of linear layers are not read"},
}

// rebased are values of init_lora_weights that change the base when the adapter
// is made, and again when PEFT loads it: the change is relative to that base.
// Source: update_layer in src/peft/tuners/lora/layer.py of PEFT 0.21.2.
var rebased = []string{"pissa", "olora", "corda", "loftq", "lora_ga"}

// inspectConfig finds what no soup is made of.
func (a *Adapter) inspectConfig() {
	c := a.config
	if c.peftType != "LORA" {
		a.refuse("peft-type", "", "give LoRA adapters; "+bakeWithPEFT, "peft_type is %q, not LORA", c.peftType)
	}
	for _, v := range variants {
		if c.set(v.option) {
			a.refuse("variant", "", bakeWithPEFT, "%s is set: %s", v.option, v.is)
		}
	}
	if method := strings.ToLower(c.text("init_lora_weights")); slices.ContainsFunc(rebased, func(r string) bool { return strings.HasPrefix(method, r) }) {
		a.refuse("initialisation", "", "save it with path_initial_model_for_weight_conversion, which makes it plain LoRA",
			"init_lora_weights is %q: the adapter belongs to a base that PEFT changed", method)
	}
	if c.bias != "none" || c.set("lora_bias") {
		a.refuse("bias", "", bakeWithPEFT, "biases were trained (bias is %q)", c.bias)
	}
	for _, option := range []string{"modules_to_save", "trainable_token_indices"} {
		if c.set(option) {
			a.refuse("saved-weights", "", bakeWithPEFT, "%s is set: it holds trained weights that are no LoRA", option)
		}
	}
	for _, key := range slices.Concat(c.ranks.broken, c.alphas.broken) {
		a.refuse("pattern", "", "write the modules out: one full name a line", "rank_pattern or alpha_pattern: %q is not a regular expression that is understood here", key)
	}
	a.unknownOptions()
}

// harmless are the other options of LoraConfig: they say where adapters are
// attached, how they were initialised and trained, or where they are kept.
var harmless = strings.Fields(`alpha_pattern auto_mapping base_model_name_or_path bias corda_config ensure_weight_tying
	eva_config exclude_modules fan_in_fan_out inference_mode init_lora_weights layers_pattern layers_to_transform loftq_config lora_alpha
	lora_bias lora_dropout lora_ga_config megatron_config megatron_core modules_to_save peft_type peft_version qalora_group_size r rank_pattern
	revision runtime_config target_modules task_type trainable_token_indices use_rslora velora_config`)

// unknownOptions warns of options that are set and that nobody here has heard
// of: they may change what B*A means.
func (a *Adapter) unknownOptions() {
	var unknown []string
	for option := range a.config.all {
		known := slices.Contains(harmless, option)
		for _, v := range variants {
			known = known || v.option == option
		}
		if !known && a.config.set(option) {
			unknown = append(unknown, option)
		}
	}
	if slices.Sort(unknown); len(unknown) > 0 {
		a.add(merge.Warn, "unknown-option", "", "look up what the options do", "%s sets options that are not known here: %q", configName, unknown)
	}
}

// foreign refuses tensors that are not A or B of a linear layer.
func (a *Adapter) foreign(tensors []string) {
	kinds := []struct{ part, code, is, remedy string }{
		{".lora_embedding_", "embedding", "changes an embedding", bakeWithPEFT},
		{".lora_magnitude_vector", "variant", "belongs to DoRA", bakeWithPEFT},
		{".lora_B.bias", "bias", "is a trained bias", bakeWithPEFT},
		{".base_layer.", "saved-weights", "is a copy of the base's weights", "save the adapter with save_embedding_layers=False if they were not trained; if they were, " + bakeWithPEFT},
		{"", "saved-weights", "is not part of a LoRA change", bakeWithPEFT},
	}
	groups := make([][]string, len(kinds))
	for _, t := range tensors {
		i := slices.IndexFunc(kinds, func(k struct{ part, code, is, remedy string }) bool { return strings.Contains(t, k.part) })
		groups[i] = append(groups[i], t)
	}
	for i, k := range kinds {
		a.refuseEach(k.code, groups[i], k.remedy, func(t string) string { return fmt.Sprintf("tensor %s %s", t, k.is) })
	}
}
