package mergekit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"strings"
	"testing"

	"soup/merge"
)

const (
	embedding = "model.embed_tokens.weight"
	q0        = "model.layers.0.self_attn.q_proj.weight"
	k1        = "model.layers.1.self_attn.k_proj.weight"
	up1       = "model.layers.1.mlp.up_proj.weight"
	up2       = "model.layers.2.mlp.up_proj.weight"
	q2        = "model.layers.2.self_attn.q_proj.weight"
	norm      = "model.norm.weight"
	head      = "lm_head.weight"
)

type row map[string]float64

// over scales to sum to 1.
func (r row) over(sum float64) row {
	out := row{}
	for name, w := range r {
		out[name] = w / sum
	}
	return out
}

// TestWeights: what each tensor's weights are. The numbers in want are those
// that the planner of mergekit 0.1.5 prints for the same files, before it
// normalises.
func TestWeights(t *testing.T) {
	for _, c := range []struct {
		name, text string
		dtype      merge.DType
		want       map[string]row
	}{
		{"mergekit's examples/linear.yml", `
models:
  - model: $finetune/arith
    parameters:
      weight: 1.0
  - model: $finetune/call
    parameters:
      weight: 0.3
  - model: $finetune/quiz
    parameters:
      weight: 0.5
merge_method: linear
dtype: float16
`, merge.F16, map[string]row{
			embedding: row{"arith": 1, "call": 0.3, "quiz": 0.5}.over(1.8),
			head:      row{"arith": 1, "call": 0.3, "quiz": 0.5}.over(1.8),
		}},
		{"gradients and filters", `
merge_method: linear
models:
  - model: $finetune/arith
    parameters: {weight: 1.0}
  - model: $finetune/call
    parameters: {weight: [0, 0.3, 0.7, 1]}
  - model: $finetune/quiz
    parameters:
      weight:
        - filter: mlp
          value: [0.5, 0.1]
        - filter: layers.1.self_attn
          value: 0.25
        - value: 0
dtype: float32
out_dtype: bfloat16
`, merge.BF16, map[string]row{
			embedding: {"arith": 1, "call": 0, "quiz": 0},
			q0:        {"arith": 1, "call": 0, "quiz": 0},
			k1:        row{"arith": 1, "call": 0.5, "quiz": 0.25}.over(1.75),
			up1:       row{"arith": 1, "call": 0.5, "quiz": 0.3}.over(1.8),
			up2:       row{"arith": 1, "call": 1, "quiz": 0.1}.over(2.1),
			q2:        {"arith": 0.5, "call": 0.5, "quiz": 0},
			norm:      {"arith": 1, "call": 0, "quiz": 0},
			head:      {"arith": 1, "call": 0, "quiz": 0},
		}},
		{"levels", `
merge_method: linear
slices:
  - sources:
      - {model: $finetune/arith, layer_range: [0, 2], parameters: {weight: [{filter: q_proj, value: 0.9}]}}
      - {model: $finetune/call, layer_range: [0, 2]}
    parameters:
      weight: [{filter: self_attn, value: [0.2, 0.4]}]
      normalize: [{filter: mlp, value: false}]
  - sources:
      - {model: $finetune/arith, layer_range: [2, 3], parameters: {weight: [0.1, 0.6]}}
      - {model: $finetune/quiz, layer_range: [2, 3], parameters: {weight: "3e-1"}}
base_model: $finetune/call
parameters:
  weight: [{filter: "*", value: [0.5, 1.5]}]
  normalize: true
`, merge.AsStored, map[string]row{
			embedding: {"call": 0.5, "arith": 0.5, "quiz": 0},
			q0:        row{"call": 0.2, "arith": 0.9, "quiz": 0}.over(1.1),
			k1:        {"call": 0.5, "arith": 0.5, "quiz": 0},
			up1:       {"call": 1.5, "arith": 1.5, "quiz": 0},
			up2:       row{"call": 0, "arith": 0.6, "quiz": 0.3}.over(0.9),
			norm:      {"call": 0, "arith": 0.25, "quiz": 0.75},
			head:      {"call": 0, "arith": 0.25, "quiz": 0.75},
		}},
		{"linear with a base that is not among the models", `
merge_method: linear
models:
  - {model: $finetune/arith, parameters: {weight: 1}}
  - {model: $finetune/call, parameters: {weight: 2}}
base_model: $base
parameters: {weight: 0.5}
`, merge.AsStored, map[string]row{up1: row{"base": 0.5, "arith": 1, "call": 2}.over(3.5)}},
		{"task arithmetic", `
merge_method: task_arithmetic
base_model: $base
models:
  - {model: $finetune/arith, parameters: {weight: 0.7}}
  - {model: $finetune/call, parameters: {weight: [0.2, 0.6], density: 0.5}}
parameters: {lambda: [{filter: mlp, value: 0.8}, {value: [1.0, 1.2]}], int8_mask: true, rescale: false}
`, merge.AsStored, map[string]row{
			embedding: {"base": 0.1, "arith": 0.7, "call": 0.2},
			k1:        {"base": 1 - 1.1*1.1, "arith": 1.1 * 0.7, "call": 1.1 * 0.4},
			up1:       {"base": 1 - 0.8*1.1, "arith": 0.8 * 0.7, "call": 0.8 * 0.4},
			q2:        {"base": 1 - 1.2*1.3, "arith": 1.2 * 0.7, "call": 1.2 * 0.6},
			head:      {"base": 0.1, "arith": 0.7, "call": 0.2},
		}},
		{"task arithmetic, normalised", `
merge_method: task_arithmetic
base_model: $base
models:
  - {model: $finetune/arith, parameters: {weight: 0.7}}
  - {model: $finetune/call, parameters: {weight: 0.6}}
parameters: {lambda: 0.9, normalize: true}
`, merge.AsStored, map[string]row{embedding: {"base": 0.1, "arith": 0.9 * 0.7 / 1.3, "call": 0.9 * 0.6 / 1.3}}},
		{"flags do not interpolate; a filter without a list; YAML 1.1 words; an anchor", `
merge_method: linear
models:
  - {model: $finetune/arith, parameters: {weight: &w {filter: mlp, value: .5}}}
  - {model: $finetune/call, parameters: {weight: *w}}
parameters: {weight: 2, normalize: [no, Yes]}
dtype: torch.bfloat16
tokenizer_source: base
chat_template:
`, merge.BF16, map[string]row{
			q0: {"arith": 2, "call": 2}, up1: {"arith": 0.5, "call": 0.5}, k1: {"arith": 2, "call": 2}, q2: {"arith": 0.5, "call": 0.5},
		}},
	} {
		s, dtype := soup(t, c.text)
		if dtype != c.dtype {
			t.Errorf("%s: dtype %s, want %s", c.name, dtype, c.dtype)
		}
		for tensor, want := range c.want {
			got := row(weights(s, tensor))
			if !maps.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-15 }) {
				t.Errorf("%s: tensor %s: %v, want %v", c.name, tensor, got, want)
			}
		}
	}
}

