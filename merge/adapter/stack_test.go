package adapter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"soup/merge"
)

// sides are the shapes that drawn adapters change: [in, out] of a module.
var sides = map[string][2]int64{"l.0.q": {6, 5}, "l.1.q": {6, 5}, "l.0.down": {9, 4}, "head": {3, 8}}

// drawAdapter writes an adapter with some of the modules, at any rank and alpha.
func drawAdapter(t *testing.T, r *rapid.T, label string) *Adapter {
	ranks, alphas := map[string]int64{}, map[string]float64{}
	var tensors []fake
	for _, name := range []string{"head", "l.0.down", "l.0.q", "l.1.q"} {
		if name != "l.0.q" && !rapid.Bool().Draw(r, label+name) {
			continue
		}
		rank := rapid.Int64Range(1, 4).Draw(r, "rank")
		ranks["^"+name], alphas["^"+name] = rank, rapid.Float64Range(0.5, 16).Draw(r, "alpha")
		tensors = append(tensors, pair(name, rapid.Uint64Max(1000).Draw(r, "seed"), sides[name][0], sides[name][1], rank)...)
	}
	return open(t, directory(t, options{"rank_pattern": ranks, "alpha_pattern": alphas, "use_rslora": rapid.Bool().Draw(r, "rslora")}, tensors...))
}

func draw(t *testing.T, r *rapid.T) (adapters []*Adapter, weights []float64) {
	for k := range rapid.IntRange(1, 4).Draw(r, "adapters") {
		adapters = append(adapters, drawAdapter(t, r, fmt.Sprint(k)))
		weights = append(weights, rapid.OneOf(rapid.Float64Range(-1.5, 1.5), rapid.Just(0.0), rapid.Just(1.0)).Draw(r, "weight"))
	}
	if !slices.ContainsFunc(weights, func(w float64) bool { return w != 0 }) {
		weights[0] = 0.5
	}
	return adapters, weights
}

// stackedInto stacks into a new directory and opens it.
func stackedInto(t *testing.T, adapters []*Adapter, weights []float64, o Options) *Adapter {
	t.Helper()
	out := filepath.Join(t.TempDir(), "soup")
	if _, err := Stack(t.Context(), out, adapters, nil, weights, o); err != nil {
		t.Fatal(err)
	}
	made := open(t, out)
	if err := check(t, made).Err(); err != nil {
		t.Fatal(err)
	}
	return made
}

// wantChange compares with the sum in float64. Each stacked B is rounded once to
// float32, by at most 2^-24 of it, so an element is off by at most that share of
// the sizes of its products, however much they cancel.
func wantChange(t *testing.T, made *Adapter, adapters []*Adapter, weights []float64) {
	t.Helper()
	want, sizes := changes(t, adapters, weights, product), changes(t, adapters, weights, absolute)
	for _, m := range made.Modules() {
		got := change(t, made, m, product)
		for i, x := range want[m.Name] {
			if !(math.Abs(got[i]-x) <= 0x1.01p-24*sizes[m.Name][i]+1e-40) { // float32 ends at 1e-45
				t.Fatalf("%s: element %d is %v, want %v", m.Name, i, got[i], x)
			}
		}
	}
}

// Whatever the order, with ranks padded or not, the change is the weighted sum.
func TestStackIsTheSum(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		adapters, weights := draw(t, r)
		given, givenWeights := slices.Clone(adapters), slices.Clone(weights)
		if rapid.Bool().Draw(r, "turned") {
			slices.Reverse(given)
			slices.Reverse(givenWeights)
		}
		o := Options{EachRank: rapid.Bool().Draw(r, "each rank")}
		made := stackedInto(t, given, givenWeights, o)
		wantChange(t, made, adapters, weights)
		kept := slices.DeleteFunc(slices.Clone(weights), func(w float64) bool { return w == 0 })
		if alone := len(kept) == 1 && kept[0] == 1; !o.EachRank && !alone && made.config.set("rank_pattern") {
			t.Error("ranks differ")
		}
	})
}

