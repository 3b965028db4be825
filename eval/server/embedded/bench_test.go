//go:build cgo

package embedded

import (
	"testing"

	"soup/eval"
)

// BenchmarkSearchItems answers the garden's 900 search items.
func BenchmarkSearchItems(b *testing.B) {
	e := newEngine(b, Options{})
	mustLoad(b, e, garden+"finetune/order")
	qs := questions(b, gardenSet(b).Search)
	b.ResetTimer()
	for range b.N {
		if _, err := e.AnswerAll(b.Context(), qs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(qs)*b.N)/b.Elapsed().Seconds(), "items/s")
}

// BenchmarkSwap loads other weights and generates the first token.
func BenchmarkSwap(b *testing.B) {
	e := newEngine(b, Options{})
	paths := []string{gguf(b, "finetune/order"), gguf(b, "finetune/arith")}
	for _, p := range paths {
		mustLoad(b, e, p)
	}
	r := user("785+878")
	r.MaxTokens = 1
	b.ResetTimer()
	for i := range b.N {
		if _, err := e.Load(b.Context(), eval.Model{Path: paths[i%2]}); err != nil {
			b.Fatal(err)
		}
		if _, err := e.Generate(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
