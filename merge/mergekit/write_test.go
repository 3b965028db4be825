package mergekit

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"soup/merge"
)

// written returns what Write writes, and what a reader makes of it.
func written(t interface{ Fatal(args ...any) }, models []string, r merge.Recipe, store merge.DType) (string, Config) {
	var b bytes.Buffer
	if err := Write(&b, models, r, store); err != nil {
		t.Fatal(err)
	}
	c, err := parse("written.yaml", b.Bytes())
	if err != nil {
		t.Fatal(fmt.Sprintf("%v\n%s", err, &b))
	}
	return b.String(), c
}

func TestWrite(t *testing.T) {
	r := merge.Recipe{
		Groups: merge.Grouping{Names: []string{"rest", "mlp", "one"}, Of: map[string]int{
			embedding: 0, q0: 0, k1: 0, q2: 2, norm: 0, head: 0, up1: 1, up2: 1,
		}},
		Weights: [][]float64{{0.5, 0.5}, {1, 0}, {1.0 / 3, 1e-7}},
	}
	got, c := written(t, []string{"runs/a", "it's b+c"}, r, merge.BF16)
	want := `# Written by soup. mergekit-yaml THIS_FILE OUT makes the soup, to within rounding.
merge_method: linear
base_model: 'runs/a'
models:
  - model: 'runs/a'
    parameters:
      weight:
        - {filter: '.mlp.', value: 1.0}
        - {filter: '.layers.2.', value: 0.3333333333333333}
        - value: 0.5
  - model: {model: {path: 'it''s b+c'}}
    parameters:
      weight:
        - {filter: '.mlp.', value: 0.0}
        - {filter: '.layers.2.', value: 1.0e-07}
        - value: 0.5
parameters:
  normalize: false
dtype: float32
out_dtype: bfloat16
`
	if got != want {
		t.Errorf("wrote\n%s\nwant\n%s", got, want)
	}
	if c.OutDType != merge.BF16 || c.DType != merge.F32 || c.Base != "runs/a" || c.Slices[0].Sources[1].Model != "it's b+c" {
		t.Errorf("read as %+v", c)
	}
	if got, _ := written(t, []string{"a"}, merge.Recipe{Weights: [][]float64{{1}}}, merge.AsStored); strings.Contains(got, "dtype") {
		t.Errorf("a dtype where none is known:\n%s", got)
	}
}

// anyTensors draws names like those of real models, with some that are parts of
// others.
func anyTensors(t *rapid.T) []string {
	parts := []string{"embed_tokens.weight", "norm.weight", "lm_head.weight", "model.lm_head.weight", "a", "aa", "model.a.b"}
	for layer := range rapid.IntRange(1, 12).Draw(t, "layers") {
		for _, p := range []string{"mlp.up_proj.weight", "mlp.down_proj.weight", "self_attn.q_proj.weight", "self_attn.q_proj.bias", "norm.weight"} {
			parts = append(parts, fmt.Sprintf("model.layers.%d.%s", layer, p))
		}
	}
	return slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.SampledFrom(parts), 1, len(parts), rapid.ID[string]).Draw(t, "tensors")))
}

// anyGrouping draws a grouping by some rule or by none.
func anyGrouping(t *rapid.T, tensors []string) merge.Grouping {
	var rule func(i int, name string) int
	groups := rapid.IntRange(1, 5).Draw(t, "groups")
	switch rapid.IntRange(0, 3).Draw(t, "rule") {
	case 0:
		rule = func(int, string) int { return rapid.IntRange(0, groups-1).Draw(t, "group") }
	case 1:
		rule = func(_ int, name string) int { return strings.Count(name, "mlp") }
	case 2:
		rule = func(i int, _ string) int { return i }
	default:
		rule = func(_ int, name string) int { return len(name) % groups }
	}
	g := merge.Grouping{Of: map[string]int{}}
	index := map[int]int{}
	for i, name := range tensors {
		k := rule(i, name)
		if _, ok := index[k]; !ok {
			index[k] = len(g.Names)
			g.Names = append(g.Names, fmt.Sprint("group ", k))
		}
		g.Of[name] = index[k]
	}
	return g
}

