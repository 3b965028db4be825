package mergekit

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"soup/merge"
	"soup/merge/internal/remedy"
)

// Config is a recipe of mergekit that soup can carry out.
type Config struct {
	File       string // where it was read from, for errors
	Method     string // linear, slerp, task_arithmetic or model_stock
	Base       string // path of the base model; "" if not given
	Slices     []Slice
	Parameters Parameters  // of the whole recipe
	DType      merge.DType // in which mergekit would compute
	OutDType   merge.DType // AsStored: as DType
}

// Slice is a run of layers that is made of the same models. A recipe with
// models instead of slices is one slice of all layers.
type Slice struct {
	Sources    []Source
	Base       string // "": that of the recipe
	Parameters Parameters
}

// Source is a model in a slice.
type Source struct {
	Model      string // path as it stands in the recipe
	Begin, End int    // layers; End is behind the last, 0 for all
	Parameters Parameters
}

// Read reads a recipe. Errors name file, line and column, and what is wrong or
// not supported. Paths of models are taken as mergekit takes them: relative to
// the working directory, not to the file.
func Read(file string) (Config, error) {
	f, err := os.Open(file)
	if err != nil {
		return Config{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return Config{}, err
	}
	return parse(file, text)
}

func parse(file string, text []byte) (Config, error) {
	r := &reader{file: file}
	n, err := r.parse(text)
	if err != nil {
		return Config{}, err
	}
	if n, err = r.resolve(n); err != nil {
		return Config{}, err
	}
	top, err := r.top(n)
	if err != nil {
		return Config{}, err
	}
	return r.config(n, top)
}

// top returns the values of a recipe by key; empty ones are left out.
func (r *reader) top(n ast.Node) (map[string]ast.Node, error) {
	keys := []string{
		"merge_method", "models", "slices", "modules", "base_model", "parameters", "dtype", "out_dtype",
		"tokenizer_source", "tokenizer", "chat_template",
	}
	all, err := r.members(n, "the recipe", append([]string{"a recipe has " + strings.Join(keys, ", ")}, keys...)...)
	if err != nil {
		return nil, err
	}
	top := map[string]ast.Node{}
	for _, m := range all {
		if m.value != nil {
			top[m.key] = m.value
		}
	}
	return top, nil
}

func (r *reader) config(n ast.Node, top map[string]ast.Node) (c Config, err error) {
	c.File = r.file
	if c.Method, err = r.method(n, top["merge_method"]); err != nil {
		return c, err
	}
	if err := r.unsupported(top); err != nil {
		return c, err
	}
	if c.Base, err = r.model(top["base_model"]); err != nil {
		return c, err
	}
	if c.Parameters, err = r.parameters(top["parameters"], c.Method, false); err != nil {
		return c, err
	}
	if c.DType, err = r.dtype(top["dtype"]); err != nil {
		return c, err
	}
	if c.OutDType, err = r.dtype(top["out_dtype"]); err != nil {
		return c, err
	}
	models, parts := top["models"], top["slices"]
	switch {
	case (models == nil) == (parts == nil):
		return c, r.at(n, "", "a recipe has either models or slices")
	case models != nil:
		c.Slices, err = r.models(models, c)
	default:
		c.Slices, err = r.slices(parts, c)
	}
	if err != nil {
		return c, err
	}
	return c, c.check()
}

// instead says what soup does in place of methods that it does not read.
const instead = "soup makes weighted averages: try linear, slerp, task_arithmetic or model_stock, or let `soup run` search for the weights"

var refused = map[string]string{
	"passthrough": "it copies layers, and a soup has the layers of its parents",
	"ties":        signs, "dare_ties": signs, "dare_linear": signs, "breadcrumbs": signs, "breadcrumbs_ties": signs,
	"della": signs, "della_linear": signs, "sce": signs, "ram": signs, "ramplus_tl": signs,
	"arcee_fusion": "it chooses element by element, not tensor by tensor",
	"nearswap":     "it chooses element by element, not tensor by tensor",
	"nuslerp":      "its weights are of rows, not of tensors",
	"multislerp":   "it is not among the methods that soup reads",
	"karcher":      "it is not among the methods that soup reads",
}

const signs = "it drops or swaps signs of single elements, not of tensors"

func (r *reader) method(n, m ast.Node) (string, error) {
	if m == nil {
		return "", r.at(n, "", "no merge_method")
	}
	name, err := r.text(m, "merge_method")
	if err != nil {
		return "", err
	}
	if _, ok := methods[name]; ok {
		return name, nil
	}
	if why, ok := refused[name]; ok {
		return "", r.at(m, instead, "merge_method %s is no weighted average of checkpoints: %s", name, why)
	}
	return "", r.at(m, "soup reads "+strings.Join(slices.Sorted(maps.Keys(methods)), ", "), "merge_method %q is not known", name)
}

// unsupported refuses keys that change more than the weights.
func (r *reader) unsupported(top map[string]ast.Node) error {
	if n := top["modules"]; n != nil {
		return r.at(n, "write models or slices at the top", "modules are not supported")
	}
	if n := top["chat_template"]; n != nil {
		return r.at(n, "leave chat_template out: the soup has the template of base_model, or of the first model", "a chat_template is not supported")
	}
	n := top["tokenizer_source"]
	if t := top["tokenizer"]; t != nil {
		all, err := r.members(t, "tokenizer", keepTokenizer, "source")
		if err != nil {
			return err
		}
		if n = t; len(all) == 1 && all[0].value != nil {
			n = all[0].value
		}
	}
	if n == nil {
		return nil
	}
	if s, err := r.text(n, "the tokenizer's source"); err != nil || s != "base" {
		return r.at(n, keepTokenizer, "no tokenizer source but base is supported")
	}
	return nil
}

const keepTokenizer = "leave it out: models of a soup have one vocabulary, and the soup gets the tokenizer of base_model, or of the first model"

// model reads the path of a model: text, or the mapping that mergekit writes
// for paths with unusual characters.
func (r *reader) model(n ast.Node) (string, error) {
	if n == nil {
		return "", nil
	}
	if _, ok := n.(ast.MapNode); ok {
		return r.reference(n)
	}
	path, err := r.text(n, "a model")
	if err != nil {
		return "", err
	}
	for _, mark := range []struct{ text, what string }{{"+", "a LoRA"}, {"@", "a revision"}} {
		if strings.Contains(path, mark.text) {
			return "", r.at(n, "apply or download it first; a path with "+mark.text+" in it is written {model: {path: ..}}", "model %q: %s is not supported", path, mark.what)
		}
	}
	return path, r.notEmpty(n, path)
}

// reference reads {model: .., path: ..}, of which one is given. What else
// mergekit has there changes the weights.
func (r *reader) reference(n ast.Node) (path string, err error) {
	all, err := r.members(n, "a model", "apply or download it first, and give a path", "model", "path")
	if err != nil {
		return "", err
	}
	for _, m := range all {
		switch {
		case path != "":
			return "", r.at(m.name, "", "a model has either model or path")
		case m.key == "model":
			path, err = r.model(m.value)
		case m.value != nil:
			path, err = r.text(m.value, "path")
		}
		if err != nil {
			return "", err
		}
	}
	return path, r.notEmpty(n, path)
}

func (r *reader) notEmpty(n ast.Node, path string) error {
	if path == "" {
		return r.at(n, "", "a model has an empty path")
	}
	return nil
}

// dtype reads PyTorch's names.
func (r *reader) dtype(n ast.Node) (merge.DType, error) {
	if n == nil {
		return merge.AsStored, nil
	}
	name, err := r.text(n, "a dtype")
	if err != nil {
		return merge.AsStored, err
	}
	d, err := merge.ParseDType(strings.TrimPrefix(name, "torch."))
	if err != nil || d == merge.AsStored {
		return merge.AsStored, r.at(n, "use float32, float16 or bfloat16", "dtype %q is not one that soups can be stored in", name)
	}
	return d, nil
}

// models reads the list of models into one slice. As mergekit does, a base
// that is not among them is added (normalize_config in mergekit/plan.py).
func (r *reader) models(n ast.Node, c Config) ([]Slice, error) {
	items, err := r.items(n, "models")
	if err != nil {
		return nil, err
	}
	var s Slice
	for _, item := range items {
		source, err := r.source(item, c, false)
		if err != nil {
			return nil, err
		}
		s.Sources = append(s.Sources, source)
	}
	if c.Base != "" && !s.has(c.Base) {
		s.Sources = append(s.Sources, Source{Model: c.Base})
	}
	return []Slice{s}, nil
}

func (s Slice) has(model string) bool {
	return slices.ContainsFunc(s.Sources, func(source Source) bool { return source.Model == model })
}

func (r *reader) slices(n ast.Node, c Config) ([]Slice, error) {
	items, err := r.items(n, "slices")
	if err != nil {
		return nil, err
	}
	list := make([]Slice, len(items))
	for i, item := range items {
		if list[i], err = r.slice(item, c); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r *reader) slice(n ast.Node, c Config) (s Slice, err error) {
	all, err := r.members(n, "a slice", "a slice has sources, base_model and parameters", "sources", "base_model", "parameters")
	if err != nil {
		return s, err
	}
	for _, m := range all {
		switch {
		case m.value == nil:
		case m.key == "base_model":
			s.Base, err = r.model(m.value)
		case m.key == "parameters":
			s.Parameters, err = r.parameters(m.value, c.Method, false)
		default:
			s.Sources, err = r.sources(m.value, c)
		}
		if err != nil {
			return s, err
		}
	}
	if len(s.Sources) == 0 {
		return s, r.at(n, "", "a slice has no sources")
	}
	return s, nil
}

func (r *reader) sources(n ast.Node, c Config) ([]Source, error) {
	items, err := r.items(n, "sources")
	if err != nil {
		return nil, err
	}
	list := make([]Source, len(items))
	for i, item := range items {
		if list[i], err = r.source(item, c, true); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// source reads a model with its parameters and, in slices, its layers.
func (r *reader) source(n ast.Node, c Config, layers bool) (s Source, err error) {
	known := []string{"a model has model and parameters", "model", "parameters"}
	if layers {
		known = []string{"a source has model, layer_range and parameters", "model", "parameters", "layer_range"}
	}
	all, err := r.members(n, "a model", known...)
	if err != nil {
		return s, err
	}
	for _, m := range all {
		switch {
		case m.value == nil:
		case m.key == "model":
			s.Model, err = r.model(m.value)
		case m.key == "parameters":
			s.Parameters, err = r.parameters(m.value, c.Method, true)
		default:
			s.Begin, s.End, err = r.layers(m.value)
		}
		if err != nil {
			return s, err
		}
	}
	switch {
	case s.Model == "":
		return s, r.at(n, "", "no model")
	case layers && s.End == 0:
		return s, r.at(n, "", "model %s has no layer_range", s.Model)
	}
	return s, nil
}

// layers reads [begin, end].
func (r *reader) layers(n ast.Node) (begin, end int, err error) {
	items, err := r.items(n, "layer_range")
	if err != nil {
		return 0, 0, err
	}
	var ends [2]int
	for i, item := range items {
		x, err := r.number(item, "layer_range")
		if err != nil {
			return 0, 0, err
		}
		if i > 1 || x != float64(int(x)) || x < 0 || x > 1<<20 {
			return 0, 0, r.at(n, "", "layer_range must be [first, behind the last]")
		}
		ends[i] = int(x)
	}
	if len(items) != 2 || ends[0] >= ends[1] {
		return 0, 0, r.at(n, "", "layer_range must be [first, behind the last]")
	}
	return ends[0], ends[1], nil
}

// check refuses recipes whose models do not make up a soup.
func (c Config) check() error {
	at := 0
	for i, s := range c.Slices {
		if err := c.checkSlice(s); err != nil {
			return fmt.Errorf("%s: %w", c.label(i), err)
		}
		first := s.Sources[0]
		for _, source := range s.Sources {
			switch {
			case source.End-source.Begin != first.End-first.Begin:
				return remedy.Errorf("", "%s: %s gives %d layers, %s gives %d", c.label(i), source.Model, source.End-source.Begin, first.Model, first.End-first.Begin)
			case source.Begin != at:
				return remedy.Errorf("soup averages each layer with the same layer of the other models", "%s: layer %d of %s would become layer %d: layers are moved or repeated, which is no average", c.label(i), source.Begin, source.Model, at)
			}
		}
		at = first.End
	}
	if n, last := len(c.Slices[0].Sources), c.Slices[len(c.Slices)-1]; len(last.Sources) > n {
		return remedy.Errorf("order the slices so that the first has the most sources, or repeat a model with weight 0",
			"%s: the last slice has %d sources and the first %d: mergekit leaves the others out of what is behind the layers", c.File, len(last.Sources), n)
	}
	return nil
}

// label names a slice.
func (c Config) label(slice int) string {
	if len(c.Slices) == 1 {
		return c.File
	}
	return fmt.Sprintf("%s: slice %d", c.File, slice+1)
}

// base returns the base of a slice.
func (c Config) base(s Slice) string {
	if s.Base != "" {
		return s.Base
	}
	return c.Base
}

// checkSlice applies the methods' demands on the number of models, as the
// contracts in mergekit/merge_methods do.
func (c Config) checkSlice(s Slice) error {
	seen := map[string]bool{}
	for _, source := range s.Sources {
		if seen[source.Model] {
			return fmt.Errorf("model %s is there twice", source.Model)
		}
		seen[source.Model] = true
	}
	base := c.base(s)
	switch {
	case c.Method == "linear":
	case base == "":
		return remedy.Errorf("name it: base_model", "merge_method %s needs a base model", c.Method)
	case !s.has(base):
		return fmt.Errorf("base model %s is not among the sources", base)
	case c.Method == "slerp" && len(s.Sources) != 2:
		return remedy.Errorf("use linear for more", "merge_method slerp takes 2 models with the base, not %d", len(s.Sources))
	case c.Method == "model_stock" && len(s.Sources) < 3:
		return fmt.Errorf("merge_method model_stock takes the base and 2 models or more, not %d", len(s.Sources)-1)
	}
	return nil
}
