package convert

import (
	"fmt"
	"slices"

	"soup/merge/internal/remedy"
)

// architecture is how one kind of model is written as GGUF.
type architecture struct {
	name      string            // general.architecture
	layer     map[string]string // names within a layer, without .weight and .bias
	rotate    bool              // rows of attn_q and attn_k are reordered, see rotated
	shift     bool              // norms are stored less one: they are written plus one
	tied      bool              // tie_word_embeddings, where config.json does not say
	alwaysTie bool              // readers know no output tensor
	scalings  []string          // kinds of rope scaling that readers implement
	experts   bool
	extra     func(k *keys) error // keys beyond the common ones
}

// with returns the names of a layer, with some more or others.
func with(base map[string]string, more ...string) map[string]string {
	names := map[string]string{}
	for from, to := range base {
		names[from] = to
	}
	for i := 0; i < len(more); i += 2 {
		names[more[i]] = more[i+1]
	}
	return names
}

var (
	plainLayer = map[string]string{
		"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
		"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
		"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
	}
	normedHeads = []string{"self_attn.q_norm", "attn_q_norm", "self_attn.k_norm", "attn_k_norm"}
	gemma2Layer = with(plainLayer, "post_attention_layernorm", "post_attention_norm",
		"pre_feedforward_layernorm", "ffn_norm", "post_feedforward_layernorm", "post_ffw_norm")
	olmo2Layer = with(plainLayer, "post_attention_layernorm", "post_attention_norm", "post_feedforward_layernorm", "post_ffw_norm")
)

// architectures are those that this package writes itself. Tensor names are
// those of https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/tensor_mapping.py
var architectures = map[string]architecture{
	"LlamaForCausalLM":    {name: "llama", layer: plainLayer, rotate: true, scalings: []string{"linear", "llama3", "yarn"}, extra: llamaKeys},
	"MistralForCausalLM":  {name: "llama", layer: plainLayer, rotate: true, scalings: []string{"linear", "yarn"}, extra: llamaKeys},
	"Qwen2ForCausalLM":    {name: "qwen2", layer: plainLayer, scalings: []string{"linear", "yarn"}, extra: windowKeys},
	"Qwen3ForCausalLM":    {name: "qwen3", layer: with(plainLayer, normedHeads...), scalings: []string{"linear", "yarn"}, extra: windowKeys},
	"Qwen3MoeForCausalLM": {name: "qwen3moe", layer: with(plainLayer, append(normedHeads, "mlp.gate", "ffn_gate_inp")...), experts: true, scalings: []string{"yarn"}, extra: qwen3moeKeys},
	"GemmaForCausalLM":    {name: "gemma", layer: plainLayer, shift: true, tied: true, alwaysTie: true},
	"Gemma2ForCausalLM":   {name: "gemma2", layer: gemma2Layer, shift: true, tied: true, alwaysTie: true, extra: gemma2Keys},
	"Gemma3ForCausalLM":   {name: "gemma3", layer: with(gemma2Layer, normedHeads...), shift: true, tied: true, scalings: []string{"linear"}, extra: gemma3Keys},
	"Olmo2ForCausalLM":    {name: "olmo2", layer: olmo2With(normedHeads), scalings: []string{"linear", "yarn"}},
}

// olmo2With leaves out input_layernorm, which OLMo 2 does not have.
func olmo2With(names []string) map[string]string {
	layer := with(olmo2Layer, names...)
	delete(layer, "input_layernorm")
	return layer
}

// shape is what the tensors of a model are checked against.
type shape struct {
	layers, hidden, heads, kvHeads, head, vocabulary, experts uint32
}

// keys collects the metadata of a model.
type keys struct {
	name   string // general.architecture
	config config
	shape  shape
	rope   rope
	metadata
	err error // the first
}

func (k *keys) set(key string, v any) { k.metadata[key] = v }

func (k *keys) whole(key string, v uint32) { k.set(k.name+"."+key, v) }

