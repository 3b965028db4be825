//go:build anchors

package benchmarks

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"soup/eval"
	"soup/eval/bfcl"
)

// officialBFCL is what tools/bfcl.py writes with the Python of SOUP_PYTHON.
func officialBFCL(t *testing.T, what string) []byte {
	t.Helper()
	python := os.Getenv("SOUP_PYTHON")
	if python == "" {
		t.Fatal("SOUP_PYTHON is not set: run make anchors")
	}
	out := filepath.Join(t.TempDir(), "out")
	if text, err := exec.CommandContext(t.Context(), python, "../tools/bfcl.py", what, out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestBFCLOfficialPrompts: every official item is asked with the messages, and in
// function-calling mode with the tools, of the official program.
func TestBFCLOfficialPrompts(t *testing.T) {
	path := string(officialBFCL(t, "folder"))
	items, err := Load(Source{Family: "bfcl", Path: path})
	if err != nil {
		t.Fatal(err)
	}
	calling, err := Load(Source{Family: "bfcl", Path: path, Options: map[string]any{"mode": "fc"}})
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for k, it := range items {
		at[it.ID] = k
	}
	i := 0
	for l := range bytes.Lines(officialBFCL(t, "prompts")) {
		var want struct {
			ID       string
			Messages []eval.Message
			Tools    json.RawMessage
		}
		if err := json.Unmarshal(l, &want); err != nil {
			t.Fatal(err)
		}
		k, ok := at[want.ID]
		if !ok {
			t.Fatalf("%s is not loaded", want.ID)
		}
		if diff := cmp.Diff(want.Messages, items[k].Messages); diff != "" {
			t.Errorf("%s: %s", want.ID, diff)
		}
		if tools, err := bfcl.Indent(want.Tools, 0); err != nil || tools != string(calling[k].Tools) {
			t.Errorf("%s: tools %s, want %s (error %v)", want.ID, calling[k].Tools, tools, err)
		}
		i++
	}
	if i != len(items) || i < 3600 {
		t.Errorf("%d of %d items compared", i, len(items))
	}
	t.Logf("%d items compared", i)
}

// TestBFCLOfficialScores: the leaderboard's figures for 200 tables of scores.
func TestBFCLOfficialScores(t *testing.T) {
	n := 0
	for l := range bytes.Lines(officialBFCL(t, "scores")) {
		var want struct {
			Sizes, Correct map[string]int
			Figures        map[string]float64
		}
		if err := json.Unmarshal(l, &want); err != nil {
			t.Fatal(err)
		}
		scores := map[string][2]int{}
		for c, right := range want.Correct {
			scores[c] = [2]int{right, want.Sizes[c]}
		}
		items, outcomes := bfclOutcomes(scores)
		got := map[string]float64{}
		for _, f := range Figures(Source{Family: "bfcl"}, items, outcomes) {
			got[f.Name] = f.Value / 100
		}
		for name, v := range want.Figures {
			n++
			if math.Abs(got[name]-v) > 1e-12 {
				t.Errorf("%s of %v is %v, officially %v", name, want.Correct, got[name], v)
			}
		}
	}
	if n < 1400 {
		t.Errorf("only %d figures", n)
	}
	t.Logf("%d figures compared", n)
}
