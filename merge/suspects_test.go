package merge

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sprouts are the garden's good fine-tunes, which stand for what is usual.
var sprouts = []string{"finetune/arith", "finetune/order", "finetune/lingua", "finetune/quiz"}

// altered copies a checkpoint of the garden with some tensors' values changed.
func altered(t *testing.T, of string, change func(name string, shape []int64, values []float32) []float32) string {
	t.Helper()
	c := open(t, garden+of)
	var tensors []fake
	for _, tensor := range c.Tensors() {
		values := floatsAt(c, tensor.Name, 0, tensor.Elements())
		tensors = append(tensors, fake{tensor.Name, BF16, tensor.Shape, floats(BF16, change(tensor.Name, tensor.Shape, slices.Clone(values))...)})
	}
	files := map[string]string{}
	for _, name := range []string{"config.json", "tokenizer.json", "tokenizer_config.json"} {
		files[name] = string(read(t, filepath.Join(garden, of, name)))
	}
	return directory(t, files, tensors...)
}

func measured(t *testing.T, base string, paths ...string) Findings {
	t.Helper()
	var parents []*Checkpoint
	for _, p := range paths {
		parents = append(parents, open(t, p))
	}
	var from *Checkpoint
	if base != "" {
		from = open(t, base)
	}
	g, err := Measure(t.Context(), parents, from, Grouping{})
	if err != nil {
		t.Fatal(err)
	}
	return g.Findings()
}

// suspect checks that one parent beside the usual ones gets a finding and the
// others none, with the base and without.
func suspect(t *testing.T, path, code string, parts ...string) {
	t.Helper()
	for _, base := range []string{garden + "base", ""} {
		paths := []string{path}
		for _, s := range sprouts {
			paths = append(paths, garden+s)
		}
		found := measured(t, base, paths...)
		if len(found) != 1 || found[0].Code != code || found[0].Parent != path {
			t.Errorf("base %q: %+v, want %s of %s alone", base, found, code, path)
			continue
		}
		for _, part := range parts {
			if !strings.Contains(found[0].Message, part) {
				t.Errorf("base %q: %q lacks %q", base, found[0].Message, part)
			}
		}
	}
}

func TestUsualParentsAreNotSuspected(t *testing.T) {
	for _, set := range []string{"finetune/[acloq]*", "uneven/*", "posttrain/*", "run/*"} {
		paths, err := filepath.Glob(garden + set)
		if err != nil || len(paths) < 2 {
			t.Fatal(set, paths, err)
		}
		for _, base := range []string{garden + "base", ""} {
			if found := measured(t, base, paths...); len(found) > 0 {
				t.Errorf("%s, base %q: %+v", set, base, found)
			}
		}
	}
}

func TestHotParent(t *testing.T) { suspect(t, garden+"finetune/hot", "outlier", "times as far") }

func TestScaledParent(t *testing.T) {
	path := altered(t, "finetune/call", func(_ string, _ []int64, values []float32) []float32 {
		for i := range values {
			values[i] *= 1.5
		}
		return values
	})
	suspect(t, path, "scaled", "times those of")
}

func TestPermutedLayers(t *testing.T) {
	c := open(t, garden+"finetune/call")
	path := altered(t, "finetune/call", func(name string, _ []int64, values []float32) []float32 {
		if l := layer(name); l >= 0 {
			other := name
			switch l {
			case 0:
				other = strings.Replace(name, ".0.", ".2.", 1)
			case 2:
				other = strings.Replace(name, ".2.", ".0.", 1)
			}
			return floatsAt(c, other, 0, int64(len(values)))
		}
		return values
	})
	suspect(t, path, "permuted-layers", "2 is in the place of 0", "0 is in the place of 2")
}

func TestPermutedRows(t *testing.T) {
	path := altered(t, "finetune/call", func(name string, shape []int64, values []float32) []float32 {
		if strings.Contains(name, "embed_tokens") {
			w := int(shape[1])
			for i := range w {
				values[40*w+i], values[77*w+i] = values[77*w+i], values[40*w+i]
			}
		}
		return values
	})
	suspect(t, path, "permuted-rows", "77 is in the place of 40", "40 is in the place of 77", "embed_tokens")
}

