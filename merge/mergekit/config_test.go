package mergekit

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestParseRefuses: every refusal names the place and what is there.
func TestParseRefuses(t *testing.T) {
	const ok = "models: [{model: a}]\n"
	for _, c := range []struct{ text, want string }{
		{"", "f.yaml: empty"},
		{"a: 1\n---\nb: 2\n", "2 YAML documents"},
		{"# nothing\n", "f.yaml: empty"},
		{"null\n", "must be a mapping"},
		{"merge_method: [\n", "f.yaml:1:"},
		{"merge_method: linear\nmerge_method: slerp\n" + ok, "f.yaml:2:1: mapping key \"merge_method\" already defined"},
		{"[a]", "f.yaml:1:1: the recipe must be a mapping"},
		{"wieght: 1\n", `f.yaml:1:1: the recipe has no key "wieght"`},
		{"1: 1\n", "f.yaml:1:1: the recipe: this is not a key"},
		{"<<: {a: 1}\n", "this is not a key"},
		{"? a\n: 1\n", "not a key"},
		{ok, "no merge_method"},
		{"merge_method: 3\n" + ok, "f.yaml:1:15: merge_method must be text"},
		{"merge_method: sharks\n" + ok, `merge_method "sharks" is not known`},
		{"merge_method: ties\n" + ok, "merge_method ties is no weighted average"},
		{"merge_method: dare_ties\n" + ok, "merge_method dare_ties is no weighted average"},
		{"merge_method: passthrough\n" + ok, "it copies layers"},
		{"merge_method: nuslerp\n" + ok, "of rows, not of tensors"},
		{"merge_method: linear\n", "either models or slices"},
		{"merge_method: linear\n" + ok + "slices: [{sources: [{model: a, layer_range: [0, 1]}]}]\n", "either models or slices"},
		{"merge_method: linear\nmodules: {default: {models: [{model: a}]}}\n", "f.yaml:2:10: modules are not supported"},
		{"merge_method: linear\n" + ok + "chat_template: auto\n", "f.yaml:3:16: a chat_template is not supported"},
		{"merge_method: linear\n" + ok + "tokenizer_source: union\n", "no tokenizer source but base"},
		{"merge_method: linear\n" + ok + "tokenizer: {source: union}\n", "no tokenizer source but base"},
		{"merge_method: linear\n" + ok + "tokenizer: {source: base, pad_to_multiple_of: 8}\n", `tokenizer has no key "pad_to_multiple_of"`},
		{"merge_method: linear\n" + ok + "tokenizer: {}\n", "no tokenizer source but base"},
		{"merge_method: linear\n" + ok + "tokenizer: union\n", "tokenizer must be a mapping"},
		{"merge_method: linear\n" + ok + "dtype: int8\n", `dtype "int8" is not one`},
		{"merge_method: linear\n" + ok + "out_dtype: float64\n", `dtype "float64" is not one`},
		{"merge_method: linear\n" + ok + "dtype: ''\n", `dtype "" is not one`},
		{"merge_method: linear\n" + ok + "dtype: 16\n", "a dtype must be text"},
		{"merge_method: linear\n" + ok + "base_model: a+b\n", `model "a+b": a LoRA is not supported`},
		{"merge_method: linear\n" + ok + "base_model: a@main\n", `model "a@main": a revision is not supported`},
		{"merge_method: linear\n" + ok + "base_model: {model: a, lora: b}\n", `a model has no key "lora"`},
		{"merge_method: linear\n" + ok + "base_model: {model: a, path: b}\n", "either model or path"},
		{"merge_method: linear\n" + ok + "base_model: {model: a@b}\n", "revision"},
		{"merge_method: linear\n" + ok + "base_model: {path: 3}\n", "path must be text"},
		{"merge_method: linear\n" + ok + "base_model: {}\n", "empty path"},
		{"merge_method: linear\n" + ok + "base_model: ''\n", "empty path"},
		{"merge_method: linear\n" + ok + "base_model: 7\n", "a model must be text"},
		{"merge_method: linear\nmodels: a\n", "f.yaml:2:9: models must be a list"},
		{"merge_method: linear\nmodels: []\n", "models is empty"},
		{"merge_method: linear\nmodels: [~]\n", "models has an empty item"},
		{"merge_method: linear\nmodels: [a]\n", "a model must be a mapping"},
		{"merge_method: linear\nmodels: [{parameters: {weight: 1}}]\n", "no model"},
		{"merge_method: linear\nmodels: [{model: a, layer_range: [0, 1]}]\n", `a model has no key "layer_range"`},
		{"merge_method: linear\nmodels: [{model: a}, {model: a}]\n", "f.yaml: model a is there twice"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: x}}]\n", "weight must be a number"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: .inf}}]\n", "weight must be a number"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: .nan}}]\n", "weight must be a number"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: 1e999}}]\n", "weight: 1e999 is out of range"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: 010}}]\n", "weight must be a number"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: 0x10}}]\n", "weight must be a number"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: 1:30}}]\n", "weight must be a number"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: []}}]\n", "weight is empty"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: [1, [2]]}}]\n", "weight must be a number"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: [1, {value: 2}]}}]\n", "weight must be a number"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: [{value: 2}, 1]}}]\n", "a condition of weight must be a mapping"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: [{filter: mlp}]}}]\n", "a condition of weight has no value"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: {filter: 3, value: 1}}}]\n", "filter must be text"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: {name: mlp, value: 1}}}]\n", `a condition of weight has no key "name"`},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: }}]\n", "weight has no value"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {density: 1}}]\n", `a model in linear has no key "density"`},
		{"merge_method: linear\nmodels: [{model: a, parameters: {normalize: true}}]\n", `has no key "normalize"`},
		{"merge_method: linear\n" + ok + "parameters: {normalize: 0.5}\n", "normalize must be true or false"},
		{"merge_method: linear\n" + ok + "parameters: {normalize: perhaps}\n", "normalize must be true or false"},
		{"merge_method: linear\n" + ok + "parameters: {lambda: 1}\n", `linear has no key "lambda"`},
		{"merge_method: linear\n" + ok + "parameters: [1]\n", "linear must be a mapping"},
		{"merge_method: slerp\n" + ok + "parameters: {t: 0.5}\n", "needs a base model"},
		{"merge_method: slerp\nmodels: [{model: a}, {model: b, parameters: {t: 1}}]\nbase_model: a\n", `has no key "t"`},
		{"merge_method: slerp\nbase_model: a\nmodels: [{model: a}, {model: b}, {model: c}]\n", "takes 2 models with the base, not 3"},
		{"merge_method: slerp\nbase_model: a\nmodels: [{model: a}]\n", "takes 2 models with the base, not 1"},
		{"merge_method: model_stock\nbase_model: a\nmodels: [{model: a}, {model: b}]\n", "takes the base and 2 models or more, not 1"},
		{"merge_method: task_arithmetic\n" + ok, "needs a base model"},
		{"merge_method: linear\nslices: [a]\n", "a slice must be a mapping"},
		{"merge_method: linear\nslices: [{}]\n", "a slice has no sources"},
		{"merge_method: linear\nslices: [{sources: []}]\n", "sources is empty"},
		{"merge_method: linear\nslices: [{sources: [{model: a}]}]\n", "model a has no layer_range"},
		{"merge_method: linear\nslices: [{residual_weight: 1, sources: [{model: a, layer_range: [0, 1]}]}]\n", `a slice has no key "residual_weight"`},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0]}]}]\n", "layer_range must be [first, behind the last]"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [1, 1]}]}]\n", "layer_range must be"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 1.5]}]}]\n", "layer_range must be"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [-1, 1]}]}]\n", "layer_range must be"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 1, 2]}]}]\n", "layer_range must be"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 1e300]}]}]\n", "layer_range must be"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: 3}]}]\n", "layer_range must be a list"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [x, 1]}]}]\n", "layer_range must be a number"},
		{"merge_method: linear\nslices: [{base_model: 3, sources: [{model: a, layer_range: [0, 1]}]}]\n", "a model must be text"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [0, 1]}]}]\n", "b gives 1 layers, a gives 2"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 2]}]}, {sources: [{model: b, layer_range: [1, 3]}]}]\n", "slice 2: layer 1 of b would become layer 2"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [1, 2]}]}]\n", "layer 1 of a would become layer 0"},
		{"merge_method: slerp\nbase_model: c\nslices: [{sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [0, 2]}]}]\n", "base model c is not among the sources"},
		{"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}, {sources: [{model: a, layer_range: [1, 2]}, {model: b, layer_range: [1, 2]}]}]\n", "the last slice has 2 sources and the first 1"},
		{"merge_method: linear\nslices: 3\n", "slices must be a list"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: [*w, 1]}}]\n", "anchor"},
		{"merge_method: linear\nmodels: [{model: a, parameters: {weight: [{value: 1}, *w]}}]\n", "anchor"},
		{"merge_method: !!str linear\n" + ok, "a recipe has no tags"},
		{"merge_method: *m\n" + ok, "anchor"},
		{"merge_method: linear\nmodels: &m [*m]\n", ""},
		{"merge_method: \xff\n", "not valid UTF-8"},
		{strings.Repeat("[", 101), "nested too deeply"},
		{strings.Repeat("- ", 101), "nested too deeply"},
		{strings.Repeat(" ", 101) + "a: 1", "nested too deeply"},
		{strings.Repeat("a: 1\n", 1025), "more keys or values"},
		{"a: [" + strings.Repeat("1,", 1025) + "1]", "more keys or values"},
	} {
		_, err := parse("f.yaml", []byte(c.text))
		switch {
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%.200q\nerror %v, want %q", c.text, err, c.want)
		case !strings.HasPrefix(err.Error(), "f.yaml:"), strings.Contains(err.Error(), "\n"):
			t.Errorf("%.200q\nerror %q: not one line that names the file", c.text, err)
		}
	}
	if _, err := parse("f.yaml", bytes.Repeat([]byte("# a\n"), maxBytes/4+1)); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a huge file: %v", err)
	}
}

