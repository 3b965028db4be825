package merge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// identity is what a checkpoint says about itself beside its tensors: the
// facts that must be equal for an average to mean anything. Both formats are
// read into the same shape. Values are canonical JSON or plain text; a key
// that is absent was not said.
type identity struct {
	shape     map[string]string // architecture and sizes: differences refuse
	behaviour map[string]string // what else changes the forward pass: differences warn
	special   map[string]string // bos_token, eos_token, ...: differences refuse
	loose     map[string]string // pad_token and the like: differences warn
	tied      string            // "true", "false" or "" for not said
	quantised string            // by what; "" for not
	template  string            // chat template
	tokenizer []byte            // equal bytes mean equal tokenizers
	vocab     func() (vocabulary, error)
}

// vocabulary maps ids to texts. Tokens and merges, 128,000 of each in a Llama
// 3, are parsed only where their bytes differ.
type vocabulary struct {
	rawTokens, rawMerges []byte
	tokens               func() (map[int]string, error)
	merges               func() string
	added                map[int]string
	flags                map[int]string    // of added tokens: special, lstrip, ...
	rules                map[string]string // normalizer, pre_tokenizer, ...: how text is split
}

// Keys of config.json: https://huggingface.co/docs/transformers/main/en/main_classes/configuration
var (
	shapeKeys = []string{
		"architectures", "model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
		"num_key_value_heads", "head_dim", "vocab_size", "num_experts", "num_local_experts", "n_routed_experts",
	}
	behaviourKeys = []string{
		"hidden_act", "rms_norm_eps", "layer_norm_eps", "rope_theta", "rope_scaling", "rope_parameters",
		"sliding_window", "layer_types", "attention_bias", "num_experts_per_tok", "max_position_embeddings",
	}
	specialKeys = []string{"bos_token", "eos_token", "unk_token"}
	looseKeys   = []string{"pad_token", "add_bos_token", "add_eos_token"}
)

// identify reads a checkpoint's identity.
func (c *Checkpoint) identify() (identity, error) {
	if c.gguf != nil {
		return c.gguf.identify(), nil
	}
	id := identity{shape: map[string]string{}, behaviour: map[string]string{}, special: map[string]string{}, loose: map[string]string{}}
	if c.dir == "" {
		return id, nil
	}
	if err := id.readConfig(c.dir); err != nil {
		return id, err
	}
	if err := id.readTokenizerConfig(c.dir); err != nil {
		return id, err
	}
	return id, id.readTokenizer(c.dir)
}

// readConfig reads config.json; the language model's part of a multimodal
// configuration counts where the top level says nothing.
func (id *identity) readConfig(dir string) error {
	var config map[string]json.RawMessage
	if err := readSmallJSON(dir, "config.json", &config); err != nil {
		return err
	}
	text := map[string]json.RawMessage{}
	if raw, ok := config["text_config"]; ok && json.Unmarshal(raw, &text) != nil {
		text = nil
	}
	pick(id.shape, shapeKeys, config, text)
	pick(id.behaviour, behaviourKeys, config, text)
	pick(id.loose, []string{"bos_token_id", "pad_token_id"}, config, text)
	pick(id.special, []string{"eos_token_id"}, config, text)
	tied := map[string]string{}
	pick(tied, []string{"tie_word_embeddings"}, config, text)
	id.tied = tied["tie_word_embeddings"]
	if raw, ok := config["quantization_config"]; ok && string(raw) != "null" {
		var q struct {
			Method string `json:"quant_method"`
		}
		_ = json.Unmarshal(raw, &q) // a block without a readable method is quantised all the same
		id.quantised = strings.TrimSpace("quantization_config " + q.Method)
	}
	return nil
}

// pick copies values in canonical form.
func pick(to map[string]string, keys []string, from, fallback map[string]json.RawMessage) {
	for _, k := range keys {
		raw, ok := from[k]
		if !ok {
			raw, ok = fallback[k]
		}
		if ok && string(raw) != "null" {
			to[k] = canonical(raw)
		}
	}
}

// canonical renders JSON with sorted keys and no blanks.
func canonical(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // or <|end|> would be unreadable
	if enc.Encode(v) != nil {
		return string(raw)
	}
	return strings.TrimSpace(out.String())
}

// readTokenizerConfig reads special tokens and the chat template, which newer
// transformers keep in a file of its own.
func (id *identity) readTokenizerConfig(dir string) error {
	var config map[string]json.RawMessage
	if err := readSmallJSON(dir, "tokenizer_config.json", &config); err != nil {
		return err
	}
	for _, k := range append(slices.Clone(specialKeys), looseKeys...) {
		var token struct {
			Content json.RawMessage `json:"content"`
		}
		if raw, ok := config[k]; ok && json.Unmarshal(raw, &token) == nil && token.Content != nil {
			config[k] = token.Content
		}
	}
	pick(id.special, specialKeys, config, nil)
	pick(id.loose, looseKeys, config, nil)
	id.template = string(config["chat_template"])
	for _, name := range []string{"chat_template.jinja", "chat_template.json"} {
		raw, err := readSmall(dir, name)
		if err != nil {
			return err
		}
		if raw != nil {
			id.template = string(raw)
		}
	}
	return nil
}

