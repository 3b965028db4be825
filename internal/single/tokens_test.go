//go:build cgo

package single

import (
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/merge/convert/picotest"
)

// The engine takes a word that is a token at once, whatever the merges say.
// Where they do not make it, its ids are wrong, and nothing is scored.
func TestScoreComparesTokenIDs(t *testing.T) {
	slog.SetLogLoggerLevel(slog.LevelError) // ggml's loader reports its devices
	dir := picotest.Dir(t, "gpt2tok")
	data := filepath.Join("..", "..", "examples", "garden", "data", "arith.jsonl")
	picotest.Edit(t, dir, "tokenizer.json", func(c map[string]any) {
		m := c["model"].(map[string]any)
		m["merges"] = slices.DeleteFunc(m["merges"].([]any), func(pair any) bool {
			p := pair.([]any)
			return p[0].(string)+p[1].(string) == "for"
		})
	})
	_, err := Score(t.Context(), ScoreOptions{Model: dir, Data: []string{data}})
	if err == nil || !strings.Contains(err.Error(), "divides text differently") || !strings.Contains(err.Error(), `"for" instead of`) {
		t.Errorf("error %v", err)
	}
}
