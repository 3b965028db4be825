package convert

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"soup/merge/tokenizer"
)

// specialKeys are the keys of special tokens by their name in transformers. The
// spelling of the separator's is GGUF's.
var specialKeys = map[string]string{
	"bos": "bos", "eos": "eos", "unk": "unknown", "sep": "seperator", "pad": "padding", "cls": "cls", "mask": "mask", //nolint:misspell // GGUF spells it so
}

// special is what a directory says about special tokens.
type special struct {
	vocabulary *vocabulary
	file       *tokenizer.File // nil: there is only a tokenizer.model
	config     config          // config.json
	tokenizer  config          // tokenizer_config.json
	generation config          // generation_config.json
	mapped     config          // special_tokens_map.json
}

// readSpecial reads the files that name special tokens.
func readSpecial(dir string, c config, v *vocabulary, f *tokenizer.File) (s special, err error) {
	s = special{vocabulary: v, file: f, config: c}
	for name, to := range map[string]*config{
		"tokenizer_config.json": &s.tokenizer, "generation_config.json": &s.generation, "special_tokens_map.json": &s.mapped,
	} {
		if *to, err = readJSON(dir, name); err != nil {
			return s, err
		}
	}
	return s, nil
}

// token returns the text of a special token; transformers writes a text or an
// object with its content.
func (c config) token(key string) string {
	if o := c.object(key); o != nil {
		return o.text("content")
	}
	return c.text(key)
}

// id returns the id of a special token.
func (s special) id(name string) (int32, bool) {
	for _, c := range []config{s.tokenizer, s.mapped} {
		if text := c.token(name + "_token"); text != "" {
			i := slices.Index(s.vocabulary.tokens, text)
			return int32(i), i >= 0
		}
	}
	for _, c := range []config{s.generation, s.config} {
		if ids := c.ids(name + "_token_id"); len(ids) > 0 && int(ids[0]) < len(s.vocabulary.tokens) {
			return ids[0], true
		}
	}
	return 0, false
}

// metadata writes ids, and whether readers put the first and last token around
// a text: always, because their own defaults differ.
func (s special) metadata(m metadata) {
	for name, key := range specialKeys {
		if id, ok := s.id(name); ok {
			m["tokenizer.ggml."+key+"_token_id"] = uint32(id)
		}
	}
	bos, eos := s.around()
	m["tokenizer.ggml.add_bos_token"], m["tokenizer.ggml.add_eos_token"] = bos, eos
	s.ends(m)
}

// around says whether a text is put between the first and the last token. The
// template of tokenizer.json decides; the classes that make it anew from
// tokenizer_config.json save it as well.
func (s special) around() (bos, eos bool) {
	if s.file != nil {
		if before, after, known := s.file.Around(); known {
			return len(before) > 0, len(after) > 0
		}
		return false, false
	}
	return s.tokenizer.flag("add_bos_token", true), s.tokenizer.flag("add_eos_token", false)
}

// ends writes the tokens that end an answer, where they are more than the last
// token. eot_token_id is written for gemma3 always: Ollama has a default there.
func (s special) ends(m metadata) {
	stops := s.generation.ids("eos_token_id")
	if len(stops) == 0 {
		stops = s.config.ids("eos_token_id")
	}
	stops = slices.DeleteFunc(slices.Clone(stops), func(id int32) bool { return int(id) >= len(s.vocabulary.tokens) })
	eos, ok := m["tokenizer.ggml.eos_token_id"].(uint32)
	if !ok {
		return
	}
	others := slices.DeleteFunc(slices.Clone(stops), func(id int32) bool { return uint32(id) == eos })
	if len(others) > 0 {
		m["tokenizer.ggml.eos_token_ids"] = stops
		m["tokenizer.ggml.eot_token_id"] = uint32(others[0])
	} else if m[architectureKey] == "gemma3" {
		m["tokenizer.ggml.eot_token_id"] = eos
	}
}

// chatTemplate returns the chat template: of a file of its own, or of
// tokenizer_config.json, which may have several with names.
func chatTemplate(dir string, t config) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "chat_template.jinja"))
	if err == nil {
		return string(text), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if old, err := readJSON(dir, "chat_template.json"); err != nil || old.text("chat_template") != "" {
		return old.text("chat_template"), err
	}
	list, _ := t["chat_template"].([]any)
	for _, e := range list {
		if o, _ := e.(map[string]any); config(o).text("name") == "default" {
			return config(o).text("template"), nil
		}
	}
	return t.text("chat_template"), nil
}

// withTemplate returns tokenizer_config.json with a chat template that lies in
// a file of its own.
func withTemplate(t config, template string) ([]byte, error) {
	all := config{}
	for k, v := range t {
		all[k] = v
	}
	all["chat_template"] = template
	return json.Marshal(all)
}