// readTokenizer takes the first tokenizer file there is; only tokenizer.json
// can say which tokens differ.
func (id *identity) readTokenizer(dir string) error {
	for _, name := range []string{"tokenizer.json", "tokenizer.model", "spiece.model", "tekken.json", "vocab.json", "vocab.txt"} {
		raw, err := readSmall(dir, name)
		if err != nil {
			return err
		}
		if raw == nil {
			continue
		}
		id.tokenizer = raw
		if name == "tokenizer.json" {
			id.vocab = sync.OnceValues(func() (vocabulary, error) { return parseTokenizer(filepath.Join(dir, name), raw) })
		}
		return nil
	}
	return nil
}

// parseTokenizer reads the format of the tokenizers library:
// https://huggingface.co/docs/tokenizers/main/en/api/tokenizer
func parseTokenizer(path string, raw []byte) (vocabulary, error) {
	v := vocabulary{added: map[int]string{}, flags: map[int]string{}, rules: map[string]string{}}
	var top, model map[string]json.RawMessage
	var added []map[string]any
	if err := json.Unmarshal(raw, &top); err != nil {
		return v, fmt.Errorf("%s: broken JSON: %w", path, err)
	}
	for key, to := range map[string]any{"model": &model, "added_tokens": &added} {
		if part, ok := top[key]; ok {
			if err := json.Unmarshal(part, to); err != nil {
				return v, fmt.Errorf("%s: %s: broken JSON: %w", path, key, err)
			}
		}
	}
	for _, token := range added {
		id, _ := token["id"].(float64)
		content, _ := token["content"].(string)
		delete(token, "id")
		delete(token, "content")
		v.added[int(id)], v.flags[int(id)] = content, fmt.Sprint(token)
	}
	pick(v.rules, []string{"normalizer", "pre_tokenizer", "post_processor", "decoder"}, top, nil)
	pick(v.rules, []string{"type", "byte_fallback", "ignore_merges", "unk_token"}, model, nil)
	v.rawTokens, v.rawMerges = model["vocab"], model["merges"]
	v.merges = sync.OnceValue(func() string { return plainMerges(v.rawMerges) })
	v.tokens = sync.OnceValues(func() (map[int]string, error) {
		tokens, err := parseVocab(v.rawTokens)
		if err != nil {
			err = fmt.Errorf("%s: model.vocab: %w", path, err)
		}
		return tokens, err
	})
	return v, nil
}

// plainMerges joins merges of either form, "a b" or ["a","b"]: newer versions
// of the library write the same merges the second way.
func plainMerges(raw json.RawMessage) string {
	var pairs [][]string
	if json.Unmarshal(raw, &pairs) != nil {
		var lines []string
		_ = json.Unmarshal(raw, &lines) // no merges: an empty list
		return strings.Join(lines, "\n")
	}
	lines := make([]string, len(pairs))
	for i, p := range pairs {
		lines[i] = strings.Join(p, " ")
	}
	return strings.Join(lines, "\n")
}

// parseVocab reads {"text": id} (BPE, WordPiece) or [["text", score]] (Unigram).
func parseVocab(raw json.RawMessage) (map[int]string, error) {
	tokens := map[int]string{}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		var list [][]any
		err := json.Unmarshal(raw, &list)
		for id, item := range list {
			tokens[id] = fmt.Sprint(item...)
		}
		return tokens, err
	}
	var ids map[string]int
	err := json.Unmarshal(raw, &ids)
	for text, id := range ids {
		tokens[id] = text
	}
	return tokens, err
}

// identify reads a GGUF header's metadata:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#standardized-key-value-pairs
func (f *ggufFacts) identify() identity {
	id := identity{shape: map[string]string{}, behaviour: map[string]string{}, special: map[string]string{}, loose: map[string]string{}}
	arch := f.values["general.architecture"]
	id.shape["general.architecture"] = arch
	for k, v := range f.values {
		rest, ours := strings.CutPrefix(k, arch+".")
		if ours && slices.Contains([]string{
			"embedding_length", "feed_forward_length", "block_count", "attention.head_count", "attention.head_count_kv",
			"attention.key_length", "attention.value_length", "vocab_size", "expert_count",
		}, rest) {
			id.shape[k] = v
		} else if ours {
			id.behaviour[k] = v
		}
		switch k {
		case "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.unknown_token_id":
			id.special[k] = v
		case "tokenizer.ggml.padding_token_id", "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token", "tokenizer.ggml.pre":
			id.loose[k] = v
		}
	}
	id.template = f.values["tokenizer.chat_template"]
	id.tokenizer = bytes.Join([][]byte{f.arrays["tokenizer.ggml.tokens"], f.arrays["tokenizer.ggml.token_type"], f.arrays["tokenizer.ggml.merges"]}, nil)
	id.vocab = sync.OnceValues(f.vocab)
	return id
}

// vocab reads the token list; merges and types are compared as bytes.
func (f *ggufFacts) vocab() (vocabulary, error) {
	v := vocabulary{
		rawTokens: f.arrays["tokenizer.ggml.tokens"], rawMerges: f.arrays["tokenizer.ggml.merges"],
		rules: map[string]string{"token_type": string(f.arrays["tokenizer.ggml.token_type"])},
	}
	v.merges = func() string { return string(v.rawMerges) }
	v.tokens = sync.OnceValues(func() (map[int]string, error) {
		tokens := map[int]string{}
		if v.rawTokens == nil {
			return tokens, nil
		}
		texts, err := ggufStrings(v.rawTokens)
		for id, text := range texts {
			tokens[id] = text
		}
		return tokens, err
	})
	return v, nil
}