// Rounded to bf16, the change is as near as that allows.
func TestStackStore(t *testing.T) {
	adapters := []*Adapter{small(t, 1, nil), small(t, 5, nil)}
	made := stackedInto(t, adapters, []float64{0.5, 0.5}, Options{Store: merge.BF16})
	want := changes(t, adapters, []float64{0.5, 0.5}, product)["l.0.q"]
	m, _ := made.Module("l.0.q")
	if d := distance(change(t, made, m, product), want); d < 1e-5 || d > 1e-2 {
		t.Errorf("bf16 is off by %g", d)
	}
	if of, _ := made.weights.Tensor(tensorA("l.0.q")); of.DType != merge.BF16 {
		t.Errorf("stored as %s", of.DType)
	}
}

// One adapter of weight 1 comes out to the byte, as PEFT wrote it, and weight 0
// leaves an adapter unread.
func TestStackOneHot(t *testing.T) {
	for _, name := range []string{"plain", "rs", "pattern", "bf16"} {
		lost := small(t, 3, options{"base_model_name_or_path": "base"})
		if err := os.Truncate(filepath.Join(lost.Path(), weightsName), 150); err != nil {
			t.Fatal(err)
		}
		a := open(t, "testdata/"+name)
		made := stackedInto(t, []*Adapter{lost, a}, []float64{0, 1}, Options{})
		for _, file := range []string{configName, weightsName} {
			if !bytes.Equal(read(t, filepath.Join(made.Path(), file)), read(t, filepath.Join(a.Path(), file))) {
				t.Errorf("%s: %s is another", name, file)
			}
		}
	}
	a := open(t, "testdata/bf16")
	made := stackedInto(t, []*Adapter{a}, []float64{1}, Options{Store: merge.F32})
	wantChange(t, made, []*Adapter{a}, []float64{1})
	if of := made.weights.Tensors()[0]; of.DType != merge.F32 {
		t.Errorf("stored as %s", of.DType)
	}
}

func TestStackConfig(t *testing.T) {
	one := open(t, directory(t, options{
		"use_rslora": true, "init_lora_weights": "gaussian", "layers_to_transform": []int{0}, "loftq_config": map[string]int{"loftq_bits": 4},
		"eva_config": map[string]int{"rho": 2}, "peft_version": "0.1",
	}, pair("l.0.q", 1, 6, 5, 2)...))
	two := open(t, directory(t, options{"r": 3}, slices.Concat(pair("l.0.q", 2, 6, 5, 3), pair("m.l.0.q", 3, 6, 5, 3))...))
	made := stackedInto(t, []*Adapter{one, two}, []float64{0.5, 0.5}, Options{EachRank: true})
	var got options
	if err := json.Unmarshal(read(t, filepath.Join(made.Path(), configName)), &got); err != nil {
		t.Fatal(err)
	}
	for option, want := range map[string]string{
		"r": "5", "lora_alpha": "5", "use_rslora": "false", "rank_pattern": "map[^m.l.0.q:3]", "alpha_pattern": "map[^m.l.0.q:3]",
		"target_modules": "[l.0.q m.l.0.q]", "layers_to_transform": "<nil>", "init_lora_weights": "true", "loftq_config": "map[]",
		"eva_config": "<nil>", "peft_version": "0.1", "base_model_name_or_path": "org/base", "task_type": "CAUSAL_LM",
	} {
		if fmt.Sprint(got[option]) != want {
			t.Errorf("%s is %v, want %s", option, got[option], want)
		}
	}
	if stackedInto(t, []*Adapter{one, one}, []float64{1, 1}, Options{}).config.text("init_lora_weights") != "" {
		t.Error("an initialisation was kept")
	}
}

func TestStackRecord(t *testing.T) {
	a, b := small(t, 1, nil), small(t, 2, nil)
	out := filepath.Join(t.TempDir(), "s|oup")
	stats, err := Stack(t.Context(), out, []*Adapter{a, b}, []string{"a", "b"}, []float64{0, 0.5}, Options{})
	if err != nil || stats.BytesRead != b.Bytes() || stats.BytesWritten == 0 {
		t.Fatalf("%+v: %v", stats, err)
	}
	saved, err := merge.ReadRecipe(filepath.Join(out, "soup.json"))
	hash, _ := b.Hash(t.Context())
	if err != nil || len(saved.Parents) != 1 || saved.Parents[0].SHA256 != hash || saved.Weights[0][0] != 0.5 || saved.Method != Stacked || saved.Store != merge.F32 {
		t.Errorf("%+v: %v", saved, err)
	}
	if saved.SHA256 != sum(read(t, filepath.Join(out, weightsName))) {
		t.Error("the recorded sha256 is not the file's")
	}
	card := string(read(t, filepath.Join(out, "README.md")))
	for _, part := range []string{"base_model: \"org/base\"", `# s\|oup`, "| b | 0.5 | " + hash} {
		if !bytes.Contains([]byte(card), []byte(part)) {
			t.Errorf("no %q in %s", part, card)
		}
	}
}

