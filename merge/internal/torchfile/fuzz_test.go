package torchfile

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// What a file of a few kilobytes may take: far below a child's limits.
const (
	fuzzMemory = 64 << 20
	fuzzTime   = 5 * time.Second
)

// bounded parses, as a child does, and checks what comes out as its parent does.
func bounded(t *testing.T, data []byte) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	started := time.Now()
	tensors, err := parse(bytes.NewReader(data), int64(len(data)))
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > fuzzMemory+100*uint64(len(data)) {
		t.Errorf("%d bytes allocated for %d", n, len(data))
	}
	if took := time.Since(started); took > fuzzTime {
		t.Errorf("took %v", took)
	}
	if err != nil {
		if text := printable(refusal(err).Refusal); text == "" || refusal(err).Hint == "" {
			t.Errorf("refused without a word or a remedy: %v", err)
		}
		return
	}
	seen := map[string]bool{}
	for _, x := range tensors {
		if err := x.check(int64(len(data)), seen); err != nil {
			t.Errorf("%+v: %v", x, err)
		}
	}
	if len(tensors) == 0 {
		t.Error("neither tensors nor an error")
	}
}

// FuzzArchive reads any bytes as a file of torch.save.
func FuzzArchive(f *testing.F) {
	for _, name := range archives(f) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(bounded)
}

// FuzzPickle reads any pickle in a sound archive with 64 bytes of storage.
func FuzzPickle(f *testing.F) {
	for _, a := range attacks {
		f.Add([]byte(a[0]))
	}
	f.Add([]byte(dict("x", floats(0, 4), "tied", floats(0, 4), "y", floats(12, 4))))
	f.Fuzz(func(t *testing.T, pickle []byte) { bounded(t, pack(t, string(pickle))) })
}

func archives(t testing.TB) []string {
	files, err := filepath.Glob("testdata/*.[bp]*")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d archives in testdata (%v)", len(files), err)
	}
	return files
}

// TestCorpora: the inputs that fuzzing found are there, and so are run by every
// test.
func TestCorpora(t *testing.T) {
	for _, target := range []string{"FuzzArchive", "FuzzPickle"} {
		dir := filepath.Join("testdata", "fuzz", target)
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) < 10 {
			t.Errorf("%s holds %d inputs (%v)", dir, len(entries), err)
			continue
		}
		for _, e := range entries {
			raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil || !bytes.HasPrefix(raw, []byte("go test fuzz v1\n")) {
				t.Errorf("%s/%s is not an input (%v)", dir, e.Name(), err)
			}
		}
	}
}
