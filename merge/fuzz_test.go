package merge

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// Whatever a file holds, opening, checking and cooking it neither crashes nor
// takes more than this beside what it maps.
const (
	fuzzMemory = 256 << 20
	fuzzTime   = 5 * time.Second
)

// bounded runs fn and fails if it took too much memory or time.
func bounded(t *testing.T, fn func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	started := time.Now()
	fn()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > fuzzMemory {
		t.Errorf("%d bytes allocated", n)
	}
	if took := time.Since(started); took > fuzzTime {
		t.Errorf("took %v", took)
	}
}

// use does with a checkpoint all that soup does, if it can be opened.
func use(t *testing.T, path string) {
	c, err := OpenWith(path, OpenOptions{Dequantise: true})
	if err != nil {
		return
	}
	defer c.Close()
	_ = Check([]*Checkpoint{c}, nil)
	if _, err := c.Hash(t.Context()); err != nil {
		t.Errorf("hash: %v", err)
	}
	if _, err := Scan(t.Context(), c); err != nil {
		t.Errorf("scan: %v", err)
	}
	b, err := NewBuffer(filepath.Join(t.TempDir(), "candidate"), c, AsStored)
	if err != nil {
		return
	}
	defer b.Close()
	if _, err := b.Cook(t.Context(), []*Checkpoint{c}, global(0.5)); err != nil {
		t.Errorf("cook: %v", err)
	}
}

// FuzzSafetensors opens any bytes as a safetensors file.
func FuzzSafetensors(f *testing.F) {
	f.Add(safetensorsBytes(smallTensors(1, BF16)...))
	f.Add(safetensorsBytes(noise("w", F32, 1, 3), fake{"i", I64, []int64{1}, make([]byte, 8)}))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := write(t, filepath.Join(t.TempDir(), "x.safetensors"), data)
		bounded(t, func() { use(t, path) })
	})
}

// FuzzIndex opens a directory of two shards with any index.
func FuzzIndex(f *testing.F) {
	for _, weightMap := range []string{fullMap(), `"a":"../x.safetensors"`, `"a":1`} {
		f.Add([]byte(`{"metadata":{"total_size":1},"weight_map":{` + weightMap + `}}`))
	}
	f.Fuzz(func(t *testing.T, index []byte) {
		dir := sharded(t, 1, "")
		write(t, filepath.Join(dir, indexName), index)
		bounded(t, func() { use(t, dir) })
	})
}

// FuzzGGUF opens any bytes as a GGUF file.
func FuzzGGUF(f *testing.F) {
	f.Add(ggufBytes(smallKVs, ggufTensors(1)...))
	x, _ := q8("token_embd.weight", 1, 2, 32)
	f.Add(ggufBytes(append([]ggufValue{{"general.file_type", uint32(7)}, {"general.alignment", uint32(64)}}, smallKVs[:2]...), x))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := write(t, filepath.Join(t.TempDir(), "x.gguf"), data)
		bounded(t, func() { use(t, path) })
	})
}

// FuzzTorch opens any bytes as a file of torch.save, each in a child process.
// The child's own work is fuzzed where it is done.
func FuzzTorch(f *testing.F) {
	for _, name := range []string{"dtypes-2.bin", "module.bin", "views.bin", "wrapped.pt", "overlap.bin", "legacy.bin"} {
		f.Add(read(f, torchArchives+name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := write(t, filepath.Join(t.TempDir(), "x.bin"), data)
		bounded(t, func() { use(t, path) })
	})
}

// FuzzParseHeader: whatever parses covers its data exactly.
func FuzzParseHeader(f *testing.F) {
	for _, bad := range badHeaders {
		f.Add([]byte(bad.header), uint64(8))
	}
	file := safetensorsBytes(smallTensors(1, BF16)...)
	f.Add(file[8:8+binary.LittleEndian.Uint64(file)], uint64(382))
	f.Fuzz(func(t *testing.T, raw []byte, data uint64) {
		entries, _, err := parseHeader(raw, data)
		if err != nil {
			return
		}
		var sum uint64
		for _, e := range entries {
			sum += uint64(e.Bytes())
			if e.end > data || e.Elements() < 0 {
				t.Errorf("entry %+v of %d bytes", e, data)
			}
		}
		if sum != data {
			t.Errorf("entries hold %d bytes of %d", sum, data)
		}
	})
}

// TestCorpora: the inputs that fuzzing found are there, and so are run by every
// test.
func TestCorpora(t *testing.T) {
	for _, target := range []string{"FuzzSafetensors", "FuzzIndex", "FuzzGGUF", "FuzzTorch", "FuzzParseHeader"} {
		dir := filepath.Join("testdata", "fuzz", target)
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) < 10 {
			t.Errorf("%s holds %d inputs (%v)", dir, len(entries), err)
			continue
		}
		for _, e := range entries {
			if !bytes.HasPrefix(read(t, filepath.Join(dir, e.Name())), []byte("go test fuzz v1\n")) {
				t.Errorf("%s/%s is not an input", dir, e.Name())
			}
		}
	}
}
