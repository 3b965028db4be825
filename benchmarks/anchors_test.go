//go:build anchors

package benchmarks

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// official runs tools/extraction.py and returns the file that it wrote.
func official(t *testing.T, args ...string) string {
	t.Helper()
	python := os.Getenv("SOUP_PYTHON")
	if python == "" {
		t.Fatal("set SOUP_PYTHON to what tools/extraction.sh prints, or use make agree-extraction")
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(python, append([]string{"../tools/extraction.py"}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	path := filepath.Join(t.TempDir(), "official.jsonl")
	if err := os.WriteFile(path, stdout.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// 5,000 answers of each kind: results and scores are those of lm-eval and
// simple-evals, every one.
func TestAnswersAgree(t *testing.T) {
	for kind, c := range compareAnswers(t, official(t, "answers", "--count", "5000", "--seed", "1")) {
		t.Logf("%s: %d answers, of them %d right", kind, c[0]+c[1], c[1])
	}
}

// The tasks of tools/lm_eval give the requests that lm-eval builds of them.
func TestPromptsAgree(t *testing.T) {
	tasks, requests := comparePrompts(t, official(t, "prompts"))
	t.Logf("%d tasks, %d requests", tasks, requests)
}
