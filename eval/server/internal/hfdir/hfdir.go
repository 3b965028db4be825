// Package hfdir reads of a Hugging Face directory what must be known before a
// server is told to load it: that it is whole, that its tensors are those of the
// model that is served, and how its answers end. Servers that find out for
// themselves, halfway through, are of no use afterwards.
//
// Start with Open.
package hfdir

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Directory is a checkpoint in the layout of Hugging Face.
type Directory struct {
	Path    string           // absolute
	tensors map[string]shape // by name
}

type shape []int64

// Headers of safetensors files longer than this are refused, as the format's
// reference implementation does (safetensors/src/tensor.rs, MAX_HEADER_SIZE).
const maxHeader = 100_000_000

// Open reads the names and shapes of a directory's tensors. The error names the
// directory or the file that is missing or broken.
func Open(dir string) (*Directory, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(path, "config.json")); err != nil {
		return nil, fmt.Errorf("%s: no Hugging Face checkpoint: %w", dir, err)
	}
	files, err := filepath.Glob(filepath.Join(path, "*.safetensors"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no safetensors file", dir)
	}
	d := &Directory{Path: path, tensors: map[string]shape{}}
	for _, f := range files {
		if err := d.read(f); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
	}
	return d, nil
}

// read adds the tensors of one file: eight bytes of length, little endian, then
// so many bytes of JSON.
func (d *Directory) read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var length [8]byte
	if _, err := io.ReadFull(f, length[:]); err != nil {
		return fmt.Errorf("not a safetensors file: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return fmt.Errorf("not a safetensors file: a header of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(f, text); err != nil {
		return fmt.Errorf("not a safetensors file: %w", err)
	}
	var header map[string]struct {
		Shape shape `json:"shape"`
	}
	if err := json.Unmarshal(text, &header); err != nil {
		return fmt.Errorf("not a safetensors file: %w", err)
	}
	for name, tensor := range header {
		if name != "__metadata__" {
			d.tensors[name] = tensor.Shape
		}
	}
	return nil
}

// Fits returns nil if the directory has exactly the tensors of another one, in
// the same shapes: what can be loaded in its place. The error names a tensor.
func (d *Directory) Fits(other *Directory) error {
	for name, want := range other.tensors {
		got, ok := d.tensors[name]
		if !ok {
			return fmt.Errorf("%s: tensor %q is missing, which the server's model has", d.Path, name)
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("%s: tensor %q has the shape %v, in the server's model %v", d.Path, name, got, want)
		}
	}
	for name := range d.tensors {
		if _, ok := other.tensors[name]; !ok {
			return fmt.Errorf("%s: tensor %q, which the server's model lacks", d.Path, name)
		}
	}
	return nil
}

// End is the token that ends an answer: its text, else its id, as the files of
// the tokenizer, of generation and of the model name it, in that order. Neither
// is an error.
func (d *Directory) End() (text string, id int32, err error) {
	for _, name := range []string{"tokenizer_config.json", "special_tokens_map.json"} {
		keys, err := d.object(name)
		if err != nil {
			return "", 0, err
		}
		if text := tokenText(keys["eos_token"]); text != "" {
			return text, 0, nil
		}
	}
	for _, name := range []string{"generation_config.json", "config.json"} {
		keys, err := d.object(name)
		if err != nil {
			return "", 0, err
		}
		if ids := tokenIDs(keys["eos_token_id"]); len(ids) > 0 {
			return "", ids[0], nil
		}
	}
	return "", 0, fmt.Errorf("%s: no file says which token ends an answer (eos_token)", d.Path)
}

// Template is the chat template, from a file of its own or tokenizer_config.json,
// with the texts of the tokens that begin and end a text; "" where there is none.
func (d *Directory) Template() (source, bos, eos string, err error) {
	keys, err := d.object("tokenizer_config.json")
	if err != nil {
		return "", "", "", err
	}
	bos, eos = tokenText(keys["bos_token"]), tokenText(keys["eos_token"])
	own, err := os.ReadFile(filepath.Join(d.Path, "chat_template.jinja"))
	switch {
	case err == nil:
		return string(own), bos, eos, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", "", "", err
	}
	if err := json.Unmarshal(keys["chat_template"], &source); err == nil {
		return source, bos, eos, nil
	}
	var named []struct{ Name, Template string }
	_ = json.Unmarshal(keys["chat_template"], &named) // nothing else is a template
	for _, t := range named {
		if t.Name == "default" {
			source = t.Template
		}
	}
	return source, bos, eos, nil
}

// object reads a JSON file; one that is not there has no keys.
func (d *Directory) object(name string) (map[string]json.RawMessage, error) {
	text, err := os.ReadFile(filepath.Join(d.Path, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(d.Path, name), err)
	}
	return keys, nil
}

// tokenText reads a special token: transformers writes a text, or an object with
// its content.
func tokenText(raw json.RawMessage) (text string) {
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var token struct{ Content string }
	_ = json.Unmarshal(raw, &token) // null and what else is no token
	return token.Content
}

// tokenIDs reads one id or a list of them.
func tokenIDs(raw json.RawMessage) (ids []int32) {
	var one *int32
	if json.Unmarshal(raw, &one) == nil && one != nil {
		return []int32{*one}
	}
	_ = json.Unmarshal(raw, &ids) // null and what else is no id
	return ids
}
