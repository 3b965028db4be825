package study

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"soup/internal/serve"
	"soup/merge"
)

// What a server of directories is given is, to the byte, what would be delivered:
// weights, configuration and tokenizer; in one file, also where parents are in
// shards or in several dtypes.
func TestDirectoriesAreWhatIsDelivered(t *testing.T) {
	for _, extra := range []string{"", "groups: {layers: 3}\n", "store: float16\n", "store: float32\n"} {
		t.Run(strings.TrimSpace(extra), func(t *testing.T) {
			p, k := directoryKitchen(t, extra)
			rapid.Check(t, func(r *rapid.T) {
				served := ""
				for i := range 3 { // into one directory and the other
					c := anyCandidate(r, p, i)
					path, err := k.cook(t.Context(), c, served)
					if err != nil {
						r.Fatal(err)
					}
					if path == served {
						r.Fatalf("%s is overwritten while it is served", path)
					}
					served = path
					sameAsWritten(r, t, p, c, path)
				}
			})
		})
	}
}

// directoryKitchen has one parent in shards and one in float32.
func directoryKitchen(t *testing.T, extra string) (*pantry, *kitchen) {
	t.Helper()
	dir := t.TempDir()
	parents := ""
	for name, o := range map[string]merge.WriteOptions{"arith": {Shard: 200 << 10}, "order": {Store: merge.F32}} {
		ck, err := merge.Open(filepath.Join(garden, "finetune", name))
		if err != nil {
			t.Fatal(err)
		}
		defer ck.Close()
		if _, err := merge.Write(t.Context(), filepath.Join(dir, name), []*merge.Checkpoint{ck}, nil, merge.Recipe{Weights: [][]float64{{1}}}, o); err != nil {
			t.Fatal(err)
		}
		parents += "  - {path: '" + filepath.Join(dir, name) + "'}\n"
	}
	if !exists(filepath.Join(dir, "arith", "model.safetensors.index.json")) {
		t.Fatal("the first parent is not in shards")
	}
	c, format := &Config{File: filepath.Join(dir, "x.yaml")}, serve.Directory
	if err := parseInto(c, "parents:\n"+parents+extra); err != nil {
		t.Fatal(err)
	}
	if err := c.completeParents(); err != nil {
		t.Fatal(err)
	}
	c.Server.format = &format
	p, err := openPantry(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	if err := p.convert(t.Context(), c, dir); err != nil {
		t.Fatal(err)
	}
	k, err := newKitchen(dir, p, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.close(); err != nil {
			t.Error(err)
		}
	})
	return p, k
}

func anyCandidate(r *rapid.T, p *pantry, i int) candidate {
	var weights [][]float64
	for range max(1, len(p.groups.Names)) {
		a := rapid.SampledFrom([]float64{0, 1, rapid.Float64Range(0, 1).Draw(r, "a")}).Draw(r, "weight")
		weights = append(weights, []float64{a, 1 - a})
	}
	return candidate{"random", "soup", weights, rapid.StringMatching(`[a-f]{20}`).Draw(r, "key") + string(rune('0'+i))}
}

func sameAsWritten(r *rapid.T, t *testing.T, p *pantry, c candidate, path string) {
	out := filepath.Join(t.TempDir(), "soup")
	recipe := merge.Recipe{Groups: p.groups, Weights: c.weights}
	if _, err := merge.Write(t.Context(), out, p.source, p.names, recipe, merge.WriteOptions{Store: p.store}); err != nil {
		r.Fatal(err)
	}
	defer os.RemoveAll(out)
	for _, dir := range []string{path, out} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			r.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() == "README.md" || e.Name() == "soup.json" { // about the soup, not of it
				continue
			}
			measured, err := os.ReadFile(filepath.Join(path, e.Name()))
			if err != nil {
				r.Fatal(err)
			}
			delivered, err := os.ReadFile(filepath.Join(out, e.Name()))
			if err != nil {
				r.Fatal(err)
			}
			if !bytes.Equal(measured, delivered) {
				r.Errorf("%s of weights %v differs", e.Name(), c.weights)
			}
		}
	}
}