// TestSlerp follows mergekit's examples/gradient-slerp.yml: the garden's
// fine-tunes are near each other, so that the second's share is almost t.
func TestSlerp(t *testing.T) {
	text := `
slices:
  - sources:
      - model: $finetune/arith
        layer_range: [0, 3]
      - model: $finetune/call
        layer_range: [0, 3]
merge_method: slerp
base_model: $finetune/arith
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 0.3, 0.7, 1]
    - filter: mlp
      value: [1, 0.5, 0.7, 0.3, 0]
    - value: 0.5
dtype: float16
`
	s, dtype := soup(t, text)
	if dtype != merge.F16 {
		t.Errorf("dtype %s", dtype)
	}
	for tensor, at := range map[string]float64{embedding: 0.5, q0: 0, k1: 0.3, q2: 1, up1: 0.7, up2: 0, head: 0.5} {
		got := weights(s, tensor)
		if sum := got["arith"] + got["call"]; math.Abs(got["call"]/sum-at) > 2e-3 || sum < 1 || sum > 1.02 {
			t.Errorf("tensor %s: %v, want t %v", tensor, got, at)
		}
	}
	other, _ := soup(t, strings.Replace(text, "base_model: $finetune/arith", "base_model: $finetune/call", 1))
	if got := weights(other, q0); got["call"] != 1 || got["arith"] != 0 {
		t.Errorf("t = 0 is not the base: %v", got)
	}
	if other.Names[0] != "call" {
		t.Errorf("the base is not the first parent: %v", other.Names)
	}
}

