package hfdir

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func tensors(header string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header
}

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"nothing":     {nil, "config.json"},
		"no weights":  {map[string]string{"config.json": "{}"}, "no safetensors file"},
		"short":       {map[string]string{"config.json": "{}", "a.safetensors": "abc"}, "a.safetensors: not a safetensors file"},
		"cut":         {map[string]string{"config.json": "{}", "a.safetensors": tensors("{}")[:9]}, "not a safetensors file"},
		"huge header": {map[string]string{"config.json": "{}", "a.safetensors": "\xff\xff\xff\xff\xff\xff\xff\xff"}, "a header of"},
		"no JSON":     {map[string]string{"config.json": "{}", "a.safetensors": tensors("hm")}, "not a safetensors file"},
	} {
		if _, err := Open(write(t, c.files)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFits(t *testing.T) {
	open := func(header string) *Directory {
		d, err := Open(write(t, map[string]string{"config.json": "{}", "a.safetensors": tensors(header)}))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	model := open(`{"__metadata__":{"format":"pt"},"w":{"shape":[2,3]},"b":{"shape":[2]}}`)
	for header, says := range map[string]string{
		`{"w":{"shape":[2,3]},"b":{"shape":[2]}}`:                   "",
		`{"w":{"shape":[3,2]},"b":{"shape":[2]}}`:                   `tensor "w" has the shape [3 2], in the server's model [2 3]`,
		`{"w":{"shape":[2,3]}}`:                                     `tensor "b" is missing`,
		`{"w":{"shape":[2,3]},"b":{"shape":[2]},"c":{"shape":[1]}}`: `tensor "c", which`,
	} {
		err := open(header).Fits(model)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func TestEndAndTemplate(t *testing.T) {
	for _, c := range []struct {
		files    map[string]string
		end      string
		id       int32
		template string
		fails    bool
	}{
		{map[string]string{"tokenizer_config.json": `{"eos_token":"</s>","chat_template":"x"}`, "config.json": `{"eos_token_id":7}`}, "</s>", 0, "x", false},
		{map[string]string{"tokenizer_config.json": `{"eos_token":{"content":"<e>"},"chat_template":[{"name":"tool_use","template":"y"},{"name":"default","template":"z"}]}`}, "<e>", 0, "z", false},
		{map[string]string{"tokenizer_config.json": `{"eos_token":null,"chat_template":"old"}`, "generation_config.json": `{"eos_token_id":[5,6]}`, "chat_template.jinja": "own"}, "", 5, "own", false},
		{map[string]string{"config.json": `{"eos_token_id":7}`}, "", 7, "", false},
		{map[string]string{}, "", 0, "", true},
		{map[string]string{"tokenizer_config.json": `{`}, "", 0, "", true},
	} {
		d := &Directory{Path: write(t, c.files)}
		text, id, err := d.End()
		if text != c.end || id != c.id || (err != nil) != c.fails {
			t.Errorf("%v: end %q %d, %v", c.files, text, id, err)
		}
		if source, _, _, err := d.Template(); err == nil && source != c.template {
			t.Errorf("%v: template %q", c.files, source)
		}
	}
}
