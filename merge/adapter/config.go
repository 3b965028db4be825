package adapter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"soup/merge/internal/remedy"
)

const (
	configName  = "adapter_config.json"
	weightsName = "adapter_model.safetensors"
)

// maxConfig is above every adapter_config.json, of a few hundred kilobytes at
// most, and every tokenizer (Gemma 3's has 33 MB).
const maxConfig = 128 << 20

// config is what decides about an adapter's values, from adapter_config.json.
// Names and defaults are those of LoraConfig in PEFT 0.21.2,
// https://github.com/huggingface/peft/blob/v0.21.2/src/peft/tuners/lora/config.py.
type config struct {
	peftType, base, revision, taskType, bias string

	rank          int64
	alpha         float64
	rsLoRA        bool
	fanInFanOut   bool
	ranks, alphas overrides

	all    map[string]json.RawMessage
	sha256 string // of the file
	size   int64
}

// readConfig reads a file of a directory.
func readConfig(path string) (config, error) {
	raw, err := readLimited(path)
	if err != nil {
		return config{}, err
	}
	c, err := parseConfig(raw)
	if err != nil {
		return config{}, remedy.Errorf("repair or replace the file", "%s: %w", path, err)
	}
	return c, nil
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, remedy.Opening(path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxConfig {
		return nil, remedy.Errorf("give the directory of a PEFT adapter", "%s: not a configuration file of at most 128 MiB", path)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxConfig))
	if err != nil {
		return nil, remedy.Opening(path, err)
	}
	return raw, nil
}

func parseConfig(raw []byte) (config, error) {
	c := config{rank: 8, alpha: 8, bias: "none", size: int64(len(raw)), sha256: sum(raw)}
	if err := json.Unmarshal(raw, &c.all); err != nil {
		return c, fmt.Errorf("broken JSON: %w", plain(err))
	}
	for _, option := range []struct {
		name string
		to   any
	}{
		{"peft_type", &c.peftType},
		{"base_model_name_or_path", &c.base},
		{"revision", &c.revision},
		{"task_type", &c.taskType},
		{"bias", &c.bias},
		{"r", &c.rank},
		{"lora_alpha", &c.alpha},
		{"use_rslora", &c.rsLoRA},
		{"fan_in_fan_out", &c.fanInFanOut},
		{"rank_pattern", &c.ranks},
		{"alpha_pattern", &c.alphas},
	} {
		if value, ok := c.all[option.name]; ok {
			if err := json.Unmarshal(value, option.to); err != nil {
				return c, fmt.Errorf("%s: %w", option.name, plain(err))
			}
		}
	}
	return c, nil
}

// plain takes Go's names out of the errors of encoding/json.
func plain(err error) error {
	if e, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // encoding/json does not wrap it
		return fmt.Errorf("a %s does not belong there", e.Value)
	}
	return err
}

// set says whether an option is there and is not what Python takes for false.
func (c config) set(option string) bool {
	switch string(bytes.TrimSpace(c.all[option])) {
	case "", "null", "false", "0", "0.0", `""`:
		return false
	}
	var list []any
	var object map[string]any
	if json.Unmarshal(c.all[option], &list) == nil {
		return len(list) > 0
	}
	return json.Unmarshal(c.all[option], &object) != nil || len(object) > 0
}

// text returns an option's value if it is a string.
func (c config) text(option string) string {
	var s string
	_ = json.Unmarshal(c.all[option], &s) // anything else is no text
	return s
}

// override is one entry of rank_pattern or alpha_pattern: a regular expression
// that stands for the end of a module's name, and the value for it.
type override struct {
	key   string
	match *regexp.Regexp
	value float64
}

type overrides struct {
	list   []override
	broken []string // keys that are no regular expressions to Go
}

// UnmarshalJSON keeps the order of the file, because the first match counts:
// get_pattern_key in src/peft/utils/other.py of PEFT 0.21.2.
func (o *overrides) UnmarshalJSON(raw []byte) error {
	var values map[string]*float64
	if err := json.Unmarshal(raw, &values); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := d.Token()
		if err != nil { // the end: it was read before
			return nil //nolint:nilerr // see above
		}
		key, ok := token.(string) // values are numbers or null
		switch {
		case ok && values[key] == nil:
			return fmt.Errorf("%q has no number", key)
		case ok:
			o.add(key, *values[key])
		}
	}
}

func (o *overrides) add(key string, value float64) {
	match, err := regexp.Compile(`^(.*\.)?(` + key + `)$`)
	if err != nil {
		o.broken = append(o.broken, key)
	}
	o.list = append(o.list, override{key, match, value})
}

// of returns the value for a module, or otherwise.
func (o overrides) of(module string, otherwise float64) float64 {
	for _, e := range o.list {
		if e.match != nil && e.match.MatchString(module) {
			return e.value
		}
	}
	for _, e := range o.list {
		if e.key == module {
			return e.value
		}
	}
	return otherwise
}

// model reduces the name of a base model to what tells models apart: of a
// Hugging Face cache path (models--OWNER--NAME/snapshots/REVISION) the
// repository, and names without the marks of quantised copies.
func model(name string) string {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' })
	for _, p := range parts {
		if repository, ok := strings.CutPrefix(p, "models--"); ok {
			parts = strings.Split(repository, "--")
		}
	}
	name = strings.ToLower(strings.Join(parts, "/"))
	for _, mark := range []string{"-unsloth-bnb-4bit", "-bnb-4bit", "-bnb-8bit"} {
		name = strings.TrimSuffix(name, mark)
	}
	return name
}

// last returns what stands after the last slash.
func last(name string) string { return name[strings.LastIndex(name, "/")+1:] }