// TestHints: refusals of what mergekit can do say what to do instead.
func TestHints(t *testing.T) {
	for text, want := range map[string]string{
		"merge_method: ties\nmodels: [{model: a}]\n":                                                "soup run",
		"merge_method: linear\nmodels: [{model: a}]\nchat_template: auto\n":                         "leave chat_template out",
		"merge_method: linear\nmodels: [{model: a}]\ntokenizer_source: union\n":                     "one vocabulary",
		"merge_method: linear\nmodels: [{model: a, parameters: {density: 1}}]\n":                    "parameters that have an effect here: weight",
		"merge_method: model_stock\nmodels: [{model: a, parameters: {weight: 1}}]\nbase_model: b\n": "no effect in mergekit",
		"merge_method: linear\nslices: [{sources: [{model: a, layer_range: [1, 2]}]}]\n":            "same layer of the other models",
		"merge_method: linear\nmodels: [{model: a+b}]\n":                                            "apply or download it first",
		"merge_method: linear\nmodels: [{model: a, parameters: {weight: x}}]\n":                     "decimal number",
	} {
		_, err := parse("f.yaml", []byte(text))
		var h interface{ Hint() string }
		if !errors.As(err, &h) || !strings.Contains(h.Hint(), want) {
			t.Errorf("%q: %v: no hint at %q", text, err, want)
		}
	}
	_, err := parse("f.yaml", []byte("merge_method: ties\nmodels: [{model: a}]\n"))
	if inner := errors.Unwrap(err); inner == nil || inner.Error() != err.Error() {
		t.Error("the hint hides the error")
	}
}