// The hash knows the values and lora_alpha.
func TestHash(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range []*Adapter{small(t, 1, nil), small(t, 2, nil), small(t, 1, options{"lora_alpha": 5})} {
		h, err := a.Hash(t.Context())
		if err != nil || len(h) != 64 || seen[h] {
			t.Errorf("%s, %v", h, err)
		}
		seen[h] = true
	}
	again, _ := small(t, 1, nil).Hash(t.Context())
	if !seen[again] {
		t.Error("equal adapters at two paths have two hashes")
	}
}

func TestStackErrors(t *testing.T) {
	a, b := small(t, 1, nil), small(t, 2, nil)
	two := []*Adapter{a, b}
	stack := func(adapters []*Adapter, names []string, weights ...float64) error {
		dir := t.TempDir()
		_, err := Stack(t.Context(), filepath.Join(dir, "o"), adapters, names, weights, Options{})
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("left %v", left)
		}
		return err
	}
	wantError(t, stack(nil, nil), "no adapters given")
	wantError(t, stack(two, nil, 1), "2 names and 1 weights for 2 adapters")
	wantError(t, stack(two, []string{"a"}, 1, 1), "1 names")
	wantError(t, stack(two, nil, 0, 0), "all weights are 0")
	wantError(t, stack(two, []string{"a", "b"}, 1, math.NaN()), "the weight of b is NaN")
	wantError(t, stack(two, []string{"a", "b"}, 1, 1e39), "b: module l.0.q", "too large")
	wantError(t, stack([]*Adapter{a, small(t, 3, options{"use_dora": true})}, nil, 1, 1), "use_dora")
	odd := open(t, directory(t, nil, append(pair("l.0.q", 1, 6, 5, 2), pair("l(0", 1, 6, 5, 2)...)...))
	_, err := Stack(t.Context(), filepath.Join(t.TempDir(), "o"), []*Adapter{a, odd}, nil, []float64{1, 1}, Options{EachRank: true})
	wantError(t, err, "no rank_pattern can be written for module l")
	stackedInto(t, []*Adapter{a, odd}, []float64{1, 1}, Options{})
	if err := os.Truncate(filepath.Join(b.Path(), weightsName), 150); err != nil {
		t.Fatal(err)
	}
	wantError(t, stack(two, nil, 1, 0.5), weightsName)
	_, err = Stack(t.Context(), filepath.Join(b.Path(), "inside"), []*Adapter{a, small(t, 4, nil), b}, nil, []float64{1, 1, 0}, Options{})
	wantError(t, err, "lies in the parent")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Stack(ctx, filepath.Join(t.TempDir(), "o"), []*Adapter{a}, nil, []float64{1}, Options{})
	wantError(t, err, "canceled")
}

func TestSizes(t *testing.T) {
	adapters := []*Adapter{open(t, "testdata/plain"), open(t, "testdata/rs")}
	for _, o := range []Options{{}, {EachRank: true}, {Store: merge.BF16}} {
		made := stackedInto(t, adapters, []float64{0.5, 0.5}, o)
		size := StackSize(adapters, o)
		if size.Bytes != made.Bytes() || size.Modules != len(made.Modules()) || size.Rank != 7 || size.Memory <= size.Bytes {
			t.Errorf("%+v, written %d", size, made.Bytes())
		}
	}
	base := openBase(t, garden+"base")
	for store, bytes := range map[merge.DType]int64{merge.AsStored: 2 * 574336, merge.F32: 4 * 574336} {
		if s := BakeSize(base, adapters, Options{Store: store}); s.Bytes != bytes || !s.Baked || s.Parameters != 574336 || s.Tensors != 30 {
			t.Errorf("%+v", s)
		}
	}
}
