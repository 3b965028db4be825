package convert

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ollama "github.com/ollama/ollama/convert"

	"soup/merge"
	"soup/merge/internal/remedy"
	"soup/merge/tokenizer"
)

// library converts with Ollama's package what this one does not know itself.
type library struct {
	dir    string
	source fs.FS
}

// openLibrary prepares a directory: config.json with the keys that the library
// reads, and a pre-tokenizer that it knows.
func openLibrary(dir string, c config) (*library, error) {
	text, err := json.Marshal(lifted(c))
	if err != nil {
		return nil, err
	}
	if err := knownToLibrary(dir); err != nil {
		return nil, err
	}
	t, err := readJSON(dir, "tokenizer_config.json")
	if err != nil {
		return nil, err
	}
	replaced := map[string][]byte{"config.json": text}
	template, err := chatTemplate(dir, t)
	if err != nil {
		return nil, err
	}
	if template != "" && t.text("chat_template") != template {
		if replaced["tokenizer_config.json"], err = withTemplate(t, template); err != nil {
			return nil, err
		}
	}
	return &library{dir: dir, source: overlayFS{FS: os.DirFS(dir), replaced: replaced}}, nil
}

// lifted copies what transformers 5 keeps in rope_parameters, and dtype, to the
// keys of transformers 4: the library would take defaults and say nothing.
func lifted(c config) config {
	out := config{}
	for k, v := range c {
		out[k] = v
	}
	for _, part := range []string{"text_config", "thinker_config", "language_config"} {
		if inner := c.object(part); inner != nil {
			out[part] = map[string]any(lifted(inner))
		}
	}
	p := c.object("rope_parameters")
	if full := p.object("full_attention"); full != nil {
		if local := p.object("sliding_attention"); local.has("rope_theta") && !out.has("rope_local_base_freq") {
			out["rope_local_base_freq"] = local["rope_theta"]
		}
		p = full
	}
	if p.has("rope_theta") && !out.has("rope_theta") {
		out["rope_theta"] = p["rope_theta"]
	}
	if kind := p.text("rope_type"); kind != "" && kind != "default" && !out.has("rope_scaling") {
		scaling := config{"type": kind}
		for k, v := range p {
			scaling[k] = v
		}
		out["rope_scaling"] = map[string]any(scaling)
	}
	if out.has("dtype") && !out.has("torch_dtype") {
		out["torch_dtype"] = out["dtype"]
	}
	return out
}

// libraryNames are the names of tokenizer.ggml.pre that the library finds out.
var libraryNames = map[string]bool{"llama-bpe": true, "dbrx": true, "qwen2": true, "qwen35": true, "deepseek-coder": true, "deepseek-llm": true, "gpt-2": true}

// knownToLibrary refuses a pre-tokenizer that the library would replace by its
// default, which gives other token ids and a wrong model. Models that do not
// generate text have none of these.
func knownToLibrary(dir string) error {
	f, err := tokenizer.Read(dir)
	if err != nil || f.Model.Type != "BPE" || f.Model.ByteFallback {
		return nil // the library reads tokenizer.model, or says what it misses
	}
	name, err := preTokenizerOf(f)
	if err == nil && !libraryNames[name] {
		err = remedy.Errorf(elsewhere, "tokenizer.json: pre-tokenizer %s: Ollama's converter would write another", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// describe finds out which tensors become which.
func (l *library) describe(c *Converted) error {
	kv, _, err := ollama.LoadModelMetadata(l.source)
	if err != nil {
		return remedy.Errorf(elsewhere, "%s: %w", l.dir, err)
	}
	conv, ok := kv.(interface{ Replacements() []string })
	if !ok {
		return remedy.Errorf(elsewhere, "%s: architecture cannot be converted", l.dir)
	}
	from, err := merge.Open(l.dir)
	if err != nil {
		return err
	}
	defer from.Close()
	rename := strings.NewReplacer(conv.Replacements()...)
	for _, t := range from.Tensors() {
		to := rename.Replace(t.Name)
		c.Sources[to] = append(c.Sources[to], t.Name)
		c.Inexact[to] = c.Inexact[to] || t.DType == merge.F32 && len(t.Shape) > 1
	}
	return nil
}

func (l *library) write(ctx context.Context, f *os.File) (err error) {
	defer func() {
		if fault := recover(); fault != nil { // the library panics on what it does not know
			err = remedy.Errorf(elsewhere, "%s: %v", l.dir, fault)
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := ollama.ConvertModel(l.source, f); err != nil {
		return fmt.Errorf("%s: %w", filepath.Clean(l.dir), err)
	}
	return nil
}
