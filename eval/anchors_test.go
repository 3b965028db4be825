//go:build anchors

package eval

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// official writes count lines of tools/text_metrics.py to a file. SOUP_PYTHON is
// a Python that has the official packages.
func official(t *testing.T, family string, count int) string {
	t.Helper()
	python := os.Getenv("SOUP_PYTHON")
	if python == "" {
		t.Fatal("set SOUP_PYTHON to what tools/text/python.sh prints, or use make agree-text")
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(python, "../tools/text_metrics.py", family, "--count", strconv.Itoa(count), "--seed", "1")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	path := filepath.Join(t.TempDir(), family+".jsonl")
	if err := os.WriteFile(path, stdout.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTranslationAgrees(t *testing.T) {
	lines := readLines[scored](t, official(t, "translation", 2000))
	scores, largest := compareTranslation(t, lines)
	t.Logf("2000 pairs in 8 scripts and each script as a corpus: %d scores, largest difference %.3g of 100", scores, largest)
}

func TestInfiniteBenchAgrees(t *testing.T) {
	if os.Getenv("SOUP_INFINITEBENCH") == "" {
		t.Skip("SOUP_INFINITEBENCH is not set to a checkout of OpenBMB/InfiniteBench")
	}
	lines := readLines[judged](t, official(t, "infinitebench", 2000*len(infiniteBenchTasks)))
	largest := compareInfiniteBench(t, lines)
	t.Logf("%d answers to %d tasks, largest difference %.3g", len(lines), len(infiniteBenchTasks), largest)
}

func TestIFEvalAgrees(t *testing.T) {
	lines := readLines[obeyed](t, official(t, "ifeval", 10000))
	verdicts, right := compareIFEval(t, lines)
	t.Logf("%d responses, %d verdicts on %d instructions (%d followed strictly), strict and loose", len(lines), verdicts, len(checks), right)
}
