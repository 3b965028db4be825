package adapter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"soup/merge"
)

// CheckBase returns everything that speaks against baking adapters into a base:
// what [merge.Check] refuses in it, a format other than safetensors, modules
// that it lacks or has in another shape, and adapters of another base. Refusals
// come first. Where an adapter names another path of a base, and that is on this
// machine, the weights of both are compared; errors are those of reading them.
func CheckBase(ctx context.Context, base *merge.Checkpoint, adapters []*Adapter) (merge.Findings, error) {
	var found merge.Findings
	for _, f := range merge.Check([]*merge.Checkpoint{base}, nil) {
		if f.Severity == merge.Refuse {
			found = append(found, f)
		}
	}
	if base.Format() != merge.Safetensors {
		return append(found, merge.Finding{
			Code: "format", Severity: merge.Refuse, Parent: base.Path(), Message: fmt.Sprintf("a %s checkpoint: its tensors have other names than adapters give", base.Format()),
			Remedy: "give the base as safetensors",
		}), nil
	}
	tied := tiedEmbeddings(base)
	for _, a := range adapters {
		other, err := a.onBase(ctx, base)
		if err != nil {
			return nil, err
		}
		found = append(append(found, other...), a.fits(base, tied)...)
		found = append(found, a.tokenizer(base)...)
	}
	return sorted(found), nil
}

// onBase compares the base that the adapter names with the one that is given.
func (a *Adapter) onBase(ctx context.Context, base *merge.Checkpoint) (found merge.Findings, err error) {
	r, err := relate(ctx, a.config.base, base.Path())
	switch r.kind {
	case compared:
		found = append(found, a.finding(merge.Refuse, "base-model", r.tensor, "give the base that the adapter was trained on",
			"was trained on %q, and %s is not the same: tensor %s differs", a.config.base, base.Path(), r.tensor))
	case different:
		found = append(found, a.finding(merge.Warn, "base-model", "", "make sure that it is the same model",
			"was trained on %q, the base given is %s", a.config.base, base.Path()))
	}
	return found, err
}

// tokenizerFiles are files beside an adapter that its model was trained with.
var tokenizerFiles = []string{"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}

// tokenizer notes where the adapter brings another tokenizer or chat template
// than the base has. A bare model that was taught to chat gets its template that
// way.
func (a *Adapter) tokenizer(base *merge.Checkpoint) (found merge.Findings) {
	for _, name := range tokenizerFiles {
		mine, err := readLimited(filepath.Join(a.dir, name))
		if err != nil || inside(a.dir, filepath.Join(a.dir, name)) != nil {
			continue
		}
		if theirs, err := readLimited(filepath.Join(base.Path(), name)); err != nil || !bytes.Equal(mine, theirs) {
			found = append(found, a.finding(merge.Note, "tokenizer", "", "copy the file into the soup if the adapters need it",
				"its %s is not the base's, which the soup gets", name))
		}
	}
	return found
}

// tiedEmbeddings says whether the base's configuration ties its output
// projection to its embedding.
func tiedEmbeddings(base *merge.Checkpoint) bool {
	var config struct {
		Tied bool `json:"tie_word_embeddings"`
		Text struct {
			Tied bool `json:"tie_word_embeddings"`
		} `json:"text_config"`
	}
	raw, err := os.ReadFile(filepath.Join(base.Path(), "config.json"))
	return err == nil && json.Unmarshal(raw, &config) == nil && (config.Tied || config.Text.Tied)
}

// headName is the output projection, which may be tied to the embedding.
var headName = regexp.MustCompile(`^([^.]+\.)*(lm_head|embed_out|output_layer)$`)

// fits compares the modules with the base's tensors.
func (a *Adapter) fits(base *merge.Checkpoint, tied bool) (found merge.Findings) {
	for _, m := range a.modules {
		f, ok := a.fit(m, base, tied)
		switch {
		case ok:
		case len(found) == perCode:
			return append(found, a.finding(merge.Refuse, "modules", "", f.Remedy, "more modules do not fit the base"))
		default:
			found = append(found, f)
		}
	}
	return found
}

func (a *Adapter) fit(m Module, base *merge.Checkpoint, tied bool) (f merge.Finding, ok bool) {
	name := m.Name + ".weight"
	t, has := base.Tensor(name)
	straight := []int64{m.Out, m.In}
	want := a.config.shape(m)
	switch {
	case headName.MatchString(m.Name) && (tied || !has):
		return a.finding(merge.Refuse, "tied-embeddings", name, "save the base with untied embeddings, or stack the adapters instead",
			"changes %s, which is tied to the embedding in %s", m.Name, base.Path()), false
	case !has:
		return a.finding(merge.Refuse, "modules", name, "give the base that the adapter was trained on", "changes %s, but %s has no tensor %s", m.Name, base.Path(), name), false
	case !t.DType.Averageable():
		return a.finding(merge.Refuse, "dtype", name, "give the base in float32, float16 or bfloat16", "changes %s, which is %s in %s", m.Name, t.Stored, base.Path()), false
	case !slices.Equal(t.Shape, want) && (slices.Equal(t.Shape, straight) || slices.Equal(t.Shape, []int64{m.In, m.Out})):
		return a.finding(merge.Refuse, "fan-in-fan-out", name, "correct fan_in_fan_out in "+configName,
			"fan_in_fan_out is %t, but tensor %s has shape %v in %s", a.config.fanInFanOut, name, t.Shape, base.Path()), false
	case !slices.Equal(t.Shape, want):
		return a.finding(merge.Refuse, "shape", name, "give the base that the adapter was trained on",
			"changes %s with shape %v, but tensor %s has shape %v in %s", m.Name, want, name, t.Shape, base.Path()), false
	}
	return f, true
}

// shape returns the shape of the base's matrix: [out, in], or [in, out] for
// Conv1D layers as GPT-2 has them.
func (c config) shape(m Module) []int64 {
	if c.fanInFanOut {
		return []int64{m.In, m.Out}
	}
	return []int64{m.Out, m.In}
}