// TestSliceBase: a slice may have a base of its own.
func TestSliceBase(t *testing.T) {
	s, _ := soup(t, `
merge_method: slerp
base_model: $finetune/arith
slices:
  - sources: [{model: $finetune/arith, layer_range: [0, 1]}, {model: $finetune/call, layer_range: [0, 1]}]
  - sources: [{model: $finetune/call, layer_range: [1, 3]}, {model: $finetune/quiz, layer_range: [1, 3]}]
    base_model: $finetune/quiz
    parameters: {t: [0, 1]}
parameters: {t: 0}
`)
	for tensor, want := range map[string]string{embedding: "arith", q0: "arith", k1: "quiz", up1: "quiz", q2: "call", norm: "quiz"} {
		for name, w := range weights(s, tensor) {
			if name == want && w != 1 || name != want && w != 0 {
				t.Errorf("tensor %s: %v, want all of %s", tensor, weights(s, tensor), want)
			}
		}
	}
}

// TestModelStock: the base's weight is 1 - t and the others share t equally.
func TestModelStock(t *testing.T) {
	s, _ := soup(t, `
merge_method: model_stock
base_model: $base
models: [{model: $finetune/arith}, {model: $finetune/call}, {model: $finetune/quiz}]
parameters: {filter_wise: false}
`)
	moved := 0
	for _, x := range s.Parents[0].Tensors() {
		w := weights(s, x.Name)
		if w["arith"] != w["call"] || w["call"] != w["quiz"] || math.Abs(w["base"]+3*w["arith"]-1) > 1e-12 {
			t.Errorf("tensor %s: %v", x.Name, w)
		}
		if w["arith"] > 0.01 {
			moved++
		}
	}
	if moved < 20 {
		t.Errorf("only %d tensors leave the base", moved)
	}
}

// TestEndToEnd writes a soup and makes one of its tensors by hand.
func TestEndToEnd(t *testing.T) {
	s, dtype := soup(t, `
merge_method: linear
models:
  - {model: $finetune/arith, parameters: {weight: 3}}
  - {model: $finetune/call, parameters: {weight: 1}}
dtype: float32
`)
	out := t.TempDir() + "/out"
	if _, err := merge.Write(t.Context(), out, s.Parents, s.Names, s.Recipe, merge.WriteOptions{Store: dtype, Method: s.Method}); err != nil {
		t.Fatal(err)
	}
	c, err := merge.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, a, b := bytesOf(t, c), bytesOf(t, s.Parents[0]), bytesOf(t, s.Parents[1])
	differ := 0
	for i := range len(a) / 2 {
		x, y := half(a[2*i:]), half(b[2*i:])
		if want := float32(float32(0.75)*x) + float32(float32(0.25)*y); math.Float32frombits(binary.LittleEndian.Uint32(got[4*i:])) != want {
			t.Fatalf("element %d of %v and %v is not %v", i, x, y, want)
		}
		if x != y {
			differ++
		}
	}
	if differ < 1000 {
		t.Errorf("only %d elements differ", differ)
	}
}

