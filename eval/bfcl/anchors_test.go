//go:build anchors

package bfcl

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// official runs tools/bfcl.py with the Python of SOUP_PYTHON, in which the
// benchmark's package is installed, and returns the file that it writes.
func official(t *testing.T, args ...string) string {
	t.Helper()
	python := os.Getenv("SOUP_PYTHON")
	if python == "" {
		t.Fatal("SOUP_PYTHON is not set: run make anchors")
	}
	out := filepath.Join(t.TempDir(), "out.jsonl")
	cmd := exec.CommandContext(t.Context(), python, append([]string{"../../tools/bfcl.py", args[0], out}, args[1:]...)...)
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, text)
	}
	t.Logf("%s", text)
	return out
}

// TestOfficialVerdicts: the same verdict on every answer to the official items.
func TestOfficialVerdicts(t *testing.T) {
	for _, seed := range []string{"1", "2"} {
		f, err := os.Open(official(t, "verdicts", "--answers", "60000", "--seed", seed))
		if err != nil {
			t.Fatal(err)
		}
		answers, right := compareVerdicts(t, f)
		f.Close()
		if answers < 50_000 || right < 5_000 {
			t.Errorf("only %d answers, %d of them right", answers, right)
		}
		t.Logf("seed %s: %d answers compared, %d right", seed, answers, right)
	}
}