// TestAliases: anchors are read, and aliases of aliases end.
func TestAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("merge_method: linear\nmodels: [{model: a}]\nparameters:\n  weight:\n    - &v0 {value: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}\n")
	few := b.String() + strings.Repeat("    - *v0\n", 100)
	c, err := parse("f.yaml", []byte(few))
	if err != nil || len(c.Parameters["weight"]) != 101 {
		t.Errorf("%v, %d conditions", err, len(c.Parameters["weight"]))
	}
	many := b.String() + strings.Repeat("    - *v0\n", 100000)
	if _, err := parse("f.yaml", []byte(many)); err == nil || !strings.Contains(err.Error(), "values") {
		t.Errorf("a hundred thousand aliases: %v", err)
	}
}

// TestPaths: a path with a plus or an at sign is read from the mapping that
// mergekit has for it.
func TestPaths(t *testing.T) {
	for text, want := range map[string]string{
		"a/b": "a/b", "'a b'": "a b", "{model: {path: a+b@c}}": "a+b@c", "{path: a@b}": "a@b", "{model: a}": "a", ">-\n    a": "a",
	} {
		c, err := parse("f.yaml", []byte(fmt.Sprintf("merge_method: linear\nmodels:\n- model: %s\n", text)))
		if err != nil || c.Slices[0].Sources[0].Model != want {
			t.Errorf("%s: %+v, %v", text, c.Slices, err)
		}
	}
}
