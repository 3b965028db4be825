package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"soup/merge/internal/remedy"
)

// config is a config.json, as transformers 4 or 5 writes it.
type config map[string]any

// readJSON reads an object of a model's directory; numbers stay as written. A
// file that is not there is a nil object.
func readJSON(dir, name string) (config, error) {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var c config
	if err := decoder.Decode(&c); err != nil {
		return nil, fmt.Errorf("%s: broken JSON: %w", filepath.Join(dir, name), err)
	}
	return c, nil
}

// readConfig reads config.json.
func readConfig(dir string) (config, error) {
	c, err := readJSON(dir, "config.json")
	if err == nil && c == nil {
		err = remedy.Errorf("give the Hugging Face directory of the model", "%s: no config.json", dir)
	}
	return c, err
}

// architecture returns the first of "architectures".
func (c config) architecture() string {
	list, _ := c["architectures"].([]any)
	if len(list) == 0 {
		return ""
	}
	name, _ := list[0].(string)
	return name
}

// has says whether a key is there and not null.
func (c config) has(key string) bool { return c[key] != nil }

// float returns a number, or the default where it is missing or null.
func (c config) float(key string, otherwise float64) (float64, error) {
	if !c.has(key) {
		return otherwise, nil
	}
	if n, ok := c[key].(json.Number); ok {
		if v, err := n.Float64(); err == nil {
			return v, nil
		}
	}
	return 0, fmt.Errorf("config.json: %s is %v, not a number", key, c[key])
}

// whole returns a number that fits into 32 bits without sign.
func (c config) whole(key string, otherwise uint32) (uint32, error) {
	v, err := c.float(key, float64(otherwise))
	if err == nil && (v < 0 || v != float64(uint32(v))) {
		err = fmt.Errorf("config.json: %s is %v, not a whole number", key, c[key])
	}
	return uint32(v), err
}

// flag returns a truth value.
func (c config) flag(key string, otherwise bool) bool {
	v, ok := c[key].(bool)
	if !ok {
		return otherwise
	}
	return v
}

// text returns a string; "" where there is none.
func (c config) text(key string) string {
	v, _ := c[key].(string)
	return v
}

// object returns an object; nil where there is none.
func (c config) object(key string) config {
	v, _ := c[key].(map[string]any)
	return v
}

// texts returns a list of strings.
func (c config) texts(key string) []string {
	list, _ := c[key].([]any)
	var out []string
	for _, e := range list {
		s, _ := e.(string)
		out = append(out, s)
	}
	return out
}

// ids returns the token ids of a key that holds one or several.
func (c config) ids(key string) []int32 {
	list, many := c[key].([]any)
	if !many {
		list = []any{c[key]}
	}
	var out []int32
	for _, e := range list {
		if n, ok := e.(json.Number); ok {
			if v, err := n.Int64(); err == nil && v >= 0 && v == int64(int32(v)) {
				out = append(out, int32(v))
			}
		}
	}
	return out
}
