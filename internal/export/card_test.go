package export

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"soup/results"
)

// header is the front matter of a card.
func header(t testing.TB, text string) map[string]any {
	t.Helper()
	front, _, ok := strings.Cut(strings.TrimPrefix(text, "---\n"), "\n---\n")
	if !ok {
		t.Fatalf("no header in %s", text)
	}
	var h map[string]any
	must(t, yaml.Unmarshal([]byte(front), &h))
	return h
}

func cardOf(t testing.TB, trial int) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "soup")
	_, err := Export(t.Context(), studied(t, ""), Options{Out: out, Trial: trial, Version: "v9"})
	must(t, err)
	return read(t, filepath.Join(out, "README.md"))
}

// The card of the winner says what it is, what it is worth, and what is worse.
func TestCard(t *testing.T) {
	text := cardOf(t, -1)
	h := header(t, text)
	if h["license"] != nil || fmt.Sprint(h["tags"]) != "[merge soup]" || fmt.Sprint(h["base_model"]) != "[arith order]" || h["base_model_relation"] != "merge" {
		t.Errorf("header %v", h)
	}
	if index := fmt.Sprint(h["model-index"]); !strings.Contains(index, "name:soup") || !strings.Contains(index, "split:test") {
		t.Errorf("index %s", index)
	}
	for _, want := range []string{
		"A weighted average of 2 checkpoints", "(trial 5, random 1)", "| arith | 0.25 | `", "| order | 0.75 | `", "| not found |",
		"No licence was found for arith, order: ", "6 candidates were tried", "Written by soup v9.", "| server | `embedded \\| v1` |", "asked once, at the end",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, not := range []string{"<no value>", "%!", "quiz", "NaN"} {
		if strings.Contains(text, not) {
			t.Errorf("%q in\n%s", not, text)
		}
	}
	checkTables(t, text)
}

// checkTables wants as many cells in every line of a table as in its header.
func checkTables(t testing.TB, text string) {
	t.Helper()
	cells := 0
	for line := range strings.Lines(text) {
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		if cells == 0 {
			cells = n
		}
		if n != cells {
			t.Errorf("%d cells, not %d: %s", n, cells, line)
		}
	}
}

// Candidates that were not scored to the end, and single checkpoints, have
// cards that say so.
func TestCardOfOthers(t *testing.T) {
	for trial, want := range map[int]string{
		6: "This candidate was not scored to the end.", 7: "No scores.", 2: "The checkpoint order alone", 4: "A weighted average of 3 checkpoints", 8: "The checkpoint order alone",
	} {
		text := cardOf(t, trial)
		if !strings.Contains(text, want) {
			t.Errorf("trial %d: no %q in\n%s", trial, want, text)
		}
		checkTables(t, text)
	}
}

func TestHubName(t *testing.T) {
	for _, c := range []struct{ name, path, want string }{
		{"a", "/home/x/.cache/huggingface/hub/models--org--the-model/snapshots/0123", "org/the-model"},
		{"my model (2)", "/data/a", "my-model-2"},
		{"...", "/data/a", "unnamed"},
	} {
		if got := hubName(results.Parent{Name: c.name, Path: c.path}); got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
}
