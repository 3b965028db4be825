package merge

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestMeasureLetsGoOfPages: of 192 MB of mapped parents little stays in the process.
// The files are holes: whoever reads them gets pages of zeros.
func TestMeasureLetsGoOfPages(t *testing.T) {
	const elements = 32 << 20
	var parents []*Checkpoint
	for range 3 {
		path := filepath.Join(t.TempDir(), "p.safetensors")
		header := withHeader(`{"w":{"dtype":"BF16","shape":[33554432],"data_offsets":[0,67108864]}}`, nil)
		if err := os.WriteFile(path, header, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, int64(len(header)+2*elements)); err != nil {
			t.Fatal(err)
		}
		parents = append(parents, open(t, path))
	}
	before := mappedBytes(t)
	if _, err := Measure(t.Context(), parents, nil, Grouping{}); err != nil {
		t.Fatal(err)
	}
	if more := mappedBytes(t) - before; more > 16<<20 {
		t.Errorf("%d more bytes of files are in memory", more)
	}
}

// mappedBytes is how much of mapped files the process has in memory.
func mappedBytes(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatal("no RssFile")
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}