// Another run of the same shapes, as far as weights tell: the same values in
// another order and with other signs within each tensor.
func TestOtherOrigin(t *testing.T) {
	path := altered(t, "finetune/call", func(name string, _ []int64, values []float32) []float32 {
		if len(values) > 128 { // norms are alike in all runs
			slices.Reverse(values)
			for i := range values {
				values[i] *= float32(1 - 2*(i%2))
			}
		}
		return values
	})
	suspect(t, path, "other-origin", "cosine")
}

func TestNearDuplicate(t *testing.T) {
	path := altered(t, "finetune/order", func(_ string, _ []int64, values []float32) []float32 {
		for i := range values {
			if i%50 == 0 {
				values[i] *= 1.002
			}
		}
		return values
	})
	found := measured(t, garden+"base", garden+"finetune/arith", garden+"finetune/order", path)
	if len(found) != 1 || found[0].Code != "near-duplicate" || found[0].Parent != path || !strings.Contains(found[0].Message, "order") {
		t.Errorf("%+v", found)
	}
}

// Lengths and cosines are those of the elements in float64, with groups and without a base.
func TestMeasureIsRight(t *testing.T) {
	paths := []string{"finetune/arith", "finetune/call", "finetune/hot"}
	var parents []*Checkpoint
	for _, p := range paths {
		parents = append(parents, open(t, garden+p))
	}
	base := open(t, garden+"base")
	var names []string
	for _, tensor := range base.Tensors() {
		names = append(names, tensor.Name)
	}
	groups, err := GroupSpec{Layers: 3}.Group(names)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []*Checkpoint{base, nil} {
		g, err := Measure(t.Context(), parents, from, groups)
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Groups) != 4 {
			t.Fatalf("%d groups", len(g.Groups))
		}
		for k, v := range g.Groups {
			in := func(name string) bool { return k == 0 || groups.Of[name] == k-1 }
			checkVector(t, v, parents, from, in)
		}
	}
}

func checkVector(t *testing.T, v GroupVector, parents []*Checkpoint, from *Checkpoint, in func(string) bool) {
	t.Helper()
	var x [3][]float64
	var o []float64
	for _, tensor := range parents[0].Tensors() {
		if !in(tensor.Name) {
			continue
		}
		for i, p := range parents {
			x[i] = append(x[i], elementsOf(t, p, tensor.Name)...)
		}
		if from != nil {
			o = append(o, elementsOf(t, from, tensor.Name)...)
		}
	}
	if from == nil {
		o = make([]float64, len(x[0]))
		for e := range o {
			o[e] = (x[0][e] + x[1][e] + x[2][e]) / 3
		}
	}
	times := func(a, b []float64, moved bool) float64 {
		sum := 0.0
		for e := range a {
			if moved {
				sum += (a[e] - o[e]) * (b[e] - o[e])
			} else {
				sum += a[e] * b[e]
			}
		}
		return sum
	}
	close := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-5*max(1, math.Abs(want)) {
			t.Errorf("%s: %s is %v, want %v", v.Name, what, got, want)
		}
	}
	if v.Elements != int64(len(o)) {
		t.Errorf("%s: %d elements, want %d", v.Name, v.Elements, len(o))
	}
	close("base", v.Base, math.Sqrt(times(o, o, false)))
	for i := range x {
		close("length", v.Lengths[i], math.Sqrt(times(x[i], x[i], false)))
		close("moved", v.Moved[i], math.Sqrt(times(x[i], x[i], true)))
		close("scale", v.Scale(i), times(x[i], o, false)/times(o, o, false))
		close("alike", v.Alike(i), times(x[i], o, false)/math.Sqrt(times(o, o, false)*times(x[i], x[i], false)))
		for j := range x {
			close("cosine", v.Cosines[i][j], times(x[i], x[j], true)/math.Sqrt(times(x[i], x[i], true)*times(x[j], x[j], true)))
		}
	}
}

func elementsOf(t *testing.T, c *Checkpoint, name string) []float64 {
	t.Helper()
	data, err := c.Bytes(name)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, len(data)/2)
	for i := range out {
		out[i] = float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16))
	}
	return out
}
