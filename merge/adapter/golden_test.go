package adapter

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"soup/merge"
)

// goldenSoup is a soup of testdata, made by tools/adapters.py with PEFT.
type goldenSoup struct {
	name     string
	adapters []*Adapter
	weights  []float64
}

// goldenSoups opens the adapters of testdata/soups.json.
func goldenSoups(t testing.TB) (soups []goldenSoup) {
	t.Helper()
	var all map[string]map[string]float64
	if err := json.Unmarshal(read(t, "testdata/soups.json"), &all); err != nil {
		t.Fatal(err)
	}
	for name, weights := range all {
		s := goldenSoup{name: name}
		for adapter, w := range weights {
			s.adapters, s.weights = append(s.adapters, open(t, "testdata/"+adapter)), append(s.weights, w)
		}
		soups = append(soups, s)
	}
	if len(soups) < 5 {
		t.Fatalf("only %d soups", len(soups))
	}
	return soups
}

// PEFT's matrices in float64, rounded to float32, every 16th row.
func (s goldenSoup) want(t testing.TB) map[string][]float64 {
	c := openBase(t, "testdata/"+s.name+".safetensors")
	all := map[string][]float64{}
	for _, m := range c.Tensors() {
		v, _ := values(t, c, m.Name)
		all[m.Name] = wide(v)
	}
	return all
}

const goldenRows = 16

func everyRow(matrix []float64, columns int64) (kept []float64) {
	for at := int64(0); at < int64(len(matrix)); at += goldenRows * columns {
		kept = append(kept, matrix[at:at+columns]...)
	}
	return kept
}

// Stacked, the change is PEFT's. The tolerance is that of the float32 rounding
// of w*s*B (2^-24 of each product) and of the reference itself.
func TestStackAgreesWithPEFT(t *testing.T) {
	for _, s := range goldenSoups(t) {
		for _, each := range []bool{false, true} {
			out := filepath.Join(t.TempDir(), "soup")
			if _, err := Stack(t.Context(), out, s.adapters, nil, s.weights, Options{EachRank: each}); err != nil {
				t.Fatal(err)
			}
			made := open(t, out)
			if err := check(t, made).Err(); err != nil {
				t.Fatal(err)
			}
			want := s.want(t)
			if len(made.Modules()) != len(want) {
				t.Errorf("%s: %d modules, want %d", s.name, len(made.Modules()), len(want))
			}
			for _, m := range made.Modules() {
				if m.Scale != 1 {
					t.Errorf("%s: %s has the factor %v", s.name, m.Name, m.Scale)
				}
				if d := distance(everyRow(change(t, made, m, product), m.In), want[m.Name]); d > 2e-7 {
					t.Errorf("%s: %s is off by %g of its largest value", s.name, m.Name, d)
				}
			}
		}
	}
}

// Baked, every element is the exact sum up to float32's rounding of rank+1
// products and sums, and in bf16 the nearest number but where the exact sum lies
// that near the middle between two.
func TestBakeAgreesWithPEFT(t *testing.T) {
	base := openBase(t, garden+"base")
	for _, s := range goldenSoups(t) {
		full := filepath.Join(t.TempDir(), "full")
		if _, err := Bake(t.Context(), full, base, s.adapters, nil, s.weights, Options{Store: merge.F32}); err != nil {
			t.Fatal(err)
		}
		made, want := openBase(t, full), s.want(t)
		for name, rows := range want {
			got, of := values(t, made, name+".weight")
			old, _ := values(t, base, name+".weight")
			g, b := everyRow(wide(got), of.Shape[1]), everyRow(wide(old), of.Shape[1])
			for i := range g {
				if math.Abs(g[i]-(b[i]+rows[i])) > 3e-7 {
					t.Fatalf("%s: %s: element %d is %v, want %v", s.name, name, i, g[i], b[i]+rows[i])
				}
			}
		}
		unchanged(t, made, base, want)
	}
}

// unchanged compares what no adapter changes.
func unchanged(t *testing.T, made, base *merge.Checkpoint, changed map[string][]float64) {
	t.Helper()
	for _, of := range base.Tensors() {
		module, _ := moduleOf(of.Name)
		if _, ok := changed[module]; ok {
			continue
		}
		got, _ := values(t, made, of.Name)
		if old, _ := values(t, base, of.Name); !slices.Equal(got, old) {
			t.Errorf("%s changed", of.Name)
		}
	}
}

// GPT-2's matrices are [in, out]; PEFT's merge_and_unload in float32.
func TestBakeTransposed(t *testing.T) {
	base := openBase(t, "testdata/gpt2/base")
	adapters := []*Adapter{open(t, "testdata/gpt2/one"), open(t, "testdata/gpt2/two")}
	out := filepath.Join(t.TempDir(), "soup")
	if _, err := Bake(t.Context(), out, base, adapters, nil, []float64{0.6, 0.4}, Options{}); err != nil {
		t.Fatal(err)
	}
	made, reference := openBase(t, out), openBase(t, "testdata/gpt2/merged")
	seen := 0
	for _, of := range reference.Tensors() {
		want, _ := values(t, reference, of.Name)
		got, _ := values(t, made, of.Name)
		if d := distance(wide(got), wide(want)); d > 3e-7 {
			t.Errorf("%s is off by %g", of.Name, d)
		}
		if old, _ := values(t, base, of.Name); !slices.Equal(got, old) {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("%d matrices changed, want c_attn and c_fc", seen)
	}
}