func (k *keys) float(key string, v float64) { k.set(k.name+"."+key, float32(v)) }

// need reads a number of config.json that has no sensible default.
func (k *keys) need(name string) uint32 {
	v, err := k.config.whole(name, 0)
	if err == nil && v == 0 {
		err = remedy.Errorf("take config.json from the model's page", "config.json: no %s", name)
	}
	return k.take(v, err)
}

// may reads a number that has a default.
func (k *keys) may(name string, otherwise uint32) uint32 {
	return k.take(k.config.whole(name, otherwise))
}

func (k *keys) take(v uint32, err error) uint32 {
	if k.err == nil {
		k.err = err
	}
	return v
}

func (k *keys) number(name string, otherwise float64) float64 {
	v, err := k.config.float(name, otherwise)
	if k.err == nil {
		k.err = err
	}
	return v
}

// modelKeys writes every key that an architecture needs, defaults included: a
// reader's own default may be another.
func modelKeys(a architecture, c config) (*keys, error) {
	k := &keys{name: a.name, config: c, metadata: metadata{architectureKey: a.name, "general.type": "model", "general.quantization_version": uint32(2)}}
	s := &k.shape
	s.layers, s.hidden, s.heads = k.need("num_hidden_layers"), k.need("hidden_size"), k.need("num_attention_heads")
	s.kvHeads = k.may("num_key_value_heads", s.heads)
	if k.err != nil {
		return nil, k.err
	}
	s.head = k.may("head_dim", s.hidden/s.heads)
	if a.name == "gemma" || a.name == "gemma2" || a.name == "gemma3" {
		s.head = k.may("head_dim", 256) // transformers' default there
	}
	k.whole("block_count", s.layers)
	k.whole("context_length", k.need("max_position_embeddings"))
	k.whole("embedding_length", s.hidden)
	k.whole("feed_forward_length", k.need("intermediate_size"))
	k.whole("attention.head_count", s.heads)
	k.whole("attention.head_count_kv", s.kvHeads)
	k.whole("attention.key_length", s.head)
	k.whole("attention.value_length", s.head)
	k.whole("rope.dimension_count", s.head)
	k.float("attention.layer_norm_rms_epsilon", k.number("rms_norm_eps", 1e-6))
	if k.err != nil {
		return nil, k.err
	}
	return k, k.finish(a)
}

// finish writes rope and the keys of the architecture's own.
func (k *keys) finish(a architecture) (err error) {
	theta, local := 1e4, 0.0
	if a.name == "gemma3" {
		theta, local = 1e6, 1e4 // transformers' defaults there
	}
	if k.rope, err = readRope(k.config, theta, local); err != nil {
		return err
	}
	if k.rope.kind != "default" && !slices.Contains(a.scalings, k.rope.kind) {
		return remedy.Errorf(elsewhere, "config.json: %s of a %s model is not converted: readers of GGUF do not implement it", k.rope, a.name)
	}
	if err := k.activation(); err != nil {
		return err
	}
	k.rope.keys(k)
	if a.extra != nil {
		err = a.extra(k)
	}
	if err == nil {
		err = k.err
	}
	return err
}

// activation refuses a gate function other than the architecture's: readers do
// not ask.
func (k *keys) activation() error {
	want := []string{"silu", "swish"}
	if k.name == "gemma" || k.name == "gemma2" || k.name == "gemma3" {
		want = []string{"gelu_pytorch_tanh", "gelu"} // Gemma's code says tanh whatever the first configurations say
	}
	act := k.config.text("hidden_activation")
	if act == "" {
		act = k.config.text("hidden_act")
	}
	if act != "" && !slices.Contains(want, act) {
		return remedy.Errorf(elsewhere, "config.json: activation %q; readers of GGUF compute %s for %s", act, want[0], k.name)
	}
	return nil
}

func llamaKeys(k *keys) error { return windowKeys(k) }