func bytesOf(t *testing.T, c *merge.Checkpoint) []byte {
	t.Helper()
	data, err := c.Bytes(embedding)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// half reads a bf16.
func half(b []byte) float32 {
	return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
}

// TestSoupRefuses: what only shows when the models are there.
func TestSoupRefuses(t *testing.T) {
	two := "[{model: $finetune/arith}, {model: $finetune/call}]"
	for _, c := range []struct{ text, want, hint string }{
		{"{merge_method: linear, models: " + two + "}", "finetune/arith has no weight for tensor", "weight"},
		{"{merge_method: linear, base_model: $base, models: [{model: $finetune/arith, parameters: {weight: 1}}]}", "base has no weight", "leave base_model out"},
		{"{merge_method: linear, models: " + two + ", parameters: {weight: [{filter: mlp, value: 1}]}}", "has no weight for tensor lm_head.weight", ""},
		{"{merge_method: linear, models: " + two + ", parameters: {weight: 0}}", "the weights sum to 0", ""},
		{"{merge_method: linear, models: " + two + ", parameters: {weight: [0, 1], normalize: false}}", "the weights sum to 0", ""},
		{"{merge_method: slerp, base_model: $finetune/arith, models: " + two + "}", "no t for tensor", "parameters"},
		{"{merge_method: model_stock, base_model: $base, models: " + two + ", parameters: {filter_wise: true}}", "filter_wise gives each row", ""},
		{"{merge_method: task_arithmetic, base_model: $base, models: " + two + "}", "finetune/arith has no weight", ""},
		{"{merge_method: linear, parameters: {weight: 1}, slices: [{sources: [{model: $base, layer_range: [0, 2]}]}]}", "end at layer 2, the models have 3", "cover all"},
		{"{merge_method: linear, parameters: {weight: 1}, models: [{model: meta/Llama-3}]}", "meta/Llama-3: no such folder", "hf download meta/Llama-3"},
		{"{merge_method: linear, parameters: {weight: 1}, models: [{model: $base}, {model: ./nowhere}]}", "./nowhere: no such file or directory", ""},
	} {
		_, _, err := recipe(t, c.text).Soup(t.Context(), merge.Open)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\nerror %v, want %q", c.text, err, c.want)
			continue
		}
		var h interface{ Hint() string }
		if c.hint != "" && (!errors.As(err, &h) || !strings.Contains(h.Hint(), c.hint)) {
			t.Errorf("%s\nno hint at %q", c.text, c.hint)
		}
	}
}

