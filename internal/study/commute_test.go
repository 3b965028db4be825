package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"soup/merge"
	"soup/merge/convert"
)

// What is measured is what is delivered: averaging the converted parents gives,
// bit for bit, the converted average of the parents.
func TestConversionCommutesWithAveraging(t *testing.T) {
	root, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	for _, extra := range []string{"", "groups: {layers: 3}\n", "store: float16\n", "store: float32\n", "groups: {kind: [attention, mlp, other]}\nstore: bfloat16\n"} {
		t.Run(strings.TrimSpace(extra), func(t *testing.T) {
			text := "parents: " + root + "/finetune/*\n" + extra
			c := &Config{File: filepath.Join(t.TempDir(), "x.yaml")}
			if err := parseInto(c, text); err != nil {
				t.Fatal(err)
			}
			if err := c.completeParents(); err != nil {
				t.Fatal(err)
			}
			p, buffer := testPantry(t, c)
			rapid.Check(t, func(r *rapid.T) { commutes(r, t, p, buffer) })
		})
	}
}

func commutes(r *rapid.T, t *testing.T, p *pantry, buffer *merge.Buffer) {
	var weights [][]float64
	for range max(1, len(p.groups.Names)) {
		row := make([]float64, len(p.source))
		for i := range row {
			row[i] = rapid.SampledFrom([]float64{0, 0.1, 0.3, 1}).Draw(r, "weight") * rapid.Float64Range(0, 1).Draw(r, "scale")
		}
		row[rapid.IntRange(0, len(row)-1).Draw(r, "at least")] += 0.5
		weights = append(weights, row)
	}
	if _, err := buffer.Cook(t.Context(), p.served, p.recipe(weights)); err != nil {
		r.Fatal(err)
	}
	measured, err := os.ReadFile(buffer.Path())
	if err != nil {
		r.Fatal(err)
	}
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		r.Fatal(err)
	}
	out := filepath.Join(dir, "soup")
	recipe := merge.Recipe{Groups: p.groups, Weights: weights}
	if _, err := merge.Write(t.Context(), out, p.source, p.names, recipe, merge.WriteOptions{Store: p.store}); err != nil {
		r.Fatal(err)
	}
	converted, err := convert.Cache(t.Context(), out, dir, "")
	if err != nil {
		r.Fatal(err)
	}
	delivered, err := os.ReadFile(converted.Path)
	if err != nil {
		r.Fatal(err)
	}
	if string(measured) != string(delivered) {
		r.Errorf("%v: %d bytes measured, %d delivered, and they differ", weights, len(measured), len(delivered))
	}
	if err := os.RemoveAll(dir); err != nil {
		r.Fatal(err)
	}
}