// windowKeys ends the context where a sliding window would begin to matter:
// readers of these architectures attend to everything.
func windowKeys(k *keys) error {
	if !k.config.has("sliding_window") || !k.config.flag("use_sliding_window", k.config.text("model_type") == "mistral") {
		return nil
	}
	window := k.may("sliding_window", 0)
	if length := k.metadata[k.name+".context_length"].(uint32); window > 0 && window < length {
		k.whole("context_length", window)
	}
	return nil
}

// qwen3moeKeys: readers take experts in every layer and normalise the shares of
// the chosen ones.
func qwen3moeKeys(k *keys) error {
	k.shape.experts = k.may("num_experts", 128)
	if k.may("decoder_sparse_step", 1) != 1 || len(k.config.texts("mlp_only_layers")) > 0 {
		return remedy.Errorf(elsewhere, "config.json: a qwen3_moe model with layers without experts is not converted")
	}
	if !k.config.flag("norm_topk_prob", false) {
		return remedy.Errorf(elsewhere, "config.json: norm_topk_prob is false; readers of GGUF normalise")
	}
	k.whole("expert_count", k.shape.experts)
	k.whole("expert_used_count", k.may("num_experts_per_tok", 8))
	k.whole("expert_feed_forward_length", k.need("moe_intermediate_size"))
	k.set(k.name+".norm_top_k_prob", true)
	return windowKeys(k)
}

func gemma2Keys(k *keys) error {
	for key, name := range map[string]string{"attn_logit_softcapping": "attn_logit_softcapping", "final_logit_softcapping": "final_logit_softcapping"} {
		v := k.number(name, 0)
		if v <= 0 {
			return remedy.Errorf(elsewhere, "config.json: no %s; readers of GGUF cannot leave it out of a gemma2 model", name)
		}
		k.float(key, v)
	}
	if err := k.scaledByHead(46); err != nil {
		return err
	}
	return k.window(2)
}

func gemma3Keys(k *keys) error {
	if k.rope.local != 1e4 {
		return remedy.Errorf(elsewhere, "config.json: rope_local_base_freq %g; readers of GGUF use 10000", k.rope.local)
	}
	k.float("rope.local.freq_base", k.rope.local)
	for _, name := range []string{"attn_logit_softcapping", "final_logit_softcapping"} {
		if k.number(name, 0) != 0 {
			return remedy.Errorf(elsewhere, "config.json: %s of a gemma3 model is not converted", name)
		}
	}
	if err := k.scaledByHead(62); err != nil {
		return err
	}
	return k.window(6)
}

// scaledByHead refuses another scale of the attention than readers compute:
// by the width of a head, or, at the layer count of the 27B model, by hidden
// size over heads.
func (k *keys) scaledByHead(large uint32) error {
	by := float64(k.shape.head)
	if k.shape.layers == large {
		by = float64(k.shape.hidden / k.shape.heads)
	}
	if q := k.number("query_pre_attn_scalar", 256); q != by {
		return remedy.Errorf(elsewhere, "config.json: query_pre_attn_scalar %g; readers of GGUF compute %g for this model", q, by)
	}
	return nil
}

// window writes the sliding window, which readers apply to all but every n-th
// layer, and refuses another order of layers.
func (k *keys) window(n int) error {
	pattern := k.may("sliding_window_pattern", k.may("_sliding_window_pattern", uint32(n)))
	kinds := k.config.texts("layer_types")
	for i := range int(k.shape.layers) {
		slides := (i+1)%n != 0
		given := (i+1)%int(max(1, pattern)) != 0
		if len(kinds) > 0 {
			given = i < len(kinds) && kinds[i] == "sliding_attention"
		}
		if given != slides {
			return remedy.Errorf(elsewhere, "config.json: layer %d: readers of GGUF give every %d-th layer of a %s model full attention", i, n, k.name)
		}
	}
	k.whole("attention.sliding_window", k.need("sliding_window"))
	return nil
}

// String names the architecture.
func (a architecture) String() string { return fmt.Sprintf("architecture %s", a.name) }
