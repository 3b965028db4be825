package adapter

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"soup/merge"
	"soup/merge/internal/kernel"
)

// baked bakes into a new directory and opens it.
func baked(t *testing.T, base *merge.Checkpoint, adapters []*Adapter, weights []float64, o Options) *merge.Checkpoint {
	t.Helper()
	out := filepath.Join(t.TempDir(), "soup")
	if _, err := Bake(t.Context(), out, base, adapters, nil, weights, o); err != nil {
		t.Fatal(err)
	}
	return openBase(t, out)
}

// filled is the baked tensors without a file.
func filled(t *testing.T, base *merge.Checkpoint, adapters []*Adapter, weights []float64, o Options) map[string][]byte {
	t.Helper()
	kept, err := shares(t.Context(), adapters, nil, weights)
	if err != nil {
		t.Fatal(err)
	}
	c, err := oven{base: base, kept: kept, store: o.Store, workers: o.Workers}.checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, n := range c.Tensors {
		all[n.Name] = make([]byte, merge.Tensor{Shape: n.Shape}.Elements()*n.DType.Size())
		if err := n.Fill(all[n.Name]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// reference is the package documentation's arithmetic, written plainly.
func reference(t *testing.T, adapters []*Adapter, weights []float64, module string, base []float32, store merge.DType) []byte {
	sum := make([]float32, len(base))
	for k, a := range adapters {
		m, ok := a.Module(module)
		if !ok || weights[k] == 0 {
			continue
		}
		down, _ := values(t, a.weights, tensorA(module))
		up, _ := values(t, a.weights, tensorB(module))
		for i := range m.Out {
			for r := range m.Rank {
				factor := float32(weights[k] * m.Scale * float64(up[i*m.Rank+r]))
				for j := range m.In {
					sum[i*m.In+j] += float32(factor * down[r*m.In+j])
				}
			}
		}
	}
	for i := range sum {
		sum[i] += base[i]
	}
	out := make([]byte, int64(len(sum))*store.Size())
	kernel.Round(out, sum, kernel.Type(store))
	return out
}

// Every byte is that of the plain loop, for any number of workers.
func TestBakeToTheByte(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		adapters, weights := draw(t, r)
		of := rapid.SampledFrom([]merge.DType{merge.F32, merge.BF16}).Draw(r, "base")
		store := rapid.SampledFrom([]merge.DType{merge.AsStored, merge.F32, merge.F16, merge.BF16}).Draw(r, "store")
		path := t.TempDir()
		var tensors []fake
		for name, s := range sides {
			tensors = append(tensors, noise(name+".weight", of, uint64(len(name)), s[1], s[0]))
		}
		safetensors(t, filepath.Join(path, "model.safetensors"), tensors...)
		base := openBase(t, path)
		made := filled(t, base, adapters, weights, Options{Store: store, Workers: rapid.IntRange(1, 9).Draw(r, "workers")})
		if store == merge.AsStored {
			store = of
		}
		for name := range sides {
			old, _ := values(t, base, name+".weight")
			if want := reference(t, adapters, weights, name, old, store); !bytes.Equal(made[name+".weight"], want) {
				t.Fatalf("%s, %s into %s: other bytes", name, of, store)
			}
		}
	})
}

// Ranks and rows beyond one tile and more operands than a merge has.
func TestBakeWide(t *testing.T) {
	const in, out, rank = 700, 3, 513
	a := open(t, directory(t, options{"r": rank}, pair("w", 1, in, out, rank)...))
	path := t.TempDir()
	safetensors(t, filepath.Join(path, "model.safetensors"), noise("w.weight", merge.BF16, 4, out, in))
	base := openBase(t, path)
	made := baked(t, base, []*Adapter{a}, []float64{0.3}, Options{Workers: 2})
	old, _ := values(t, base, "w.weight")
	got, err := made.Bytes("w.weight")
	if err != nil || !bytes.Equal(got, reference(t, []*Adapter{a}, []float64{0.3}, "w", old, merge.BF16)) {
		t.Errorf("other bytes (%v)", err)
	}
}

// A baked stack is what its parts give, up to float32's rounding.
func TestBakeStacked(t *testing.T) {
	adapters, weights := []*Adapter{open(t, "testdata/plain"), open(t, "testdata/pattern")}, []float64{0.6, 0.4}
	base := openBase(t, garden+"base")
	one := baked(t, base, []*Adapter{stackedInto(t, adapters, weights, Options{})}, []float64{1}, Options{Store: merge.F32})
	two := baked(t, base, adapters, weights, Options{Store: merge.F32})
	for _, of := range base.Tensors() {
		x, _ := values(t, one, of.Name)
		y, _ := values(t, two, of.Name)
		if d := distance(wide(x), wide(y)); d > 2e-7 {
			t.Errorf("%s: off by %g", of.Name, d)
		}
	}
}

func TestBakeFiles(t *testing.T) {
	path := smallBase(t, merge.BF16, map[string]string{"tokenizer.json": "{}"})
	mask := fake{"mask", merge.U8, []int64{3}, []float32{1, 2, 3}}
	safetensors(t, filepath.Join(path, "model.safetensors"), mask, noise("l.0.norm.weight", merge.BF16, 90, 6), noise("l.0.q.weight", merge.BF16, 91, 5, 6))
	base, a := openBase(t, path), small(t, 1, nil)
	made := baked(t, base, []*Adapter{a}, []float64{0.5}, Options{Store: merge.F32})
	if got := string(read(t, filepath.Join(made.Path(), "config.json"))); got != `{"model_type":"llama","torch_dtype":"float32"}` {
		t.Errorf("config.json: %s", got)
	}
	if got := string(read(t, filepath.Join(made.Path(), "tokenizer.json"))); got != "{}" {
		t.Errorf("tokenizer.json: %s", got)
	}
	if got, err := made.Bytes("mask"); err != nil || !bytes.Equal(got, mask.bytes()) {
		t.Errorf("integers became %v (%v)", got, err)
	}
	wide, _ := values(t, made, "l.0.norm.weight")
	if old, of := values(t, base, "l.0.norm.weight"); of.DType != merge.BF16 || !slices.Equal(wide, old) {
		t.Errorf("an unchanged tensor became %v", wide)
	}
	saved, err := merge.ReadRecipe(filepath.Join(made.Path(), "soup.json"))
	hash, _ := base.Hash(t.Context())
	if err != nil || saved.Method != Baked || len(saved.Parents) != 2 || saved.Parents[1].SHA256 != hash || saved.Weights[0][1] != 1 {
		t.Errorf("%+v: %v", saved, err)
	}
	// A base that is one file has nothing beside it.
	file := openBase(t, filepath.Join(base.Path(), "model.safetensors"))
	out := filepath.Join(t.TempDir(), "soup")
	if _, err := Bake(t.Context(), out, file, []*Adapter{a}, nil, []float64{0.5}, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(out, "config.json")); err == nil {
		t.Error("a config.json from nowhere")
	}
}

func TestBakeErrors(t *testing.T) {
	a, path := small(t, 1, nil), smallBase(t, merge.BF16, nil)
	base := openBase(t, path)
	bake := func(ctx context.Context, out string, base *merge.Checkpoint, weight float64, adapters ...*Adapter) error {
		_, err := Bake(ctx, out, base, adapters, nil, append(make([]float64, len(adapters)-1), weight), Options{})
		return err
	}
	out := filepath.Join(t.TempDir(), "o")
	wantError(t, bake(t.Context(), out, base, 0, a), "all weights are 0")
	wantError(t, bake(t.Context(), out, base, math.Inf(1), a), "not a finite number")
	wantError(t, bake(t.Context(), out, base, 1e39, a), "too large")
	wantError(t, bake(t.Context(), out, base, 1, small(t, 2, options{"bias": "all"})), "biases")
	wantError(t, bake(t.Context(), out, base, 1, a, open(t, directory(t, nil, pair("l.9.q", 1, 6, 5, 2)...))), "l.9.q")
	wantError(t, bake(t.Context(), filepath.Join(path, "o"), base, 1, a), "lies in the parent")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, bake(ctx, out, base, 1, a), "canceled")
	if err := os.Truncate(filepath.Join(path, "model.safetensors"), 200); err != nil {
		t.Fatal(err)
	}
	wantError(t, bake(t.Context(), out, base, 1, a), "model.safetensors")
	if _, err := os.Stat(out); err == nil {
		t.Error("a soup was left behind")
	}
}
