package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A study that goes on does not read parents that it knows by size and
// modification time: a change in place that keeps both is not noticed, which is
// how this test sees that nothing is read. Any other change is refused.
func TestKnownParentsAreNotReadAgain(t *testing.T) {
	parent := copyOf(t, "finetune/arith", filepath.Join(t.TempDir(), "arith"))
	weights := filepath.Join(parent, "model.safetensors")
	hourAgo := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(weights, hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	file := withParents(t, "", parent, root+"/finetune/order")
	if warnings, err := tryRun(t, file, RunOptions{}); err != nil || warnings != "" {
		t.Fatalf("%v, %s", err, warnings)
	}
	cache := filepath.Join(DefaultDir(file), cacheName, hashesName)
	text, err := os.ReadFile(cache)
	if err != nil || strings.Count(string(text), `"mtime"`) != 2 || !strings.Contains(string(text), weights) {
		t.Fatalf("%v, %s", err, text)
	}
	flip(t, weights, hourAgo)
	if _, err := tryRun(t, file, RunOptions{}); err != nil {
		t.Errorf("read again: %v", err)
	}
	if err := os.Remove(cache); err != nil {
		t.Fatal(err)
	}
	if _, err := tryRun(t, file, RunOptions{}); err == nil || !strings.Contains(err.Error(), "arith") {
		t.Errorf("another parent was taken for the same: %v", err)
	}
}

// flip changes a file in place and puts its modification time back.
func flip(t *testing.T, path string, at time.Time) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// A cache that cannot be written is a warning; the study goes on.
func TestHashesThatCannotBeKept(t *testing.T) {
	root, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	file := withParents(t, "", root+"/finetune/arith", root+"/finetune/order")
	if _, err := tryRun(t, file, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(DefaultDir(file), cacheName, hashesName)
	if err := os.Remove(cache); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(cache, "in-the-way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if warnings, err := tryRun(t, file, RunOptions{}); err != nil || !strings.Contains(warnings, "hashes are not kept") {
		t.Errorf("%v, warnings: %s", err, warnings)
	}
}