// TestRoundTrip: what is written is read as the same weights of every tensor,
// to the last bit.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tensors := anyTensors(rt)
		r := merge.Recipe{Groups: anyGrouping(rt, tensors)}
		models := []string{"base", "runs/one two", "it's"}[:rapid.IntRange(1, 3).Draw(rt, "models")]
		for range r.Groups.Names {
			row := rapid.SliceOfN(rapid.Float64Range(-2, 2), len(models), len(models)).Draw(rt, "row")
			row[0] += 10 // away from a sum of 0
			r.Weights = append(r.Weights, row)
		}
		text, c := written(rt, models, r, merge.BF16)
		terms, err := c.plan(tensors)
		if err != nil {
			rt.Fatal(err)
		}
		rows, err := c.rows(t.Context(), terms, models, nil)
		if err != nil {
			rt.Fatal(err)
		}
		for i, name := range tensors {
			if want := r.Weights[r.Groups.Of[name]]; !slices.Equal(rows[i], want) {
				rt.Fatalf("tensor %s: %v, want %v\n%s", name, rows[i], want, text)
			}
		}
	})
}

// TestFew: groups by layer and by kind need few filters.
func TestFew(t *testing.T) {
	var tensors []string
	for layer := range 32 {
		for _, p := range []string{"mlp.up_proj.weight", "mlp.down_proj.weight", "self_attn.q_proj.weight", "self_attn.o_proj.weight", "input_layernorm.weight"} {
			tensors = append(tensors, fmt.Sprintf("model.layers.%d.%s", layer, p))
		}
	}
	tensors = append(tensors, embedding, norm, head)
	for _, c := range []struct {
		spec merge.GroupSpec
		most int
	}{
		{merge.GroupSpec{}, 1},
		{merge.GroupSpec{Kinds: []string{"mlp"}}, 2},
		{merge.GroupSpec{Kinds: []string{"attention", "mlp", "other"}}, 3},
		{merge.GroupSpec{Layers: 2}, 18},
		{merge.GroupSpec{Layers: 32}, 35},
	} {
		g, err := c.spec.Group(tensors)
		if err != nil {
			t.Fatal(err)
		}
		if f := filtersOf(g); len(f) > c.most {
			t.Errorf("%+v: %d filters: %v", c.spec, len(f), f)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	one := func(w ...float64) merge.Recipe { return merge.Recipe{Weights: [][]float64{w}} }
	for _, c := range []struct {
		models []string
		r      merge.Recipe
		want   string
	}{
		{nil, one(), "of 0 models"},
		{[]string{"a"}, merge.Recipe{}, "0 rows"},
		{[]string{"a", "b"}, one(1), "1 for 2 models"},
		{[]string{"a", "a"}, one(1, 1), "there twice"},
		{[]string{""}, one(1), "empty"},
		{[]string{"a"}, one(math.NaN()), "finite"},
		{[]string{"a"}, one(1e39), "finite"},
		{[]string{"a", "b"}, one(1, -1), "sum is 0"},
	} {
		var b bytes.Buffer
		err := Write(&b, c.models, c.r, merge.AsStored)
		if err == nil || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
			t.Errorf("%v %v: error %v, want %q; wrote %q", c.models, c.r.Weights, err, c.want, &b)
		}
	}
	if err := Write(broken{}, []string{"a"}, one(1), merge.AsStored); !errors.Is(err, errBroken) {
		t.Errorf("a writer that fails: %v", err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// TestQuoted: any text comes back through YAML.
func TestQuoted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		path := rapid.StringMatching(`[a-z'"\\:#{}\[\]+@ \t\n\r\x{7f}\x{85}\x{e9}\x{2028}\x{1f600}&*!|>%-]{1,12}`).Draw(rt, "path")
		text, c := written(rt, []string{path}, merge.Recipe{Weights: [][]float64{{1}}}, merge.AsStored)
		if got := c.Slices[0].Sources[0].Model; got != path {
			rt.Fatalf("%q comes back as %q from\n%s", path, got, text)
		}
	})
}

func TestFloat(t *testing.T) {
	for x, want := range map[float64]string{0: "0.0", 1: "1.0", -3: "-3.0", 0.1: "0.1", 1e-7: "1.0e-07", 1.5e300: "1.5e+300", 1e21: "1.0e+21"} {
		if got := float(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}