// TestSoupCloses: after an error no checkpoint stays open.
func TestSoupCloses(t *testing.T) {
	var opened []*merge.Checkpoint
	open := func(path string) (*merge.Checkpoint, error) {
		c, err := merge.Open(path)
		if err == nil {
			opened = append(opened, c)
		}
		return c, err
	}
	s, _, err := recipe(t, "{merge_method: linear, models: [{model: $base}, {model: $finetune/call}]}").Soup(t.Context(), open)
	if err == nil || len(opened) != 2 || s.Parents != nil {
		t.Fatalf("%v, %d opened, %v", err, len(opened), s.Parents)
	}
	for _, c := range opened {
		if _, err := c.Bytes(embedding); err == nil {
			t.Errorf("%s is still open", c.Path())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	text := "{merge_method: slerp, base_model: $base, models: [{model: $base}, {model: $finetune/call}], parameters: {t: 0.5}}"
	if _, _, err := recipe(t, text).Soup(ctx, merge.Open); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestTowers: with several stacks of layers, depth is not defined; single
// values are.
func TestTowers(t *testing.T) {
	tensors := []string{"text.layers.0.a", "text.layers.1.a", "vision.layers.0.a", "head"}
	for text, want := range map[string]string{
		"{merge_method: linear, parameters: {weight: [0, 1]}, models: [{model: a}]}":                                               "several stacks of layers (text.layers, vision.layers)",
		"{merge_method: linear, parameters: {weight: 1}, slices: [{sources: [{model: a, layer_range: [0, 2]}]}]}":                  "several stacks",
		"{merge_method: linear, parameters: {weight: [{filter: vision, value: 2}, {value: 1}]}, models: [{model: a}, {model: b}]}": "",
	} {
		_, err := recipe(t, text).plan(tensors)
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestPlaces: what is in front of the layers goes with the first slice, what is
// behind them with the last.
func TestPlaces(t *testing.T) {
	c := recipe(t, `
merge_method: linear
parameters: {weight: 1}
slices:
  - sources: [{model: a, layer_range: [0, 1]}]
  - sources: [{model: b, layer_range: [1, 3]}]
`)
	want := map[string]string{
		"model.embed_tokens.weight": "a", "transformer.wte.weight": "a", "transformer.wpe.weight": "a", "model.embedding_norm.weight": "a",
		"embeddings.LayerNorm.bias": "a", "transformer.rotary_pos_emb.inv_freq": "a", "model.layers.0.x": "a", "token_embd.weight": "a",
		"model.layers.1.x": "b", "model.layers.2.x": "b", "model.norm.weight": "b", "lm_head.weight": "b", "embed_out.weight": "b",
		"transformer.ln_f.bias": "b", "vocab_layer_norm.weight": "b", "score.weight": "b", "output.weight": "b",
	}
	var tensors []string
	for name := range want {
		tensors = append(tensors, name)
	}
	terms, err := c.plan(tensors)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range terms {
		if got := x.slice.Sources[0].Model; got != want[x.tensor] {
			t.Errorf("%s is in the slice of %s", x.tensor, got)
		}
	}
}

// TestGGUF: filters name Hugging Face's tensors; without them GGUF is fine.
func TestGGUF(t *testing.T) {
	path := write(t, "model.gguf", ggufFile)
	base := "{merge_method: linear, models: [{model: " + path + "}], parameters: {weight: %s}}"
	s, _, err := recipe(t, fmt.Sprintf(base, "2")).Soup(t.Context(), merge.Open)
	if err != nil {
		t.Fatal(err)
	}
	s.Parents[0].Close()
	if s.Recipe.Weights[0][0] != 1 {
		t.Errorf("weights %v", s.Recipe.Weights)
	}
	for _, w := range []string{"[{filter: mlp, value: 1}, {value: 2}]", `[{filter: "*", value: 1}, {filter: mlp, value: 1}]`} {
		if _, _, err := recipe(t, fmt.Sprintf(base, w)).Soup(t.Context(), merge.Open); err == nil || !strings.Contains(err.Error(), "is GGUF") {
			t.Errorf("weight %s: %v", w, err)
		}
	}
}

// ggufFile is a GGUF file of one tensor: magic, version 3, 1 tensor, 1 key;
// general.architecture = "x"; tensor "blk.0.a" of 8 float32; data at 128.
var ggufFile = func() string {
	text := func(s string) string { return string([]byte{byte(len(s)), 0, 0, 0, 0, 0, 0, 0}) + s }
	head := "GGUF" + "\x03\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00" +
		text("general.architecture") + "\x08\x00\x00\x00" + text("x") +
		text("blk.0.a") + "\x01\x00\x00\x00" + "\x08\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00"
	return head + strings.Repeat("\x00", (32-len(head)%32)%32) + strings.Repeat("\x00\x00\x80\x3f", 8)
}()

func TestReads(t *testing.T) {
	for method := range methods {
		if want := method == "slerp" || method == "model_stock"; (Config{Method: method}).Reads() != want {
			t.Errorf("%s reads: %t", method, !want)
		}
	}
}

func TestNames(t *testing.T) {
	got := names([]string{"x/arith", "y/arith/", "z/arith", "call"})
	if want := "[arith arith-2 arith-3 call]"; fmt.Sprint(got) != want {
		t.Errorf("names %v", got)
	}
}

func TestReadFile(t *testing.T) {
	path := write(t, "recipe.yml", "merge_method: linear\nmodels: [{model: a}]\nparameters: {weight: 1}\n")
	c, err := Read(path)
	if err != nil || c.File != path || c.Method != "linear" || c.Slices[0].Sources[0].Model != "a" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := Read(path + ".no"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
}
